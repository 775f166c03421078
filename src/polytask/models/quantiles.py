"""A model for each of several quantiles: predictions with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from polytask.data import Rows, read_raw_rows
from polytask.models._around import AroundRegressor
from polytask.models.held_fit import fit_held
from polytask.responses import Quantile, Quantiles

__all__ = ["QuantilesRegressor"]


class QuantilesRegressor(AroundRegressor):
    """Fits an estimator with the pinball loss of each of several quantiles.

    Each fit chooses its own strengths. Where curves of two quantiles cross, the answers of a row
    are put in order, which never makes the pinball loss of all together larger.

    Parameters
    ----------
    estimator : estimator
        The regressor; its ``loss`` is set to each quantile, its ``task`` names the task column.
    quantiles : sequence of float, default=(0.1, 0.5, 0.9)
        Between 0 and 1, ascending.

    Attributes
    ----------
    estimators_ : list of estimator
        A fit for each quantile.
    estimator_ : estimator
        That of the quantile nearest to a half, which `predict` answers with.

    References
    ----------
    Chernozhukov, Fernández-Val and Galichon, Quantile and probability curves without crossing,
    Econometrica 78 (2010).

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import PooledRegressor, QuantilesRegressor
    >>> y, X = np.arange(101.0), np.zeros((101, 1))
    >>> model = QuantilesRegressor(PooledRegressor(alpha=0.0)).fit(X, y)
    >>> model.predict_quantiles(X[:1]).round().tolist()
    [[10.0, 50.0, 90.0]]
    """

    _parameter_constraints = {"estimator": [BaseEstimator], "quantiles": [tuple, list]}

    def __init__(self, estimator: Any, quantiles: Sequence[float] = (0.1, 0.5, 0.9)) -> None:
        self.estimator = estimator
        self.quantiles = quantiles

    def _loss(self) -> Quantiles:
        """How answers are judged."""
        return Quantiles(each=tuple(self.quantiles))

    def _fit_around(
        self, X: Any, rows: Rows, y: np.ndarray, sample_weight: Any, held: dict[str, Any]
    ) -> None:
        said = self._loss()
        models = [clone(self.estimator).set_params(loss=Quantile(q)) for q in said.each]
        self.estimators_ = [fit_held(model, X, y, sample_weight, **held) for model in models]
        self.estimator_ = self.estimators_[said.middle]

    def predict(self, X: Any) -> np.ndarray:
        """The quantile nearest to a half, shape (n,)."""
        return self._loss().point(self.predict_quantiles(X))

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Every quantile, ascending, shape (n, K)."""
        check_is_fitted(self)
        read_raw_rows(self, X, reset=False)
        return np.sort(np.column_stack([model.predict(X) for model in self.estimators_]), axis=1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """One less the mean pinball loss in that of the quantiles of y."""
        said, truth = self._loss(), np.asarray(y, dtype=float)
        level = np.tile(np.quantile(truth, said.each), (len(truth), 1))
        left, whole = (
            float(np.average(said.mean_pinball(truth, each), weights=sample_weight))
            for each in (self.predict_quantiles(X), level)
        )
        return 1.0 - left / whole if whole > 0 else np.nan
