"""The step in the directions V, given the heads A: least squares in k d unknowns."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from polytask.solvers.curvature import RowProducts, SharedGram
from polytask.solvers.squares import Squares

__all__ = ["BasisStep", "simultaneous"]

_DENSE_UP_TO = 1500  # features: beyond this the preconditioner is diagonal
_CG_STEPS = 40
_CG_TOL = 1e-2  # share of the gradient; the sweeps correct the rest


class BasisStep:
    """min over V of F(A V) + ½ tr(V' B V), by conjugate gradients from the V at hand.

    Every product costs one gradient of F, so that no (k d)² matrix is formed, and every iteration
    lowers the objective. The preconditioner A'A ⊗ M + B ⊗ I, with M the tasks' mean curvature, is
    exact where all tasks have the same curvature.
    """

    def __init__(self, F: Squares) -> None:
        self.F = F
        self.values, self.vectors = _mean_curvature(F)

    def __call__(self, A: np.ndarray, V: np.ndarray, B: np.ndarray) -> np.ndarray:
        """The new V (k, d)."""
        g, _ = self.F.gradient(A @ V)
        r = -(A.T @ g + B @ V)
        T, beta = simultaneous(A.T @ A, B)
        scale = beta[:, None] + self.values
        scale = np.maximum(scale, 1e-10 * scale.max(initial=1e-300))
        z = self._precondition(r, T, scale)
        direction, rz, step = z, float((r * z).sum()), np.zeros_like(V)
        first = rz
        for _ in range(_CG_STEPS):
            if rz <= _CG_TOL**2 * first or rz <= 0:
                break
            H = A.T @ (self.F.gradient(A @ direction)[0] - self.F.gradient_at_zero) + B @ direction
            along = float((direction * H).sum())
            if along <= 0:
                break
            step = step + (rz / along) * direction
            r = r - (rz / along) * H
            z = self._precondition(r, T, scale)
            rz, before = float((r * z).sum()), rz
            direction = z + (rz / before) * direction
        return V + step

    def _precondition(self, r: np.ndarray, T: np.ndarray, scale: np.ndarray) -> np.ndarray:
        rotated = T.T @ r
        if self.vectors is None:
            return T @ (rotated / scale)
        return T @ ((rotated @ self.vectors / scale) @ self.vectors.T)


def simultaneous(AA: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """T and beta with T' AA T = I and T' B T = diag(beta)."""
    floor = 1e-8 * max(float(np.trace(AA)), 1e-300) / max(len(AA), 1)
    beta, T = linalg.eigh(B, AA + floor * np.eye(len(AA)))
    return T, np.maximum(beta, 0.0)


def _mean_curvature(F: Squares) -> tuple[np.ndarray, np.ndarray | None]:
    """Eigenvalues and vectors of the mean over tasks of the slopes' curvature, levels taken out."""
    data, d = F.data, F.structure.n_features
    if d > _DENSE_UP_TO:
        return (data.design.column_norms(F.v)[:, :d] ** 2).mean(axis=0), None
    curvature = F.curvature
    if isinstance(curvature, SharedGram):
        M = curvature.gram[:d, :d] * curvature.scale.sum()
    elif isinstance(curvature, RowProducts):
        M = data.design.total_gram(F.v)[:d, :d]
    else:
        M = curvature.grams.sum(axis=0)[:d, :d]  # type: ignore[union-attr]
    if data.intercept:
        mass = np.maximum(np.bincount(data.code, F.v, minlength=data.n_tasks), 1e-300)
        level = curvature.last_column()[:, :d] / np.sqrt(mass)[:, None]
        M = M - level.T @ level
    values, vectors = np.linalg.eigh(M / data.n_tasks)
    return np.maximum(values, 1e-12 * max(values[-1], 1e-300)), vectors
