"""What a mixed model says of its coefficients and variances: intervals, tests, a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from polytask.mixed.inference import Inference
from polytask.mixed.laplace import LaplaceModel
from polytask.mixed.likelihood import Likelihood
from polytask.mixed.profile import Profiled
from polytask.mixed.state import MixedState
from polytask.models._declared import Declared
from polytask.models._likelihood import of_tasks, rows_seen

__all__ = ["MixedModelSummary"]


class MixedModelSummary(Declared):
    """Intervals of w0 and of the variances between tasks, with ``alpha="reml"``."""

    def common_interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of the common slopes, each of shape (d,).

        Quantiles of t with Satterthwaite's degrees of freedom, as R's lmerTest; for labels and
        counts of the normal distribution.
        """
        low, high = self._common_bounds(level, self._degrees())
        d = len(self.common_coef_)
        return low[:d], high[:d]

    def variance_interval(
        self, level: float = 0.95, *, X: Any = None, y: Any = None, sample_weight: Any = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds of the variances between tasks, each of shape (p,).

        By the profiled restricted likelihood, zero included where it is no less likely; the level
        comes last, at the mean of features that lie far from zero.

        Parameters
        ----------
        level : float, default=0.95
        X, y, sample_weight
            The rows of the fit: of labels and counts, whose likelihood Laplace approximates anew
            at every variance that is tried, with the prior of the fit. The squared loss needs none.
        """
        profiles = self._profiles(X, y, sample_weight)
        if profiles is None:
            raise ValueError(
                f"{type(self).__name__}: variance_interval needs some noise and, of labels and "
                "counts, the rows of the fit: variance_interval(X=X, y=y)."
            )
        return self._ends(profiles, level)

    def summary(
        self, level: float = 0.95, *, X: Any = None, y: Any = None, sample_weight: Any = None,
        profiles: bool = True,
    ) -> pd.DataFrame:  # fmt: skip
        """A line a coefficient: w0 with its error, and the deviation between tasks.

        Parameters
        ----------
        level : float, default=0.95
            Of the intervals.
        X, y, sample_weight
            The rows of the fit, which intervals and tests of variances need of labels and counts.
        profiles : bool, default=True
            Whether deviations between tasks have intervals and tests. Each maximizes the likelihood
            some ten times over all other deviations, which with dozens of features takes minutes.

        Returns
        -------
        table : DataFrame
            Indexed by feature, the intercept last. ``common``, ``standard_error``, ``df`` (of t;
            infinite for the normal distribution), ``low``, ``high``, and ``p`` of a common
            coefficient of zero; ``deviation`` is the standard deviation between tasks, of the
            level at the mean of features that lie far from zero, with its interval and the
            p-value of tasks that do not differ in it, by the likelihood ratio at the boundary. NaN
            where there is none, or it needs rows.

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
        found = self._profiles(X, y, sample_weight) if profiles else None
        common = np.append(self.common_coef_, self.common_intercept_)[: len(self._error())]
        error, df = self._error(), self._degrees()
        low, high = self._common_bounds(level, df)
        z = np.abs(common) / np.where(error > 0, error, np.inf)
        table = {
            "common": common, "standard_error": error, "df": df, "low": low, "high": high,
            "p": 2.0 * stats.t.sf(z, df),
        }  # fmt: skip
        deviations = np.sqrt(np.diag(self._about_center()))
        nothing = np.full(len(common), np.nan)
        ends, p = (nothing, nothing), nothing
        if found is not None:
            ends = tuple(np.sqrt(end) for end in self._ends(found, level))
            p = np.array([np.nan if each is None else each[0].p_of_zero(each[1]) for each in found])
        table |= {
            "deviation": deviations, "deviation_low": ends[0], "deviation_high": ends[1],
            "deviation_p": p,
        }  # fmt: skip
        return pd.DataFrame(table, index=pd.Index(self._coefficient_names(len(common))))

    def _likelihood(self) -> Likelihood:
        return of_tasks(self)

    def _inference(self) -> Inference:
        check_is_fitted(self)
        if not hasattr(self, "_mixed_state_"):
            raise ValueError(
                f"{type(self).__name__}: intervals of w0 and of variances need alpha='reml'; got "
                f"alpha={self.alpha!r}, which estimates no variances."
            )
        return Inference(MixedState.from_dict(self._mixed_state_))

    def _profiles(
        self, X: Any, y: Any, sample_weight: Any
    ) -> list[tuple[Profiled, int, float] | None] | None:
        """Of each coefficient that varies, with its number of parameters and its scale."""
        inference, rows = self._inference(), None
        model, root = inference.state.model, inference.state.root
        if self._inference_lacks(inference):
            if X is None or not model.known_noise or model.silent:
                return None
            data = self._read_again(X, y, sample_weight)
            if not np.allclose(rows_seen(data), self._rows_seen, rtol=1e-9):
                raise ValueError(
                    f"{type(self).__name__}: X, y and sample_weight must be the rows of the fit; "
                    f"got {rows_seen(data)[0]:g} rows for {self._rows_seen[0]:g}, or other targets."
                )
            rows = LaplaceModel(self._weighed(data)[0], self._learned())
        return [
            (inference.profile(k, rows), root.n_with(k), model.scale[k])
            if (root.row == k).any()
            else None
            for k in range(model.n_coefs)
        ]

    def _ends(
        self, profiles: list[tuple[Profiled, int, float] | None], level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        none = np.zeros(2)
        each = [none if p is None else np.array(p[0].interval(level)) / p[2] for p in profiles]
        low, high = np.array(each).T
        return low**2, high**2

    def _inference_lacks(self, inference: Inference) -> bool:
        model = inference.state.model
        return bool(model.known_noise or model.silent or inference.no_noise)

    def _about_center(self) -> np.ndarray:
        state = MixedState.from_dict(self._mixed_state_)
        C = state.deviation_root()
        return np.asarray(getattr(self, "_model_noise", 1.0) * (C @ C.T))

    def _error(self) -> np.ndarray:
        return np.sqrt(np.maximum(np.diag(self.common_covariance_), 0.0))

    def _degrees(self) -> np.ndarray:
        inference, p = self._inference(), len(self._error())
        if self._inference_lacks(inference):
            return np.full(p, np.inf)
        contrasts = np.eye(p)
        if self.fit_intercept:
            contrasts[-1, :-1] -= self._center
        return inference.common_degrees(contrasts)

    def _common_bounds(self, level: float, df: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        half = stats.t.ppf(0.5 + level / 2, df) * self._error()
        common = np.append(self.common_coef_, self.common_intercept_)[: len(half)]
        return common - half, common + half

    def _coefficient_names(self, p: int) -> list[str]:
        d = len(self.common_coef_)
        names = [str(n) for n in getattr(self, "feature_names_in_", ()) if n != self.task]
        names = names if len(names) == d else [f"x{j}" for j in range(d)]
        return [*names, "intercept"][:p]
