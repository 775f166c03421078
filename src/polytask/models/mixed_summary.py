"""What a mixed model says of its coefficients and variances: intervals, tests, a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from polytask.mixed.inference import Inference
from polytask.mixed.likelihood import Likelihood
from polytask.mixed.state import MixedState
from polytask.models._likelihood import of_tasks

__all__ = ["MixedModelSummary"]


class MixedModelSummary:
    """Intervals of w0 and of the variances between tasks, with ``alpha="reml"``."""

    def common_interval(self: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of the common slopes, each of shape (d,).

        Quantiles of t with Satterthwaite's degrees of freedom, as R's lmerTest; for labels and
        counts of the normal distribution.
        """
        low, high = self._common_bounds(level)
        d = len(self.common_coef_)
        return low[:d], high[:d]

    def variance_interval(self: Any, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of the variances between tasks, each of shape (p,).

        By the profiled restricted likelihood, zero included where it is no less likely; the level
        comes last, at the mean of features that lie far from zero. The squared loss only.
        """
        inference = self._inference()
        if self._inference_lacks(inference):
            raise ValueError(
                f"{type(self).__name__}: variance_interval needs loss='squared' and some noise; "
                "Laplace's approximation has no profile here. See deviation_covariance_."
            )
        found = [_interval(inference, k, level) for k in range(inference.state.model.n_coefs)]
        low, high = np.array(found).T
        return low**2, high**2

    def summary(self: Any, level: float = 0.95) -> pd.DataFrame:
        """A line a coefficient: w0 with its error, and the deviation between tasks.

        Parameters
        ----------
        level : float, default=0.95
            Of the intervals.

        Returns
        -------
        table : DataFrame
            Indexed by feature, the intercept last. ``common``, ``standard_error``, ``df`` (of t;
            infinite for the normal distribution), ``low``, ``high``, and ``p`` of a common
            coefficient of zero; ``deviation`` is the standard deviation between tasks, of the
            level at the mean of features that lie far from zero, with its interval and the
            p-value of tasks that do not differ in it. NaN where a loss has no such thing.

        Examples
        --------
        >>> from polytask import MeanRegularizedRegressor
        >>> from polytask.datasets import load_exam
        >>> exam = load_exam()
        >>> model = MeanRegularizedRegressor("reml", covariance="full", task="school")
        >>> table = model.fit(exam[["standLRT", "school"]], exam["normexam"]).summary()
        >>> table[["common", "low", "high", "deviation"]].round(3)
                   common    low   high  deviation
        standLRT    0.553  0.514  0.593      0.120
        intercept  -0.012 -0.092  0.069      0.305
        """
        inference = self._inference()
        common = np.append(self.common_coef_, self.common_intercept_)[: len(self._error())]
        error, df = self._error(), self._degrees()
        low, high = self._common_bounds(level)
        z = np.abs(common) / np.where(error > 0, error, np.inf)
        table = {
            "common": common, "standard_error": error, "df": df, "low": low, "high": high,
            "p": 2.0 * stats.t.sf(z, df),
        }  # fmt: skip
        deviations = np.sqrt(np.diag(self._about_center()))
        nothing = np.full(len(common), np.nan)
        ends, p = (nothing, nothing), nothing
        if not self._inference_lacks(inference):
            ends = tuple(np.sqrt(end) for end in self.variance_interval(level))
            p = np.array([_test(inference, k) for k in range(len(common))])
        table |= {
            "deviation": deviations, "deviation_low": ends[0], "deviation_high": ends[1],
            "deviation_p": p,
        }  # fmt: skip
        return pd.DataFrame(table, index=pd.Index(self._coefficient_names(len(common))))

    def _likelihood(self: Any) -> Likelihood:
        return of_tasks(self)

    def _inference(self: Any) -> Inference:
        check_is_fitted(self)
        if not hasattr(self, "_mixed_state_"):
            raise ValueError(
                f"{type(self).__name__}: intervals of w0 and of variances need alpha='reml'; got "
                f"alpha={self.alpha!r}, which estimates no variances."
            )
        return Inference(MixedState.from_dict(self._mixed_state_))

    def _inference_lacks(self: Any, inference: Inference) -> bool:
        model = inference.state.model
        return bool(model.known_noise or model.silent or inference.no_noise)

    def _about_center(self: Any) -> np.ndarray:
        state = MixedState.from_dict(self._mixed_state_)
        C = state.deviation_root()
        return np.asarray(getattr(self, "_model_noise", 1.0) * (C @ C.T))

    def _error(self: Any) -> np.ndarray:
        return np.sqrt(np.maximum(np.diag(self.common_covariance_), 0.0))

    def _degrees(self: Any) -> np.ndarray:
        inference, p = self._inference(), len(self._error())
        if self._inference_lacks(inference):
            return np.full(p, np.inf)
        contrasts = np.eye(p)
        if self.fit_intercept:
            contrasts[-1, :-1] -= self._center
        return inference.common_degrees(contrasts)

    def _common_bounds(self: Any, level: float) -> tuple[np.ndarray, np.ndarray]:
        half = stats.t.ppf(0.5 + level / 2, self._degrees()) * self._error()
        common = np.append(self.common_coef_, self.common_intercept_)[: len(half)]
        return common - half, common + half

    def _coefficient_names(self: Any, p: int) -> list[str]:
        d = len(self.common_coef_)
        names = [str(n) for n in getattr(self, "feature_names_in_", ()) if n != self.task]
        names = names if len(names) == d else [f"x{j}" for j in range(d)]
        return [*names, "intercept"][:p]


def _interval(inference: Inference, k: int, level: float) -> tuple[float, float]:
    varies = (inference.state.root.row == k).any()
    return inference.variance_interval(k, level) if varies else (0.0, 0.0)


def _test(inference: Inference, k: int) -> float:
    return inference.variance_test(k) if (inference.state.root.row == k).any() else np.nan
