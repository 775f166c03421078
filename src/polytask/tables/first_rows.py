"""The first rows of a table that is passed over, looked at as one in memory is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from polytask.responses import likely_response
from polytask.tables.care import Rows, take_care
from polytask.tables.columns import Column, as_feature, filled, inspect_column
from polytask.tables.errors import TableError, name_list
from polytask.tables.number_cells import GAP_MARKS
from polytask.tables.targets import read_target
from polytask.tables.task_ids import read_ids
from polytask.tables.text_values import Conventions, are_truths, is_plain
from polytask.tables.written_numbers import read_written

if TYPE_CHECKING:
    from polytask.sources.marks import Marks
    from polytask.sources.source import ParquetSource

__all__ = ["FirstRows", "read_first_rows"]

MOST_ROWS = 50_000


@dataclass(frozen=True)
class FirstRows:
    """What the first rows tell.

    Attributes
    ----------
    kept : tuple of str
        Columns that may be features.
    marks : Marks
    notes : tuple of str
        What was assumed of numbers in text; on the columns left out.
    warnings : tuple of str
        What may make the answer wrong.
    likely : tuple (name, why)
        The loss that a target of numbers speaks for; ("auto", "") if for none.
    """

    kept: tuple[str, ...]
    marks: Marks
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    likely: tuple[str, str] = ("auto", "")


def read_first_rows(
    source: ParquetSource,
    wanted: Sequence[str],
    labels: Sequence[str],
    given: Conventions,
    *,
    asked: bool,
) -> FirstRows:
    """Look at the first rows that have a task and a target."""
    from dataclasses import replace

    from polytask.sources.marks import Marks

    marks = Marks(missing=given.missing)
    rows = _first(replace(source, marks=marks), wanted)
    if rows.empty:
        return FirstRows(tuple(wanted), marks, (), ())
    target = rows[source.target]
    if len(filled(target, words=True)) < len(target):
        marks = replace(marks, in_target=tuple(sorted(GAP_MARKS)))
        rows = rows.loc[filled(target, words=True).index]
    rows, written, told = read_written(rows, (*source.ids, *labels), given)
    columns = [
        inspect_column(rows[n], categorical=n in labels, n_rows=source.n_rows) for n in wanted
    ]
    whole = len(rows) < MOST_ROWS
    left = [c for c in columns if c.kind == "date" or _counts(c, rows)]
    left += [c for c in columns if c.kind == "empty" and whole]
    if asked:
        left = [c for c in left if c.kind != "id"]
    numbers = tuple(c.name for c in columns if c not in left and _as_text(c, rows[c.name]))
    if _as_text(inspect_column(rows[source.target]), rows[source.target]):
        numbers = (*numbers, source.target)
    truths = tuple(c.name for c in columns if c.kind == "categorical" and c.name not in labels
                   and are_truths(rows[c.name]))  # fmt: skip
    gaps = tuple(sorted(GAP_MARKS))
    marks = replace(marks, numbers=numbers, truths=truths, in_numbers=gaps, written=written)
    kept = [c for c in columns if c not in left]
    if not kept:
        raise TableError(
            f"must leave a column to learn from; {name_list([c.name for c in left])} cannot be "
            "used. Name columns that hold numbers or categories.",
            "features",
        )
    notes = tuple(f"Column {c.name!r} was left out: it {c.problem} ({c.remedy})." for c in left)
    names = tuple(n for n in source.columns if n in {c.name for c in kept})
    warnings, likely = _taken_for(rows, kept, source)
    return FirstRows(names, marks, (*told, *notes), warnings, likely)


def _first(source: ParquetSource, wanted: Sequence[str]) -> pd.DataFrame:
    import pyarrow as pa

    parts: list[pa.RecordBatch] = []
    for part in source.partitions:
        for table in source.tables(part, wanted):
            parts.append(table)
            if sum(p.num_rows for p in parts) >= MOST_ROWS:
                return _frame(parts)
    return _frame(parts)


def _frame(parts: list[object]) -> pd.DataFrame:
    import pyarrow as pa

    return pa.Table.from_batches(parts).slice(0, MOST_ROWS).to_pandas()


def _counts(column: Column, rows: pd.DataFrame) -> bool:
    """A number of the row; texts of which each row has its own are told by the whole table."""
    return column.kind == "id" and pd.api.types.is_numeric_dtype(rows[column.name].dtype)


def _as_text(column: Column, values: pd.Series) -> bool:
    """Whether text holds plain numbers; an error where it holds odd cells."""
    if column.kind == "mixed":
        raise TableError(
            f"column {column.name!r} must be numeric or categorical; it {column.problem}. To go "
            f"on, {column.remedy}."
        )
    if column.kind != "numeric" or pd.api.types.is_numeric_dtype(values.dtype):
        return False
    return is_plain(filled(values))


def _taken_for(
    rows: pd.DataFrame, kept: Sequence[Column], source: ParquetSource
) -> tuple[tuple[str, ...], tuple[str, str]]:
    """What may make the answer wrong, and what numbers of the target speak for."""
    usable = [c for c in kept if c.usable]
    try:
        target = read_target(rows[source.target])
        X = pd.DataFrame({c.name: as_feature(rows[c.name], c.kind) for c in usable})
    except TableError:  # the pass over all rows says it of all rows
        return (), ("auto", "")
    ids = read_ids(rows[source.task])[0]
    ordered = len(target.classes) <= 2
    found = take_care(Rows(X, target.numbers, ids, source.task, source.target, ordered=ordered))
    likely = ("auto", "") if target.classes or target.levels else likely_response(target.numbers)
    return tuple(finding.text for finding in found), likely
