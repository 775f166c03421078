"""Models on disk: a skops file that also tells what table it wants."""

from __future__ import annotations

import dataclasses
import inspect
import io
import json
import os
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import polytask
from polytask.cli.schema import SchemaError, read_record
from polytask.models.without_frameworks import to_write, without_frameworks
from polytask.tables.database import without_password
from polytask.tables.errors import TableError, name_list
from polytask.tables.training import Seen

if TYPE_CHECKING:
    from polytask.tables import TaskTable
    from polytask.tables.stream_table import StreamTable

__all__ = [
    "WORDS",
    "Grouped",
    "ModelCard",
    "card_in_words",
    "load_model",
    "make_card",
    "save_model",
    "unsuitable",
]

CARD = "polytask.json"  # inside the skops archive, readable without loading anything
WORDS = "model_card.md"  # beside it, for people
FORMAT = 1
IdForm = Literal["integer", "text"]
Kind = Literal["regression", "classification", "survival"]
MORE_TYPES = (  # around the formulations: preprocessing, boosting, what scikit-learn keeps inside
    "functools.partial",  # inside scikit-learn's trees, around check_array
    "numpy.dtype",
    "polytask.models.boosted_trees.BoostedTreesClassifier",
    "polytask.models.boosted_trees.BoostedTreesRegressor",
    "polytask.sources.prepare.level_name",  # in files of earlier preprocessing
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.model_selection._split.KFold",  # inside the encoder of many or rare tasks
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.utils.validation.check_array",
)
MOVED = {  # where earlier files say that something lives: where it lives now
    "polytask.inspection.baselines": "polytask.models.boosted_trees",
    "polytask.streaming.prepare": "polytask.sources.prepare",
    "polytask.tables.preprocess": "polytask.sources.prepare",
}


@dataclass(frozen=True)
class Grouped:
    """A column of a grouping beside the task: how its ids are stored, and those of training."""

    id_form: IdForm
    levels: tuple[int, ...] | tuple[str, ...]


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
    kind : {"regression", "classification", "survival"}
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
    targets : tuple of str
        Columns of which each was a task, () where a column held the tasks.
    groupings : dict of str to Grouped
        The columns of groupings beside the task.
    levels : tuple of str
        Names of the target's ordered levels, the lowest first.
    event : str
        Of a survival, the column that says whether the event came at the time in ``target``.
    """

    model: str
    task: str
    target: str
    id_form: IdForm
    tasks: tuple[int, ...] | tuple[str, ...]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    kind: Kind
    classes: tuple[str | int | float | bool, ...]
    rows: int
    versions: dict[str, str]
    seen: dict[str, Seen] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    groupings: dict[str, Grouped] = field(default_factory=dict)
    levels: tuple[str, ...] = ()
    event: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that a table to predict for must have."""
        ids = () if self.targets else (self.task, *self.groupings)
        return (*self.numeric, *self.categorical, *ids)

    def check(self) -> None:
        """Refuse fields that contradict one another."""
        names = (*self.columns, self.target, *([self.event] if self.event else []))
        ids = {"integer": int, "text": str}[self.id_form]
        classes = len(set(self.classes))
        rules = {
            "columns must be distinct": len(set(names)) == len(names),
            "tasks must be ids of the form that id_form says": all(
                type(task) is ids for task in self.tasks
            ),
            "tasks must name one, and rows count one": bool(self.tasks) and self.rows > 0,
            "classes must be distinct, two or more for a classification": (
                classes == len(self.classes) and (classes > 1) == (self.kind == "classification")
            ),
            "event must name a column of a survival, and of no other": (
                bool(self.event) == (self.kind == "survival")
            ),
            "seen must speak of features": set(self.seen) <= {*self.numeric, *self.categorical},
        }
        for rule, kept in rules.items():
            if not kept:
                raise SchemaError(rule)


def make_card(
    name: str, table: TaskTable | StreamTable, missing: tuple[str, ...] = ()
) -> ModelCard:
    """The card of a model fitted on all rows of ``table``, where ``missing`` marks were gaps."""
    return ModelCard(
        model=name,
        task=table.task,
        target=table.target,
        id_form=cast("IdForm", table.id_form),
        tasks=table.task_ids,
        numeric=table.numeric,
        categorical=table.categorical,
        kind=cast("Kind", table.kind),
        classes=table.classes,
        rows=table.n_rows,
        versions=_versions(),
        seen=table.seen,
        missing=missing,
        targets=table.targets,
        groupings=_further(table),
        levels=getattr(table, "levels", ()),
        event=getattr(table, "event", ""),
    )


def _further(table: Any) -> dict[str, Grouped]:
    """The columns of further groupings."""
    return {
        name: Grouped(form, tuple(table.ids_of(name).tolist()))
        for name, form in getattr(table, "id_forms", {}).items()
    }


def save_model(model: Any, card: ModelCard, path: Path, words: str) -> None:
    """Write the model, its card and the card's words (Markdown) into one file."""
    to_write("skops.io").dump(model, path, compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        content = {"format": FORMAT, **dataclasses.asdict(card)}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        archive.writestr(CARD, text.encode("utf-8", "replace"))
        archive.writestr(WORDS, words.encode("utf-8", "replace"))


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
        If the file is absent, was not written by polytask, is damaged, or holds types that nobody
        vouches for.
    """
    content = _contents(Path(path))
    card = _read_card(content[CARD], str(path))
    from sklearn.pipeline import Pipeline

    with without_frameworks():
        import skops.io
        from skops.io.exceptions import UntrustedTypesFoundException

    trusted, data = [*polytask.TRUSTED_TYPES, *MORE_TYPES], _today(content)
    try:
        model = skops.io.loads(data, trusted=trusted)
    except UntrustedTypesFoundException as error:
        unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(trusted))
        raise TableError(
            f"MODEL must hold nothing but models of polytask and scikit-learn; {str(path)!r} "
            f"also holds {name_list(unknown)}. Load it in Python if you trust its author."
        ) from error
    except Exception as error:  # a file that somebody changed can fail anywhere
        raise unsuitable(str(path), card, error) from error
    if not isinstance(model, Pipeline):
        raise _no_model(str(path), f"holds a {type(model).__name__}")
    _complete(model[-1])
    return model, card


def unsuitable(path: str, card: ModelCard, error: Exception) -> TableError:
    """What a model says that cannot be loaded, or not be used."""
    written = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    return TableError(
        f"MODEL must be whole and suit the installed packages; {path!r} was written with {written} "
        f"and does not work ({type(error).__name__}: {str(error)[:200]}). Fit it again."
    )


def _no_model(path: str, why: str) -> TableError:
    return TableError(
        f"MODEL must be a file of 'polytask fit' or 'compare'; {path!r} {why}. "
        "The order is: polytask predict MODEL TABLE."
    )


def _contents(path: Path) -> dict[str, bytes]:
    """The members of the archive, each whole."""
    if not path.is_file():
        what = "does not exist"
        if path.exists():
            what = "is a directory" if path.is_dir() else "is no regular file"
        raise _no_model(str(path), what)
    data = io.BytesIO(path.read_bytes())
    try:
        with zipfile.ZipFile(data) as archive:
            content = {name: archive.read(name) for name in archive.namelist()}
    except Exception as error:  # damage can show anywhere: checksums, sizes, methods, names
        raise _no_model(str(path), f"is none, or damaged ({error})") from error
    if CARD not in content:
        raise _no_model(str(path), f"has no {CARD}")
    return content


def _read_card(text: bytes, path: str) -> ModelCard:
    """The card, every field checked, because everything after it relies on them."""
    try:
        content = json.loads(text)
        number = content.pop("format") if isinstance(content, dict) else FORMAT
        if number != FORMAT:
            raise SchemaError(f"format must be {FORMAT}; got {number!r}, of another polytask")
        card = read_record(ModelCard, content)
        card.check()
    except (ValueError, KeyError, RecursionError) as error:
        raise TableError(
            f"MODEL must hold a sound {CARD}; that of {path!r} cannot be used: "
            f"{type(error).__name__}: {str(error)[:200]}. Fit it again, or update polytask."
        ) from error
    return card


def _today(content: dict[str, bytes]) -> bytes:
    """The archive, with what has moved since it was written named by its place of today."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as new:
        for name, member in content.items():
            if name == "schema.json":
                for before, now in MOVED.items():
                    member = member.replace(f'"{before}"'.encode(), f'"{now}"'.encode())
            new.writestr(name, member)
    return made.getvalue()


def _complete(model: Any) -> None:
    """Parameters that a class has got since the file was written, at their defaults."""
    for name, parameter in inspect.signature(type(model)).parameters.items():
        if not hasattr(model, name):
            setattr(model, name, parameter.default)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    others = {name: version(name) for name in ("scikit-learn", "numpy", "pandas")}
    return {"polytask": polytask.__version__, **others}
