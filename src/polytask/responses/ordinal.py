"""Ordered levels, such as ratings: the cumulative logit, thresholds on one linear predictor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.linalg import helmert
from scipy.optimize import brentq
from scipy.special import expit, logit

from polytask.responses.base import LOG_ODDS_VARIANCE, ImpossibleParametersError, Response
from polytask.responses.row_losses import ABSOLUTE, CLASS_LOG, SQUARED, RowLoss

__all__ = ["Ordinal"]

_MOST_LEVELS = 30
_STEPS = 100  # of Newton's method for thresholds
_FAR = 40.0  # beyond the outer thresholds nothing is left of other levels
_DONE = 1e-13  # slope of the thresholds' loss


@dataclass(frozen=True)
class Ordinal(Response):
    """P(y <= level_k | f) = 1 / (1 + exp(f - theta_k)), the proportional-odds model (McCullagh).

    The loss of a row is minus the log probability of its level. A larger f moves y to higher
    levels. Predictions are expected levels; `predict_proba` of the regressors gives each one's
    probability.

    Parameters
    ----------
    levels : tuple of float or None, default=None
        The values of y in their order; None takes those that occur. Their distances matter only to
        expected levels.
    thresholds : tuple of float or None, default=None
        One less than there are levels, ascending. None is estimated with the fit by maximum
        likelihood, common to all tasks: fits and thresholds alternate until these stay. Their mean
        is held at that of the levels' shares without features; levels of tasks are intercepts.
        Mixed models take those of the marginal likelihood (as R's ordinal::clmm does).

    References
    ----------
    McCullagh, Regression models for ordinal data, JRSS B 42 (1980).
    """

    levels: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None

    name = "ordinal"
    title = "ordered levels"
    reaches_boundary = True
    is_likelihood = True
    latent_variance = LOG_ODDS_VARIANCE
    trees = "log_loss"
    asks = "predict_proba"
    metrics = ("log_loss", "kappa", "rmse", "mae")

    def __post_init__(self) -> None:
        """Refuse thresholds that do not ascend, or are not one less than the levels."""
        for name in ("levels", "thresholds"):
            given = getattr(self, name)
            if given is None:
                continue
            values = tuple(float(v) for v in given)
            if not all(a < b for a, b in pairwise(values)):
                raise ValueError(f"Ordinal: {name} must ascend; got {given!r}.")
            object.__setattr__(self, name, values)
        if self.thresholds is not None and len(self.levels or ()) != len(self.thresholds) + 1:
            raise ValueError(
                "Ordinal: thresholds must be one less than levels, which must be given too; got "
                f"{self.thresholds!r} with {self.levels!r}."
            )

    @property
    def row_losses(self) -> dict[str, RowLoss]:  # type: ignore[override]
        """Of probabilities of the levels: the log loss, and the errors of expected levels."""
        return {
            "log_loss": RowLoss(CLASS_LOG.title, lambda y, p: CLASS_LOG.of(self._index(y), p)),
            "rmse": RowLoss(SQUARED.title, lambda y, p: SQUARED.of(y, self.point(p))),
            "mae": RowLoss(ABSOLUTE.title, lambda y, p: ABSOLUTE.of(y, self.point(p))),
        }

    def of_targets(self, y: np.ndarray) -> Response:
        """With the levels that occur, where none are given."""
        return self if self.levels else replace(self, levels=tuple(np.unique(y).tolist()))

    def point(self, answers: np.ndarray) -> np.ndarray:
        """Expected level of the probabilities (..., K)."""
        return np.asarray(answers @ np.asarray(self.levels))

    @property
    def learns(self) -> bool:
        """Whether thresholds are still to be estimated."""
        return self.thresholds is None

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation: two logistic ones, less what is fixed by the thresholds."""
        low, high = self._around(y)
        gap = np.log1p(-np.exp(low - high))
        return np.logaddexp(0.0, f - high) + np.logaddexp(0.0, low - f) - gap

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        low, high = self._around(y)
        return np.asarray(expit(f - high) - expit(low - f))

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        low, high = self._around(y)
        return _bell(f - low) + _bell(f - high)

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        low, high = self._around(y)
        left, right = f - low, f - high
        return _bell(left) * (1 - 2 * expit(left)) + _bell(right) * (1 - 2 * expit(right))

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)), from the f where the slope is u: the root of a quadratic."""
        low, high = self._around(y)
        least, most = -1.0 * np.isfinite(low), 1.0 * np.isfinite(high)
        inside = (u >= least) & (u <= most)
        s = np.clip(u, least, most) + 1.0
        ends = np.where(np.isinf(low), high, np.where(np.isinf(high), low, 0.5 * (low + high)))
        half = np.where(np.isinf(low) | np.isinf(high), 0.0, 0.5 * (high - low))
        with np.errstate(divide="ignore", invalid="ignore"):
            c = np.cosh(half)
            root = np.sqrt(((1.0 - s) * c) ** 2 + s * (2.0 - s))
            both = np.where(
                s < 1, np.log(s / ((1.0 - s) * c + root)), np.log((root - (1 - s) * c) / (2 - s))
            )
            one = logit(np.where(np.isinf(low), s - 1.0, s))
            f = ends + np.where(np.isinf(low) | np.isinf(high), one, both)
        f = np.clip(np.nan_to_num(f, nan=0.0), -1e4, 1e4)  # where the supremum is far, as good
        return np.where(inside, u * f - self.value(y, f), np.inf)

    def probabilities(self, f: np.ndarray) -> np.ndarray:
        """Probability of each level at linear predictors, a last axis."""
        below = expit(np.asarray(self.thresholds) - f[..., None])
        return np.diff(below, axis=-1, prepend=0.0, append=1.0)

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """Expected level."""
        return self.point(self.probabilities(np.asarray(f)))

    def link(self, mean: np.ndarray) -> np.ndarray:
        """The linear predictor at which a level is expected: by bisection."""
        mean = np.asarray(mean, dtype=float)
        low, high = (np.full(mean.shape, end) for end in self._far)
        for _ in range(60):
            middle = 0.5 * (low + high)
            above = self.inverse_link(middle) > mean
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return 0.5 * (low + high)

    def check(self, y: np.ndarray, owner: str) -> None:
        """Refuse one level, very many, and those that are not among the given ones."""
        super().check(y, owner)
        found = np.unique(y[~np.isnan(y)])
        if not 1 < len(found) <= _MOST_LEVELS:
            raise ValueError(
                f"{owner}: y must hold 2 to {_MOST_LEVELS} levels with loss='ordinal'; got "
                f"{len(found)}. Numbers without steps are for loss='squared'."
            )
        if self.levels is not None:
            strange = ~np.isin(y, self.levels) & ~np.isnan(y)
            if strange.any():
                place = int(np.argwhere(strange)[0][0])
                raise ValueError(
                    f"{owner}: y must be one of levels={self.levels}; got {y[strange][0]:g} in row "
                    f"{place} (counted from 0)."
                )

    def null_fit(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The best linear predictor without features."""
        low, high = self._far
        slope = lambda f: float(weight @ self.gradient(y, np.full(y.shape, f)))  # noqa: E731
        return float(brentq(slope, low, high, xtol=1e-14)) if slope(low) * slope(high) < 0 else 0.0

    # What is learned.

    def started(self, y: np.ndarray, weight: np.ndarray, code: np.ndarray) -> Response:
        """Thresholds without features: the log odds of the levels' cumulated shares."""
        if not self.learns:
            return self
        levels = np.unique(y) if self.levels is None else np.asarray(self.levels)
        mass = np.bincount(np.searchsorted(levels, y), weight, len(levels)) + 1e-12 * weight.sum()
        below = np.cumsum(mass)[:-1] / mass.sum()
        return replace(self, levels=tuple(levels.tolist()), thresholds=tuple(logit(below).tolist()))

    def updated(self, y: np.ndarray, f: np.ndarray, weight: np.ndarray) -> Response:
        """The thresholds of largest likelihood at predictors f, their mean held: Newton steps."""
        here, n = self, len(self.thresholds or ())
        if n < 2:
            return self
        along = helmert(n).T  # directions that leave the mean
        weight = weight / weight.sum()
        for _ in range(_STEPS):
            slope, H = here._in_thresholds(y, f, weight)
            step = along @ np.linalg.solve(along.T @ H @ along, along.T @ slope)
            here = here._moved(y, f, weight, step, float(step @ slope))
            if np.abs(along.T @ slope).max() <= _DONE or not step.any():
                break
        return here

    @property
    def parameters(self) -> np.ndarray:
        """Contrasts of the thresholds, whose mean is no parameter: levels are intercepts."""
        return np.asarray(helmert(len(self.thresholds or ())) @ np.asarray(self.thresholds))

    def with_parameters(self, values: np.ndarray) -> Response:
        """With thresholds of such contrasts and the same mean, which must ascend."""
        H, before = helmert(len(self.thresholds or ())), np.asarray(self.thresholds)
        theta = before.mean() + H.T @ values
        if not (np.diff(theta) > 0).all():
            raise ImpossibleParametersError(f"Ordinal: thresholds must ascend; got {theta}.")
        return replace(self, thresholds=tuple(theta.tolist()))

    def is_near(self, other: Response, tol: float) -> bool:
        """Whether both have the same thresholds, to a difference in the units of f."""
        assert isinstance(other, Ordinal)
        ours, theirs = np.asarray(self.thresholds), np.asarray(other.thresholds)
        return bool(np.abs(ours - theirs).max(initial=0.0) <= tol * max(1.0, np.ptp(ours)))

    def _in_thresholds(
        self, y: np.ndarray, f: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Slope and Hessian of the weighted loss in the thresholds."""
        n, k = len(self.thresholds or ()), self._index(y)
        low, high = self._around(y)
        across = 1.0 / np.expm1(high - low)  # of the gap; zero at the ends
        bend = across * (1.0 + across)
        up, down = -expit(f - high) - across, expit(low - f) + across
        sides = ((k < n, k, up, _bell(f - high)), (k > 0, k - 1, down, _bell(f - low)))
        slope, H = np.zeros(n), np.zeros((n, n))
        for there, at, first, second in sides:
            w, at = weight[there], at[there]
            slope += np.bincount(at, w * first[there], n)
            H[np.diag_indices(n)] += np.bincount(at, w * (second + bend)[there], n)
        inner = (k > 0) & (k < n)
        beside = np.bincount(k[inner], (weight * bend)[inner], n)[1:]
        H[np.arange(n - 1), np.arange(1, n)] -= beside
        H[np.arange(1, n), np.arange(n - 1)] -= beside
        return slope, H

    def _moved(
        self, y: np.ndarray, f: np.ndarray, weight: np.ndarray, step: np.ndarray, promise: float
    ) -> Ordinal:
        """With thresholds a step further, or half of it, until they ascend and the loss falls."""
        theta, before = np.asarray(self.thresholds), float(weight @ self.value(y, f))
        size = 1.0
        for _ in range(40):
            moved = theta - size * step
            if (np.diff(moved) > 0).all():
                trial = replace(self, thresholds=tuple(moved.tolist()))
                after = float(weight @ trial.value(y, f))
                if after <= before - 1e-4 * size * promise + 1e-15 * abs(before):
                    return trial
            size *= 0.5
        return self

    # Thresholds of rows.

    @property
    def _far(self) -> tuple[float, float]:
        """Predictors at which nothing but the lowest, or the highest, level is left."""
        theta = self.thresholds or (0.0,)
        return theta[0] - _FAR, theta[-1] + _FAR

    def _index(self, y: np.ndarray) -> np.ndarray:
        return np.searchsorted(np.asarray(self.levels), y)

    def _around(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Thresholds below and above each row's level; infinite at the ends."""
        theta = np.concatenate([[-np.inf], np.asarray(self.thresholds), [np.inf]])
        k = self._index(y)
        return theta[k], theta[k + 1]


def _bell(z: np.ndarray) -> np.ndarray:
    return np.asarray(expit(z) * expit(-z))


RESPONSE = Ordinal
