"""Variances of a linear mixed model by restricted maximum likelihood (REML).

Row j of task i:  y = x'(w0 + Δw_i) + noise,  Δw_i ~ N(0, sigma² Gamma),  noise ~ N(0, sigma²).
With H_i = X_i'X_i, r_i = X_i'y_i, Gamma = L L' and

    A_i = I + L'H_i L,   K_i = L A_i^-1 L',   T_i = H_i - H_i K_i H_i  (= X_i'V_i^-1 X_i),
    S = sum T_i,   w0 = S^-1 sum X_i'V_i^-1 y_i,   q_i = X_i'V_i^-1 (y_i - X_i w0),

the profiled restricted deviance is

    (N - p) log(y'Py / (N - p)) + sum log|A_i| + log|S| + constant,

and its gradient in Gamma is M = sum T_i - sum T_i S^-1 T_i - (N - p) / y'Py sum q_i q_i'. All of
it comes from the tasks' Gram matrices, at one small inverse a task. L may be singular: a variance
of zero is an answer.

w0 is free, or some of its coefficients are random too, w0_k ~ N(0, sigma² kappa_k) in scaled
columns. Then S^-1 gives way to D (D S D + J)^-1 D, with D = sqrt(kappa) and J = 1 on these, D = 1
and J = 0 on free ones, and log|S| to log|D S D + J|. An infinite kappa means a free coefficient.

See Bates et al., J. Stat. Softw. 67 (2015), for the model, and Johnson and Thompson, J. Dairy
Sci. 78 (1995), for the average information used below.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from polytask.algebra.linalg import (
    inverses_and_log_dets,
    psd_inverse,
    psd_inverses,
    symmetric_eigen,
)  # fmt: skip
from polytask.data import TaskData
from polytask.data.row_sums import residual_sums, summed, total_adjoint
from polytask.mixed.point import MixedPoint
from polytask.mixed.sums import (
    FEW,
    SecondSums,
    bent_sums,
    first_sums,
    of_one_design,
    second_sums,
)  # fmt: skip

# Where the tasks' coefficients leave no noise, the likelihood grows with the variances for ever.
_MOST, _MOST_OF_SOME_NOISE = 1e6, 1e12
FAR = 1e4  # sum of variances over the noise from which differences of matrices lose digits
_CLEAR_RATIO = 1e10  # of eigenvalues, of matrices whose rank is no question
_NO_NOISE = 1e-13  # share of the sum of squares that is rounding
_REACH = (1e-75, 1e75)  # of targets whose fourth powers are numbers

__all__ = ["FAR", "MixedModel", "RemlPoint", "check_reach"]


def check_reach(data: TaskData) -> None:
    """Refuse targets whose variances are no numbers."""
    size = max(float(data.y.max(initial=0.0)), -float(data.y.min(initial=0.0)))
    if size and not _REACH[0] < size < _REACH[1]:
        raise ValueError(
            "alpha='reml': y must be of a size between 1e-75 and 1e75, whose variances a float "
            f"can hold; got one of about {size:.0e}. Divide it by its standard deviation."
        )


@dataclass(frozen=True, eq=False)
class MixedModel:
    """Sufficient statistics of the tasks, columns scaled to a mean square of one.

    Parameters
    ----------
    grams : ndarray of shape (m, p, p)
    cross : ndarray of shape (m, p)
        X_i'e_i, with e the residual of the pooled least-squares fit (of the mean where columns are
        as many as rows): y shifted by X w keeps the restricted likelihood and its digits where R²
        is near one.
    square : float
        e'e.
    shift : ndarray of shape (p,)
        The pooled fit (in scaled columns).
    scale : ndarray of shape (p,)
        Root mean square of each column.
    n_rows : float
        Sum of the sample weights N.
    intercept : bool
        Whether the last column is the constant one, whose common part is always free.
    known_noise : bool
        Whether sigma² is one and not to be estimated.
    """

    grams: np.ndarray
    cross: np.ndarray
    square: float
    shift: np.ndarray
    scale: np.ndarray
    n_rows: float
    intercept: bool = True
    known_noise: bool = False

    @classmethod
    def from_data(cls, data: TaskData, unit: np.ndarray | None = None) -> MixedModel:
        """Statistics of task data; every row weighs its sample weight, whatever its task.

        Columns of the same ``unit`` (p,) are scaled alike.
        """
        s, design = data.sample_weight, data.design
        counts, share = data.counts, np.where(data.share > 0, data.share, 1.0)
        grams = data.grams * (counts / share)[:, None, None]
        total = summed(grams)
        n_rows = float(s.sum())
        scale = column_scale(np.diag(total) / n_rows, unit)
        w = np.zeros(data.n_coefs)
        if data.intercept:
            w[-1] = float(s @ data.y) / n_rows
        # else the pooled fit explains any targets, noise as well; copies of rows tell them apart
        if n_rows > data.n_coefs or n_rows > np.linalg.matrix_rank(total, hermitian=True):
            w = psd_inverse(total) @ total_adjoint(design, s * data.y)
        theta = np.repeat(w[None], data.n_tasks, axis=0)
        cross, squares = residual_sums(design, data.y, s, theta)
        square = float(squares.sum())
        check_reach(data)
        if square <= 1e-24 * float(s @ data.y**2):  # nothing but rounding is left
            cross, square = np.zeros_like(cross), 0.0
        cross = cross / scale
        grams /= scale[:, None] * scale
        return cls(grams, cross, square, w * scale, scale, n_rows, data.intercept)

    @property
    def n_coefs(self) -> int:
        """Number of coefficients p."""
        return self.grams.shape[-1]

    @property
    def silent(self) -> bool:
        """Whether the pooled fit explains all: there is no likelihood to climb."""
        return self.square == 0

    @cached_property
    def is_one_design(self) -> bool:
        """Whether all tasks, more than coefficients, have the same Gram matrix."""
        H = self.grams
        return len(H) > self.n_coefs + 1 and bool((H[0] == H[-1]).all() and (H[0] == H).all())

    @cached_property
    def designs(self) -> np.ndarray:
        """Gram matrices of the tasks, or the one that they share, (1, p, p)."""
        return self.grams[:1] if self.is_one_design else self.grams

    @cached_property
    def in_sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gram matrices, cross products and roots of weights of tasks that stand for all."""
        if self.is_one_design:
            return of_one_design(self.grams, self.cross)
        return self.grams, self.cross, np.ones(len(self.grams))

    @cached_property
    def varies(self) -> np.ndarray:
        """Columns that are not zero everywhere, shape (p,)."""
        return np.einsum("bkk->k", self.designs) > 0

    @cached_property
    def within(self) -> tuple[float, float]:
        """Sum of squares that the tasks' own least squares leave, and its degrees of freedom."""
        used = self._ranks_of_tasks.sum() * (len(self.grams) // len(self.designs))
        return max(self.square - float(np.vdot(self.own, self.cross)), 0.0), self.n_rows - used

    @cached_property
    def _ranks_of_tasks(self) -> np.ndarray:
        H, (inverses, singular) = self.designs, self._inverted
        ranks = np.full(len(H), self.n_coefs)
        # above the ratio of their values
        most = np.einsum("bkk->b", H) * np.einsum("bkk->b", inverses)
        asked = singular | ~(most < _CLEAR_RATIO)
        values = np.linalg.eigvalsh(H[asked])
        ranks[asked] = (values > 1e-12 * np.maximum(values[:, -1:], 1e-300)).sum(axis=1)
        return ranks

    @cached_property
    def _inverted(self) -> tuple[np.ndarray, np.ndarray]:
        """Inverses of the tasks' Gram matrices, and which were pseudo-inverses."""
        singular = np.zeros(len(self.designs), dtype=bool)
        return psd_inverses(self.designs.copy(), singular), singular

    @property
    def _inverses(self) -> np.ndarray:
        return self._inverted[0]

    @cached_property
    def own(self) -> np.ndarray:
        """Each task's own least squares, less the shift, shape (m, p)."""
        inverse, r = self._inverses, self.cross
        return r @ inverse[0] if self.is_one_design else (inverse @ r[:, :, None])[:, :, 0]

    @cached_property
    def moments(self) -> np.ndarray | None:
        """Covariance over the noise of the tasks' own least squares, less what noise makes of it.

        None where tasks lack some coefficient, or rows noise.
        """
        if len(self.cross) < 2 or not self.has_noise or (self._ranks_of_tasks < self.n_coefs).any():
            return None
        square, free = self.within
        off = self.own - summed(self.own) / len(self.own)
        spread = off.T @ off / (len(off) - 1)
        return np.asarray(spread * (free / square) - self._inverses.mean(axis=0))

    @cached_property
    def own_in_sums(self) -> np.ndarray:
        """The same of tasks that stand for all."""
        H, r, _ = self.in_sums
        return (psd_inverses(H.copy()) @ r[:, :, None])[:, :, 0] if self.is_one_design else self.own

    @cached_property
    def own_variances(self) -> np.ndarray | None:
        """Variances of the tasks' own least squares over the noise; None where they leave none."""
        square, free = self.within
        return self.own.var(axis=0) * (free / square) if self.has_noise else None

    @cached_property
    def roots(self) -> np.ndarray:
        """R_i with R_i'R_i = H_i of tasks that stand for all, zero in columns that are zero."""
        H = self.in_sums[0]
        values, vectors = symmetric_eigen(H)
        R: np.ndarray = np.sqrt(np.maximum(values, 0.0))[:, :, None] * vectors.transpose(0, 2, 1)
        return R * (np.einsum("bkk->bk", H) > 0)[:, None]

    def precisions(self, L: np.ndarray) -> np.ndarray:
        """T_i = R_i'(I + R_i L L'R_i')^-1 R_i: no subtraction, any Gamma."""
        R = self.roots
        RL = R @ L
        B = np.eye(R.shape[1]) + RL @ RL.transpose(0, 2, 1)
        T: np.ndarray = R.transpose(0, 2, 1) @ np.linalg.solve(B, R)
        return 0.5 * (T + T.transpose(0, 2, 1))

    @cached_property
    def has_noise(self) -> bool:
        """Whether rows exceed the coefficients, so that some noise is left at any variances."""
        square, free = self.within
        return not self.known_noise and free >= 1.0 and square > _NO_NOISE * self.square

    @property
    def most_variance(self) -> float:
        """Largest variance between tasks, over the noise, that an estimate may have."""
        return _MOST_OF_SOME_NOISE if self.has_noise else _MOST

    @cached_property
    def total(self) -> np.ndarray:
        """Gram matrix of all rows, shape (p, p)."""
        return summed(self.grams)

    def rank(self, free: np.ndarray) -> int:
        """Rank of the columns of a mask (p,), whose common part is free."""
        key = free.tobytes()
        if key not in self._ranks:
            values = np.abs(np.linalg.eigvalsh(self.total[np.ix_(free, free)]))
            least = len(values) * np.finfo(float).eps * values.max(initial=0.0)
            self._ranks[key] = int((values > least).sum())
        return self._ranks[key]

    @cached_property
    def _ranks(self) -> dict[bytes, int]:
        return {}

    def at(self, L: np.ndarray, kappa: np.ndarray | None = None) -> RemlPoint:
        """Everything at Gamma = L L', L (p, k); w0 is free where kappa (p,) is infinite or None."""
        return RemlPoint(self, L, kappa)


def column_scale(square: np.ndarray, unit: np.ndarray | None = None) -> np.ndarray:
    """Root of the mean squares (p,) of columns, one where they are zero.

    Of columns of the same ``unit`` (p,) together.
    """
    if unit is not None:
        square = (np.bincount(unit, square) / np.maximum(np.bincount(unit), 1))[unit]
    return np.where(square > 0, np.sqrt(square), 1.0)


class RemlPoint(MixedPoint):
    """Deviance, gradient, and estimates of a mixed model at one Gamma.

    Parameters
    ----------
    model : MixedModel
    L : ndarray of shape (p, k)
        Gamma = L L' in scaled columns.
    kappa : ndarray of shape (p,) or None
        Variances of w0 over sigma², in scaled columns; infinite where it is free, None: all free.
    """

    def __init__(self, model: MixedModel, L: np.ndarray, kappa: np.ndarray | None = None) -> None:
        self.model, self.L, self.kappa = model, L, kappa
        H, r, self.root = model.in_sums
        self.grams = model.designs
        self._far = model.has_noise and bool((L**2).sum() > FAR)
        self.T, self._b, self.S, self.pull, log_det, explained = first_sums(H, r, self.root, L)
        if self._far:
            self._from_own()
        log_det += self._set_precision()
        self._solve_common()
        if self._far:
            off = model.own_in_sums - self.root[:, None] * self.common
            left = model.within[0] + float((off * self.sums.q).sum())
        else:
            fitted = 2.0 * self.common @ self.pull - self.common @ self.S @ self.common
            left = model.square - explained - float(fitted)
        left += self.prior_square
        self.rss = max(left, 1e-14 * max(model.square, 1e-300))
        self.free = model.n_rows - model.rank(self.J == 0)
        if model.known_noise:
            self.noise, self.deviance = 1.0, left + log_det
            return
        self.profiled, self.noise = 1.0 / self.rss, self.rss / self.free
        # the tasks' own coefficients leave next to no noise: a likelihood without maximum
        little = bool(self.noise <= 1e-4 * model.square / model.n_rows)
        self.noiseless = little and not model.has_noise
        self.deviance = self.free * np.log(self.noise) + log_det

    def _from_own(self) -> None:
        """T and what follows without differences, which lose digits far from zero."""
        self.T = self.model.precisions(self.L)
        weight = self.root**2
        self.S = np.tensordot(weight, self.T, 1)
        self.pull = self.root @ (self.T @ self.model.own_in_sums[:, :, None])[:, :, 0]

    @cached_property
    def sums(self) -> SecondSums:
        """Over tasks, or over those that stand for them, for slopes and information."""
        b, common = self._b, self.common
        if self._far:
            off = self.model.own_in_sums - self.root[:, None] * common
            b, common = (self.T @ off[:, :, None])[:, :, 0], np.zeros_like(common)
        return second_sums(self.T, b, self.root, self.S_inverse, common)

    def curvature_along(self, slopes: np.ndarray) -> np.ndarray:
        """Second derivatives of the deviance along symmetric matrices (n, p, p).

        Along U and V, with q_i, T_i and Z_i as of `bent_sums` and C_U = sum T_i U T_i: the sum of
        tr U T_i V Z_i, less tr S^-1 C_U S^-1 C_V, and less what the best w0 and noise follow.
        """
        n, p, _ = slopes.shape
        if p > FEW:
            return self.information_along(slopes)
        sums, flat = self.sums, slopes.reshape(n, p * p)
        M, K, Y = bent_sums(self.T, sums.q, sums.root, self.S_inverse, self.noise)
        C = self.S_inverse @ (flat @ K).reshape(n, p, p)
        a, pull = flat @ sums.Q.ravel(), flat @ Y
        H = flat @ M @ flat.T - C.reshape(n, p * p) @ C.transpose(0, 2, 1).reshape(n, p * p).T
        H -= (2.0 * pull @ self.S_inverse @ pull.T + self.profiled * np.outer(a, a)) / self.noise
        return np.asarray(0.5 * (H + H.T))

    def coef_covariance(self) -> np.ndarray:
        """From T_i = (Gamma + H_i^-1)^-1 where variances are large, which loses no digits."""
        if not self._far or (self.model._ranks_of_tasks < self.model.n_coefs).any():
            return super().coef_covariance()
        own = self.model._inverses
        left = own @ self.T[: len(own)]  # I - K_i H_i
        V = own - left @ own + left @ self.S_inverse @ left.transpose(0, 2, 1)
        return np.repeat(self.noise * V, len(self.model.grams) // len(V), axis=0)

    @cached_property
    def A_inverse(self) -> np.ndarray:  # type: ignore[override]
        """Of all tasks, or the one that they share."""
        A = np.eye(self.L.shape[1]) + self.L.T @ self.grams @ self.L
        return inverses_and_log_dets(A)[0]

    @cached_property
    def q(self) -> np.ndarray:  # type: ignore[override]
        """Of all tasks, shape (m, p)."""
        model, L = self.model, self.L
        if not model.is_one_design:
            return self.sums.q
        if self._far:
            return np.asarray((model.own - self.common) @ self.T[0])
        through = L @ self.A_inverse[0] @ L.T @ self.grams[0]
        return np.asarray(model.cross - model.cross @ through - self.common @ self.T[0])

    def _solve_common(self) -> None:
        """w0 - shift, and what its prior adds to the sum of squares."""
        model, self.prior_square = self.model, 0.0
        if self.kappa is None:
            self.common = self.S_inverse @ self.pull
            return
        w = self.S_inverse @ (self.pull + self.S @ model.shift)
        self.common = w - model.shift
        self.prior_square = float((w**2 / self.kappa).sum())

    @property
    def noise_mean(self) -> float:
        """Posterior mean of the noise variance; its mode, rss / free, where few rows have none."""
        known = self.model.known_noise or self.free <= 4.0
        return self.noise if known else self.rss / (self.free - 2.0)

    def quadratic(self) -> MixedModel:
        """The linear mixed model that has this mode and curvature."""
        return self.model
