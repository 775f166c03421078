"""The pass that fits a preparer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from polytask.sources.passes import Runner
from polytask.sources.prepare import StreamPreparer, add_columns
from polytask.sources.source import ParquetSource, Partition, kinds_of

__all__ = ["PrepareJob", "prepared"]


@dataclass(frozen=True, eq=False)
class PrepareJob:
    """Means, scales and categories of all columns.

    Parameters
    ----------
    preparer : StreamPreparer
    kinds : dict {name: type}
    """

    preparer: StreamPreparer
    kinds: dict[str, pa.DataType]
    what: str = "first pass"

    def begin(self) -> dict[str, Any]:
        """Empty sums."""
        return self.preparer.begin(self.kinds)

    def add(self, sums: dict[str, Any], source: ParquetSource, part: Partition) -> None:
        """Add a partition."""
        for table in source.tables(part, source.read_columns):
            add_columns(sums, {name: table.column(name) for name in source.read_columns})

    def finish(self, sums: dict[str, Any]) -> dict[str, Any]:
        """The sums as they are."""
        return sums

    def merge(self, first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
        """Both together; the first is changed."""
        for name, found in first.items():
            found.merge(second[name])
        return first


def prepared(
    source: ParquetSource, runner: Runner, prepare: StreamPreparer | None
) -> ParquetSource:
    """The source with its preparer, which is fitted in a first pass unless it already is.

    Raises
    ------
    ValueError
        If there is none and a column holds no numbers.
    """
    if prepare is None:
        if source.other:
            raise ValueError(
                f"fit_parquet: features must be numbers without prepare; column(s) "
                f"{list(source.other[:5])} hold none. Pass prepare=StreamPreparer(task="
                f"{source.task!r}), or name numeric columns in features=[...]."
            )
        return source
    if not hasattr(prepare, "levels_"):
        prepare.settle(runner.run(PrepareJob(prepare, kinds_of(source)), source))
    return replace(source, prepare=prepare)
