"""Leave-one-out of the squared loss at many strengths, from one eigendecomposition a task.

In a task with rows Z = V S^½ U' (times the roots of their weights), targets y and a column o of
the intercept, a deviation of curvature c on slopes and e on the intercept leaves

    M y = V rho V'y + (what V leaves of y) - M_s o (o'M_s y) / t,   rho = c / (S + c),

where M_s is M without the last term and t = e + o'M_s o. Eliminating the tasks leaves
H = G + sum [Z o]'M [Z o] for the common part w; residuals are M (y - Z w), and 1 - h of an
observation is M_jj - u'H^-1 u, u its row of M [Z o]. All of this is products of fixed matrices
with what depends on the strengths, so many strengths are done at once, and nothing is subtracted
where a fit nearly interpolates.

Arrays over points have the strengths first, those over rows have them last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np

from polytask.algebra.linalg import psd_inverse_roots
from polytask.algebra.spectra import TaskSpectra, numbers_in_spectra, task_spectra
from polytask.data import TaskData
from polytask.data.batches import Batch
from polytask.solvers.arrow_problem import ArrowProblem

__all__ = ["LeftOut", "Points", "SpectralFits", "serves"]

_KEPT = 1e8  # numbers: spectra are kept over calls up to 800 MB, else made anew in every pass
_LEAST = 1e-7  # curvature over the largest eigenvalue below which Gram matrices lose the digits
_CHUNK = 262_144  # numbers in a working array: two megabytes
_SYSTEMS = 10_000_000  # numbers in the systems of the common part that are held at once


def serves(arrows: Sequence[ArrowProblem]) -> np.ndarray:
    """Of problems with the same data: whether one ridge on all slopes and dense rows suffice."""
    data, loss = arrows[0].problem.data, arrows[0].problem.loss
    d, p = data.n_features, data.n_coefs
    found = np.zeros(len(arrows), dtype=bool)
    if not loss.is_quadratic or data.design.sparse or d == 0:
        return found
    whole = [i for i, a in enumerate(arrows) if len(a.D) == p and len(a.G) in _commons(data)]
    if whole:
        D = np.array([arrows[i].D[:d] for i in whole])
        largest = float((data.column_norms[:, :d] ** 2).sum(axis=1).max(initial=0.0))
        found[whole] = (D[:, :1] == D).all(axis=1) & (D[:, 0] > _LEAST * largest)
    return found


def _commons(data: TaskData) -> tuple[int, ...]:
    """How many coefficients of the common part are served."""
    return (0, data.n_coefs) if data.n_coefs < len(data.y) else (0,)


@dataclass(frozen=True, eq=False)
class Points:
    """Curvatures c, e (A,) of slopes' and intercepts' deviation, G (A, q) of the common part."""

    c: np.ndarray
    e: np.ndarray
    G: np.ndarray

    @classmethod
    def of(cls, arrows: Sequence[ArrowProblem]) -> Points:
        """Those of problems that the spectra serve; without an intercept e is one."""
        free = arrows[0].problem.data.intercept
        c, e, G = zip(*((a.D[0], a.D[-1] if free else 1.0, a.G) for a in arrows), strict=True)
        return cls(np.array(c), np.array(e), np.array(G))

    def same(self, other: Points | None) -> bool:
        """Whether they are the other's."""
        mine = (self.c, self.e, self.G)
        return other is not None and all(map(np.array_equal, mine, (other.c, other.e, other.G)))

    def part(self, some: slice) -> Points:
        """Some of the points."""
        return Points(self.c[some], self.e[some], self.G[some])


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Of a batch of tasks at A points: residuals times the roots of weights, and 1 - h."""

    spectra: TaskSpectra
    residual: np.ndarray  # (b, A, n)
    left: np.ndarray  # (b, A, n)


@dataclass(frozen=True, eq=False)
class _Own:
    """What the tasks' own parts need at A points, of C curvatures c; names as in the formulas."""

    one: TaskSpectra
    of: np.ndarray | None  # which c a point has, (A,); None where every one has its own
    e: np.ndarray  # (A,)
    rho: np.ndarray  # c / (S + c), (C, b, r)
    k: np.ndarray  # S^½ rho, (C, b, r)
    rho_one: np.ndarray  # rho V'o, (C, b, r)
    q: np.ndarray  # Z'M_s o, (C, b, d)
    one_one: np.ndarray  # o'M_s o, (C, b)
    t: np.ndarray  # e + o'M_s o, (A, b)

    def at(self, values: np.ndarray) -> np.ndarray:
        """Those (C, ...) of every point, (A, ...)."""
        return values if self.of is None else values[self.of]


class SpectralFits:
    """Fits and leverages of one data set at many strengths.

    Parameters
    ----------
    data : TaskData
    """

    def __init__(self, data: TaskData) -> None:
        self.data = data
        self._kept: dict[int, TaskSpectra] = {}
        self._slopes: dict[float, np.ndarray] = {}  # eliminated, by the curvature
        self._held: tuple[Points | None, dict[int, np.ndarray]] = (None, {})

    def leave_out(
        self, points: Points, use: Callable[[LeftOut, slice], None], near: Points | None = None
    ) -> None:
        """Call ``use``, from one thread at a time, with every batch at every slice of points.

        Of leverages the part through w0 costs most and is least where rows are many: it is that of
        the one point ``near`` where that is given.
        """
        if not points.G.shape[1]:
            near = None
        if near is not None and not near.same(self._held[0]):
            self._hold(near)
        size = max(1, _SYSTEMS // max(points.G.shape[1], 1) ** 2)
        for first in range(0, len(points.c), size):
            some = points.part(slice(first, first + size))
            self._leave_out(some, first, use, {} if near is None else self._held[1])

    def _hold(self, near: Points) -> None:
        """Leverages through w0 at a point, for others."""
        R, held, lock = self._common(near)[1], {}, Lock()

        def work(one: TaskSpectra) -> None:
            found = _common_leverage(_own(one, near), R)[:, 0]
            with lock:
                held[id(one.batch)] = found

        self._each(work)
        self._held = near, held

    def _leave_out(
        self, points: Points, first: int, use: Callable[[LeftOut, slice], None],
        held: dict[int, np.ndarray],
    ) -> None:  # fmt: skip
        w, R = self._common(points)
        lock = Lock()

        def work(one: TaskSpectra) -> None:
            known = held.get(id(one.batch))
            for part in _slices(one, len(points.c)):
                out = _left_out(_own(one, points.part(part)), w[part], R[part], known)
                with lock:
                    use(out, slice(first + part.start, first + part.stop))

        self._each(work)

    def _common(self, points: Points) -> tuple[np.ndarray, np.ndarray]:
        """The common part w (A, q) at every point, and R (A, q, q) with R'R = H^-1."""
        A, q = points.G.shape
        if q == 0:
            return np.zeros((A, 0)), np.zeros((A, 0, 0))
        c = np.setdiff1d(points.c, list(self._slopes))  # strengths that differ otherwise share it
        d, lock = self.data.n_features, Lock()
        slopes, H, rhs = np.zeros((len(c), d, d)), np.zeros((A, q, q)), np.zeros((A, q))

        def work(one: TaskSpectra) -> None:
            shared, own = _slopes_eliminated(one, c), _own(one, points)
            levels, gradient = _level_eliminated(own, q - d), _gradient(own, q)
            with lock:
                np.add(slopes, shared, out=slopes)
                np.add(H, levels, out=H)
                np.add(rhs, gradient, out=rhs)

        self._each(work)
        self._slopes.update(zip(c.tolist(), slopes, strict=True))
        H[:, :d, :d] += np.array([self._slopes[value] for value in points.c.tolist()])
        if len(self._slopes) * d * d > _SYSTEMS:
            self._slopes.clear()
        H[:, np.arange(q), np.arange(q)] += points.G
        R = psd_inverse_roots(0.5 * (H + H.transpose(0, 2, 1)))
        return (R.transpose(0, 2, 1) @ (R @ rhs[:, :, None]))[:, :, 0], R

    def _each(self, work: Callable[[TaskSpectra], None]) -> None:
        """Call ``work`` on all batches, some at a time, in threads where there is enough of it."""
        keep = numbers_in_spectra(self.data) <= _KEPT

        def on_batch(batch: Batch) -> None:
            one = self._kept.get(id(batch)) or task_spectra(self.data, batch)
            if keep:
                self._kept[id(batch)] = one
            work(one)

        self.data.design.each(on_batch, 4.0 * self.data.n_coefs)


def _own(one: TaskSpectra, points: Points) -> _Own:
    distinct, places = np.unique(points.c, return_inverse=True)
    c, of = (distinct, places) if len(distinct) < len(places) else (points.c, None)
    rho = c[:, None, None] / (one.s + c[:, None, None])
    k = np.sqrt(one.s) * rho
    q = np.ascontiguousarray(((k * one.one_in).transpose(1, 0, 2) @ one.Ut).transpose(1, 0, 2))
    rho_one = rho * one.one_in
    one_one = (one.one_out**2).sum(axis=1) + (rho_one * one.one_in).sum(axis=2)
    t = points.e[:, None] + (one_one if of is None else one_one[of])
    return _Own(one, of, points.e, rho, k, rho_one, q, one_one, t)


def _residual(own: _Own, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """M (y - [Z o] w) in coordinates: of V (A, b, r), and of what V leaves of o (A, b)."""
    one, d = own.one, own.one.Ut.shape[2]
    inside = own.at(own.rho * one.y_in)
    fixed = (one.one_out * one.y_out).sum(axis=1) + (own.rho_one * one.y_in).sum(axis=2)
    beta = -own.at(fixed)
    if w.any():
        slopes, level = w[:, :d], w[:, d:].sum(axis=1)
        inside -= own.at(own.k) * (slopes @ one.Ut.reshape(-1, d).T).reshape(inside.shape)
        beta += (own.at(own.q) @ slopes[:, :, None])[:, :, 0] - (own.e * level)[:, None]
    beta /= own.t
    inside += beta[:, :, None] * own.at(own.rho_one)
    return inside, beta


def _left_out(own: _Own, w: np.ndarray, R: np.ndarray, held: np.ndarray | None = None) -> LeftOut:
    """Residuals and 1 - h at some points, the part of h through w0 ``held`` where it is given."""
    one = own.one
    across = one.V.transpose(0, 2, 1)
    residual = _rows(*_residual(own, w)) @ across
    residual += one.y_out[:, None, :]
    basis = across[:, : one.s.shape[1]]
    slopes = own.rho.transpose(1, 0, 2) @ (basis * basis)
    slopes += one.outside[:, None, :]
    if held is not None:
        slopes -= held[:, None, :]
    M_one = _rows(own.rho_one, np.ones(own.one_one.shape)) @ across
    M_one *= M_one
    if own.of is not None:
        slopes, M_one = slopes[:, own.of], M_one[:, own.of]
    M_one /= own.t.T[:, :, None]
    left = np.subtract(slopes, M_one, out=slopes)
    if held is None and R.size:
        left -= _common_leverage(own, R)
    return LeftOut(one, residual, left)


def _rows(inside: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Coordinates (A, b, r) and (A, b) as rows for V', (b, A, r + 1)."""
    return np.concatenate([inside, last[:, :, None]], axis=2).transpose(1, 0, 2)


def _common_leverage(own: _Own, R: np.ndarray) -> np.ndarray:
    """u'H^-1 u of every observation, (b, A, n)."""
    one = own.one
    (b, n, _), r, q = one.V.shape, one.s.shape[1], R.shape[1]
    flat, e = one.Ut.reshape(b * r, -1), own.e
    d, q_one, k, rho_one = flat.shape[1], own.at(own.q), own.at(own.k), own.at(own.rho_one)
    out = np.empty((len(e), b, n))
    size = max(1, int(_CHUNK // (b * max(r, n) * q)))
    for first in range(0, len(e), size):
        a = slice(first, first + size)
        slopes = R[a, :, :d].transpose(0, 2, 1)
        last = -(q_one[a] @ slopes)
        if q > d:
            last += e[a, None, None] * R[a, None, :, d]
        last /= own.t[a, :, None]
        B = np.empty((len(slopes), b, r + 1, q))
        np.multiply((flat @ slopes).reshape(-1, b, r, q), k[a][..., None], out=B[:, :, :r])
        B[:, :, :r] += rho_one[a][..., None] * last[:, :, None, :]
        B[:, :, r] = last
        rows = one.V @ B
        np.einsum("abnq,abnq->abn", rows, rows, out=out[a])
    return out.transpose(1, 0, 2)


def _slopes_eliminated(one: TaskSpectra, c: np.ndarray) -> np.ndarray:
    """The sum of U diag(c S / (S + c)) U' over tasks, (T, d, d)."""
    flat, s = one.Ut.reshape(-1, one.Ut.shape[2]), one.s.ravel()
    root = np.sqrt(c[:, None] * s / (s + c[:, None]))
    out = np.empty((len(c), flat.shape[1], flat.shape[1]))
    for a in range(len(c)):  # one long product each, in which BLAS sees the symmetry
        Y = flat * root[a][:, None]
        out[a] = Y.T @ Y
    return out


def _level_eliminated(own: _Own, level: int) -> np.ndarray:
    """The last term of M in H, and the row and column of the common intercept, (A, q, q)."""
    q, e = own.at(own.q), own.e[:, None]
    over_t, d = q / own.t[:, :, None], q.shape[2]
    H = np.empty((len(over_t), d + level, d + level))
    H[:, :d, :d] = -over_t.transpose(0, 2, 1) @ q
    if level:
        H[:, :d, d] = H[:, d, :d] = e * over_t.sum(axis=1)
        H[:, d, d] = (e / own.t * own.at(own.one_one)).sum(axis=1)
    return H


def _gradient(own: _Own, q: int) -> np.ndarray:
    """The sum of [Z o]'M y, shape (A, q)."""
    inside, beta = _residual(own, np.zeros((len(own.t), q)))
    inside *= np.sqrt(own.one.s)
    d = own.one.Ut.shape[2]
    out = np.empty((len(inside), q))
    out[:, :d] = inside.reshape(len(inside), -1) @ own.one.Ut.reshape(-1, d)
    out[:, d:] = -(own.e * beta.sum(axis=1))[:, None]
    return out


def _slices(one: TaskSpectra, n_points: int) -> list[slice]:
    """Points that are done together: as many as keep the working arrays in cache."""
    size = max(1, _CHUNK // max(one.y_out.size, one.s.size))
    return [slice(i, min(i + size, n_points)) for i in range(0, n_points, size)]
