"""Models on disk: a skops file that also tells what table it wants."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polytask
from polytask.tables.database import without_password
from polytask.tables.errors import TableError, name_list
from polytask.tables.training import Seen

if TYPE_CHECKING:
    from polytask.tables import TaskTable
    from polytask.tables.stream_table import StreamTable

__all__ = ["WORDS", "ModelCard", "card_in_words", "load_model", "make_card", "save_model"]

CARD = "polytask.json"  # inside the skops archive, readable without loading anything
WORDS = "model_card.md"  # beside it, for people
FORMAT = 1
MORE_TYPES = (  # around the formulations: preprocessing, boosting, what scikit-learn keeps inside
    "functools.partial",  # inside scikit-learn's trees, around check_array
    "numpy.dtype",
    "polytask.models.boosted_trees.BoostedTreesClassifier",
    "polytask.models.boosted_trees.BoostedTreesRegressor",
    "polytask.sources.prepare.level_name",  # in files of earlier preprocessing
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
MOVED = {  # where earlier files say that something lives: where it lives now
    "polytask.inspection.baselines": "polytask.models.boosted_trees",
    "polytask.streaming.prepare": "polytask.sources.prepare",
    "polytask.tables.preprocess": "polytask.sources.prepare",
}


@dataclass(frozen=True)
class ModelCard:
    """What a saved model wants to see and how its answers are to be read.

    Attributes
    ----------
    model : str
        Its name on the command line.
    task, target : str
    id_form : {"integer", "text"}
    tasks : tuple
        Ids of the tasks in training.
    numeric, categorical : tuple of str
        Feature columns.
    kind : {"regression", "classification"}
    classes : tuple
        The second is the one that `probability` speaks of.
    rows : int
        Rows in training.
    versions : dict of str to str
        Of the packages that fitted it.
    seen : dict of str to Seen
        What training saw of every feature.
    missing : tuple of str
        Marks that meant a gap.
    """

    model: str
    task: str
    target: str
    id_form: str
    tasks: tuple[int, ...] | tuple[str, ...]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    kind: str
    classes: tuple[Any, ...]
    rows: int
    versions: dict[str, str]
    seen: dict[str, Seen] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a table to predict for must have."""
        return (*self.numeric, *self.categorical, self.task)


def make_card(
    name: str, table: TaskTable | StreamTable, missing: tuple[str, ...] = ()
) -> ModelCard:
    """The card of a model fitted on all rows of ``table``, where ``missing`` marks were gaps."""
    return ModelCard(
        model=name,
        task=table.task,
        target=table.target,
        id_form=table.id_form,
        tasks=table.task_ids,
        numeric=table.numeric,
        categorical=table.categorical,
        kind=table.kind,
        classes=table.classes,
        rows=table.n_rows,
        versions=_versions(),
        seen=table.seen,
        missing=missing,
    )


def save_model(model: Any, card: ModelCard, path: Path, words: str) -> None:
    """Write the model, its card and the card's words (Markdown) into one file."""
    import skops.io

    skops.io.dump(model, path, compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        content = {"format": FORMAT, **dataclasses.asdict(card)}
        archive.writestr(CARD, json.dumps(content, indent=1, ensure_ascii=False))
        archive.writestr(WORDS, words)


def card_in_words(
    model: Any, card: ModelCard, source: object, notes: tuple[str, ...], comparison: Any = None
) -> str:
    """The model card for people, as Markdown."""
    from polytask.report import as_markdown, model_card

    about = {**dataclasses.asdict(card), "source": without_password(source), "notes": notes}
    return as_markdown(model, model_card(model, about, comparison))


def load_model(path: str | os.PathLike[str]) -> tuple[Any, ModelCard]:
    """Read a model; types that are not on the list of trusted ones are refused.

    Raises
    ------
    TableError
        If the file is absent, was not written by polytask, or holds types that nobody vouches
        for.
    """
    card = _read_card(Path(path))
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    trusted = [*polytask.TRUSTED_TYPES, *MORE_TYPES]
    try:
        return skops.io.loads(_today(Path(path)), trusted=trusted), card
    except UntrustedTypesFoundException as error:
        unknown = sorted(set(skops.io.get_untrusted_types(file=path)) - set(trusted))
        raise TableError(
            f"MODEL must hold nothing but models of polytask and scikit-learn; {str(path)!r} "
            f"also holds {name_list(unknown)}. Load it in Python if you trust its author."
        ) from error
    except (KeyError, AttributeError, ImportError, TypeError, ValueError) as error:
        written = ", ".join(f"{name} {version}" for name, version in card.versions.items())
        raise TableError(
            f"MODEL must suit the installed packages; {str(path)!r} was written with {written} "
            f"and cannot be loaded ({type(error).__name__}: {error}). Fit it again."
        ) from error


def _read_card(path: Path) -> ModelCard:
    if path.is_dir() or not path.exists():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise TableError(
            f"MODEL must be a file of 'polytask fit' or 'compare'; {str(path)!r} {what}."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            content = json.loads(archive.read(CARD))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise TableError(
            f"MODEL must be a file of 'polytask fit' or 'compare'; {str(path)!r} is none. "
            "The order is: polytask predict MODEL TABLE."
        ) from error
    if content.pop("format") != FORMAT:
        raise TableError(
            f"MODEL must be of format {FORMAT}; {str(path)!r} is newer. Update polytask."
        )
    lists: dict[str, Any] = {
        key: tuple(v) if isinstance(v, list) else v for key, v in content.items()
    }
    seen = {
        name: Seen(**{**found, "levels": tuple(found["levels"])})
        for name, found in content.get("seen", {}).items()
    }
    return ModelCard(**{**lists, "seen": seen})


def _today(path: Path) -> bytes:
    """The file, with what has moved since it was written named by its place of today."""
    made = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "schema.json":
                for before, now in MOVED.items():
                    content = content.replace(f'"{before}"'.encode(), f'"{now}"'.encode())
            new.writestr(name, content)
    return made.getvalue()


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("polytask", "scikit-learn", "numpy", "pandas")}
