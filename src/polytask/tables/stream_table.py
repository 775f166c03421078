"""A table that is passed over instead of loaded: the counterpart of `make_task_table`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.tables.dates import are_dates
from polytask.tables.errors import TableError, find_column, name_list, name_made_twice, plural
from polytask.tables.first_rows import read_first_rows
from polytask.tables.further import further_columns
from polytask.tables.row_roles import held_columns
from polytask.tables.stored_types import check_roles, why_no_feature
from polytask.tables.stream_schema import stream_schema, table_columns
from polytask.tables.targets import check_ends
from polytask.tables.task_ids import check_repeats
from polytask.tables.text_values import Conventions
from polytask.tables.training import Seen

if TYPE_CHECKING:
    import pyarrow as pa

    from polytask.sources.dealing import Tally
    from polytask.sources.first_look import Look
    from polytask.sources.passes import Runner
    from polytask.sources.source import ParquetSource

__all__ = ["StreamTable", "make_stream_table"]
_OF_WEIGHTS = "fit_parquet: weights "  # what is refused of them


@dataclass(frozen=True, eq=False)
class StreamTable:
    """A Parquet table made ready for passes: what `TaskTable` is for one in memory.

    Attributes
    ----------
    source : ParquetSource
        With a fitted preparer; rows without a task or a target are left out.
    look : Look
        What one pass told.
    tally : Tally
        Rows of every task and class.
    kind : {"regression", "classification"}
    classes : tuple
        The two class labels, empty for a regression.
    numeric, categorical : tuple of str
        The feature columns by kind.
    notes : tuple of str
        Rows and columns left out, decisions taken.
    seen : dict of str to Seen
        What training sees of every feature.
    warnings : tuple of str
        What may make the answer wrong, as far as the first rows tell.
    groupings : tuple of tuple of str
        Columns of every grouping where there are several.
    loss : str
        What models are to take the target for.
    likely : tuple (name, why)
        The loss that the first rows of a target of unknown kind speak for; ("auto", "") if none.
    """

    source: ParquetSource
    look: Look
    tally: Tally
    kind: str
    classes: tuple[Any, ...]
    numeric: tuple[str, ...]
    categorical: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())
    seen: dict[str, Seen] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    groupings: tuple[tuple[str, ...], ...] = ()
    loss: str = "auto"
    likely: tuple[str, str] = ("auto", "")
    targets: tuple[str, ...] = ()  # several at once are for tables in memory

    @property
    def task(self) -> str:
        """Column of the task ids."""
        return self.source.task

    @property
    def target(self) -> str:
        """Column to predict."""
        return self.source.target

    @property
    def id_form(self) -> str:
        """How task ids are stored."""
        return _form(self.tally.ids)

    @property
    def id_forms(self) -> dict[str, str]:
        """How those of further groupings are stored, by column."""
        return {name: _form(self.ids_of(name)) for name in self.source.further}

    def ids_of(self, name: str) -> np.ndarray:
        """The ids in a column of a further grouping."""
        return np.array(sorted(self.look.levels[name], key=str))

    @property
    def features(self) -> tuple[str, ...]:
        """The feature columns."""
        return (*self.numeric, *self.categorical)

    @property
    def spec(self) -> Any:
        """The parameter ``task`` of a model that knows all groupings."""
        return list(self.groupings) if self.groupings else self.task

    @property
    def task_ids(self) -> tuple[Any, ...]:
        """Every task."""
        return tuple(self.tally.ids.tolist())

    @property
    def n_rows(self) -> int:
        """Rows that have a task and a target."""
        return self.look.n_rows


def make_stream_table(
    path: str | os.PathLike[str],
    task: str,
    target: str,
    *,
    features: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    kind: str = "auto",
    loss: str = "auto",
    missing: Sequence[str] = (),
    decimal: str = "",
    groupings: Sequence[tuple[str, ...]] = (),
    weights: str | None = None,
    runner: Runner,
) -> StreamTable:
    """Choose columns and kinds as `make_task_table` does, in one pass over the file.

    Columns of dates and nested values are left out by their type; the first rows tell, as the
    whole table in memory does, which columns count the rows or hold numbers as text, and what
    may make the answer wrong; the pass finds those that hold a text per row, or nothing.

    Parameters
    ----------
    path : path
        A Parquet file, or a directory of them.
    task, target, features, categorical, kind, loss, weights
        As in `make_task_table`, but that what "auto" means is left to the reader of ``likely``.
    missing : sequence of str
        Marks that mean a gap, in every column.
    decimal : {"", ".", ","}
        The mark before decimals in numbers that are text; "" finds it.
    groupings : sequence of tuple of str
        The columns of every grouping, the task's first, where there are several.
    runner : Runner

    Raises
    ------
    TableError
        If a column is absent or cannot serve its purpose, or nothing is left to learn from.
    """
    from polytask.sources.first_look import FirstLookJob
    from polytask.sources.prepare import StreamPreparer
    from polytask.sources.source import ParquetSource, kinds_of

    schema = stream_schema(path)
    columns = table_columns(schema)
    task, target = (find_column(task, columns, "task"), find_column(target, columns, "target"))
    spec: Any = list(groupings) or task
    ids = (task, *further_columns(columns, groupings, task, target))
    for name in ids:
        check_roles(schema, name, target)
    labels = [find_column(name, columns, "categorical") for name in categorical]
    _, _, weights = held_columns(columns, task, target, None, None, weights)
    wanted, notes = _by_type(schema, columns, (*ids, target), features, weights)
    with _as_table_errors():
        source = ParquetSource.open(
            path, task=spec, target=target, features=wanted, weights=weights, complete=True,
            several=True,
        )  # fmt: skip
        if not source.n_rows:
            raise TableError(f"TABLE must have rows; {str(path)!r} has columns but no row.")
        given = Conventions(tuple(missing), decimal)
        first = read_first_rows(source, wanted, labels, given, asked=features is not None)
        marks = replace(first.marks, plain_ids=True)
        source = replace(source, columns=(*first.kept, *ids), marks=marks)
        prepare = StreamPreparer(spec, categorical=labels)
        kinds = kinds_of(source)
        look = runner.run(FirstLookJob(prepare, kinds), source)
    if not look.n_rows:
        lacks = ", a target and a weight above zero" if weights else " and a target"
        raise TableError(f"TABLE must have rows with a task{lacks}; there are none.")
    kept, more = _by_content(look, features is not None)
    with _as_table_errors():
        look.target.check(target)
        prepare.settle(kept)
    _check_names(prepare)
    likely = first.likely if kind == "auto" else ("auto", "")
    found, told = _target(look, target, kind, loss)
    source = replace(
        source, columns=tuple(n for n in source.columns if n in kept or n in ids), other=(),
        prepare=prepare,
    )  # fmt: skip
    classes = _classes(look, found)
    _check_ids(look.tally().ids, task)
    for name, levels in look.levels.items():
        _check_ids(np.array(list(levels)), name)
    check_repeats(len(look.tally().ids), look.n_rows, task)
    return StreamTable(
        source, look, look.tally(classes), found, classes,
        tuple(prepare.numbers_), tuple(prepare.levels_),
        (*_rows_left_out(source, look), *told, *notes, *first.notes, *more, *_gaps(look, kept)),
        {name: _seen(found, kinds[name], marks.unit_of(name)) for name, found in kept.items()},
        first.warnings,
        tuple(groupings),
        loss,
        likely if found == "regression" else ("auto", ""),
    )  # fmt: skip


def _form(ids: np.ndarray) -> str:
    return "text" if ids.dtype.kind == "U" else "integer"


@contextmanager
def _as_table_errors() -> Iterator[None]:
    """What the lower rooms refuse about a table, without their names."""
    try:
        yield
    except TableError:
        raise
    except ValueError as error:
        _, weights, text = str(error).removeprefix("StreamPreparer: ").rpartition(_OF_WEIGHTS)
        raise TableError(text, "weights" if weights else None) from error


def _by_type(
    schema: pa.Schema,
    columns: list[str],
    roles: Sequence[str],
    features: Sequence[str] | None,
    weights: str | None,
) -> tuple[list[str], tuple[str, ...]]:
    """Columns whose type can be a feature, and a note on the others."""
    wanted = [c for c in columns if c not in (*roles, weights)]
    if features is not None:
        wanted = list(dict.fromkeys(find_column(name, columns, "features") for name in features))
        if any(role in wanted for role in roles):
            raise TableError("must not contain the task or the target. Leave them out.", "features")
    bad = {name: why for name in wanted if (why := why_no_feature(schema.field(name).type))}
    left = [name for name in wanted if name not in bad]
    if not wanted:
        known = " and ".join(map(repr, roles))
        raise TableError(
            f"must leave a column to learn from; besides {known} there is none. "
            "Load the table with --no-stream to compare the levels of its tasks.",
            "features",
        )
    if not left:
        raise TableError("must leave a column to learn from; none is left.", "features")
    notes = (
        f"Column {n!r} was left out: it {why} (derive numbers first)." for n, why in bad.items()
    )
    return left, tuple(notes)


def _by_content(look: Look, asked: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Columns that can be features, and a note on each that cannot."""
    why = {name: _why_not(found, look.n_rows, asked) for name, found in look.columns.items()}
    kept = {name: found for name, found in look.columns.items() if not why[name]}
    if not kept:
        raise TableError("must leave a column to learn from; none is left.", "features")
    return kept, tuple(f"Column {n!r} was left out: it {text}." for n, text in why.items() if text)


def _why_not(found: Any, n_rows: int, asked: bool) -> str:
    from polytask.sources.column_sums import NumberSums

    if isinstance(found, NumberSums):
        return "" if found.count else "holds no value"
    levels = [level for level in found.counts if level is not None]
    if found.too_many:
        return "has too many distinct texts for categories, like an id"
    if not levels:
        return "holds no value"
    if are_dates(pd.Series(levels)):
        return "holds dates (derive numbers first)"
    if asked:
        return ""
    texts = len(levels)
    if (texts == n_rows > 2) or (texts > 50 and texts > 0.5 * n_rows):
        return f"has {texts} distinct texts in {n_rows} rows, like an id"
    return ""


def _target(look: Look, target: str, kind: str, loss: str) -> tuple[str, tuple[str, ...]]:
    """Kind of the problem, and what a reader should know about it."""
    kind = "regression" if kind == "auto" and loss != "auto" else kind
    distinct = len(look.labels)
    if distinct == 1:
        raise TableError(
            f"must vary; {target!r} is {next(iter(look.labels))!s} in every row, so there is "
            "nothing to learn. Choose another column.",
            "target",
        )
    if kind == "classification" and distinct > 2:
        raise TableError(
            f"must have two distinct values for a classification; {target!r} has more. Make one "
            "column per class (this class or not).",
            "target",
        )
    measured = look.target.count and any(float(label) % 1 for label in look.labels)
    if kind == "classification" or (kind == "auto" and distinct == 2 and not measured):
        first, second = sorted(look.labels)
        return "classification", (
            f"The target {target!r} has two values, so this is a classification of {second!r} "
            f"against {first!r}.",
        )
    if not look.target.count:
        raise TableError(
            f"must be numeric or have two distinct values; {target!r} holds "
            f"{name_list(sorted(map(str, look.labels)))} and others.",
            "target",
        )
    if loss != "auto":
        check_ends(target, loss, look.target.low, look.target.high)
    return "regression", ()


def _classes(look: Look, kind: str) -> tuple[Any, ...]:
    """The two labels, whole numbers as such; none for a regression."""
    if kind != "classification":
        return ()
    classes = np.array(sorted(look.labels))
    whole = classes.dtype.kind == "f" and (classes == classes.round()).all()
    return tuple((classes.astype(np.int64) if whole else classes).tolist())


def _check_ids(ids: np.ndarray, task: str) -> None:
    if ids.dtype.kind not in "iU":
        strange = [v for v in ids.tolist() if not -(2**63) <= v < 2**63 or v % 1]
        first = strange[0] if strange else f"{max(ids.tolist(), key=abs):.0f} as a float"
        raise TableError(
            f"must hold text, or whole numbers of 64 bits, to be streamed; {task!r} holds "
            f"{first}. Is it the right column? If so, load the table with --no-stream.",
            "task",
        )


def _check_names(prepare: Any) -> None:
    names = prepare.get_feature_names_out().tolist()
    twice = sorted({name for name in names if names.count(name) > 1})
    for name in twice:
        source = next(
            f for f in prepare.feature_names_in_ if f != name and name in prepare.made_of(f)
        )
        raise name_made_twice(name, source)


def _rows_left_out(source: ParquetSource, look: Look) -> tuple[str, ...]:
    count = source.n_rows - look.n_rows
    share = f"{plural(count, 'row')} ({count / source.n_rows:.1%})"
    more = f", or of weight zero ({source.weights!r})," if source.weights else ""
    return (f"{share} without a target or a task id{more} left out.",) if count else ()


def _seen(found: Any, stored: pa.DataType, unit: str) -> Seen:
    import pyarrow.types as types

    from polytask.sources.column_sums import NumberSums

    if isinstance(found, NumberSums):
        kind = "boolean" if types.is_boolean(stored) else "numeric"
        return Seen(kind, found.missing > 0, unit=unit)
    levels = tuple(sorted(level for level in found.counts if level is not None))
    return Seen("categorical", None in found.counts, levels)


def _gaps(look: Look, kept: dict[str, Any]) -> tuple[str, ...]:
    from polytask.sources.column_sums import NumberSums

    missing = {
        name: found.missing if isinstance(found, NumberSums) else found.counts[None]
        for name, found in kept.items()
    }
    holes = [name for name, count in missing.items() if count]
    if not holes:
        return ()
    return (
        f"{plural(sum(missing.values()), 'missing feature value')} in {name_list(holes)} filled: "
        "numbers by the mean with an indicator column, categories by a category of their own.",
    )
