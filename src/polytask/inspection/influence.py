"""What a claim rests on: the one row, or the one task, without which it would not be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from polytask.inspection.clear import is_clear, matters, seems_clear
from polytask.inspection.comparison import Gain, Leaning
from polytask.inspection.evidence import Evidence
from polytask.sources.loss_totals import LossTotals

__all__ = ["Influence", "RowLosses"]


@dataclass(frozen=True, eq=False)
class RowLosses:
    """Losses of rows in memory.

    Attributes
    ----------
    losses : ndarray of shape (M, n)
        Of the tested rows by every model, means over the repeats.
    codes, places : ndarray of shape (n,)
        Their tasks, and where they are in the table.
    without : callable
        From a place to the sums over all other rows.
    name : callable
        From a place to words.
    """

    losses: np.ndarray
    codes: np.ndarray
    places: np.ndarray
    without: Callable[[int], LossTotals]
    name: Callable[[int], str]


@dataclass(frozen=True, eq=False)
class Influence:
    """Judges claims again without one row and without one task; nothing is fitted anew.

    Which row or task that is, the losses tell: those without which the ratio is least or changes
    most, and those with the largest part in the difference and in the reference's loss.

    Attributes
    ----------
    evidence : callable
        From sums to `Evidence`.
    totals : LossTotals
    task : callable
        From a task's number to words.
    rows : RowLosses, optional
        Without them, as where rows are passed over, tasks alone are left out.
    """

    evidence: Callable[[LossTotals], Evidence]
    totals: LossTotals
    task: Callable[[int], str]
    rows: RowLosses | None = None

    def of(
        self, whole: Evidence, gain: Gain, reference: str, family: list[str], name: str
    ) -> Leaning | None:
        """A row or task without which a claim that seems clear is not.

        The row where the difference is mostly its own, else the task, else the row.
        """
        sign = 1 if gain.value > 0 else -1
        sure = is_clear(gain, sign)

        def blamed(leaning: Leaning) -> bool:
            return sure or _moves(gain, leaning.without)

        asked = whole, reference, family, name, sign
        row = next(filter(blamed, self._without_rows(*asked)), None)
        if row is not None and _moves(gain, row.without):
            return row
        return next(filter(blamed, self._without_tasks(*asked)), row)

    def _without_rows(
        self, whole: Evidence, reference: str, family: list[str], name: str, sign: int
    ) -> Iterator[Leaning]:
        """Rows without which it does not seem clear."""
        if self.rows is None:
            return
        for place in _places(self.rows, whole, [reference, name], sign):
            without = self.evidence(self.rows.without(place)).over(reference, family)[name]
            if not seems_clear(without, sign):
                yield Leaning(self.rows.name(place), without)

    def _without_tasks(
        self, whole: Evidence, reference: str, family: list[str], name: str, sign: int
    ) -> Iterator[Leaning]:
        base, other = (whole.task_losses(model) for model in (reference, name))
        for i in _extremes(base, base - other, base, base - other, sign):
            part = replace(self.evidence(self.totals.without_task(i)), by_tasks=whole.by_tasks)
            without = part.over(reference, family)[name]
            # about these very tasks, the others need not be enough for a claim of their own
            if not (seems_clear if whole.by_tasks else matters)(without, sign):
                yield Leaning(self.task(i), without)


def _moves(gain: Gain, without: Gain) -> bool:
    """Whether a difference that is not clear is mostly that of what was left out."""
    whole = gain.difference.value
    return abs(without.difference.value - whole) > abs(whole) / 2


def _places(rows: RowLosses, whole: Evidence, models: list[str], sign: int) -> list[int]:
    """Rows to leave out; not the only one of a task, which goes with the task."""
    count = np.bincount(rows.codes, minlength=whole.n_tasks)
    several = np.flatnonzero(count[rows.codes] > 1)
    if not len(several):
        return []
    codes = rows.codes[several]
    first, second = rows.losses[[whole.models.index(model) for model in models]]
    base, other = (whole.task_losses(model) for model in models)
    mean = np.bincount(rows.codes, first, whole.n_tasks) / np.maximum(count, 1)
    unit = np.divide(base, mean, out=np.ones_like(mean), where=mean > 0)  # losses may be scaled

    def lost(values: np.ndarray, means: np.ndarray) -> np.ndarray:
        """What the mean of its task loses with a row."""
        found: np.ndarray = (values[several] * unit[codes] - means[codes]) / (count[codes] - 1)
        return found

    loss, gain = lost(first, base), lost(first - second, base - other)
    return [int(rows.places[several[k]]) for k in _extremes(loss, gain, base, base - other, sign)]


def _extremes(
    loss: np.ndarray, gain: np.ndarray, losses: np.ndarray, gains: np.ndarray, sign: int
) -> list[int]:
    """Parts of the sums of losses and gains whose ratio speaks most for the sign by them.

    Without them the ratio is least, or changes most; or they have the largest part in a sum.
    """
    loss, gain = np.nan_to_num(loss), np.nan_to_num(gain)
    whole_loss, whole_gain = float(np.nansum(losses)), float(np.nansum(gains))
    rest = whole_loss - loss
    left = np.divide(whole_gain - gain, rest, out=np.zeros_like(rest), where=rest > 0)
    moved = np.abs(left - whole_gain / whole_loss) if whole_loss > 0 else np.abs(left)
    chosen = [np.argmin(sign * left), np.argmax(moved), np.argmax(sign * gain), np.argmax(loss)]
    return list(dict.fromkeys(int(j) for j in chosen))
