"""Rows in memory and passes: when rows are held, how files are, and passes over those that are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.data import TaskData
from polytask.sources.passes import Runner
from polytask.sources.source import Batch, ParquetSource, Partition

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeldRows", "RowsJob", "read_rows_of", "summed_up"]

MOST_NUMBERS = 10_000_000  # in rows that are always held: 80 MB
_BATCH = 1 << 17  # rows that a pass works on at a time


def summed_up(n_rows: int, n_features: int, n_tasks: int, n_folds: int = 5) -> bool:
    """Whether strengths are chosen, and files fitted, by sums over the rows in place of the rows.

    So it is where the rows are many and more than the sums, wherever they are: in memory, in files
    or on a cluster. What is asked of rows alone (leave-one-out) is then not asked.
    """
    numbers = n_rows * (n_features + 1)
    return numbers > MOST_NUMBERS and numbers > n_tasks * n_folds * (n_features + 2) ** 2


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


def read_rows_of(source: ParquetSource, runner: Runner) -> tuple[pd.DataFrame, np.ndarray]:
    """X as a model sees it, the task column in its place, and the target as it is read."""
    import pandas as pd

    parts: dict[int, list[Batch]] = runner.run(RowsJob(), source)
    batches = [batch for number in sorted(parts) for batch in parts[number]]
    columns: dict[str, Any] = {
        name: np.concatenate([batch.columns[j] for batch in batches])
        for j, name in enumerate(source.features)
    }
    columns[source.task] = np.concatenate([np.asarray(b.ids)[b.local] for b in batches])
    X = pd.DataFrame({name: columns[name] for name in source.model_columns}, copy=False)
    return X, np.concatenate([batch.y for batch in batches])


@dataclass(frozen=True, eq=False)
class HeldRows:
    """Rows in memory as a source of passes, one partition in the order of their tasks.

    Parameters
    ----------
    data : TaskData
        Of dense rows.
    """

    data: TaskData

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
            yield Batch(columns, data.y[at], code - code[0], ids, data.sample_weight[at])
