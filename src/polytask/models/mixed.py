"""The mixed-model half of the mean-regularized regressor: variances, standard errors, intervals."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from polytask.algebra.linalg import pseudo_inverse
from polytask.data import (
    MomentData,
    TaskData,
    callers_level,
    make_task_data,
    read_rows,
    read_target,
    task_codes,
)
from polytask.data.center import shifted_covariance
from polytask.mixed.doubts import DoubtWarning
from polytask.mixed.fit import MixedFit, MixedState, fit_mixed
from polytask.mixed.left_out import common_without_tasks, left_out
from polytask.mixed.task_noise import task_noise
from polytask.models._likelihood import in_units_of_their_mean, rows_seen
from polytask.models.mixed_summary import MixedModelSummary
from polytask.responses import Response
from polytask.solvers import one_blas_thread
from polytask.tuning import repeats

_NOISE_ROUNDS, _NOISE_SETTLED = 6, 0.02  # fits with noise by task; change of its logarithm

__all__ = ["MixedModelAnswers", "MixedModelFit", "why_not_mixed", "without_doubts"]


@contextmanager
def without_doubts() -> Iterator[None]:
    """Fits whose standard errors nobody asks for: what is doubtful of them is not said."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DoubtWarning)
        yield


def why_not_mixed(response: Response, learn: bool = False) -> str | None:
    """None, or what a restricted likelihood lacks, to follow "needs".

    With ``learn`` parameters of the likelihood may be left to be estimated with the variances.
    """
    if not response.is_quadratic and response.as_likelihood() is None:
        return f"a loss that is a likelihood; got {response!r}"
    if response.learns_likelihood and not learn:
        return (
            "a loss that is a likelihood without parameters of its own to estimate; got "
            f"{response!r}"
        )
    if response.n_predictors > 1:
        return f"numbers or two classes; got {response.n_predictors + 1} classes"
    return None


class MixedModelFit(MixedModelSummary):
    """Variances, and intervals of coefficients, of either role."""

    _made_later = {"_ask_common_": "common_covariance_"}
    _marginal = True  # whether w0 of a likelihood is that with the deviations integrated out

    def _fit_mixed(self, data: TaskData) -> Any:
        said = self._loss()
        reason = why_not_mixed(said, learn=True)
        if reason is not None:
            raise ValueError(f"{type(self).__name__}: alpha='reml' needs {reason}. Set alpha='cv'.")
        loss = said
        if not said.is_quadratic:
            loss = said.started(data.y, data.sample_weight, data.code)
        self.response_ = loss = loss.as_likelihood() or loss
        data, log_weights = self._weighed(data)
        fit = self._estimate(data, loss)
        self.response_ = loss = fit.loss
        plain = data
        fit, data, ratio = self._by_task_noise(fit, data)
        if (ratio != 1).any():
            log_weights = float(np.log(data.sample_weight).sum())
            fit = replace(fit, n_parameters=fit.n_parameters + data.n_tasks - 1)
        d, N = data.n_features, float(data.sample_weight.sum())
        at_origin = partial(shifted_covariance, center=data.center)
        between = at_origin(fit.deviation_covariance)
        self._keep(fit.solution, data, _strengths(fit, between, d, N))
        if fit.doubts:
            text = f"{type(self).__name__}: {'; '.join(fit.doubts)}."
            warnings.warn(text, DoubtWarning, stacklevel=callers_level())
        self._keep_common(fit, data)
        self.covariance_ = fit.covariance
        if loss.is_quadratic:
            self._model_noise, self._noise_ratio = fit.noise, ratio
            self.task_noise_variance_ = fit.noise * ratio
            self.noise_variance_ = float(data.sizes @ self.task_noise_variance_ / data.sizes.sum())
        self.deviation_covariance_ = between
        if loss.is_quadratic:
            self.common_covariance_ = at_origin(fit.common_covariance())
        else:
            self._ask_common_ = lambda: at_origin(fit.common_covariance())
        self.coef_covariance_ = at_origin(fit.coef_covariance)
        self.deviance_, self.slope_ = fit.deviance - log_weights, fit.slope
        self.log_likelihood_ = fit.log_likelihood + 0.5 * log_weights
        n = N if loss.is_quadratic else loss.n_observations(data.y, data.sample_weight)
        self.aic_ = -2.0 * self.log_likelihood_ + 2.0 * fit.n_parameters
        self.bic_ = -2.0 * self.log_likelihood_ + np.log(n) * fit.n_parameters
        self._mixed_state_, self._rows_seen = fit.state.to_dict(), rows_seen(data)
        if loss.is_quadratic and not fit.has_no_noise:
            rival = partial(
                common_without_tasks, data, fit.deviation_covariance, fit.noise,
                fit.common_strength,
            )  # fmt: skip
            self._answer_beside(plain, rival)  # rows of noisy tasks are no less there to come
        return self

    @cached_property
    def common_covariance_(self) -> np.ndarray:
        """Covariance of the estimate of w0; of labels and counts made when it is asked for."""
        ask = vars(self).pop("_ask_common_", None)
        if ask is None:
            raise AttributeError(
                f"{type(self).__name__} has no common_covariance_, which alpha='reml' estimates."
            )
        with one_blas_thread():
            return np.asarray(ask())

    def _weighed(self, data: TaskData) -> tuple[TaskData, float]:
        """With weights of mean one where they are precisions; the sum of their logarithms.

        A likelihood without a noise variance counts: a weight is trials, exposure, or so many rows
        (lme4's glmer). Sums over rows do not know how many there were: their weights count.
        """
        self._mean_weight = 1.0
        precise = getattr(self, "weights", "precision") == "precision"
        if not precise or not self.response_.is_quadratic:
            return data, 0.0
        if isinstance(data, MomentData) or not len(data.y):
            return data, 0.0
        data, self._mean_weight = in_units_of_their_mean(data)
        s = data.sample_weight
        return data, float(np.log(s).sum()) if (s != 1.0).any() else 0.0

    def _by_task_noise(
        self, fit: MixedFit, data: TaskData
    ) -> tuple[MixedFit, TaskData, np.ndarray]:
        """Where tasks clearly differ in noise: the fit with precisions of their own.

        And the noise of each task over that of a row of weight one.
        """
        ratio = np.ones(data.n_tasks)
        if getattr(self, "noise", "common") == "common" or not self.response_.is_quadratic:
            return fit, data, ratio
        if isinstance(data, MomentData) or fit.state.model.silent or fit.has_no_noise:
            return fit, data, ratio
        plain, s = data, data.sample_weight
        for k in range(_NOISE_ROUNDS):
            covariance = fit.coef_covariance / (fit.noise * ratio[:, None, None])
            test = k == 0 and self.noise == "auto"
            found = task_noise(plain, fit.solution.coefs, covariance, test)
            if found is None:
                break
            last, ratio = ratio, found * float((s / found[data.code]).mean())
            data = plain.reweighted(s / ratio[data.code])
            settled = np.abs(np.log(ratio / last)).max() < _NOISE_SETTLED
            settled |= k == _NOISE_ROUNDS - 1
            before = fit.covariance
            fit = self._estimate(data, self.response_, fit, self.covariance if settled else before)
            if settled and fit.covariance == before:
                break
        return fit, data, ratio

    def _keep_common(self, fit: MixedFit, data: TaskData) -> None:
        """w0 as it is reported, and as it predicts where that is another."""
        if self._learned().is_quadratic:
            return
        self.new_task_coef_, self.new_task_intercept_ = self.common_coef_, self.common_intercept_
        d = data.n_features
        self.common_coef_ = fit.common[:d]
        level = float(fit.common[d:].sum())
        self.common_intercept_ = level - float(self.common_coef_ @ self._center)
        self.deviation_coef_ = self.coef_ - self.common_coef_

    def left_out(self, X: Any, y: Any, sample_weight: Any = None) -> np.ndarray | None:
        """Linear predictors of the training rows from fits without each, at the variances found.

        In the order of tasks; None where the fit knows no covariances.
        """
        check_is_fitted(self)
        if not hasattr(self, "coef_covariance_"):
            return None
        return self.left_out_of(self._read_again(X, y, sample_weight))

    def left_out_of(self, data: TaskData) -> np.ndarray | None:
        """`left_out` of rows that have been read."""
        if not hasattr(self, "coef_covariance_"):
            return None
        units = repeats(data)
        data = self._weighed(data)[0]
        center = None if data.center is None else -data.center
        V = shifted_covariance(self.coef_covariance_, center)
        f = data.design.predict(self._about(data))
        noise = getattr(self, "task_noise_variance_", np.ones(len(V)))
        return left_out(data, self.response_, f, V, noise, units)

    def tasks_left_out(self, X: Any, y: Any, sample_weight: Any = None) -> np.ndarray | None:
        """What the w0 of the other tasks says of the training rows, at the variances found.

        In the order of tasks; None but for the squared loss, and of rows without noise.
        """
        check_is_fitted(self)
        if not self.response_.is_quadratic or self.noise_variance_ <= 0.0:
            return None
        data = self._weighed(self._read_again(X, y, sample_weight))[0]
        center = None if data.center is None else -data.center
        between = shifted_covariance(self.deviation_covariance_, center)
        w = common_without_tasks(data, between, self._model_noise, self.alpha_common_)
        return np.asarray(data.design.predict(w))

    def _read_again(self, X: Any, y: Any, sample_weight: Any) -> TaskData:
        """The rows of the fit."""
        rows = read_rows(self, X, reset=False, split=True)
        target, names = read_target(self, y)
        return make_task_data(self, rows, self._encode(target), names, sample_weight, center=True)

    def _about(self, data: TaskData) -> np.ndarray:
        """Coefficients (m, p) in the columns of the data's design, which may be centred."""
        if not data.intercept:
            return np.asarray(self.coef_)
        center = np.zeros(data.n_features) if data.center is None else data.center
        return np.column_stack([self.coef_, self.intercept_ + self.coef_ @ center])

    def _estimate(
        self, data: TaskData, loss: Response, last: MixedFit | None = None, covariance: str = ""
    ) -> MixedFit:
        """The variances, and what goes with them, searched for from a ``last`` fit."""
        return fit_mixed(
            data, loss, covariance or self.covariance, self._random_common(), self.n_factors,
            self._loss().learns_likelihood, last, self._may_deviate(data.n_features, data.n_coefs),
            self._marginal,
        )  # fmt: skip

    def _random_common(self) -> bool | None:
        """Whether w0 is random; None lets the data decide."""
        rule = self.alpha_common
        if rule == "auto":
            return None
        if rule == "reml" or rule == 0:
            return bool(rule == "reml")
        raise ValueError(
            f"{type(self).__name__}: alpha_common must be 'auto', 'reml' or 0 with alpha='reml'; "
            f"got {rule!r}. The strength on w0 is estimated, or w0 is free."
        )

    def coef_interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of every task's coefficients, each of shape (m, d).

        Empirical Bayes intervals, with what the error of the estimated variances adds.
        """
        _, _, seen = self._second_moments()
        d = self.coef_.shape[1]
        variance = np.einsum("bkk->bk", seen)[:, :d]
        half = stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance)
        return self.coef_ - half, self.coef_ + half

    def _keep_task(self, rows: np.ndarray, y: np.ndarray, s: np.ndarray) -> None:
        """A task that was added, for its standard errors."""
        state = MixedState.from_dict(self._mixed_state_)
        self._mixed_state_ = state.with_task(rows, y, s).to_dict()
        if hasattr(self, "_noise_ratio"):  # that of an average task
            self._noise_ratio = np.append(self._noise_ratio, self._noise_ratio.mean())
            self.task_noise_variance_ = self._model_noise * self._noise_ratio
        vars(self).pop("_spread_", None)

    def _second_moments(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Of a new row's noise, an unseen task's coefficients (p, p), and each task's (m, p, p)."""
        check_is_fitted(self)
        if not hasattr(self, "_mixed_state_"):
            raise ValueError(
                f"{type(self).__name__}: standard errors need alpha='reml'; got "
                f"alpha={self.alpha!r}, which estimates no variances."
            )
        if not hasattr(self, "_spread_"):  # not made in fit, where few ask for it
            self._spread_ = MixedState.from_dict(self._mixed_state_).second_moments()
        found: tuple[float, np.ndarray, np.ndarray] = self._spread_
        return found


class MixedModelAnswers(MixedModelFit):
    """What a regressor with ``alpha="reml"`` knows beyond that: the spread of new rows."""

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Predicted targets, and on request their standard deviations.

        Parameters
        ----------
        X : table or array of shape (n, d) or (n, d + 1)
        return_std : bool, default=False
            Also return the standard deviation of a new observation at each row: noise, error of
            the coefficients, for an unseen task the variance between tasks, and what the error of
            the estimated variances adds. Needs ``alpha="reml"``.

        Returns
        -------
        prediction : ndarray of shape (n,), or (n, m) after a fit to a wide y
        std : ndarray of the same shape, with ``return_std=True``
        """
        mean = super().predict(X)  # type: ignore[misc]
        return (mean, self._predictive_std(X)) if return_std else mean

    def _predictive_std(self, X: Any) -> np.ndarray:
        noise, unseen, covariance = self._second_moments()
        ratio = getattr(self, "_noise_ratio", np.ones(len(covariance)))
        if not self._learned().is_quadratic:
            raise ValueError(
                f"{type(self).__name__}: return_std needs loss='squared'; got "
                f"{self._learned().name!r}, whose rows vary with their mean."
            )
        rows = read_rows(self, X, reset=False)
        design = np.asarray(rows.X.toarray() if hasattr(rows.X, "toarray") else rows.X, dtype=float)
        design = design - self._center
        if self.fit_intercept:
            design = np.column_stack([design, np.ones(len(design))])
        if self._wide:
            variance = np.einsum("nk,bkl,nl->nb", design, covariance, design)
            return np.sqrt(variance + noise * ratio)
        code = task_codes(rows.ids, self.tasks_, len(design))
        variance = np.empty(len(design))
        for i in np.unique(code):
            here = code == i
            V = unseen if i < 0 else covariance[i]
            variance[here] = ((design[here] @ V) * design[here]).sum(axis=1)
        return np.sqrt(variance + noise * np.append(ratio, ratio.mean())[code])


def _strengths(fit: MixedFit, between: np.ndarray, d: int, N: float) -> dict[str, Any]:
    """The penalty strengths that the variances amount to: alpha = sigma² / (2 N variance)."""
    if fit.covariance in ("full", "factor"):
        alpha: Any = fit.noise / (2.0 * N) * pseudo_inverse(between[:d, :d])
    else:
        alpha = _strength(np.diag(between)[:d], fit.noise, N)
    level = _strength(np.diag(between)[d:].sum(keepdims=True), fit.noise, N)
    return {
        "alpha": alpha, "alpha_intercept": float(level[0]), "alpha_common": fit.common_strength
    }  # fmt: skip


def _strength(variance: np.ndarray, noise: float, N: float) -> np.ndarray:
    strength = np.full(variance.shape, np.inf)
    strength[variance > 0] = noise / (2.0 * N * variance[variance > 0])
    return strength
