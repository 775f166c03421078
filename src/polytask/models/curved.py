"""The mean-regularized model on penalized splines: curves of the common part and of each task."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from polytask.algebra.splines import SplineColumns, learn_columns
from polytask.data import TaskData, forget
from polytask.models._curves import FeatureCurves
from polytask.models._on_bends import ClassifierOnBends, RegressorOnBends
from polytask.models._on_columns import OnColumns, OnColumnsRegressor, read_dense
from polytask.models.parquet_door import ParquetDoor
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole

if TYPE_CHECKING:
    from polytask.data import TaskMoments
    from polytask.models._curves_in_passes import BentRows
    from polytask.sources.passes import Runner
    from polytask.sources.source import ParquetSource
    from polytask.sources.survey import Survey

__all__ = ["CurvedClassifier", "CurvedRegressor"]

_LEAST_ROWS = 10  # a feature, from which on Auto tries curves


class _Curved(FeatureCurves, OnColumns, ParquetDoor):
    """min R(f_i), f_i = f0 + Δf_i, of additive curves with penalized bends and deviations.

    Every feature x_k with three values or more has a natural cubic spline in the common part,
    f0_k, and in the deviation of each task, Δf_ik:

        R + sum_k rho_k ∫ f0_k''² + sum_ik (alpha_k slope(Δf_ik)² + beta_k ∫ Δf_ik''²)
          + alpha_intercept sum_i level(Δf_i)²,

    R the mean loss over rows. All strengths are estimated as the variances of a mixed model, by
    restricted maximum likelihood (Laplace's approximation where the loss is not squared). A line
    comes out where the rows say so: strong rho and beta are the mean-regularized model, strong
    alpha and beta a pooled additive model. Beyond the values seen in training curves go on
    straight.

    Parameters
    ----------
    n_knots : int, default=10
        Knots of each curve at most, at quantiles of the values; fewer where there are many
        features (200 bends in all).

    Attributes
    ----------
    model_ : MeanRegularizedRegressor or MeanRegularizedClassifier
        Fitted on lines and bends.
    bends_ : list of dict
        Knots, values and slopes of every feature's bends; empty where it has none.
    bend_variance_ : ndarray of shape (d,)
        Mean square over rows of the bends of each common curve; zero is a line.
    line_deviation_variance_, bend_deviation_variance_ : ndarray of shape (d,)
        Variance between tasks of lines and of bends, as mean squares over rows.
    mean_ : ndarray of shape (d,)
        Means of the features, about which lines turn.

    References
    ----------
    Wood, Generalized additive models, 2nd ed., 2017 (factor-smooth interactions); Ruppert, Wand
    and Carroll, Semiparametric regression, 2003 (penalized splines as a mixed model).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from polytask import CurvedRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame({"dose": rng.uniform(size=300), "lab": np.arange(300) % 6})
    >>> y = np.sin(6 * X["dose"]) + 0.3 * X["lab"] * X["dose"] + 0.1 * rng.normal(size=300)
    >>> model = CurvedRegressor(task="lab").fit(X, y)
    >>> model.curve("dose", [0.1, 0.5, 0.9]).shape
    (3,)
    """

    n_knots: int = 10

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_knots": [Interval(Integral, 3, None, closed="left")],
    }
    _inner: ClassVar[type]

    def _fit_rows(
        self, X: np.ndarray, y: Any, weight: np.ndarray, code: np.ndarray | None, groups: Any
    ) -> None:
        of_row = weight.sum(axis=1) if self._wide else weight
        columns = learn_columns(X, of_row, self.n_knots)
        self.mean_, self.bends_ = columns.mean, columns.bends
        model, Z = self._begun(columns, code), columns.of(X)
        model.fit(self._table(Z, code), y, weight)
        self._keep(model, (Z * of_row[:, None]).T @ Z / of_row.sum())

    def _columns_of(self, X: np.ndarray, code: np.ndarray | None) -> np.ndarray:
        return self._columns.of(X)

    def _begun(self, columns: SplineColumns, code: np.ndarray | None) -> Any:
        """The model on lines and bends, unfitted."""
        model = self._heads(self._inner, code)
        model.feature, model.is_bend = columns.feature, columns.is_bend
        return model

    def _why_not_sums(self, tasks: np.ndarray | None = None, n_features: int = 1) -> str | None:
        if self._loss().is_quadratic:
            return None
        return "Laplace's approximation goes through the rows at every step"

    def _why_not_weighted_sums(self) -> str | None:
        return "rows have weights, which knots found in passes would not know"

    def _fit_sums(self, source: ParquetSource, runner: Runner, survey: Survey) -> Any:
        """Three passes: for knots, for bends, for the moments of both, which REML needs only."""
        from polytask.models._curves_in_passes import bent_rows
        from polytask.sources.moments import MomentJob

        bent = bent_rows(source, runner, self.n_knots)
        return self._fit_bent(bent, runner.run(MomentJob(), bent), source)

    def _fit_bent(self, bent: BentRows, moments: TaskMoments, source: ParquetSource) -> Any:
        """Fit to moments of lines and bends of the rows, or of some of them."""
        forget(self)
        columns = bent.columns
        self.mean_, self.bends_, self._wide = columns.mean, columns.bends, False
        self.tasks_, code = moments.tasks, np.arange(len(moments.tasks))
        self.n_features_in_ = len(source.model_columns)
        self.feature_names_in_ = np.array(source.model_columns, dtype=object)
        total = moments.about_zero(np.ones(moments.n_folds, dtype=bool)).sum(axis=0)
        model = self._begun(columns, code).fit_moments(replace(moments, tasks=code, task=0))
        del model.moments_
        return self._keep(model, total[1:-1, 1:-1] / total[0, 0])

    def _keep(self, model: Any, products: np.ndarray) -> Any:
        """What a model on lines and bends, of mean products (p, p), says of the features."""
        feature, is_bend, d = model.feature, model.is_bend, len(self.bends_)
        self.model_, self.doubts_ = model, tuple(model.doubts)
        model.unseen = "common"
        self.response_, self.n_iter_ = model.response_, model.n_iter_
        if self.task is None:
            self.tasks_ = model.tasks_
        bends = np.where(is_bend, model.common_coef_, 0.0)
        same = feature[:, None] == feature
        self.bend_variance_ = np.bincount(feature, bends * ((products * same) @ bends), d)
        between = np.diag(model.deviation_covariance_)[: len(feature)] * np.diag(products)
        self.line_deviation_variance_ = np.bincount(feature, between * ~is_bend, d)
        self.bend_deviation_variance_ = np.bincount(feature, between * is_bend, d)
        return self

    def left_out(self, X: Any, y: Any, sample_weight: Any = None) -> np.ndarray | None:
        """Linear predictors of the training rows from fits without each, at the variances found.

        In the order of tasks.
        """
        check_is_fitted(self)
        found: np.ndarray | None = self.model_.left_out(self._read(X), y, sample_weight)
        return found

    def beyond(self, X: Any) -> dict[str, np.ndarray]:
        """Which rows (n,) lie outside the values of training, where curves go on straight.

        Of the features that bend and have such rows, by name or position as text.
        """
        check_is_fitted(self)
        features = read_dense(self, X)
        names = [n for n in getattr(self, "feature_names_in_", ()) if n != self.task]
        found: dict[str, np.ndarray] = {}
        for k, bends in enumerate(self.bends_):
            if bends:
                first, last = bends["knots"][[0, -1]]
                out = (features[:, k] < first) | (features[:, k] > last)
                found |= {str(names[k] if names else k): out} if out.any() else {}
        return found


class CurvedRegressor(OnColumnsRegressor, _Curved):
    """Additive curves of every task near common ones, squared loss."""

    _inner = RegressorOnBends


class CurvedClassifier(ClassifierRole, _Curved):
    """Additive curves of every task near common ones, logistic loss."""

    _inner = ClassifierOnBends


def _may_bend(data: TaskData) -> bool:
    """Whether dense, independent rows tell the curve of a feature of three values or more."""
    design, independent = data.design, data.group is None and data.time is None
    if design.sparse or not independent or len(data.y) < _LEAST_ROWS * data.n_features:
        return False
    X = np.asarray(design.X[:, : data.n_features], dtype=float)
    return bool(learn_columns(X, np.ones(len(X)), 3).is_bend.any())


FORMULATION = Formulation(
    name="curved",
    title="Curved",
    objective="min over f0, Df: R(f0 + Df_i) + rho |f0''|^2 + alpha |Df_i'|^2 + beta |Df_i''|^2",
    regressor=CurvedRegressor,
    classifier=CurvedClassifier,
    order=45,
    linear=False,
    costly=True,
    candidate=_may_bend,
)
