"""Lines and bends of rows that are passed over: their knots, their turns, and the rows as these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from polytask.algebra.splines import (
    SplineColumns,
    cardinal,
    find_knots,
    knots_each,
    turned_bends,
)
from polytask.data.distinct import distinct_values
from polytask.sources.passes import Runner
from polytask.sources.source import Batch, ParquetSource, Partition

__all__ = ["BentRows", "bent_rows"]


def bent_rows(source: ParquetSource, runner: Runner, n_knots: int) -> BentRows:
    """The rows as lines and bends, whose knots are found in two passes."""
    columns = _columns(source, runner, n_knots)
    return BentRows(replace(source, partitions=()), columns, source.partitions)


def _columns(source: ParquetSource, runner: Runner, n_knots: int) -> SplineColumns:
    """What `learn_columns` learns of rows in memory, by two passes."""
    most = knots_each(n_knots, len(source.features))
    seen: _Values = runner.run(_ValuesJob(), source)
    knots = [find_knots(values, most) for values in seen.distinct]
    grams: list[np.ndarray | None] = runner.run(_GramJob(tuple(knots)), source)
    bends = [
        {} if at is None or gram is None else dict(vars(turned_bends(at, gram / seen.n_rows)))
        for at, gram in zip(knots, grams, strict=True)
    ]
    return SplineColumns(seen.total / seen.n_rows, bends)


@dataclass(frozen=True, eq=False)
class _Values:
    """Distinct values and sums of features."""

    distinct: list[np.ndarray]
    total: np.ndarray
    n_rows: int

    def and_of(self, other: _Values) -> _Values:
        """Both together."""
        if not other.n_rows or not self.n_rows:
            return self if self.n_rows else other
        pairs = zip(self.distinct, other.distinct, strict=True)
        distinct = [distinct_values(np.concatenate(pair)) for pair in pairs]
        return _Values(distinct, self.total + other.total, self.n_rows + other.n_rows)


@dataclass(frozen=True)
class _ValuesJob:
    """Distinct values of the features, and their sums."""

    what: str = "values"

    def begin(self) -> list[_Values]:
        """Nothing seen."""
        return [_Values([], np.zeros(0), 0)]

    def add(self, sums: list[_Values], source: ParquetSource, part: Partition) -> None:
        """See a partition."""
        for batch in source.batches(part):
            for name, column in zip(source.features, batch.columns, strict=True):
                if not np.isfinite(column).all():
                    raise ValueError(
                        f"Input X contains NaN or infinity in column {name!r}. Impute it or leave "
                        "it out, or pass prepare=StreamPreparer()."
                    )
            total = np.array([column.sum(dtype=np.float64) for column in batch.columns])
            found = _Values([distinct_values(c) for c in batch.columns], total, len(batch.y))
            sums[0] = sums[0].and_of(found)

    def finish(self, sums: list[_Values]) -> _Values:
        """What was seen."""
        return sums[0]

    def merge(self, first: _Values, second: _Values) -> _Values:
        """Both together."""
        return first.and_of(second)


@dataclass(frozen=True, eq=False)
class _GramJob:
    """Products of the cardinal splines of each feature, summed over rows."""

    knots: tuple[np.ndarray | None, ...]
    what: str = "splines"

    def begin(self) -> list[np.ndarray | None]:
        """Zeros."""
        return [None if at is None else np.zeros((len(at), len(at))) for at in self.knots]

    def add(self, sums: list[np.ndarray | None], source: ParquetSource, part: Partition) -> None:
        """Add a partition."""
        for batch in source.batches(part):
            for gram, at, x in zip(sums, self.knots, batch.columns, strict=True):
                if gram is not None and at is not None:
                    B = cardinal(at).columns(x)
                    gram += B.T @ B

    def finish(self, sums: list[np.ndarray | None]) -> list[np.ndarray | None]:
        """The sums as they are."""
        return sums

    def merge(
        self, first: list[np.ndarray | None], second: list[np.ndarray | None]
    ) -> list[np.ndarray | None]:
        """Both together."""
        return [
            None if a is None or b is None else a + b for a, b in zip(first, second, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class BentRows:
    """Rows elsewhere, their features as lines and bends."""

    rows: ParquetSource
    columns: SplineColumns
    partitions: tuple[Partition, ...]
    center: None = None

    @property
    def n_rows(self) -> int:
        """Rows in all partitions."""
        return sum(part.n_rows for part in self.partitions)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the columns."""
        names = self.rows.features
        return tuple(names[k] for k in self.columns.feature)

    @property
    def target(self) -> str:
        """Name of the target."""
        return self.rows.target

    def coefs(self, straight: np.ndarray) -> np.ndarray:
        """Coefficients (m, p + 1) of the columns from those of the features, (m, d + 1)."""
        d = straight.shape[1] - 1
        level = straight[:, d] + straight[:, :d] @ self.columns.mean
        none = np.zeros((len(straight), len(self.features) - d))
        return np.column_stack([straight[:, :d], none, level])

    def batches(self, part: Partition) -> Iterator[Batch]:
        """Rows of a partition."""
        for batch in self.rows.batches(part):
            Z = self.columns.of(np.column_stack(batch.columns))
            yield replace(batch, columns=list(Z.T))
