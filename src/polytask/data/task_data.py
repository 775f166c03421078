"""TaskData: what a multi-task sample is, whatever door it came through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from polytask.data.design import Design
from polytask.data.oracle import Pointwise, RowsAt
from polytask.data.row_sums import added

__all__ = ["TaskData", "task_shares"]

_TINY = 40  # columns up to which the number of rows decides nothing
_GRAMS_LIMIT = 1e8  # numbers in all Gram matrices that are kept: 800 MB


@dataclass(frozen=True, eq=False)
class TaskData:
    """Observations of m tasks, sorted by task.

    Observation k of task i has features x_k (a row of the design), target y_k, and weight
    omega_k in the empirical risk ``R(W) = sum_k omega_k loss(y_k, w_i'x_k)``.

    Parameters
    ----------
    design : Design
        Feature rows of every observation, with a last column of ones if ``intercept``.
    y : ndarray of shape (N,)
        Targets; numbers, or 0 and 1 for a classifier.
    sample_weight : ndarray of shape (N,)
        Positive weight of each observation inside its task.
    share : ndarray of shape (m,)
        Weight of each task in the risk; sums to one (1/m each for ``task_weight="equal"``).
    tasks : ndarray of shape (m,)
        Task ids, in the order of the blocks.
    intercept : bool
        Whether the last column of the design is the constant one.
    row : ndarray of shape (N,)
        Row of the table that the observation came from.
    center : ndarray of shape (d,) or None
        What was taken off the features, so that those far from zero keep their digits, and
        intercepts are levels at the features' mean; None where nothing was.
    group : int ndarray of shape (N,) or None
        Number of the group of each observation, whose rows are held out together.
    time : ndarray of shape (N,) or None
        Time of each observation, where rows are judged by earlier ones.
    """

    design: Design
    y: np.ndarray
    sample_weight: np.ndarray
    share: np.ndarray
    tasks: np.ndarray
    intercept: bool
    row: np.ndarray
    center: np.ndarray | None = None
    group: np.ndarray | None = None
    time: np.ndarray | None = None

    @property
    def start(self) -> np.ndarray:
        """Offsets of the tasks: task i owns observations start[i] to start[i + 1]."""
        return self.design.start

    @property
    def n_tasks(self) -> int:
        """Number of tasks m."""
        return len(self.tasks)

    @property
    def n_coefs(self) -> int:
        """Coefficients per task, the intercept included."""
        return self.design.n_columns

    @property
    def n_features(self) -> int:
        """Number of features d, the intercept not counted."""
        return self.n_coefs - int(self.intercept)

    @property
    def ones(self) -> np.ndarray:
        """What a column of ones holds, (N,)."""
        return np.ones(len(self.y))

    @cached_property
    def sizes(self) -> np.ndarray:
        """Observations of each task, shape (m,)."""
        return np.diff(self.start)

    @cached_property
    def code(self) -> np.ndarray:
        """Position in ``tasks`` of each observation's task, shape (N,)."""
        return np.repeat(np.arange(self.n_tasks), self.sizes)

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows of each task, by sample weight, shape (m,)."""
        return added(self.sample_weight, self.start)

    @cached_property
    def weight(self) -> np.ndarray:
        """omega, the weight of each observation in R(W); sums to one, shape (N,)."""
        total = np.where(self.counts > 0, self.counts, 1.0)  # tasks without rows
        return self.sample_weight * np.repeat(self.share / total, self.sizes)

    @cached_property
    def column_norms(self) -> np.ndarray:
        """sqrt(sum_k omega_k x_k²) of each column in each task, shape (m, p)."""
        if "grams" in vars(self):
            return np.sqrt(np.einsum("mpp->mp", self.grams))
        return self.design.column_norms(self.weight)

    @cached_property
    def grams(self) -> np.ndarray:
        """sum_k omega_k x_k x_k' of each task, shape (m, p, p): made once, whoever asks."""
        return self.design.grams(self.weight)

    @cached_property
    def cross(self) -> np.ndarray:
        """sum_k omega_k y_k x_k of each task, shape (m, p)."""
        return self.design.adjoint(self.weight * self.y)

    @property
    def target_sums(self) -> tuple[np.ndarray, np.ndarray]:
        """sum_k omega_k y_k and sum_k omega_k y_k² of each task, shape (m,)."""
        u = self.weight * self.y
        once = added(u, self.start)
        u *= self.y
        return once, added(u, self.start)

    @cached_property
    def total_gram(self) -> np.ndarray:
        """Their sum over tasks, shape (p, p)."""
        known = "grams" in vars(self)
        return self.grams.sum(axis=0) if known else self.design.total_gram(self.weight)

    @cached_property
    def is_narrow(self) -> bool:
        """Whether a Gram matrix per task is worth it: p within twice the rows, or tiny."""
        return self.n_coefs <= max(2.0 * float(self.sizes.mean()), _TINY)

    @property
    def keeps_grams(self) -> bool:
        """Whether `grams` are worth their memory for those who ask often."""
        return self.is_narrow and self.n_tasks * self.n_coefs**2 <= _GRAMS_LIMIT

    def own_grams(self) -> np.ndarray:
        """`grams` for a caller who overwrites them: made for it alone where nobody else asked.

        `cross` comes with them.
        """
        if "grams" in vars(self):
            return self.grams.copy()
        grams, vars(self)["cross"] = self.design.moments(self.weight, self.y)
        vars(self).setdefault("column_norms", np.sqrt(np.einsum("mpp->mp", grams)))
        return grams

    def level(self, loss: Pointwise) -> float:
        """Intercept of all tasks at which a search begins."""
        return loss.start(self.y, self.weight) if self.intercept else 0.0

    def null_curvature(self, loss: Pointwise) -> float:
        """Mean curvature of the loss without features: the unit of penalty strengths."""
        return loss.null_curvature(self.y, self.weight)

    def at(self, loss: Pointwise, theta: np.ndarray) -> RowsAt:
        """R at coefficients Theta (m, p)."""
        known: dict[str, np.ndarray] = {}
        if self.intercept and not theta[:, :-1].any():
            f = np.repeat(theta[:, -1], self.sizes)
        elif not theta.any():
            f = np.zeros(len(self.y))
            if loss.is_quadratic and "cross" in vars(self):
                known["gradient"] = -self.cross
        elif loss.is_quadratic:
            f, known["gradient"] = self.design.residuals(theta, self.y, self.weight)
        else:
            f = self.design.predict(theta)
        at = RowsAt(self.design, self.y, self.weight, loss, f)
        vars(at).update(known)
        return at

    def block(self, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Design rows, targets and weights omega of task i."""
        part = slice(self.start[i], self.start[i + 1])
        return self.design.block(i), self.y[part], self.weight[part]

    def reshared(self, share: np.ndarray) -> TaskData:
        """The same observations, tasks with other shares (m,) in R."""
        data = replace(self, share=share)
        if "grams" in vars(self):
            vars(data)["grams"] = self.grams * (share / self.share)[:, None, None]
        return data

    def reweighted(self, sample_weight: np.ndarray) -> TaskData:
        """The same observations with other weights, every one alike in R."""
        counts = np.bincount(self.code, sample_weight, minlength=self.n_tasks)
        share = task_shares(counts, "size")
        return replace(self, sample_weight=sample_weight, share=share)

    def subset(self, keep: np.ndarray) -> TaskData:
        """The observations where ``keep`` (N,) is true; tasks left empty stay, with no rows.

        Weights inside a task are renewed (a mean over the rows that are left), so a fit on the
        subset is the fit that a user would get from those rows.
        """
        design = self.design.subset(keep)
        counts = np.bincount(self.code[keep], minlength=self.n_tasks)
        share = np.where(counts > 0, self.share, 0.0)
        group, time = (None if v is None else v[keep] for v in (self.group, self.time))
        return TaskData(
            design, self.y[keep], self.sample_weight[keep], share / share.sum(),
            self.tasks, self.intercept, self.row[keep], self.center, group, time,
        )  # fmt: skip


def task_shares(counts: np.ndarray, rule: str) -> np.ndarray:
    """Weight of each task in R (m,) by the rule "equal" or "size"; without rows it has none."""
    mass = (counts > 0).astype(float) if rule == "equal" else np.asarray(counts, dtype=float)
    return np.asarray(mass / mass.sum())
