"""Rows that are held: those of files taken into memory, and passes over rows in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.data import TaskData
from polytask.data.cells import parted
from polytask.sources.passes import Runner
from polytask.sources.source import Batch, ParquetSource, Partition

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeldRows", "RowsJob", "read_rows_of"]

_BATCH = 1 << 17  # rows that a pass works on at a time


@dataclass(frozen=True, eq=False)
class RowsJob:
    """All rows, as they are: for files that are held in memory."""

    what: str = "rows"

    def begin(self) -> dict[int, list[Batch]]:
        """No rows."""
        return {}

    def add(self, sums: dict[int, list[Batch]], source: ParquetSource, part: Partition) -> None:
        """Take a partition's rows."""
        sums[part.number] = []
        for batch in source.batches(part):
            for name, column in zip(source.features, batch.columns, strict=True):
                if not np.isfinite(column).all():
                    raise ValueError(
                        f"Input X contains NaN or infinity in column {name!r}. Impute it or leave "
                        "it out, or pass prepare=StreamPreparer()."
                    )
            sums[part.number].append(batch)

    def finish(self, sums: dict[int, list[Batch]]) -> dict[int, list[Batch]]:
        """The rows as they are."""
        return sums

    def merge(
        self, first: dict[int, list[Batch]], second: dict[int, list[Batch]]
    ) -> dict[int, list[Batch]]:
        """Both together."""
        return first | second


def read_rows_of(
    source: ParquetSource, runner: Runner
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray | None]:
    """X as a model sees it, columns of ids in their places, the target as it is read, weights."""
    import pandas as pd

    parts: dict[int, list[Batch]] = runner.run(RowsJob(), source)
    batches = [batch for number in sorted(parts) for batch in parts[number]]
    if source.weights is not None and not any(len(batch.y) for batch in batches):
        raise ValueError(
            f"fit_parquet: weights must be positive somewhere; {source.weights!r} is zero in every "
            "row."
        )
    columns: dict[str, Any] = {
        name: np.concatenate([batch.columns[j] for batch in batches])
        for j, name in enumerate(source.features)
    }
    ids = [parted(np.array(b.ids), source.ids) for b in batches]
    for name in source.ids:
        columns[name] = np.concatenate(
            [i[name][b.local] for i, b in zip(ids, batches, strict=True)]
        )
    X = pd.DataFrame({name: columns[name] for name in source.model_columns}, copy=False)
    weights = [batch.weight for batch in batches if batch.weight is not None]
    y = np.concatenate([batch.y for batch in batches])
    return X, y, np.concatenate(weights) if weights else None


@dataclass(frozen=True, eq=False)
class HeldRows:
    """Rows in memory as a source of passes, one partition in the order of their tasks.

    Parameters
    ----------
    data : TaskData
        Of dense rows.
    folds : int ndarray of shape (N,) or None
        Fold of each row.
    """

    data: TaskData
    folds: np.ndarray | None = None

    @property
    def partitions(self) -> tuple[Partition, ...]:
        """All rows."""
        return (Partition("", (), self.n_rows, 0),)

    @property
    def n_rows(self) -> int:
        """How many."""
        return len(self.data.y)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(f"x{j}" for j in range(self.data.n_features))

    @property
    def target(self) -> str:
        """Name of the target."""
        return "y"

    @property
    def center(self) -> np.ndarray | None:
        """What was taken off the features, shape (d,); None for nothing."""
        return self.data.center

    def batches(self, part: Partition) -> Iterator[Batch]:
        """Rows a hundred thousand at a time."""
        data, tasks = self.data, self.data.tasks.tolist()
        for first in range(0, part.n_rows, _BATCH):
            at = slice(first, first + _BATCH)
            rows = data.design.X[at if data.design.index is None else data.design.index[at]]
            rows = rows if data.design.shift is None else rows - data.design.shift
            code = data.code[at]
            ids = tasks[code[0] : code[-1] + 1]
            columns = [rows[:, j] for j in range(data.n_features)]
            fold = None if self.folds is None else self.folds[at]
            yield Batch(columns, data.y[at], code - code[0], ids, data.sample_weight[at], fold)
