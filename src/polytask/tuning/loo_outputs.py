"""Leave-one-out predictors of losses that see several of a row, such as one for each class.

With Q_j the q x q matrix x' H^-1 x of a row's q predictors (see `polytask.tuning.loo` for one), g_j
and A_j the loss's slope and curvature in them, one Newton step without row j leads to

    f_(-j) = f_j + (I - omega_j Q_j A_j)^-1 omega_j Q_j g_j.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from polytask.algebra.arrow import ArrowFactor
from polytask.solvers.arrow_problem import ArrowProblem

__all__ = ["left_out"]

_LEAST = 1e-5  # smallest singular value of I - omega Q A with which a row's prediction is defined


def left_out(
    arrow: ArrowProblem, f: np.ndarray, factor: ArrowFactor, times: np.ndarray,
    batches: Iterable[Any],
) -> np.ndarray:  # fmt: skip
    """f_(-j) of every observation, shape (N, q); NaN where nothing else informs it."""
    data, loss = arrow.problem.data, arrow.problem.loss
    omega = (data.weight / times)[:, None, None]
    Q = omega * _forms(arrow, factor, batches, f.shape)
    e = loss.directions  # type: ignore[attr-defined]
    A = np.einsum("nr,ra,rb->nab", loss.curvature(data.y, f), e, e, optimize=True)
    left = np.eye(f.shape[1]) - Q @ A
    known = np.abs(np.linalg.det(left)) > _LEAST
    left[~known] = np.eye(f.shape[1])
    step = np.linalg.solve(left, Q @ loss.gradient(data.y, f)[:, :, None])[:, :, 0]
    return np.where(known[:, None], f + step, np.nan)


def _forms(
    arrow: ArrowProblem, factor: ArrowFactor, batches: Iterable[Any], shape: tuple[int, ...]
) -> np.ndarray:
    """Q_j of every observation, shape (N, q, q), without its weight."""
    N, q = shape
    masks = arrow.structure.common, arrow.structure.deviation
    common, own = (mask.reshape(q, -1)[0] for mask in masks)
    out = np.empty((N, q, q))
    inverse = factor.roots.transpose(0, 2, 1) @ factor.roots  # of L, (m, q k, q k)
    for tasks, obs, valid, rows in batches:
        x, z = rows[:, :, own], rows[:, :, common]
        k, c = x.shape[2], z.shape[2]
        found = np.empty((*rows.shape[:2], q, q))
        a = [x @ inverse[tasks, part * k : (part + 1) * k] for part in range(q)]  # L^-1 x
        u = [_moved(arrow, factor, tasks, z, each, part * c) for part, each in enumerate(a)]
        for s in range(q):
            across = u[s] @ factor.schur
            for t in range(q):
                found[:, :, s, t] = (a[s][:, :, t * k : (t + 1) * k] * x).sum(axis=2)
                found[:, :, s, t] += (across * u[t]).sum(axis=2)
        chosen = slice(None) if valid is None else valid
        out[obs[chosen]] = found[chosen]
    return out


def _moved(
    arrow: ArrowProblem, factor: ArrowFactor, tasks: np.ndarray, z: np.ndarray, a: np.ndarray,
    first: int,
) -> np.ndarray:  # fmt: skip
    """Z - E' L^-1 x of rows whose common features z are those of one part, which begins there."""
    if arrow.structure.common.all() and arrow.structure.deviation.all():
        return a * arrow.D  # the same, without a subtraction
    assert factor.coupling is not None
    u = np.zeros((*z.shape[:2], len(arrow.G)))
    u[:, :, first : first + z.shape[2]] = z
    return u - a @ factor.coupling[tasks]
