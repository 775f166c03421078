"""Leave-one-out of the squared loss at many strengths, from one eigendecomposition a task.

In a task with rows Z = V S^½ U' (times the roots of their weights), targets y and a column o of
the intercept, a deviation of curvature c on slopes and e on the intercept leaves

    M y = V rho V'y + (what V leaves of y) - M_s o (o'M_s y) / t,   rho = c / (S + c),

where M_s is M without the last term and t = e + o'M_s o. Eliminating the tasks leaves
H = G + sum [Z o]'M [Z o] for the common part w; residuals are M (y - Z w), and 1 - h of an
observation is M_jj - u'H^-1 u, u its row of M [Z o]. All of this is products of fixed matrices
with what depends on the strengths, so many strengths are done at once, and nothing is subtracted
where a fit nearly interpolates.

H is a smooth function of the curvature, and so is u'H^-1 u: both are computed at a few strengths
that give the others (`polytask.tuning.skeleton`), and w is corrected by exact residuals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from threading import Lock

import numpy as np

from polytask.algebra.linalg import psd_inverse_root
from polytask.algebra.spectra import TaskSpectra, numbers_in_spectra, task_spectra
from polytask.data import TaskData
from polytask.data.batches import Batch
from polytask.solvers.arrow_problem import ArrowProblem
from polytask.tuning.left_out import (
    Common,
    LeftOut,
    Own,
    Points,
    common_leverage,
    from_long_to_short,
    left_out,
    row_leverage,
)
from polytask.tuning.skeleton import FEW, Skeleton, of_columns, of_shrinkage, whole

__all__ = ["LeftOut", "SpectralFits", "serves"]

_KEPT = 1e8  # numbers: spectra are kept over calls up to 800 MB, else made anew in every pass
_LEAST = 1e-7  # curvature over the largest eigenvalue below which Gram matrices lose the digits
_CHUNK = 262_144  # numbers in a working array: two megabytes
_SYSTEMS = 10_000_000  # numbers in the systems of the common part that are held at once
_SAMPLED_TASKS = 100  # that choose a skeleton; as many others test it
_LEVERAGE_ERROR = 1e-8  # that rows outside the sample may show; a hundredth of it in the sample


def serves(arrow: ArrowProblem) -> bool:
    """Whether one ridge on all slopes' deviations and dense rows make the spectra enough."""
    data, structure = arrow.problem.data, arrow.structure
    d, common = data.n_features, int(structure.common.sum())
    if not arrow.problem.loss.is_quadratic or data.design.sparse or d == 0:
        return False
    if not structure.deviation.all() or common not in (0, data.n_coefs):
        return False
    if common >= len(data.y) or not (arrow.D[:d] == arrow.D[0]).all():
        return False
    largest = float((data.column_norms[:, :d] ** 2).sum(axis=1).max(initial=0.0))
    return bool(arrow.D[0] > _LEAST * largest)


class SpectralFits:
    """Fits and leverages of one data set at many strengths.

    Parameters
    ----------
    data : TaskData
    """

    def __init__(self, data: TaskData) -> None:
        self.data = data
        self._kept: dict[int, TaskSpectra] = {}

    def leave_out(
        self, arrows: Sequence[ArrowProblem], use: Callable[[LeftOut, slice], None]
    ) -> None:
        """Call ``use``, from one thread at a time, with every batch at every slice of problems."""
        q = len(arrows[0].G)
        size = max(1, _SYSTEMS // max(q, 1) ** 2)
        for first in range(0, len(arrows), size):
            self._leave_out(self._points(arrows[first : first + size]), first, use)

    def _leave_out(self, points: Points, first: int, use: Callable[[LeftOut, slice], None]) -> None:
        common, lock = self._common(points), Lock()
        nodes = common.skeleton.nodes

        def work(some: list[TaskSpectra]) -> None:
            for one in some:
                known = np.zeros((*one.y_out.shape, len(nodes)))
                if common.w.size:
                    known = common_leverage(one, points.part(nodes), common.R[nodes])
                for part in _slices(one, len(points.c)):
                    through_w = known @ common.skeleton.weights[:, part]
                    out = left_out(one, points.part(part), common.w[part], through_w)
                    with lock:
                        use(out, slice(first + part.start, first + part.stop))

        self._each(work)

    def _points(self, arrows: Sequence[ArrowProblem]) -> Points:
        free = self.data.intercept
        return Points(
            np.array([arrow.D[0] for arrow in arrows]),
            np.array([arrow.D[-1] if free else 1.0 for arrow in arrows]),
            np.array([arrow.G for arrow in arrows]),
        )

    def _common(self, points: Points) -> Common:
        """The common part at every point, and where leverages are to be computed."""
        A, q = points.G.shape
        if q == 0:
            return Common(np.zeros((A, 0)), np.zeros((A, 0, 0)), whole(A))
        basis = of_shrinkage(points.c, *self._eigenvalues)
        c, d = points.c[basis.nodes], self.data.n_features
        slopes, levels, rhs = self._sums(lambda some: _normal_equations(some, c, points, q > d))
        H = np.zeros((A, q, q)) + levels
        H[:, :d, :d] += np.tensordot(basis.weights.T, slopes, axes=1)
        H[:, np.arange(q), np.arange(q)] += points.G
        R = np.array([psd_inverse_root(0.5 * (each + each.T)) for each in H])
        w = _solve(R, rhs)
        if len(c) < len(set(points.c)):  # removes the error of systems that others gave
            (rhs,) = self._sums(lambda some: (_gradient(_owns(some, points), w),))
            w += _solve(R, rhs - points.G * w)
        return Common(w, R, self._skeleton(points, R))

    @cached_property
    def _eigenvalues(self) -> tuple[float, float]:
        """Smallest and largest eigenvalue of any task that is not zero."""
        ends: list[tuple[float, float]] = []

        def work(some: list[TaskSpectra]) -> None:
            for s in (one.s[one.s > 0] for one in some):
                if len(s):
                    ends.append((float(s.min()), float(s.max())))

        self._each(work)
        ends = ends or [(0.0, 0.0)]
        return min(low for low, _ in ends), max(top for _, top in ends)

    def _skeleton(self, points: Points, R: np.ndarray) -> Skeleton:
        """Points whose leverages give those of all, chosen and tested on some rows."""
        A = len(points.c)
        if A < FEW:
            return whole(A)
        found: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        every = -(-self.data.n_tasks // _SAMPLED_TASKS)

        def work(some: list[TaskSpectra]) -> None:
            for one in some:
                for kind, rows in enumerate((slice(0, None, 2), slice(1, None, 2))):
                    tasks = np.flatnonzero(one.batch.tasks % every == kind * (every // 2))
                    chosen = from_long_to_short(one, tasks)[:, rows]
                    if chosen.size:
                        found[kind].append(row_leverage(one, points, R, tasks, chosen))

        self._each(work)
        if not found[0]:
            return whole(A)
        skeleton = of_columns(np.concatenate(found[0]), 0.01 * _LEVERAGE_ERROR)
        tested = np.concatenate(found[1] or found[0])
        return skeleton if skeleton.error(tested) <= _LEVERAGE_ERROR else whole(A)

    def _sums(
        self, of: Callable[[list[TaskSpectra]], tuple[np.ndarray, ...]]
    ) -> tuple[np.ndarray, ...]:
        """Sums over all tasks."""
        total: list[np.ndarray] = []
        lock = Lock()

        def work(some: list[TaskSpectra]) -> None:
            parts = of(some)
            with lock:
                if not total:
                    total.extend(np.zeros_like(part) for part in parts)
                for whole_sum, part in zip(total, parts, strict=True):
                    np.add(whole_sum, part, out=whole_sum)

        self._each(work)
        return tuple(total)

    def _each(self, work: Callable[[list[TaskSpectra]], None]) -> None:
        """Call ``work`` on all batches, some at a time, in threads where there is enough of it."""
        keep = numbers_in_spectra(self.data) <= _KEPT

        def on_batches(batches: Sequence[Batch]) -> None:
            some = [self._kept.get(id(b)) or task_spectra(self.data, b) for b in batches]
            if keep:
                self._kept.update(zip(map(id, batches), some, strict=True))
            work(some)

        self.data.design.each_few(on_batches, 4.0 * self.data.n_coefs)


def _solve(R: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """R'R rhs at every point."""
    step: np.ndarray = (R.transpose(0, 2, 1) @ (R @ rhs[:, :, None]))[:, :, 0]
    return step


def _owns(some: list[TaskSpectra], points: Points) -> list[Own]:
    return [Own(one, points) for one in some]


def _normal_equations(
    some: list[TaskSpectra], c: np.ndarray, points: Points, level: bool
) -> tuple[np.ndarray, ...]:
    """What tasks add to H: by slopes at curvatures c, by intercepts at points; right-hand sides."""
    owns, d = _owns(some, points), some[0].Ut.shape[2]
    levels = _intercepts_eliminated(owns, points.e[:, None]) if level else np.zeros((1, 1, 1))
    rhs = _gradient(owns, np.zeros((len(points.c), d + level)))
    return _slopes_eliminated(some, c), levels, rhs


def _slopes_eliminated(some: list[TaskSpectra], c: np.ndarray) -> np.ndarray:
    """The sum of U diag(c S / (S + c)) U' over tasks, (T, d, d)."""
    d = some[0].Ut.shape[2]
    flat = np.concatenate([one.Ut.reshape(-1, d) for one in some])
    s = np.concatenate([one.s.ravel() for one in some])
    root = np.sqrt(c[:, None] * s / (s + c[:, None]))
    out = np.empty((len(c), d, d))
    for a in range(len(c)):  # one long product each, in which BLAS sees the symmetry
        Y = flat * root[a][:, None]
        out[a] = Y.T @ Y
    return out


def _intercepts_eliminated(owns: list[Own], e: np.ndarray) -> np.ndarray:
    """The last term of M in H, and the row and column of the common intercept, (A, q, q)."""
    q, t, one_one = (
        np.concatenate([getattr(own, name) for own in owns], axis=1)
        for name in ("q", "t", "one_one")
    )
    over_t, d = q / t[:, :, None], q.shape[2]
    H = np.empty((len(q), d + 1, d + 1))
    H[:, :-1, :-1] = -over_t.transpose(0, 2, 1) @ q
    H[:, :-1, -1] = H[:, -1, :-1] = e * over_t.sum(axis=1)
    H[:, -1, -1] = (e / t * one_one).sum(axis=1)
    return H


def _gradient(owns: list[Own], w: np.ndarray) -> np.ndarray:
    """The sum of [Z o]'M (y - [Z o] w), shape (A, q)."""
    out = np.zeros_like(w)
    for own in owns:
        d = own.one.Ut.shape[2]
        inside, beta = own.residual(w)
        inside *= np.sqrt(own.one.s)
        out[:, :d] += inside.reshape(len(w), -1) @ own.one.Ut.reshape(-1, d)
        if w.shape[1] > d:
            out[:, d] -= own.points.e * (beta + w[:, d:]).sum(axis=1)
    return out


def _slices(one: TaskSpectra, n_points: int) -> list[slice]:
    """Points that are done together: as many as keep the working arrays in cache."""
    size = max(1, _CHUNK // max(one.y_out.size, one.s.size))
    return [slice(i, min(i + size, n_points)) for i in range(0, n_points, size)]
