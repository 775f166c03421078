"""Leave-one-out of the squared loss at many strengths, from one eigendecomposition a task.

In a task with rows Z = V S^½ U' (times the roots of their weights), targets y and a column o of
the intercept, a deviation of curvature c on slopes and e on the intercept leaves

    M y = V rho V'y + (what V leaves of y) - M_s o (o'M_s y) / t,   rho = c / (S + c),

where M_s is M without the last term and t = e + o'M_s o. Eliminating the tasks leaves
H = G + sum [Z o]'M [Z o] for the common part w; residuals are M (y - Z w), and 1 - h of an
observation is M_jj - u'H^-1 u, u its row of M [Z o]. All of this is products of fixed matrices
with what depends on the strengths, so many strengths are done at once, and nothing is subtracted
where a fit nearly interpolates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from polytask.data import TaskData
from polytask.data.design import Batch
from polytask.solvers.arrow_problem import ArrowProblem
from polytask.solvers.linalg import psd_inverse_root
from polytask.solvers.spectra import TaskSpectra, numbers_in_spectra, task_spectra

__all__ = ["LeftOut", "SpectralFits", "serves"]

_KEPT = 1e8  # numbers: spectra are kept over calls up to 800 MB, else made anew in every pass
_LEAST = 1e-7  # curvature over the largest eigenvalue below which Gram matrices lose the digits
_CHUNK = 262_144  # numbers in a working array: two megabytes
_SYSTEMS = 10_000_000  # numbers in the systems of the common part that are held at once


@dataclass(frozen=True, eq=False)
class _Points:
    """Curvatures c, e (A,) of slopes' and intercepts' deviation, G (A, q) of the common part."""

    c: np.ndarray
    e: np.ndarray
    G: np.ndarray

    def part(self, some: slice) -> _Points:
        return _Points(self.c[some], self.e[some], self.G[some])


@dataclass(frozen=True, eq=False)
class _Common:
    """The common part w (A, q) at every point, and R (A, q, q) with R'R = H^-1."""

    w: np.ndarray
    R: np.ndarray

    def part(self, some: slice) -> _Common:
        return _Common(self.w[some], self.R[some])


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Of a batch of tasks at A points: residuals times the roots of weights, and 1 - h."""

    spectra: TaskSpectra
    residual: np.ndarray  # (b, n, A)
    left: np.ndarray  # (b, n, A)


def serves(arrow: ArrowProblem) -> bool:
    """Whether one ridge on all slopes' deviations and dense rows make the spectra enough."""
    data, structure = arrow.problem.data, arrow.structure
    d, common = data.n_features, int(structure.common.sum())
    if not arrow.problem.loss.constant_curvature or data.design.sparse or d == 0:
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

    def _leave_out(
        self, points: _Points, first: int, use: Callable[[LeftOut, slice], None]
    ) -> None:
        common, lock = self._common(points), Lock()

        def work(some: list[TaskSpectra]) -> None:
            for one in some:
                for part in _slices(one, len(points.c)):
                    out = _left_out(one, points.part(part), common.part(part))
                    with lock:
                        use(out, slice(first + part.start, first + part.stop))

        self._each(work)

    def _points(self, arrows: Sequence[ArrowProblem]) -> _Points:
        free = self.data.intercept
        return _Points(
            np.array([arrow.D[0] for arrow in arrows]),
            np.array([arrow.D[-1] if free else 1.0 for arrow in arrows]),
            np.array([arrow.G for arrow in arrows]),
        )

    def _common(self, points: _Points) -> _Common:
        """H and its right-hand side, summed over tasks, and what they say of the common part."""
        A, q = points.G.shape
        if q == 0:
            return _Common(np.zeros((A, 0)), np.zeros((A, 0, 0)))
        H, rhs = np.zeros((A, q, q)), np.zeros((A, q))
        H[:, np.arange(q), np.arange(q)] = points.G
        lock = Lock()

        def work(some: list[TaskSpectra]) -> None:
            matrix, vector = _normal_equations(some, points, q)
            with lock:
                np.add(H, matrix, out=H)
                np.add(rhs, vector, out=rhs)

        self._each(work)
        R = np.array([psd_inverse_root(0.5 * (each + each.T)) for each in H])
        return _Common((R.transpose(0, 2, 1) @ (R @ rhs[:, :, None]))[:, :, 0], R)

    def _each(self, work: Callable[[list[TaskSpectra]], None]) -> None:
        """Call ``work`` on all batches, some at a time, in threads where there is enough of it."""
        keep = numbers_in_spectra(self.data) <= _KEPT

        def on_batches(batches: Sequence[Batch]) -> None:
            some = [self._kept.get(id(b)) or task_spectra(self.data, b) for b in batches]
            if keep:
                self._kept.update(zip(map(id, batches), some, strict=True))
            work(some)

        self.data.design.each_few(on_batches, 4.0 * self.data.n_coefs)


@dataclass(frozen=True, eq=False)
class _Own:
    """What the tasks' own parts need at A points; fields named as in the formulas above."""

    rho: np.ndarray  # (A, b, r)
    k: np.ndarray  # (A, b, r) S^½ rho
    q: np.ndarray  # (A, b, d) Z'M_s o
    one_one: np.ndarray  # (A, b) o'M_s o
    one_y: np.ndarray  # (A, b) o'M_s y
    t: np.ndarray  # (A, b)


def _own(one: TaskSpectra, points: _Points) -> _Own:
    c, e = points.c[:, None, None], points.e[:, None]
    rho = c / (one.s + c)
    k = np.sqrt(one.s) * rho
    q = ((k * one.one_in)[:, :, None, :] @ one.Ut)[:, :, 0]
    one_one = (one.one_out**2).sum(axis=1) + (rho * one.one_in**2).sum(axis=2)
    one_y = (one.one_out * one.y_out).sum(axis=1) + (rho * one.one_in * one.y_in).sum(axis=2)
    return _Own(rho, k, q, one_one, one_y, e + one_one)


def _normal_equations(
    some: list[TaskSpectra], points: _Points, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the tasks add to H (A, size, size) and to its right-hand side (A, size)."""
    A, d = len(points.c), some[0].Ut.shape[2]
    H, rhs = np.zeros((A, size, size)), np.zeros((A, size))
    owns = [_own(one, points) for one in some]
    flat = np.concatenate([one.Ut.reshape(-1, d) for one in some])
    weight = _joined([one.s * own.rho for one, own in zip(some, owns, strict=True)])
    moment = _joined([own.k * one.y_in for one, own in zip(some, owns, strict=True)])
    rhs[:, :d] = moment @ flat
    np.sqrt(weight, out=weight)
    for a in range(A):  # one long product each, in which BLAS sees the symmetry
        Y = flat * weight[a][:, None]
        H[a, :d, :d] = Y.T @ Y
    if size > d:
        _take_intercepts_out(H, rhs, owns, points.e[:, None])
    return H, rhs


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def _take_intercepts_out(H: np.ndarray, rhs: np.ndarray, owns: list[_Own], e: np.ndarray) -> None:
    """The last term of M, and the row and column of the common intercept."""
    q = np.concatenate([own.q for own in owns], axis=1)
    t, one_one, one_y = (
        _joined([getattr(own, name) for own in owns]) for name in ("t", "one_one", "one_y")
    )
    over_t = q / t[:, :, None]
    H[:, :-1, :-1] -= over_t.transpose(0, 2, 1) @ q
    rhs[:, :-1] -= (one_y[:, None] @ over_t)[:, 0]
    H[:, :-1, -1] = H[:, -1, :-1] = e * over_t.sum(axis=1)
    H[:, -1, -1] = (e / t * one_one).sum(axis=1)
    rhs[:, -1] = (e / t * one_y).sum(axis=1)


def _left_out(one: TaskSpectra, points: _Points, common: _Common) -> LeftOut:
    own = _own(one, points)
    A, b, r = own.rho.shape
    flat = one.Ut.reshape(b * r, -1)
    w, level = common.w[:, : flat.shape[1]], common.w[:, flat.shape[1] :].sum(axis=1)
    beta = -own.one_y - points.e[:, None] * level[:, None]
    inside = own.rho * one.y_in
    if w.size:
        beta += (own.q @ w[:, :, None])[:, :, 0]
        inside -= own.k * (w @ flat.T).reshape(A, b, r)
    beta /= own.t
    inside += own.rho * beta[:, :, None] * one.one_in
    residual = one.y_out[:, :, None] + one.V @ _columns(one, inside, beta)
    M_one = one.V @ _columns(one, own.rho * one.one_in, np.ones((A, b)))
    basis = one.V[:, :, :r]
    left = one.outside[:, :, None] + (basis * basis) @ own.rho.transpose(1, 2, 0)
    if one.V.shape[2] > r:
        left -= M_one**2 / own.t.T[:, None, :]
    if w.size:
        left -= _common_leverage(one, own, points.e, common.R)
    return LeftOut(one, residual, left)


def _columns(one: TaskSpectra, inside: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Coordinates (A, b, r), and with an intercept (A, b), as columns for V: (b, r or r + 1, A)."""
    if one.V.shape[2] > inside.shape[2]:
        inside = np.concatenate([inside, last[:, :, None]], axis=2)
    return inside.transpose(1, 2, 0)


def _common_leverage(one: TaskSpectra, own: _Own, e: np.ndarray, R: np.ndarray) -> np.ndarray:
    """u'H^-1 u of every observation, (b, n, A)."""
    b, n, r = one.V.shape[0], one.V.shape[1], one.s.shape[1]
    flat = one.Ut.reshape(b * r, -1)
    d, q = flat.shape[1], R.shape[1]
    out = np.empty((len(e), b, n))
    size = max(1, int(_CHUNK // (b * max(r, n) * q)))
    for first in range(0, len(e), size):
        a = slice(first, first + size)
        slopes = R[a, :, :d].transpose(0, 2, 1)
        B = np.empty((len(slopes), b, one.V.shape[2], q))
        np.multiply((flat @ slopes).reshape(-1, b, r, q), own.k[a, :, :, None], out=B[:, :, :r])
        if q > d:
            last = (e[a, None, None] * R[a, None, :, d] - own.q[a] @ slopes) / own.t[a, :, None]
            B[:, :, :r] += (own.rho[a] * one.one_in)[..., None] * last[:, :, None, :]
            B[:, :, r] = last
        rows = one.V @ B
        np.einsum("abnq,abnq->abn", rows, rows, out=out[a])
    return out.transpose(1, 2, 0)


def _slices(one: TaskSpectra, n_points: int) -> list[slice]:
    """Points that are done together: as many as keep the working arrays in cache."""
    size = max(1, _CHUNK // max(one.y_out.size, one.s.size))
    return [slice(i, min(i + size, n_points)) for i in range(0, n_points, size)]
