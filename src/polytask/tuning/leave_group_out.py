"""Residuals of the squared loss without each group of rows, from the factorization of the fit.

Leaving a group g out takes its terms out of the objective, as leave-one-out does for one row. With
K = Omega^½ X H^-1 X' Omega^½ between the rows of the group, H the Hessian, their residuals become

    r_g(-g) = Omega^-½ (I - K)^-1 Omega^½ r_g,

exactly. A group may have rows in several tasks: those of one task meet through its own block and
through what is common, those of two tasks through what is common only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import sparse

from polytask.algebra.arrow import ArrowFactor
from polytask.algebra.linalg import symmetric_eigen
from polytask.algebra.wide import WideRidge
from polytask.data import TaskData
from polytask.solvers.arrow_problem import ArrowProblem

__all__ = ["GroupForms", "groups_are_small", "residuals_without_groups", "whole_tasks"]

_MOST_WORK = 1e7  # sum of the cubes of the groups' sizes: a tenth of a second per strength

_RowBatch = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]


def groups_are_small(data: TaskData) -> bool:
    """Whether leaving out every group costs less than fits to folds."""
    assert data.group is not None
    return float((np.bincount(data.group).astype(float) ** 3).sum()) <= _MOST_WORK


def whole_tasks(data: TaskData) -> np.ndarray:
    """Observations (N,) of groups that hold all rows of a task."""
    assert data.group is not None
    first = data.group[np.minimum(data.start[:-1], len(data.group) - 1)]
    alone = np.bincount(data.code, data.group != first[data.code], data.n_tasks) == 0
    return np.isin(data.group, first[alone & (data.sizes > 0)])


class GroupForms:
    """K between rows, from parts: what rows have in common, and what is of a task's own.

    Parameters
    ----------
    arrow, factor
        Of the problem, at curvature one.
    batches : iterable
        Rows of the narrow tasks.
    """

    def __init__(
        self, arrow: ArrowProblem, factor: ArrowFactor, batches: Iterable[_RowBatch]
    ) -> None:
        data = arrow.problem.data
        self.root, n = np.sqrt(data.weight), len(data.y)
        self.start, self.code = data.start, data.code
        self.kept: dict[int, np.ndarray] = {}  # K inside tasks that are kept in rows
        self.whole: np.ndarray | None = None
        if isinstance(factor.schur, WideRidge):
            self.whole = np.eye(n) - factor.schur.residual_operator()
            return
        c, k = len(arrow.G), len(arrow.D)
        self.schur = factor.schur
        self.common = np.zeros((n, c))
        self.own, self.turned = np.zeros((2, n, k))
        self._take_narrow(arrow, factor, batches)
        for i, task in factor.wide.items():
            part = slice(self.start[i], self.start[i + 1])
            M = task.ridge.residual_operator()
            rows = task.Z_common.toarray() if sparse.issparse(task.Z_common) else task.Z_common
            self.common[part] = M @ rows
            self.kept[i] = np.eye(len(M)) - M

    def _take_narrow(
        self, arrow: ArrowProblem, factor: ArrowFactor, batches: Iterable[_RowBatch]
    ) -> None:
        structure, D = arrow.structure, arrow.D
        position = np.full(arrow.problem.data.n_tasks, -1)
        position[factor.narrow] = np.arange(len(factor.narrow))
        both = structure.common.all() and structure.deviation.all()
        for tasks, obs, valid, rows in batches:
            inside = position[tasks] >= 0
            at, obs, rows = position[tasks][inside], obs[inside], rows[inside]
            chosen = slice(None) if valid is None else valid[inside]
            place = obs[chosen]
            scaled = rows * self.root[obs][:, :, None]
            own = scaled[:, :, structure.deviation]
            A = (own @ factor.roots[at].transpose(0, 2, 1)) @ factor.roots[at]
            self.own[place], self.turned[place] = own[chosen], A[chosen]
            if both:
                u = A * D
            else:
                assert factor.coupling is not None
                u = scaled[:, :, structure.common] - A @ factor.coupling[at]
            self.common[place] = u[chosen]

    def between(self, obs: np.ndarray) -> np.ndarray:
        """K among the rows of several groups of one size, obs (b, s); shape (b, s, s)."""
        if self.whole is not None:
            return np.asarray(self.whole[obs[:, :, None], obs[:, None, :]])
        u = self.common[obs]
        K = (u @ self.schur) @ u.transpose(0, 2, 1)
        same = self.code[obs][:, :, None] == self.code[obs][:, None, :]
        K += same * (self.own[obs] @ self.turned[obs].transpose(0, 2, 1))
        if self.kept:
            self._add_kept(K, obs)
        return np.asarray(0.5 * (K + K.transpose(0, 2, 1)))

    def _add_kept(self, K: np.ndarray, obs: np.ndarray) -> None:
        for b, rows in enumerate(obs):
            code = self.code[rows]
            for i in set(code.tolist()) & self.kept.keys():
                at = np.flatnonzero(code == i)
                inside = rows[at] - self.start[i]
                K[b][np.ix_(at, at)] += self.kept[i][np.ix_(inside, inside)]


def residuals_without_groups(
    forms: GroupForms, residual: np.ndarray, group: np.ndarray, least: float
) -> np.ndarray:
    """r_g(-g) of every row (N,); NaN where the other rows do not inform some row of its group."""
    out = np.empty(len(residual))
    for obs in _by_size(group):
        values, vectors = symmetric_eigen(np.eye(obs.shape[1]) - forms.between(obs))
        known = values[:, 0] > least
        root = forms.root[obs]
        inverse = 1.0 / np.where(known[:, None], values, np.nan)
        turned = np.einsum("bsk,bs->bk", vectors, root * residual[obs])
        out[obs] = np.einsum("bsk,bk->bs", vectors, inverse * turned) / root
    return out


def _by_size(group: np.ndarray) -> Iterator[np.ndarray]:
    """Observations (b, s) of groups of one size s."""
    order = np.argsort(group, kind="stable")
    size = np.bincount(group)
    parts = np.split(order, np.cumsum(size)[:-1])
    for s in np.unique(size[size > 0]):
        yield np.stack([parts[g] for g in np.flatnonzero(size == s)])
