"""What leaving out an observation does, in the spectra of its task (see `tuning.spectral`).

Arrays over points have the strengths first, those over rows have them last.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.algebra.spectra import TaskSpectra
from polytask.tuning.skeleton import Skeleton

__all__ = [
    "Common",
    "LeftOut",
    "Own",
    "Points",
    "common_leverage",
    "from_long_to_short",
    "left_out",
    "row_leverage",
]

_CHUNK = 262_144  # numbers in a working array: two megabytes
_SAMPLED_ROWS = 6  # of each: every second one chooses a skeleton, the others test one


@dataclass(frozen=True, eq=False)
class Points:
    """Curvatures c, e (A,) of slopes' and intercepts' deviation, G (A, q) of the common part."""

    c: np.ndarray
    e: np.ndarray
    G: np.ndarray

    def part(self, some: slice | np.ndarray) -> Points:
        """Some of the points."""
        return Points(self.c[some], self.e[some], self.G[some])


@dataclass(frozen=True, eq=False)
class Common:
    """The common part w (A, q) at every point, and R (A, q, q) with R'R = H^-1.

    ``skeleton`` says at which points leverages are computed, and how they give the others.
    """

    w: np.ndarray
    R: np.ndarray
    skeleton: Skeleton


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Of a batch of tasks at A points: residuals times the roots of weights, and 1 - h."""

    spectra: TaskSpectra
    residual: np.ndarray  # (b, n, A)
    left: np.ndarray  # (b, n, A)


@dataclass(frozen=True, eq=False)
class Own:
    """What the tasks' own parts need at A points; names are those of the formulas."""

    one: TaskSpectra
    points: Points

    @cached_property
    def rho(self) -> np.ndarray:
        """Shrinkage c / (S + c), shape (A, b, r)."""
        c = self.points.c[:, None, None]
        return np.asarray(c / (self.one.s + c))

    @cached_property
    def k(self) -> np.ndarray:
        """S^½ rho, shape (A, b, r)."""
        return np.asarray(np.sqrt(self.one.s) * self.rho)

    @cached_property
    def q(self) -> np.ndarray:
        """Z'M_s o, shape (A, b, d)."""
        return np.asarray(((self.k * self.one.one_in)[:, :, None, :] @ self.one.Ut)[:, :, 0])

    @cached_property
    def one_one(self) -> np.ndarray:
        """o'M_s o, shape (A, b)."""
        outside = (self.one.one_out**2).sum(axis=1)
        return np.asarray(outside + (self.rho * self.one.one_in**2).sum(axis=2))

    @cached_property
    def one_y(self) -> np.ndarray:
        """o'M_s y, shape (A, b)."""
        outside = (self.one.one_out * self.one.y_out).sum(axis=1)
        return np.asarray(outside + (self.rho * self.one.one_in * self.one.y_in).sum(axis=2))

    @cached_property
    def t(self) -> np.ndarray:
        """The curvature e + o'M_s o of the level, shape (A, b)."""
        return np.asarray(self.points.e[:, None] + self.one_one)

    @property
    def has_level(self) -> bool:
        """Whether the tasks have intercepts."""
        return self.one.V.shape[2] > self.one.s.shape[1]

    def residual(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """M (y - [Z o] w) in coordinates: of V (A, b, r), and of what V leaves of o (A, b)."""
        one, e = self.one, self.points.e[:, None]
        flat = one.Ut.reshape(-1, one.Ut.shape[2])
        slopes, level = w[:, : flat.shape[1]], w[:, flat.shape[1] :].sum(axis=1)
        inside = self.rho * one.y_in
        if slopes.any():
            inside -= self.k * (slopes @ flat.T).reshape(inside.shape)
        if not self.has_level:
            return inside, np.zeros(inside.shape[:2])
        beta = -self.one_y - e * level[:, None]
        if slopes.any():
            beta += (self.q @ slopes[:, :, None])[:, :, 0]
        beta /= self.t
        inside += self.rho * beta[:, :, None] * one.one_in
        return inside, beta


def left_out(one: TaskSpectra, points: Points, w: np.ndarray, through_w: np.ndarray) -> LeftOut:
    """Residuals and 1 - h at some points; ``through_w`` (b, n, A) is the common part's leverage."""
    own = Own(one, points)
    inside, beta = own.residual(w)
    residual = one.y_out[:, :, None] + one.V @ _columns(one, inside, beta)
    basis = one.V[:, :, : one.s.shape[1]]
    left = one.outside[:, :, None] + (basis * basis) @ own.rho.transpose(1, 2, 0)
    if own.has_level:
        M_one = one.V @ _columns(one, own.rho * one.one_in, np.ones_like(beta))
        left -= M_one**2 / own.t.T[:, None, :]
    left -= through_w
    return LeftOut(one, residual, left)


def _columns(one: TaskSpectra, inside: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Coordinates (A, b, r), and with an intercept (A, b), as columns for V: (b, r or r + 1, A)."""
    if one.V.shape[2] > inside.shape[2]:
        inside = np.concatenate([inside, last[:, :, None]], axis=2)
    return inside.transpose(1, 2, 0)


def common_leverage(one: TaskSpectra, points: Points, R: np.ndarray) -> np.ndarray:
    """u'H^-1 u of every observation, (b, n, A)."""
    own = Own(one, points)
    b, n, r = one.V.shape[0], one.V.shape[1], one.s.shape[1]
    flat = one.Ut.reshape(b * r, -1)
    d, q, e = flat.shape[1], R.shape[1], points.e
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


def row_leverage(
    one: TaskSpectra, points: Points, R: np.ndarray, tasks: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """The same of a few observations ``rows`` (b', j) of some ``tasks`` (b',), as (b' j, A)."""
    some = one.part(tasks)
    own, r = Own(some, points), one.s.shape[1]
    V = np.take_along_axis(some.V, rows[:, :, None], axis=1)
    u = (V[:, :, :r] * own.k[:, :, None, :]) @ some.Ut
    if own.has_level:
        M_one = V @ _columns(some, own.rho * some.one_in, np.ones_like(own.t))
        over_t = (M_one / own.t.T[:, None, :]).transpose(2, 0, 1)[..., None]
        u = np.concatenate(
            [u - over_t * own.q[:, :, None, :], over_t * points.e[:, None, None, None]], axis=3
        )
    u = u.reshape(len(points.e), rows.size, -1) @ R.transpose(0, 2, 1)
    return np.einsum("anq,anq->na", u, u)


def from_long_to_short(one: TaskSpectra, tasks: np.ndarray) -> np.ndarray:
    """A few rows of some tasks (b', j), from the longest to the shortest."""
    V = one.V[tasks][:, :, : one.s.shape[1]]
    length = ((V * V) @ one.s[tasks][:, :, None])[:, :, 0] + one.root[tasks] ** 2
    order, n = np.argsort(-length, axis=1), length.shape[1]
    return order[:, np.linspace(0, n - 1, min(n, _SAMPLED_ROWS)).astype(int)]
