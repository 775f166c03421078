"""The first look at many rows: which tasks, how many rows, which classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.responses import Response
from polytask.sources.dealing import PartCounts, Tally
from polytask.sources.moments import numbers
from polytask.sources.source import Batch, ParquetSource, Partition

__all__ = ["Survey", "SurveyJob"]

_MOST_LABELS = 100


@dataclass(frozen=True, eq=False)
class Survey:
    """Rows of every partition by task and, of labels, by label."""

    parts: list[PartCounts]

    @property
    def labels(self) -> np.ndarray:
        """The distinct labels."""
        return np.array(sorted({label for part in self.parts for label in part.labels}, key=str))

    def tally(self, classes: Sequence[Any] = ()) -> Tally:
        """Rows by task, and by class if there are some."""
        return Tally.of_parts(self.parts, classes)


@dataclass(frozen=True, eq=False)
class SurveyJob:
    """Counts rows by task and label and checks targets; reads no features.

    Parameters
    ----------
    response : Response
    """

    response: Response
    what: str = "tasks and targets"

    def begin(self) -> Survey:
        """Nothing counted."""
        return Survey([])

    def add(self, sums: Survey, source: ParquetSource, part: Partition) -> None:
        """Count a partition."""
        counts: Counter[Any] = Counter()
        for batch in source.batches(part, features=False):
            if not _whole(batch.y):
                raise ValueError(
                    f"Input y contains NaN or infinity in column {source.target!r}. Drop rows "
                    "without a target."
                )
            self._count(counts, batch, source.target)
        sums.parts.append(PartCounts.of(part.number, counts))

    def finish(self, sums: Survey) -> Survey:
        """What was found."""
        return sums

    def merge(self, first: Survey, second: Survey) -> Survey:
        """Both together."""
        return Survey(first.parts + second.parts)

    def _count(self, counts: Counter[Any], batch: Batch, target: str) -> None:
        labels, code = [None], np.zeros(len(batch.y), dtype=np.intp)
        if self.response.has_labels:
            found, code = np.unique(batch.y, return_inverse=True)
            labels = found.tolist()
        else:
            self._check_numbers(numbers(batch.y, target), target)
        for k, label in enumerate(labels):
            rows = np.bincount(batch.local[code == k], minlength=len(batch.ids)).tolist()
            counts.update({(name, label): n for name, n in zip(batch.ids, rows, strict=True) if n})
        self._check_labels({label for _, label in counts}, target)

    def _check_labels(self, labels: set[Any], target: str) -> None:
        if len(labels) > _MOST_LABELS:
            raise ValueError(
                f"fit_parquet: the target of a classifier must hold two classes; {target!r} holds "
                f"more than {_MOST_LABELS} values. Use a regressor."
            )

    def _check_numbers(self, y: np.ndarray, target: str) -> None:
        targets = self.response.targets
        place = targets.first_outside(y)
        if place is not None:
            raise ValueError(
                f"fit_parquet: the target must be {targets.rule} with loss={self.response.name!r}; "
                f"{target!r} holds {y[place]:g}. {targets.remedy}".rstrip()
            )


def _whole(y: np.ndarray) -> bool:
    if y.dtype == object:
        return all(value is not None for value in y)
    return y.dtype.kind != "f" or bool(np.isfinite(y).all())
