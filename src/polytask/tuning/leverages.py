"""Losses of rows that are left out at many strengths, from the spectra of their tasks.

The formulas are those of `polytask.tuning.spectral`, and so are the shapes: points of strengths
first, rows last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from polytask.algebra.spectra import TaskSpectra
from polytask.compiled import loops

__all__ = [
    "LossesLeftOut",
    "Solved",
    "common_leverage",
    "losses",
    "own_left",
    "slopes_of_deviations",
]

_CHUNK = 131_072  # numbers in a working array: a megabyte
_NO_INFORMATION = 1e-6  # 1 - h of an observation without which its prediction is undefined
_PER_NUMBER = 3e-10  # seconds that loops save for each number of V at each point


class LossesLeftOut(NamedTuple):
    """Of tasks at A points, where each row is predicted without itself.

    Parameters
    ----------
    total : ndarray of shape (m, A)
        Weighted losses, of rows whose prediction is defined.
    lost : ndarray of shape (m, A)
        Weight of the other rows.
    undefined : ndarray of shape (m, A)
        Whether there are such.
    own : ndarray of shape (m, A)
        ``total`` without what goes through w0, where both are wanted.
    """

    total: np.ndarray
    lost: np.ndarray
    undefined: np.ndarray
    own: np.ndarray


@dataclass(frozen=True, eq=False)
class Solved:
    """The common part at A points, and what the tasks' own parts need there."""

    c: np.ndarray  # the curvatures c that differ, (C,)
    of: np.ndarray  # which of them a point has, (A,)
    e: np.ndarray  # (A,)
    w: np.ndarray  # the common part, (A, q)
    R: np.ndarray  # R'R = H^-1, (A, q, q)
    t: np.ndarray  # e + o'M_s o, (A, m)
    beta: np.ndarray  # -o'M (y - [Z o] w), (A, m)
    q: np.ndarray  # (C, m, d)
    sure: np.ndarray  # whether the common part is well determined, (A,)

    def part(self, some: slice) -> Solved:
        """Some of the points."""
        kept, of = np.unique(self.of[some], return_inverse=True)
        q = self.q if len(kept) == len(self.c) else self.q[kept]
        points = {name: getattr(self, name)[some] for name in ("e", "w", "R", "t", "beta", "sure")}
        return Solved(c=self.c[kept], of=of, q=q, **points)


def losses(
    one: TaskSpectra, at: Solved, leaves: np.ndarray,
    near: tuple[np.ndarray, np.ndarray] | None = None, both: bool = False,
) -> LossesLeftOut:  # fmt: skip
    """Losses of the tasks of a batch at A points, each row left out by its share ``leaves`` (b, n).

    Where odds (b, n) of a held point, and their growth (A,), are given, w0's part of h is by them.
    """
    A = len(at.of)
    well = near is not None or not at.R.size or at.sure.all()  # forms of H^-1 keep their digits
    if well and (compiled := loops("left_out", _PER_NUMBER * A * one.Vt.size)) is not None:
        return LossesLeftOut(*_by_loops(compiled, one, at, leaves, near, both))
    size = max(1, _CHUNK // max(one.outside.size, one.s.size))
    parts = []
    for first in range(0, A, size):
        some = slice(first, first + size)
        told = None if near is None else (near[0], near[1][some])
        parts.append(_losses(one, at if size >= A else at.part(some), leaves, told, both))
    return LossesLeftOut(*(np.hstack(found) for found in zip(*parts, strict=True)))


def _by_loops(
    compiled: Any, one: TaskSpectra, at: Solved, leaves: np.ndarray,
    near: tuple[np.ndarray, np.ndarray] | None, both: bool,
) -> LossesLeftOut:  # fmt: skip
    tasks, d, told = one.batch.tasks, one.Ut.shape[2], near or (np.zeros((0, 0)), np.zeros(0))
    R = at.R if near is None else at.R[:0]
    points = at.w[:, :d], at.beta.T[tasks], at.t.T[tasks]
    return LossesLeftOut(
        *compiled.losses(
            (one.s, one.Ut, one.Vt, one.outside, one.y_in, one.one_in, one.root),
            (at.c, at.of, *map(np.ascontiguousarray, points)),
            told,
            (R if R.size else np.zeros((0, 0, 0)), at.q[:, tasks], at.e),
            leaves,
            _NO_INFORMATION,
            both,
        )
    )


def _losses(
    one: TaskSpectra, at: Solved, leaves: np.ndarray,
    near: tuple[np.ndarray, np.ndarray] | None, both: bool,
) -> LossesLeftOut:  # fmt: skip
    left, error, own = own_left(one, at), _residuals(one, at), None
    if near is not None:
        left /= 1.0 + near[1][:, None] * near[0][:, None]
    elif at.R.size:
        own = _sums(left, error, one.root, leaves)[0] if both else None
        left -= common_leverage(one, at)
    total, lost, undefined = _sums(left, error, one.root, leaves)
    return LossesLeftOut(total, lost, undefined, total if own is None else own)


def _sums(
    left: np.ndarray, error: np.ndarray, root: np.ndarray, leaves: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Losses (b, A), weights of rows without one, and whether there are such."""
    if (leaves != 1.0).any():
        left = 1.0 - (1.0 - left) * leaves[:, None, :]
    lost, undefined = np.zeros((2, *left.shape[:2]))
    if left.min() <= _NO_INFORMATION:
        unknown = left <= _NO_INFORMATION
        undefined = ((root > 0)[:, None, :] & unknown).any(axis=2)
        lost = (unknown * (root**2)[:, None, :]).sum(axis=2)
        left = np.where(unknown, np.inf, left)
    error = error / left
    return 0.5 * np.einsum("ban,ban->ba", error, error), lost, undefined.astype(bool)


def slopes_of_deviations(one: TaskSpectra, at: Solved) -> np.ndarray:
    """Slopes of the tasks' deviations, (b, A, d)."""
    r = one.s.shape[1]
    pull = _inside(one, at)[:, :, :r] * np.sqrt(one.s)[:, None]
    return np.asarray(pull @ one.Ut) / at.c[at.of, None]


def _residuals(one: TaskSpectra, at: Solved) -> np.ndarray:
    """Residuals times the roots of weights, (b, A, n)."""
    return np.asarray(_inside(one, at) @ one.Vt)


def _inside(one: TaskSpectra, at: Solved) -> np.ndarray:
    """Coordinates of the residuals in the rows of V', (b, A, r + 2)."""
    (b, r, d), A = one.Ut.shape, len(at.of)
    beta, rho = at.beta.T[one.batch.tasks], _shares(one, at)
    inside = np.ones((b, A, r + 2))
    own = np.multiply(beta[:, :, None], one.one_in[:, None], out=inside[:, :, :r])
    own += one.y_in[:, None]
    if at.w.any():
        own -= (at.w[:, :d] @ one.Ut.transpose(0, 2, 1)) * np.sqrt(one.s)[:, None]
    own *= rho[:, at.of]
    inside[:, :, r] = beta
    return inside


def own_left(one: TaskSpectra, at: Solved) -> np.ndarray:
    """1 - h without w0's part, (b, A, n)."""
    (b, r), (A, C), n = one.s.shape, (len(at.of), len(at.c)), one.outside.shape[1]
    t, rho, V = at.t.T[one.batch.tasks], _shares(one, at), one.Vt[:, : one.s.shape[1]]
    both = np.empty((b, 2 * C, n))  # 1 - h but for the last term, and what that is times t
    slopes, level = both[:, :C], both[:, C:]
    np.matmul(rho, V * V, out=slopes)
    slopes += one.outside[:, None]
    np.matmul(rho * one.one_in[:, None], V, out=level)
    level += one.Vt[:, r, None]
    level *= level
    take = np.zeros((b, A, 2 * C))
    take[:, np.arange(A), at.of], take[:, np.arange(A), C + at.of] = 1.0, -1.0 / t
    return np.asarray(take @ both)


def _shares(one: TaskSpectra, at: Solved) -> np.ndarray:
    """Rho of every curvature, (b, C, r)."""
    c = at.c[:, None]
    return np.asarray(c / (one.s[:, None] + c))


def common_leverage(one: TaskSpectra, at: Solved) -> np.ndarray:
    """u'H^-1 u of every observation, (b, A, n)."""
    (b, r), n, q, e, R = one.s.shape, one.outside.shape[1], at.R.shape[1], at.e, at.R
    flat, of, tasks, d = one.Ut.reshape(b * r, -1), at.of, one.batch.tasks, one.Ut.shape[2]
    rho = at.c[:, None, None] / (one.s + at.c[:, None, None])
    k, level = np.sqrt(one.s) * rho, _level(one, rho)
    out = np.empty((len(e), b, n))
    size = max(1, min(len(e), int(_CHUNK // (b * max(r, n) * q))))
    B, V = np.empty((size, b, r + 1, q)), np.empty((size, b, r + 1, n))
    V[:, :, :r] = one.Vt[:, :r]
    for first in range(0, len(e), size):
        a = slice(first, first + size)
        slopes, some = R[a, :, :d].transpose(0, 2, 1), slice(len(of[a]))
        last = -(at.q[of[a]][:, tasks] @ slopes)
        if q > d:
            last += e[a, None, None] * R[a, None, :, d]
        np.divide(last, at.t[a][:, tasks, None], out=B[some, :, r])
        V[some, :, r] = level[of[a]]
        inside = (flat @ slopes).reshape(-1, b, r, q)
        np.multiply(inside, k[of[a]][..., None], out=B[some, :, :r])
        rows = B[some].transpose(0, 1, 3, 2) @ V[some]
        np.einsum("abqn,abqn->abn", rows, rows, out=out[a])
    return out.transpose(1, 0, 2)


def _level(one: TaskSpectra, rho: np.ndarray) -> np.ndarray:
    """M_s o of every observation, (C, b, n)."""
    r = one.s.shape[1]
    own = (rho * one.one_in).transpose(1, 0, 2) @ one.Vt[:, :r]
    return np.asarray(own.transpose(1, 0, 2) + one.Vt[:, r])
