"""R of Cox's partial likelihood: the tasks are strata, each with its own baseline hazard.

A row's term depends on the rows of its task that were at risk with it, so that R is no sum over
rows. With the rows of a task in descending order of time, what is summed over a risk set is a
cumulative sum. Efron's correction for d events at one time takes from the risk set of the k-th of
them (k = 0, ..., d - 1) the share k / d of the events' own terms; Breslow's takes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from polytask.data.design import Design
from polytask.data.kept import kept
from polytask.data.lifted import Lifted
from polytask.data.task_data import TaskData

__all__ = ["RiskSets", "RiskSetsAt", "StrataData", "risk_sets"]

_MOSTLY = 4  # cells for a row, up to which a table of them is quicker than task by task
_FAR = -600.0  # predictors below the task's largest at which exponentials are next to nothing


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Rows in the order of their tasks, the latest first, and their events.

    Parameters
    ----------
    order : ndarray of shape (N,)
        The observations in that order.
    start : ndarray of shape (m + 1,)
        Offsets of the tasks.
    event : ndarray of shape (E,)
        Places of the events.
    last : ndarray of shape (E,)
        Place of the last row that is at risk with each event: at its time or later.
    tied : ndarray of shape (E,)
        Number of the group of events at the same time in the same task.
    share : ndarray of shape (E,)
        Share of the tied events' terms that Efron takes off.
    """

    order: np.ndarray
    start: np.ndarray
    event: np.ndarray
    last: np.ndarray
    tied: np.ndarray
    share: np.ndarray

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Cumulative sums inside the tasks of values (N, ...) in this order."""
        if self._square is not None:  # tasks of like size, each a row
            square = np.zeros((*self._square.shape, *values.shape[1:]))
            square[self._square] = values
            found: np.ndarray = np.cumsum(square, axis=1, out=square)[self._square]
            return found
        out = np.empty(values.shape)
        for a, b in zip(self.start[:-1], self.start[1:], strict=True):
            np.cumsum(values[a:b], axis=0, out=out[a:b])
        return out

    @cached_property
    def _square(self) -> np.ndarray | None:
        """Places of the rows in a table with a task a row, where that is not mostly empty."""
        sizes = np.diff(self.start)
        most = int(sizes.max(initial=0))
        if len(sizes) * most > _MOSTLY * self.start[-1]:
            return None
        return np.asarray(np.arange(most) < sizes[:, None])

    def at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sums (E, ...) over the risk sets of the events, less Efron's shares."""
        total = self.summed(values)[self.last]
        if not self.share.any():
            return total
        return total - (self.tied_sum(values[self.event]).T * self.share).T

    def over_events(self, jumps: np.ndarray) -> np.ndarray:
        """Sum (N,) of the jumps (E,) in whose risk set a row is, less the shares taken off it."""
        n = self.start[-1]
        out = np.zeros(n)
        at = np.bincount(self.last, jumps, n)
        if self._square is not None:
            square = np.zeros(self._square.shape)
            square[self._square] = at
            out = np.cumsum(square[:, ::-1], axis=1)[:, ::-1][self._square]
        else:
            for a, b in zip(self.start[:-1], self.start[1:], strict=True):
                out[a:b] = np.cumsum(at[a:b][::-1])[::-1]
        if self.share.any():
            out[self.event] -= self.tied_sum(jumps * self.share)
        return out

    def tied_sum(self, values: np.ndarray) -> np.ndarray:
        """Sums (E, ...) over tied events of values (E, ...)."""
        first = np.flatnonzero(np.diff(self.tied, prepend=-1))
        found: np.ndarray = np.add.reduceat(values, first, axis=0)[self.tied]
        return found


def risk_sets(time: np.ndarray, event: np.ndarray, code: np.ndarray, m: int, ties: str) -> RiskSets:
    """The risk sets of rows with times, events (bool) and codes of m tasks, in ascending order."""
    order = np.lexsort((~event, -time, code))  # tied events stand before those censored then
    time, event, code = time[order], event[order], code[order]
    start = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=m))])
    new = np.append((np.diff(code) != 0) | (np.diff(time) != 0), True)
    end = np.flatnonzero(new)[np.cumsum(np.append(0, new[:-1]))]  # the last row of the same time
    places = np.flatnonzero(event)
    last = end[places]
    first, size = np.unique(last, return_index=True, return_counts=True)[1:]
    group = np.repeat(np.arange(len(first)), size)
    within = np.arange(len(places)) - first[group]
    share = within / size[group] if ties == "efron" else np.zeros(len(places))
    return RiskSets(order, start, places, last, group, share)


@dataclass(frozen=True, eq=False)
class StrataData(Lifted):
    """Rows of which y is the time of an event, or minus the time at which a row was censored.

    Features are taken about their mean in each task, which changes no partial likelihood.

    Parameters
    ----------
    base : TaskData
    ties : {"efron", "breslow"}
    """

    ties: str

    @cached_property
    def _sorted(self) -> tuple[RiskSets, Design, np.ndarray]:
        return kept(self.base, ("risk sets", self.ties), self._sort)

    def _sort(self) -> tuple[RiskSets, Design, np.ndarray]:
        base = self.base
        sets = risk_sets(np.abs(base.y), base.y > 0, base.code, base.n_tasks, self.ties)
        rows = base.design.distinct_rows()
        rows = rows if base.design.index is None else rows[base.design.index]
        rows = np.asarray(rows.toarray() if sparse.issparse(rows) else rows, dtype=float)
        s = base.sample_weight
        total = np.zeros((base.n_tasks, rows.shape[1]))
        np.add.at(total, base.code, s[:, None] * rows)
        mean = total / np.where(base.counts > 0, base.counts, 1.0)[:, None]
        rows = (rows - mean[base.code])[sets.order]
        return sets, Design(rows, None, sets.start), s[sets.order]

    @cached_property
    def column_norms(self) -> np.ndarray:
        """sqrt(sum_k omega_k x_k²) of each column in each task, shape (m, p)."""
        sets, design, _ = self._sorted
        return design.column_norms(self.base.weight[sets.order])

    def at(self, loss: Any, theta: np.ndarray) -> RiskSetsAt:
        """R at coefficients Theta (m, p)."""
        sets, design, s = self._sorted
        return RiskSetsAt(self.base, sets, design, s, design.predict(theta))

    def held_out(self, whole: TaskData, theta: np.ndarray) -> float:
        """What the rows of ``whole`` that are not in these lose (Verweij and van Houwelingen).

        Minus the log partial likelihood of the whole, less that of these rows, each task in the
        whole's unit. Statistics in Medicine 12 (1993).
        """
        unit = whole.share / np.where(whole.counts > 0, whole.counts, 1.0)
        whole_at = StrataData(whole, self.ties).at(None, theta)
        return float(unit @ (whole_at.by_task - self.at(None, theta).by_task))


@dataclass(frozen=True, eq=False)
class RiskSetsAt:
    """R at given coefficients; nothing is computed before it is asked for.

    Parameters
    ----------
    base : TaskData
    sets : RiskSets
    design : Design
        Rows in the order of the sets.
    s, f : ndarray of shape (N,)
        Sample weights and linear predictors, in the order of the sets.
    """

    base: TaskData
    sets: RiskSets
    design: Design
    s: np.ndarray
    f: np.ndarray
    curvature: None = None
    majorizer: None = None

    @cached_property
    def _code(self) -> np.ndarray:
        return self.base.code  # tasks keep their places

    @cached_property
    def _unit(self) -> np.ndarray:
        """The task's share of R for each unit of weight, (N,)."""
        counts = np.where(self.base.counts > 0, self.base.counts, 1.0)
        return (self.base.share / counts)[self._code]

    @cached_property
    def _level(self) -> np.ndarray:
        """The largest predictor of each task, so that exponentials stay finite, (N,)."""
        top = np.full(self.base.n_tasks, -np.inf)
        np.maximum.at(top, self._code, self.f)
        return top[self._code]

    @cached_property
    def _hazard(self) -> np.ndarray:
        """Weight times exp(f), in units of the task's largest."""
        return np.asarray(self.s * np.exp(np.maximum(self.f - self._level, _FAR)))

    @cached_property
    def _weight(self) -> np.ndarray:
        """Weight of each event: the mean of those that are tied, (E,)."""
        s, total = self.s[self.sets.event], self.sets.tied_sum
        return total(s) / total(np.ones(len(s)))

    @cached_property
    def _risk(self) -> np.ndarray:
        """Sum of exp(f) over each event's risk set, (E,)."""
        return self.sets.at_risk(self._hazard)

    @cached_property
    def jumps(self) -> np.ndarray:
        """Of the cumulative baseline hazard at each event, (E,), for exp(`shift`) = 1."""
        return np.asarray(self._weight / self._risk)

    @property
    def shift(self) -> np.ndarray:
        """Linear predictors of the rows of events, less the task's largest, (E,)."""
        return np.asarray((self.f - self._level)[self.sets.event])

    @cached_property
    def by_task(self) -> np.ndarray:
        """Minus the log partial likelihood of each task, (m,)."""
        at = self.sets.event
        own = self.s[at] * (self.f - self._level)[at]
        terms = self._weight * np.log(self._risk) - own
        return np.bincount(self._code[at], terms, minlength=self.base.n_tasks)

    @property
    def total(self) -> float:
        """R."""
        counts = np.where(self.base.counts > 0, self.base.counts, 1.0)
        return float((self.base.share / counts) @ self.by_task)

    @cached_property
    def _expected(self) -> np.ndarray:
        """Expected events of each row, (N,)."""
        return self._hazard * self.sets.over_events(self.jumps)

    @cached_property
    def _slopes(self) -> np.ndarray:
        slopes = self._expected.copy()
        slopes[self.sets.event] -= self.s[self.sets.event]
        return self._unit * slopes

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of R, shape (m, p)."""
        return self.design.adjoint(self._slopes)

    @property
    def level_gradient(self) -> np.ndarray:
        """Gradient of R in each task's last coefficient alone, shape (m,)."""
        return self.gradient[:, -1]

    @property
    def slope(self) -> np.ndarray:
        """Weighted sum of squared slopes in each task (of martingale residuals), shape (m,)."""
        weight = self._unit * self.s
        square = self._slopes**2 / np.maximum(weight, 1e-300)
        return np.bincount(self._code, square, minlength=self.base.n_tasks)

    @cached_property
    def gram(self) -> np.ndarray:
        """Hessian of R in each task's coefficients, shape (m, p, p): of means over risk sets."""
        sets = self.sets
        mean = sets.at_risk(self._hazard[:, None] * self.design.X) / self._risk[:, None]
        start = np.searchsorted(sets.event, sets.start)
        of_events = Design(mean, None, start).grams(self._unit[sets.event] * self._weight)
        return np.asarray(self.design.grams(self._unit * self._expected) - of_events)
