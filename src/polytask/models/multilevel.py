"""Several groupings, crossed or nested: w = w0 + a deviation of the row's level in each."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, Options, StrOptions

from polytask.data import (
    Rows,
    TaskData,
    all_or_nothing,
    callers_level,
    forget,
    make_task_data,
    read_target,
)
from polytask.data.frames import frame_columns
from polytask.data.groupings import Grouping, read_grouped_rows
from polytask.data.task_spec import spelled_out
from polytask.mixed.crossed.fit import CrossedFit
from polytask.models._asked import AskedOfGroupings
from polytask.models._groupings_answers import GroupingsAnswers
from polytask.models._groupings_doors import GroupingsDoors
from polytask.models._groupings_summary import GroupingsSummary
from polytask.models._likelihood import in_units_of_their_mean
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.models.steps import fit_steps, step, with_callbacks
from polytask.responses import Response
from polytask.solvers import Status, one_blas_thread

__all__ = ["MultilevelClassifier", "MultilevelRegressor"]

_ROUNDS = 100  # of a fit and what the response learns from it
_SETTLED = 1e-10  # relative change of what it learned


class _Multilevel(GroupingsAnswers, GroupingsSummary, AskedOfGroupings, GroupingsDoors):
    """w of a row = w0 + sum over groupings f of Δw^f of its level; R + sum_f alpha_f ‖ΔW^f‖_F².

    R is the mean loss over rows. A pupil has a school and a class, a rating a user and an item:
    each grouping is a table of deviations from the common part w0, pulled to zero by strengths of
    its own. The first grouping is the task that comparisons judge.

    Parameters
    ----------
    alpha : "reml", "ml", "cv", float or dict, default="reml"
        Strengths that pull levels to the common part; larger means more alike. "reml" estimates
        one per grouping and coefficient, as variances of the mixed model, by restricted maximum
        likelihood (Laplace's approximation where targets are not normal); "ml" by maximum
        likelihood, as lme4's glmer does and lmer on request. "cv" takes those of least
        leave-one-out risk, one for the slopes of a grouping and one for its level (with
        ``covariance="diagonal"`` one for each), w0 free: exact for the squared loss, one Newton
        step for others; by five folds where nothing is factored. A number is one for all; a dict
        has a number, or an array of shape (d + 1,) with the level last, for every grouping by name.
    varying : "auto", "all", list or dict, default="auto"
        Features whose coefficients may deviate in every grouping, or by name of the grouping in
        each; the level always does. ``[]`` is a level only. A name also stands for the columns
        ``name=value`` made of it; numbers are positions among the features. "auto" takes the
        level, and in each grouping all slopes or (squared loss) some, added one at a time, where
        Akaike's criterion prefers them ("all" if strengths are given).
    covariance : {"auto", "scalar", "diagonal", "full"}, default="auto"
        Of the deviations between levels: one variance for all slopes (of features scaled to a mean
        square of one) and one for the level, one for each, or with correlations. "auto" takes
        the smallest Akaike criterion, of several variances only from ten levels on.
    alpha_common : {"auto", "reml"} or 0, default="auto"
        0 leaves w0 free, as lme4 does; "reml" estimates a variance of its slopes, and "auto" does
        so where there are fewer than ten rows a coefficient.
    loss : str or Response, default="auto"
        What the targets are: "squared", which is a regressor's "auto", "poisson" for counts and
        other likelihoods in `polytask.responses`; a classifier's is "logistic".
    task : None, str, int or list of them, default=None
        The columns of the groupings: names, or positions. A tuple is a grouping by the ids of
        several columns together; "school/class" is "school" and ("school", "class"), for
        class ids that start again in every school. None is one task, or a wide y.
    n_groupings : None or int, default=None
        How many of the groupings are learned from, the first; the columns of the others are no
        features either. None is all.
    fit_intercept : bool, default=True
        Whether there are levels.
    weights : {"count", "precision"}, default="count"
        What ``sample_weight`` is. A count says that the row is there so many times (glmmTMB). A
        precision, of the squared loss, says that the noise variance of a row is `noise_variance_`
        over its weight in units of the mean (lme4): only ratios matter. Of other losses and in
        sums over rows (`fit_moments`, Parquet) weights always count.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or take what w0 and the other
        groupings say. Unseen levels of other groupings always take what is known.
    tol : float, default=1e-6
        Largest scale-free KKT violation of a solution.
    verbose : int, default=0
        1 prints a line for each step of a fit.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        w0 + Δw of the first grouping's levels; `coefficients` gives those of any combination.
    intercept_ : ndarray of shape (m,)
    common_coef_, common_intercept_ : ndarray of shape (d,), float
        w0 and b0. Of labels and counts whose variances are estimated that of the greatest marginal
        likelihood, the deviations integrated out, as lme4's glmer reports it.
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        With ``alpha="reml"`` of labels and counts: the mode of w0 and the deviations together,
        which is nearer to zero and predicts better. `deviations_` are from it.
    deviation_coef_ : ndarray of shape (m, d)
        Of the first grouping: ``coef_ - common_coef_``.
    tasks_ : ndarray of shape (m,)
        Levels of the first grouping.
    groupings_ : list of str
    levels_ : dict of str to ndarray
    deviations_ : dict of str to ndarray of shape (levels, d + 1)
        Deviations of every grouping, that of the level last.
    variances_ : dict of str to ndarray of shape (d + 1,)
        Variance between levels of each coefficient, that of the level last; zero where it does
        not vary.
    deviation_covariances_ : dict of str to ndarray of shape (d + 1, d + 1)
    varying_ : dict of str to list
        Features whose slopes vary.
    covariance_ : dict of str to str
    alpha_ : dict of str to ndarray of shape (d + 1,)
        Strengths, inf where a variance is zero.
    noise_variance_, deviance_ : float
        Variance of the noise (squared loss), and minus twice the logarithm of the likelihood, the
        restricted one with "reml". All constants are included.
    log_likelihood_, aic_, bic_ : float
        Its logarithm, and Akaike's and Schwarz's criterion, which count free common coefficients,
        variances, noise and what else the likelihood learned: a dispersion, a shape, thresholds
        (of ``response_``).
    common_covariance_ : ndarray of shape (d + 1, d + 1)
        Of the estimate of w0 and b0, the variances taken as known; of labels and counts with the
        error of the variances, as in lme4.
    n_variances_ : int
    response_, classes_
        The kind of target that was fitted, and a classifier's labels, sorted.
    violation_, certificate_, solver_, status_, n_iter_
        The KKT violation at the coefficients, and how they were reached.

    References
    ----------
    Bates, Maechler, Bolker, Walker, Fitting linear mixed-effects models using lme4, J. Stat.
    Softw. 67 (2015).

    Examples
    --------
    >>> from polytask import MultilevelRegressor
    >>> from polytask.datasets import make_crossed_rows
    >>> X, y, truth = make_crossed_rows(400, random_state=0)
    >>> model = MultilevelRegressor(task=["user", "item"]).fit(X, y)
    >>> model.groupings_
    ['user', 'item']
    >>> model.predict(X[:2]).shape
    (2,)
    """

    task_weight = "size"  # the likelihood counts rows

    _parameter_constraints = {
        "alpha": [
            StrOptions({"reml", "ml", "cv"}),
            Interval(Real, 0, None, closed="neither"),
            dict,
        ],
        "varying": [StrOptions({"auto", "all"}), "array-like", dict],
        "covariance": [StrOptions({"auto", "scalar", "diagonal", "full"})],
        "alpha_common": [StrOptions({"auto", "reml"}), Options(Real, {0})],
        "loss": [str, Response],
        "task": [None, str, Integral, list, tuple],
        "n_groupings": [None, Interval(Integral, 1, None, closed="left")],
        "fit_intercept": ["boolean"],
        "weights": [StrOptions({"count", "precision"})],
        "unseen": [StrOptions({"error", "common"})],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        alpha: Any = "reml",
        *,
        varying: Any = "auto",
        covariance: str = "auto",
        alpha_common: float | str = "auto",
        loss: str | Response = "auto",
        task: Any = None,
        n_groupings: int | None = None,
        fit_intercept: bool = True,
        weights: str = "count",
        unseen: str = "error",
        tol: float = 1e-6,
        verbose: int = 0,
    ) -> None:
        self.alpha = alpha
        self.varying = varying
        self.covariance = covariance
        self.alpha_common = alpha_common
        self.loss = loss
        self.task = task
        self.n_groupings = n_groupings
        self.fit_intercept = fit_intercept
        self.weights = weights
        self.unseen = unseen
        self.tol = tol
        self.verbose = verbose

    @all_or_nothing
    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to a long table with a column for every grouping, or to a wide y.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d + columns of groupings)
        y : array of shape (n,), or of shape (n, m) with ``task=None``
        sample_weight : array of shape (n,) or, with a wide y, (n, m)
            How many rows each stands for, or its precision (``weights``); zero leaves it out.

        Returns
        -------
        self
        """
        self._validate_params()
        forget(self)
        asked = self._asked_groupings(X)
        data, known, codes = self._read(X, y, sample_weight, asked, reset=True)
        self._check_data(data)
        with one_blas_thread(), fit_steps(self, 1, X, y):
            self._learn(data, known, codes)
        self._left_out = asked[len(known) :]
        return self

    def _learn(
        self, data: TaskData, known: Sequence[Grouping], codes: Sequence[np.ndarray]
    ) -> None:
        """Fit to rows, or to those that have their moments."""
        with step(self, "estimate") as say:
            said = self._loss()
            self.response_ = said.started(data.y, data.sample_weight, data.code)
            fit = self._fit_rows(data, known, codes)
            alternate = said.learns and not isinstance(self.alpha, str)
            for _ in range(_ROUNDS if alternate else 0):
                learned = self.response_.updated(data.y, fit.predictor, data.sample_weight)
                if learned.is_near(self.response_, _SETTLED):
                    break
                self.response_ = learned
                fit = self._fit_rows(data, known, codes)
            self.response_ = fit.loss
            say(f"violation {fit.violation:.1e}")
        self._say_doubts(fit, data, known, codes)
        self._keep(fit, data, known)

    def _read(
        self, X: Any, y: Any, sample_weight: Any, asked: list[tuple[Any, ...]], *, reset: bool
    ) -> tuple[TaskData, list[Grouping], list[np.ndarray]]:
        """Rows, and the groupings that are learned from with the level of each row."""
        features, ids = read_grouped_rows(self, X, asked, reset=reset)
        target, names = read_target(self, y)
        self._wide = target.ndim == 2
        data = make_task_data(
            self, Rows(features, None), self._encode(target), names, sample_weight,
            center=features.shape[1] > 0,
        )  # fmt: skip
        if self.weights == "precision" and self._loss().is_quadratic:
            data = in_units_of_their_mean(data)[0]
        if self._wide:
            one = Grouping("task", (), (data.tasks,), np.arange(data.n_tasks))
            return data, [one], [data.code]
        of_rows = {name: values[data.row] for name, values in ids.items()}
        first = asked[: self.n_groupings]
        pairs = [Grouping.of(c, [of_rows[name] for name in c]) for c in first]
        return data, [pair[0] for pair in pairs], [pair[1] for pair in pairs]

    def _asked_groupings(self, X: Any) -> list[tuple[Any, ...]]:
        return spelled_out(self.task, frame_columns(X))

    def _check_data(self, data: TaskData) -> None:
        """Refuse data that the role cannot learn from."""

    def _learned(self) -> Response:
        """The response with what the last fit learned of it."""
        return getattr(self, "response_", None) or self._loss()

    def _keep(self, fit: CrossedFit, data: TaskData, known: Sequence[Grouping]) -> None:
        d = data.n_features
        names = self._feature_names(d)
        center = np.zeros(d) if data.center is None else data.center
        self._center, self.groupings_ = center, [grouping.name for grouping in known]
        self._groupings_ = [grouping.to_dict() for grouping in known]
        mode, level = fit.common[:d], float(fit.common[d:].sum() - fit.common[:d] @ center)
        self.common_coef_ = fit.reported[:d]
        self.common_intercept_ = float(fit.reported[d:].sum() - self.common_coef_ @ center)
        if not np.array_equal(fit.reported, fit.common):
            self.new_task_coef_, self.new_task_intercept_ = mode, level
        self.levels_, self.deviations_, self.variances_ = {}, {}, {}
        self.deviation_covariances_, self.varying_, self.covariance_ = {}, {}, {}
        self.alpha_ = {}
        to_origin = np.eye(d + 1)
        to_origin[d, :d] = -center
        wide = np.zeros((data.n_coefs, d + 1))
        wide[:, : data.n_coefs] = np.eye(data.n_coefs)
        N = float(data.sample_weight.sum())
        for grouping, term in zip(known, fit.terms, strict=True):
            name, turn = grouping.name, wide @ to_origin.T
            self.levels_[name] = grouping.levels
            self.deviations_[name] = term.deviations @ turn
            between = turn.T @ term.covariance @ turn
            self.deviation_covariances_[name] = between
            self.variances_[name] = np.diag(between).copy()
            self.varying_[name] = [names[k] for k in term.columns if k < d]
            self.covariance_[name] = term.kind
            own = wide.T @ np.diag(term.covariance) / fit.noise
            with np.errstate(divide="ignore"):
                self.alpha_[name] = 0.5 / (N * own)
        turn = wide @ to_origin.T
        self.common_covariance_ = turn.T @ fit.common_covariance @ turn
        first = self.deviations_[self.groupings_[0]] if known else np.zeros((1, d + 1))
        self.tasks_ = known[0].levels if known else np.arange(1)
        self.coef_ = mode + first[:, :d]
        self.deviation_coef_ = self.coef_ - self.common_coef_
        self.intercept_ = level + first[:, d]
        if self._loss().is_quadratic:
            self.noise_variance_ = fit.noise
        self._keep_criteria(fit, data)
        self.violation_, self.n_iter_ = fit.violation, max(fit.n_iter, 1)
        self.certificate_, self.solver_ = "global", "block arrow"
        done = fit.converged and fit.violation <= self.tol
        status = Status.SOLVED if done else Status.MAX_ITER
        self.status_ = status.value
        if not done:
            warnings.warn(
                f"{type(self).__name__}: the search for the variances stopped with a KKT violation "
                f"of {fit.violation:.1e} after {fit.n_iter} iterations: {self.status_}.",
                ConvergenceWarning,
                stacklevel=callers_level(),
            )


class MultilevelRegressor(RegressorRole, _Multilevel):
    """Coefficients of several groupings together, squared loss."""


class MultilevelClassifier(ClassifierRole, _Multilevel):
    """Coefficients of several groupings together, logistic loss."""


FORMULATION = Formulation(
    name="multilevel",
    title="Multilevel",
    objective="min over w0, DW^f: R(w0 + sum_f Dw^f) + sum_f alpha_f ||DW^f||_F^2",
    regressor=MultilevelRegressor,
    classifier=MultilevelClassifier,
    default=False,
    order=45,
)
