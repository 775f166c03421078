"""What every mixed model answers at one covariance Gamma = L L' of the deviations.

With H_i the curvature of task i (X_i'X_i, or weighed by the curvature of the loss at the mode),

    A_i = I + L'H_i L,  K_i = L A_i^-1 L',  T_i = H_i - H_i K_i H_i,  S = sum T_i,

q_i the slope that pulls task i off the common part (Δw_i = Gamma q_i) and noise the variance that
the deviance holds profiled (one where there is none), the deviance has in Gamma the gradient

    M = S - sum T_i S^-1 T_i - sum q_i q_i' / noise (+ what the curvature adds by moving),

and the average information sum <dGamma q_i, dGamma q_i>_P / noise. See `polytask.mixed.reml`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from polytask.algebra.linalg import inverses_and_log_dets, psd_inverse_and_log_det, symmetric_eigen
from polytask.mixed.sums import FEW, SecondSums, covariances, second_sums, turned_sums

__all__ = ["AnyMixedModel", "MixedPoint"]


class MixedPoint:
    """Slopes and covariances at one Gamma, from what a subclass has computed.

    A subclass sets ``L`` (p, k), ``kappa`` (p,) or None, ``grams`` H (m, p, p), ``A_inverse``,
    ``T``, ``S``, ``S_inverse``, ``J`` (p,), ``q`` (m, p), ``noise``, ``deviance``, ``common`` (w0
    less the model's shift) and ``profiled``, one over the sum of squares that the noise is profiled
    from. T may be of fewer tasks that stand for all; then it says what their `sums` are.
    """

    L: np.ndarray
    kappa: np.ndarray | None
    grams: np.ndarray
    T: np.ndarray
    S: np.ndarray
    S_inverse: np.ndarray
    J: np.ndarray
    common: np.ndarray
    noise: float
    deviance: float
    profiled: float = 0.0
    noiseless: bool = False

    if TYPE_CHECKING:  # found at once, or when they are asked for
        A_inverse: np.ndarray
        q: np.ndarray

    def quadratic(self) -> Any:
        """The linear mixed model that has this mode and curvature."""
        raise NotImplementedError

    @property
    def noise_mean(self) -> float:
        """Posterior mean of the noise variance; one where there is none."""
        return self.noise

    def _set_precision(self) -> float:
        """S^-1 with the prior of w0 in it; returns log|D S D + J|."""
        if self.kappa is None:
            self.J = np.zeros(len(self.S))
            self.S_inverse, log_det = psd_inverse_and_log_det(self.S)
            return log_det
        random = np.isfinite(self.kappa)
        D, self.J = np.sqrt(np.where(random, self.kappa, 1.0)), random.astype(float)
        M = D[:, None] * self.S * D + np.diag(self.J)
        inverse, log_det = psd_inverse_and_log_det(M)
        self.S_inverse = D[:, None] * inverse * D
        return log_det

    @cached_property
    def sums(self) -> SecondSums:
        """Over tasks, for slopes and information."""
        none = np.zeros(len(self.S))
        return second_sums(self.T, self.q, np.ones(len(self.q)), self.S_inverse, none)

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of the deviance in Gamma, shape (p, p)."""
        M = self.S - self.sums.shared - self.sums.Q / self.noise
        return 0.5 * (M + M.T)

    @cached_property
    def kappa_gradient(self) -> np.ndarray:
        """Derivative of the deviance in kappa, shape (p,), zero where w0 is free."""
        shared = ((self.S @ self.S_inverse) * self.S.T).sum(axis=1)
        return np.asarray(self.J * (np.diag(self.S) - shared - self.sums.total**2 / self.noise))

    def information(self, between: np.ndarray, common: np.ndarray) -> np.ndarray:
        """Average information of variances shared by columns: of Gamma's diagonal, of kappa.

        ``between`` (p, g) and ``common`` (p, h) say with ones which columns share a variance.
        """
        sums = self.sums
        B, pull = between.T @ sums.E @ between, (sums.F @ between).T
        return self._information_of(B, pull, between.T @ np.diag(sums.Q), common)

    def information_along(self, slopes: np.ndarray, common: np.ndarray | None = None) -> np.ndarray:
        """Average information of Gamma along symmetric matrices (n, p, p), and of kappa (p, h)."""
        n, p, _ = slopes.shape
        T, sums, flat = self.T, self.sums, slopes.reshape(n, p * p)
        if p <= FEW:
            M, Y = turned_sums(T, sums.q, sums.root)
            B, pull = flat @ M @ flat.T, flat @ Y
        else:
            U = (sums.q @ slopes.reshape(n * p, p).T).reshape(-1, n, p)
            UT = U @ T
            B, pull = np.tensordot(UT, U, axes=((0, 2), (0, 2))), np.tensordot(sums.root, UT, 1)
        return self._information_of(B, pull, flat @ sums.Q.ravel(), common)

    def curvature_along(self, slopes: np.ndarray) -> np.ndarray:
        """Second derivatives of the deviance along the same, as far as they are known."""
        return self.information_along(slopes)

    def _information_of(
        self, B: np.ndarray, pull: np.ndarray, a: np.ndarray, common: np.ndarray | None
    ) -> np.ndarray:
        """From sums of U'T U, of T U and of U'q, over directions U of Gamma; kappa's join them."""
        if common is not None and common.shape[1]:
            moved = self.sums.total * self.J * common.T
            across, pull = pull @ moved.T, np.concatenate([pull, moved @ self.S])
            B = np.block([[B, across], [across.T, pull[len(B) :] @ moved.T]])
            a = np.append(a, moved @ self.sums.total)
        B = B - pull @ self.S_inverse @ pull.T
        return np.asarray((B - np.outer(a, a) * self.profiled) / self.noise)

    def promised(self, row: np.ndarray, column: np.ndarray, common: np.ndarray) -> float:
        """Descent of the deviance that a Newton step in entries of Gamma promises.

        Rao's score test, bounds aside. ``common`` (p, h) says with ones which coefficients of w0
        share a variance that moves along.
        """
        n, p = len(row), len(self.L)
        along = np.zeros((n, p, p))
        along[np.arange(n), row, column] = along[np.arange(n), column, row] = 1.0
        H = self.information_along(along, common)
        slope = np.append(np.tensordot(along, self.gradient), common.T @ self.kappa_gradient)
        size = np.sqrt(np.maximum(np.diag(H), 1e-300))
        values, vectors = symmetric_eigen(H / size / size[:, None])
        along_axes = vectors.T @ (slope / size)
        return 0.5 * float((along_axes**2 / np.maximum(values, 1e-10)).sum())

    @property
    def deviations(self) -> np.ndarray:
        """E(Δw_i | y) = Gamma q_i in scaled columns, shape (m, p)."""
        return (self.q @ self.L) @ self.L.T

    def coef_covariance(self) -> np.ndarray:
        """Cov(w0 + Δw_i - its estimate) of every task in scaled columns, shape (m, p, p)."""
        V = self._covariances(self.grams, lambda: self.A_inverse)
        return np.repeat(V, len(self.q) // len(V), axis=0) if len(V) else V

    def tasks(self, grams: np.ndarray, cross: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients less the shift, (m, p), and covariances (m, p, p) of given tasks."""
        L = self.L
        A_inverse = inverses_and_log_dets(np.eye(L.shape[1]) + L.T @ grams @ L)[0]
        pull = cross - grams @ self.common
        theta = self.common + (((pull @ L)[:, None] @ A_inverse)[:, 0]) @ L.T
        return theta, self._covariances(grams, lambda: A_inverse)

    def _covariances(self, grams: np.ndarray, A_inverse: Callable[[], np.ndarray]) -> np.ndarray:
        V = covariances(grams, self.L, self.S_inverse, A_inverse)
        V *= self.noise
        return V


class AnyMixedModel(Protocol):
    """Data with a loss, columns scaled to a mean square of one."""

    @property
    def shift(self) -> np.ndarray:
        """Coefficients (p,) from which `MixedPoint.common` counts."""
        ...

    @property
    def n_coefs(self) -> int:
        """Number of coefficients p."""
        ...

    @property
    def scale(self) -> np.ndarray:
        """Root mean square of each column, shape (p,)."""
        ...

    @property
    def n_rows(self) -> float:
        """Sum of the sample weights."""
        ...

    def rank(self, free: np.ndarray) -> int:
        """Rank of the columns of a mask (p,), whose common part is free."""
        ...

    @property
    def intercept(self) -> bool:
        """Whether the last column is the constant one."""
        ...

    @property
    def varies(self) -> np.ndarray:
        """Columns that are not zero everywhere, shape (p,)."""
        ...

    @property
    def own_variances(self) -> np.ndarray | None:
        """Variances (p,) of the tasks' own least squares over the noise, where there are some."""
        ...

    @property
    def moments(self) -> np.ndarray | None:
        """What these say of Gamma (p, p), by moments, where searches begin."""
        ...

    @property
    def most_variance(self) -> float:
        """Largest variance between tasks, over the noise, that an estimate may have."""
        ...

    @property
    def silent(self) -> bool:
        """Whether there is no likelihood to climb."""
        ...

    def at(self, L: np.ndarray, kappa: np.ndarray | None = None) -> MixedPoint:
        """Everything at Gamma = L L', L (p, k); w0 is free where kappa (p,) is infinite or None."""
        ...
