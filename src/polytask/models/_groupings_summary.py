"""What a multilevel model says of its coefficients and variances: intervals, tests, a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from polytask.data import TaskData
from polytask.data.held_rows import read_held
from polytask.mixed.crossed.asked import Asked
from polytask.mixed.crossed.fit import CrossedFit
from polytask.mixed.crossed.left_out import left_out_crossed
from polytask.mixed.crossed.profiles import DeviationProfile, ends, profiles_crossed
from polytask.mixed.likelihood import Likelihood
from polytask.models._declared import Declared
from polytask.models._likelihood import of_groupings, rows_seen

__all__ = ["GroupingsSummary"]


class GroupingsSummary(Declared):
    """Intervals of w0 and of the variances between levels, where a likelihood estimates them."""

    def variance_interval(
        self, level: float = 0.95, *, X: Any, y: Any, sample_weight: Any = None
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Bounds of the variances between levels, each of shape (d + 1,), by grouping.

        By the profiled likelihood that was maximized, zero included where it is no less likely; the
        level comes last, at the mean of features that lie far from zero. With one variance for all
        slopes the interval is that of them all.

        Parameters
        ----------
        level : float, default=0.95
        X, y, sample_weight
            The rows of the fit.
        """
        check_is_fitted(self)
        p = len(self.common_coef_) + 1
        found = {}
        for name, profiles in self._profiles(X, y, sample_weight).items():
            low, high = ends(profiles, p, level)
            found[name] = low**2, high**2
        return found

    def summary(
        self, level: float = 0.95, *, X: Any = None, y: Any = None, sample_weight: Any = None
    ) -> pd.DataFrame:
        """A line a coefficient: w0 with its error, and the deviation between levels by grouping.

        Parameters
        ----------
        level : float, default=0.95
            Of the intervals.
        X, y, sample_weight
            The rows of the fit, for intervals and tests of the variances.

        Returns
        -------
        table : DataFrame
            Indexed by feature, the intercept last. ``common``, ``standard_error``, ``low``,
            ``high`` and ``p`` of w0, by the normal distribution with the variances taken as known;
            by the name of each grouping the standard deviation between its levels, of the level
            at the mean of features that lie far from zero. With rows also its ``_low`` and
            ``_high`` ends, and the p-value ``_p`` of levels that do not differ in it, by the
            likelihood ratio at the boundary. NaN where a coefficient does not vary.

        Examples
        --------
        >>> from polytask import MultilevelRegressor
        >>> from polytask.datasets import make_crossed_rows
        >>> X, y, truth = make_crossed_rows(400, random_state=0)
        >>> model = MultilevelRegressor(task=["user", "item"], varying=[]).fit(X, y)
        >>> model.summary(X=X, y=y).loc["intercept", ["item", "item_low", "item_high"]].round(2)
        item         0.72
        item_low     0.50
        item_high    1.12
        Name: intercept, dtype: float64
        """
        check_is_fitted(self)
        d = len(self.common_coef_)
        common = np.append(self.common_coef_, self.common_intercept_)
        error = np.sqrt(np.maximum(np.diag(self.common_covariance_), 0.0))
        half, z = (
            stats.norm.ppf(0.5 + level / 2) * error,
            np.abs(common) / np.maximum(error, 1e-300),
        )
        table = {
            "common": common, "standard_error": error, "low": common - half, "high": common + half,
            "p": 2.0 * stats.norm.sf(z),
        }  # fmt: skip
        turn = np.eye(d + 1)
        turn[d, :d] = self._center
        profiles = {} if X is None else self._profiles(X, y, sample_weight)
        for name in self.groupings_:
            between = np.diag(turn @ self.deviation_covariances_[name] @ turn.T)
            columns = self._varying_columns(name)
            table[name] = np.full(d + 1, np.nan)
            table[name][columns] = np.sqrt(np.maximum(between[columns], 0.0))
            if name in profiles:
                known = profiles[name]
                low, high = ends(known, d + 1, level)
                p = [known[k][0].p_of_zero(known[k][1]) if k in known else np.nan
                     for k in range(d + 1)]  # fmt: skip
                table |= {f"{name}_low": low, f"{name}_high": high, f"{name}_p": np.array(p)}
        rows = [*map(str, self._feature_names(d)), "intercept"][: d + int(self.fit_intercept)]
        return pd.DataFrame(table).iloc[: len(rows)].set_axis(rows)

    def _keep_criteria(self, fit: CrossedFit, data: TaskData) -> None:
        precise = self.weights == "precision" and self._loss().is_quadratic and len(data.y)
        logs = float(np.log(data.sample_weight).sum()) if precise else 0.0
        n = self.response_.n_observations(data.y, data.sample_weight)
        self.deviance_, self.n_variances_ = fit.deviance - logs, fit.n_variances
        self.log_likelihood_ = -0.5 * self.deviance_
        self.aic_ = self.deviance_ + 2.0 * fit.n_parameters
        self.bic_ = self.deviance_ + np.log(n) * fit.n_parameters
        self._rows_seen, self._random_w0 = rows_seen(data), fit.random_common

    def _varying_columns(self, grouping: str) -> np.ndarray:
        d = len(self.common_coef_)
        names = self._feature_names(d)
        slopes = [names.index(name) for name in self.varying_[grouping]]
        return np.array([*sorted(slopes), *range(d, d + int(self.fit_intercept))], dtype=int)

    def _profiles(
        self, X: Any, y: Any, sample_weight: Any
    ) -> dict[str, dict[int, DeviationProfile]]:
        check_is_fitted(self)
        if not isinstance(self.alpha, str) or self.alpha == "cv":
            raise ValueError(
                f"{type(self).__name__}: intervals of variances need alpha='reml' or 'ml'; got "
                f"alpha={self.alpha!r}, which estimates none."
            )
        data, terms = self._terms_of(X, y, sample_weight)
        found = profiles_crossed(
            self._rows_of(data), self.response_, terms, random_common=self._random_w0,
            restricted=self.alpha == "reml", learn=self._loss().learns_likelihood,
        )  # fmt: skip
        if found is None:
            raise ValueError(
                f"{type(self).__name__}: intervals of variances need noise; the model leaves none."
            )
        return dict(zip(self.groupings_, found, strict=True))

    def left_out(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None
    ) -> np.ndarray:
        """Linear predictors (n,) of the rows of the fit, each from a fit without it.

        At the variances that all rows give, from the factors of one fit: exact for the squared
        loss, one Newton step for others. A row leaves with its whole weight.

        Parameters
        ----------
        X, y, sample_weight
            The rows of the fit, a long table.
        groups : array of shape (n,), optional
            Rows of a group are left out together, such as all of a level: what is left is what
            `predict` would say of a level that it never saw.

        Examples
        --------
        >>> import numpy as np
        >>> from polytask import MultilevelRegressor
        >>> from polytask.datasets import make_crossed_rows
        >>> X, y, truth = make_crossed_rows(400, random_state=0)
        >>> model = MultilevelRegressor(task=["user", "item"]).fit(X, y)
        >>> known, new = model.left_out(X, y), model.left_out(X, y, groups=X["user"])
        >>> bool(np.mean((y - model.predict(X)) ** 2) < np.mean((y - known) ** 2))
        True
        >>> bool(np.mean((y - known) ** 2) < np.mean((y - new) ** 2))
        True
        """
        check_is_fitted(self)
        if self._wide:
            raise ValueError(f"{type(self).__name__}: left_out must be asked of a long table.")
        data, terms = self._terms_of(X, y, sample_weight)
        together = None
        if groups is not None:
            together, _ = read_held(groups, None, X, type(self).__name__)
            assert together is not None
            together = together[data.row]
        f = left_out_crossed(
            self._rows_of(data), self.response_, terms, together, random_common=self._random_w0,
            restricted=self.alpha != "ml",
        )  # fmt: skip
        if not len(data.y) == len(y):
            raise ValueError(
                f"{type(self).__name__}: left_out must be asked of rows of weight above zero; "
                f"{len(y) - len(data.y)} have weight zero."
            )
        found = np.empty(len(f))
        found[data.row] = f
        return found

    def _terms_of(self, X: Any, y: Any, sample_weight: Any) -> tuple[TaskData, list[Asked]]:
        """The rows of the fit, and what varied in it."""
        asked = self._asked_groupings(X)
        data, known, codes = self._read(X, y, sample_weight, asked, reset=False)
        if not np.allclose(rows_seen(data), self._rows_seen, rtol=1e-9):
            raise ValueError(
                f"{type(self).__name__}: X, y and sample_weight must be the rows of the fit; got "
                f"{rows_seen(data)[0]:g} rows for {self._rows_seen[0]:g}, or other targets."
            )
        N, p = float(data.sample_weight.sum()), data.n_coefs
        return data, [
            Asked(
                code, each.n_levels, self._varying_columns(name), self.covariance_[name],
                self._given(each, p, N),
            )
            for name, each, code in zip(self.groupings_, known, codes, strict=True)
        ]  # fmt: skip

    def _likelihood(self) -> Likelihood:
        return of_groupings(self)
