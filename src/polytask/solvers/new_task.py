"""One more task, near what the others share: a few Newton steps on its own rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.algebra.linalg import psd_inverse
from polytask.data import Design, RowsAt
from polytask.responses import Loss
from polytask.solvers.descent import Descent
from polytask.structures import Blocks

__all__ = ["fit_near", "prior_root"]

_STEPS = 60
_TOL = 1e-10  # share of the objective that the last step promises


def prior_root(strength: np.ndarray) -> np.ndarray:
    """L (p, k) with L L' = diag(1 / (2 strength)): in u, Δ = L u, the penalty is ‖u‖² / 2 over u.

    An infinite strength has no column; one of zero has a variance that leaves it next to free.
    """
    kept = np.flatnonzero(np.isfinite(strength))
    L = np.zeros((len(strength), len(kept)))
    largest = max(float(strength[kept].max(initial=0.0)), 1.0)
    L[kept, np.arange(len(kept))] = np.sqrt(0.5 / np.maximum(strength[kept], 1e-12 * largest))
    return L


@dataclass(frozen=True, eq=False)
class _Near:
    """The task at a deviation L u from the centre."""

    blocks: Blocks
    risk: RowsAt
    L: np.ndarray
    strength: np.ndarray

    @property
    def value(self) -> float:
        return self.risk.total + float(self.strength @ self.blocks["u"] ** 2)

    @property
    def residual(self) -> Blocks:
        slope = self.L.T @ self.risk.gradient[0] + 2.0 * self.strength * self.blocks["u"]
        return {"u": slope}

    @cached_property
    def inverse(self) -> np.ndarray:
        """Of the Hessian in u."""
        Z = self.risk.design.X @ self.L
        v = self.risk.weight * self.risk.curvature
        return psd_inverse((Z.T * v) @ Z + np.diag(2.0 * self.strength))


def fit_near(
    loss: Loss, rows: np.ndarray, y: np.ndarray, weight: np.ndarray, centre: np.ndarray,
    L: np.ndarray, strength: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Min over u: sum_j weight_j loss(y_j, x_j'(centre + L u)) + sum_k strength_k u_k².

    Where rows and strengths leave directions free, the answer is the one nearest to the centre, in
    columns scaled to one curvature.

    Parameters
    ----------
    rows : ndarray of shape (n, p)
    y, weight : ndarray of shape (n,)
    centre : ndarray of shape (p,)
    L : ndarray of shape (p, k)
    strength : ndarray of shape (k,)

    Returns
    -------
    deviation : ndarray of shape (p,)
        L u.
    covariance : ndarray of shape (p, p)
        L H^-1 L', H the Hessian in u: the posterior covariance where the penalty is a normal prior.
    """
    design = Design(rows, None, np.array([0, len(rows)]))

    def look(blocks: Blocks) -> _Near:
        f = rows @ (centre + L @ blocks["u"])
        return _Near(blocks, RowsAt(design, y, weight, loss, f), L, strength)

    def step(at: _Near) -> tuple[Blocks, int]:
        return {"u": at.inverse @ at.residual["u"]}, 1

    start = {"u": np.zeros(L.shape[1])}
    here = Descent(start, step, lambda at: False, _STEPS, last=_TOL).run(look).here
    return L @ here.blocks["u"], np.asarray(L @ here.inverse @ L.T)
