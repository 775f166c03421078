"""Variances of a linear mixed model by restricted maximum likelihood (REML).

Row j of task i:  y = x'(w0 + Δw_i) + noise,  Δw_i ~ N(0, sigma² Gamma),  noise ~ N(0, sigma²).
With H_i = X_i'X_i, r_i = X_i'y_i, Gamma = L L' and

    A_i = I + L'H_i L,   K_i = L A_i^-1 L',   T_i = H_i - H_i K_i H_i  (= X_i'V_i^-1 X_i),
    S = sum T_i,   w0 = S^-1 sum X_i'V_i^-1 y_i,   q_i = X_i'V_i^-1 (y_i - X_i w0),

the profiled restricted deviance is

    (N - p) log(y'Py / (N - p)) + sum log|A_i| + log|S| + constant,

and its gradient in Gamma is M = sum T_i - sum T_i S^-1 T_i - (N - p) / y'Py sum q_i q_i'. All of
it comes from the tasks' Gram matrices, at one small inverse a task. L may be singular: a variance
of zero is an answer. See Bates et al., J. Stat. Softw. 67 (2015), for the model, and Johnson and
Thompson, J. Dairy Sci. 78 (1995), for the average information used below.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.data import TaskData
from polytask.solvers.linalg import psd_inverse, psd_inverses

__all__ = ["MixedModel", "RemlPoint"]


@dataclass(frozen=True, eq=False)
class MixedModel:
    """Sufficient statistics of the tasks, columns scaled to a mean square of one.

    Parameters
    ----------
    grams : ndarray of shape (m, p, p)
    cross : ndarray of shape (m, p)
        X_i'e_i, with e the residual of the pooled least-squares fit: y shifted by X w keeps the
        restricted likelihood and its digits where R² is near one.
    square : float
        e'e.
    shift : ndarray of shape (p,)
        The pooled fit (in scaled columns).
    scale : ndarray of shape (p,)
        Root mean square of each column.
    n_rows : float
        Sum of the sample weights N.
    """

    grams: np.ndarray
    cross: np.ndarray
    square: float
    shift: np.ndarray
    scale: np.ndarray
    n_rows: float

    @classmethod
    def from_data(cls, data: TaskData) -> MixedModel:
        """Statistics of task data; every row weighs its sample weight, whatever its task."""
        s, design = data.sample_weight, data.design
        grams = design.grams(s)
        total = grams.sum(axis=0)
        n_rows = float(s.sum())
        size = np.sqrt(np.diag(total) / n_rows)
        scale = np.where(size > 0, size, 1.0)
        w = psd_inverse(total) @ design.adjoint(s * data.y).sum(axis=0)
        e = data.y - design.predict(np.broadcast_to(w, (data.n_tasks, data.n_coefs)))
        cross = design.adjoint(s * e) / scale
        grams /= scale[:, None] * scale
        return cls(grams, cross, float(s @ e**2), w * scale, scale, n_rows)

    @property
    def n_coefs(self) -> int:
        """Number of coefficients p."""
        return self.grams.shape[-1]

    @cached_property
    def free(self) -> float:
        """N - rank of the common part."""
        return self.n_rows - np.linalg.matrix_rank(self.grams.sum(axis=0))

    def at(self, L: np.ndarray) -> RemlPoint:
        """Everything at Gamma = L L', L of shape (p, k)."""
        return RemlPoint(self, L)


class RemlPoint:
    """Deviance, gradient, and estimates of a mixed model at one Gamma.

    Parameters
    ----------
    model : MixedModel
    L : ndarray of shape (p, k)
        Gamma = L L' in scaled columns.
    """

    def __init__(self, model: MixedModel, L: np.ndarray) -> None:
        self.model, self.L = model, L
        H, r = model.grams, model.cross
        HL = H @ L
        A = L.T @ HL
        np.einsum("bkk->bk", A)[:] += 1.0
        log_det = float(np.linalg.slogdet(A)[1].sum()) if L.shape[1] else 0.0
        self.A_inverse = psd_inverses(np.ascontiguousarray(A))
        HLA = HL @ self.A_inverse
        self.T = H - HLA @ HL.transpose(0, 2, 1)
        projected = r - (HLA @ (r @ L)[:, :, None])[:, :, 0]  # X_i'V_i^-1 e_i
        S = self.T.sum(axis=0)
        self.S_inverse = psd_inverse(S)
        self.common = self.S_inverse @ projected.sum(axis=0)
        self.q = projected - self.T @ self.common
        rL = r @ L
        explained = float((rL * (self.A_inverse @ rL[:, :, None])[:, :, 0]).sum())
        explained += float(self.common @ projected.sum(axis=0))
        self.rss = max(model.square - explained, 1e-14 * max(model.square, 1e-300))
        values = np.linalg.eigvalsh(S)
        seen = values > values[-1] * 1e-12
        self.noise = self.rss / model.free
        self.deviance = model.free * np.log(self.noise) + log_det + np.log(values[seen]).sum()

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of the deviance in Gamma, shape (p, p)."""
        shared = ((self.T @ self.S_inverse) @ self.T).sum(axis=0)
        M = self.T.sum(axis=0) - shared - self.q.T @ self.q / self.noise
        return 0.5 * (M + M.T)

    @cached_property
    def information(self) -> np.ndarray:
        """Average information of a diagonal Gamma: positive semidefinite model of the Hessian."""
        pull = np.einsum("bk,bkl->kl", self.q, self.T)  # row k: sum_i q_ik T_i[k, :]
        B = (self.q[:, :, None] * self.T * self.q[:, None, :]).sum(axis=0)
        B -= pull @ self.S_inverse @ pull.T
        a = (self.q**2).sum(axis=0)
        return (B - np.outer(a, a) / self.rss) / self.noise

    @property
    def deviations(self) -> np.ndarray:
        """E(Δw_i | y) = Gamma q_i in scaled columns, shape (m, p)."""
        return (self.q @ self.L) @ self.L.T

    def coef_covariance(self) -> np.ndarray:
        """Cov(w0 + Δw_i - its estimate) of every task in scaled columns, shape (m, p, p)."""
        K = self.L @ self.A_inverse @ self.L.T
        left = np.eye(self.model.n_coefs) - K @ self.model.grams
        return self.noise * (K + left @ self.S_inverse @ left.transpose(0, 2, 1))
