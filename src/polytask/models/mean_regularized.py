"""The mean-regularized model: w_i = w0 + Δw_i, with the deviations kept small."""

from __future__ import annotations

import warnings
from dataclasses import field
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData, callers_level
from polytask.models._levels import chosen_positions
from polytask.models.base import MultiTaskLinear, Strengths
from polytask.models.few_shot import FewShot
from polytask.models.mixed import MixedModelAnswers, MixedModelFit
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.models.strength_rules import EitherRule
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution
from polytask.structures import CommonDeviation
from polytask.tuning import Strength, common_grid, deviation_grid, intercept_grid, with_zero

__all__ = ["MeanRegularizedClassifier", "MeanRegularizedRegressor"]


class _MeanRegularized(FewShot, EitherRule, MultiTaskLinear):
    """min over w0, ΔW: R(w0 + Δw_i) + alpha ‖ΔW‖_F² + alpha_common ‖w0‖².

    R is the mean over tasks of the mean loss over rows. The intercept takes part,
    ``b_i = b0 + Δb_i`` with ``alpha_intercept ‖Δb‖²``, and b0 is free. With alpha and
    alpha_intercept large the model is `Pooled`, with alpha_common large it is `SingleTask`.

    Parameters
    ----------
    alpha : float, array of shape (d,) or "cv", default="cv"
        Strength that pulls the tasks' coefficients to their common part, one for all or one per
        coefficient; larger means more alike. "cv" chooses it from a path that starts where the
        tasks are pooled, by leave-one-out: exact for the squared loss, one Newton step from the
        fit for the logistic loss. "reml" estimates a strength per coefficient, and with it
        standard errors, as the mixed model with random slopes does: by restricted maximum
        likelihood, of labels with Laplace's approximation. "auto" fits with both and keeps the one
        of less held-out risk.
    varying : "all" or list, default="all"
        Features whose coefficients may deviate, by name or position; the level always may. ``[]``
        is a level only, as ``(1 | task)`` beside fixed slopes in lme4. A name also stands for the
        columns ``name=value`` made of it.
    covariance : {"auto", "diagonal", "scalar", "factor", "full"}, default="auto"
        With ``alpha="reml"``: a variance between tasks for every coefficient, one for all slopes
        (of features scaled to a mean square of one) and one for the intercept, a variance for
        every coefficient plus ``n_factors`` common factors, or a full covariance matrix. "auto" is
        scalar or, from ten tasks on, what the Akaike criterion of the restricted likelihood prefers
        of these: diagonal too, with the squared loss also factors (up to 60 coefficients) and full
        (up to 8).
    n_factors : int, default=1
        Rank of what ``covariance="factor"`` adds to a diagonal: 0 is the diagonal, one per
        coefficient is the full covariance.
    alpha_common : float, "auto" or "reml", default="auto"
        Ridge strength on w0. Without it w0 overfits when all tasks together have few rows.
        "auto" is chosen with alpha if ``alpha="cv"``, otherwise 0. With ``alpha="reml"``: 0 leaves
        w0 free, as lme4 does; "reml" estimates a variance of the common slopes, and "auto" does
        so where there are fewer than ten tasks, or ten rows, a coefficient.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' intercepts together. Tasks that differ mostly in level want
        it much smaller than alpha. "auto" is chosen with alpha if ``alpha="cv"``, otherwise the
        mean of alpha. The intercept counts as the level at x = 0; features whose mean is more than
        three standard deviations from zero (a year, Kelvin) are taken about it inside, and the
        level is that at their mean. Sparse X is taken as it is.
    noise : {"auto", "common", "task"}, default="auto"
        With ``alpha="reml"`` and the squared loss: one noise variance for all tasks, or one for
        each, those of few rows near the others'. "auto" is one for each where tasks clearly differ
        (Brown-Forsythe test, p below 1e-4).
    weights : {"precision", "count"}, default="precision"
        What ``sample_weight`` is with ``alpha="reml"``. A precision says that the noise variance of
        a row is `noise_variance_` over its weight, weights in units of their mean (lme4): only
        their ratios matter. A count says that the row is there so many times, which makes variances
        surer (glmmTMB). Of labels, shares and counts, which have no noise variance, weights always
        count: they are trials, exposure or rows (glmer). So they do in sums over rows
        (`partial_fit`, many rows of Parquet).
    task_weight : {"auto", "equal", "size"}, default="auto"
        Whether tasks or rows weigh alike in R. "auto" is "size" where the data choose alpha, as a
        likelihood does, and "equal" where it has a number.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Of K > 2 classes (m, K, d), and the intercepts (m, K); they sum to zero over classes.
        w0 + Δw_i.
    intercept_ : ndarray of shape (m,)
    common_coef_, common_intercept_ : ndarray of shape (d,), float
        w0 and b0. Of labels and counts with ``alpha="reml"`` the estimate of the greatest marginal
        likelihood, the deviations integrated out (Laplace), as lme4's glmer reports it; the mode
        of w0 and deviations together is nearer to zero and predicts better (next).
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks where it is not w0. With ``unseen="common"`` and
        ``alpha="cv"``, whose w0 is chosen for tasks that were seen: the common part, at strengths
        of its own, that predicts whole tasks, left out, best. With ``alpha="reml"`` and another
        loss than the squared one: the joint mode, about which coefficients are estimated.
    notes_ : tuple of str
        Where an answer to unseen tasks was made and, on tasks left out of training, is not better
        than pooled by two standard errors: by how much, and that pooled may do better.
    deviation_coef_ : ndarray of shape (m, d)
        Δw_i.
    alpha_, alpha_common_, alpha_intercept_ : float
        Strengths. With ``alpha="reml"`` alpha_ and alpha_common_ have a value per feature, inf
        where the variance between tasks is zero (alpha_ is a matrix where they are correlated).
    covariance_ : str
        What ``covariance="auto"`` chose (``alpha="reml"``).
    training_weight_ : float
        Sum of the sample weights, which says how much a row of a new task counts (`add_task`).
    noise_variance_, deviance_, slope_ : float
        Variance of the noise, the restricted deviance (lme4's REML criterion; for labels with a
        half-normal prior of scale 2.5 on the deviation of log odds between tasks), and the largest
        slope in log variance that is left of it (``alpha="reml"``).
    task_noise_variance_ : ndarray of shape (m,)
        Noise variance of each task; `noise_variance_` is their mean over rows (``alpha="reml"``).
    log_likelihood_, aic_, bic_ : float
        The restricted log likelihood, for labels and counts that of `common_coef_` with the
        deviations integrated out, and the criteria by it, as lme4
        counts parameters and rows (``alpha="reml"``). They compare models of the same features.
    deviation_covariance_, common_covariance_ : ndarray of shape (p, p)
        Covariance of the deviations between tasks, and of the estimate of w0; the intercept is
        the last of the p coefficients (``alpha="reml"``). Of labels and counts the latter takes
        longer than the fit: it is made when first asked for, or when the model is saved, and the
        model holds the rows until then.
    coef_covariance_ : ndarray of shape (m, p, p)
        Covariance of each task's coefficients around their estimate, the estimated variances taken
        as known (``alpha="reml"``); `coef_interval` adds their error.
    alpha_rule_ : {"cv", "reml"}
        Where the strengths come from (``alpha="auto"``).
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).

    References
    ----------
    Evgeniou and Pontil, Regularized multi-task learning, KDD 2004. For ``alpha="reml"``: Bates,
    Maechler, Bolker, Walker, Fitting linear mixed-effects models using lme4, J. Stat. Softw. 2015.

    Examples
    --------
    >>> from polytask import MeanRegularizedRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> model = MeanRegularizedRegressor(task="task").fit(X, y)
    >>> model.deviation_coef_.shape
    (3, 4)
    """

    alpha: Any = field(default="cv", kw_only=False)
    varying: Any = "all"
    covariance: str = "auto"
    n_factors: int = 1
    alpha_common: float | str = "auto"
    alpha_intercept: float | str = "auto"
    noise: str = "auto"
    weights: str = "precision"
    task_weight: str = "auto"

    strengths = (
        Strength("alpha", lambda _, data, loss: deviation_grid(data, loss, 33, 12)),
        Strength(
            "alpha_intercept", lambda _, data, loss: intercept_grid(data, loss, 22, 8), auto="alpha"
        ),
        Strength("alpha_common", lambda _, data, loss: with_zero(common_grid(data, loss, 13, 5))),
    )
    _parameter_constraints = {
        "alpha": [
            StrOptions({"auto", "cv", "reml"}),
            "array-like",
            Interval(Real, 0, None, closed="left"),
        ],
        "varying": [StrOptions({"all"}), "array-like"],
        "covariance": [StrOptions({"auto", "scalar", "diagonal", "factor", "full"})],
        "noise": [StrOptions({"auto", "common", "task"})],
        "weights": [StrOptions({"precision", "count"})],
        "n_factors": [Interval(Integral, 0, None, closed="left")],
        "alpha_common": [StrOptions({"auto", "reml"}), Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
    }

    @property
    def _is_mixed(self) -> bool:
        """Whether strengths are the mixed model's variances."""
        rule = getattr(self, "alpha_rule_", "cv") if self.shares_fits else self.alpha
        return isinstance(rule, str) and rule == "reml"

    def _given(self) -> Strengths:
        if self._is_mixed:  # estimated, not chosen
            return {strength.name: np.nan for strength in self.strengths}
        if self.shares_fits:
            raise ValueError(
                f"{type(self).__name__}: alpha must be 'cv', 'reml' or numbers where the rows are "
                "not in memory; got 'auto', which leaves out single rows."
            )
        if self.alpha_common == "reml":
            raise ValueError(
                f"{type(self).__name__}: alpha_common must be 'auto' or a number unless "
                f"alpha='reml'; got 'reml' with alpha={self.alpha!r}."
            )
        return super()._given()

    def _why_not_sums(self, tasks: np.ndarray | None = None, n_features: int = 1) -> str | None:
        if self.shares_fits:
            return "alpha='auto' leaves out single rows"
        if self._is_mixed and not self._loss().is_quadratic:
            return "Laplace's approximation goes through the rows at every step"
        return super()._why_not_sums(tasks, n_features)

    def _fit_data(self, data: Any) -> Any:
        self._check_alpha(data.n_features)
        self._may_deviate(data.n_features, data.n_coefs)
        if not self._is_mixed:
            return super()._fit_data(data)
        if self._weight_rule != "size":
            raise ValueError(
                f"{type(self).__name__}: task_weight must be 'auto' or 'size' with alpha='reml'; "
                f"got {self.task_weight!r}. The likelihood counts rows, not tasks."
            )
        if getattr(data, "group", None) is not None or getattr(data, "time", None) is not None:
            self._say_independent()
        return self._fit_mixed(data)

    def _say_independent(self) -> None:
        warnings.warn(
            f"{type(self).__name__}: alpha='reml' takes rows as independent, whatever "
            "groups or time say. alpha='cv' chooses strengths by them.",
            UserWarning,
            stacklevel=callers_level(),
        )

    def _check_alpha(self, d: int) -> None:
        if np.ndim(self.alpha) == 0:
            return
        alpha = np.asarray(self.alpha, dtype=float)
        if alpha.shape != (d,) or not (np.isfinite(alpha) & (alpha >= 0)).all():
            raise ValueError(
                f"{type(self).__name__}: alpha must be a number or an array of shape ({d},), zero "
                f"or positive, a strength per feature; got shape {alpha.shape}."
            )

    def _may_deviate(self, d: int, p: int) -> np.ndarray:
        """Mask (p,) of the coefficients that may, of d features."""
        mask = np.ones(p, dtype=bool)
        if not isinstance(self.varying, str):
            mask[:d] = False
            mask[chosen_positions(self, self.varying, d)] = True
        if not mask.any() and d:
            raise ValueError(
                f"{type(self).__name__}: varying must name a feature where fit_intercept=False; "
                f"got {self.varying!r}, which lets nothing deviate. Take Pooled."
            )
        return mask

    def _make_problem(self, data: TaskData, loss: Loss, strengths: Strengths) -> Problem:
        p, d = data.n_coefs, data.n_features
        deviation, common = np.full(p, strengths["alpha_intercept"], dtype=float), np.zeros(p)
        deviation[:d], common[:d] = strengths["alpha"], strengths["alpha_common"]
        may_deviate = np.isfinite(deviation) & self._may_deviate(d, p)  # infinite forbids it
        structure = CommonDeviation(np.ones(p, dtype=bool), may_deviate)
        penalties = {"common": Ridge(common), "deviation": Ridge(deviation[may_deviate])}
        return Problem(data, loss, structure, penalties)

    def _store(self, solution: Solution, data: TaskData) -> None:
        self.training_weight_ = float(data.counts.sum())
        common = self._slopes_and_level(solution.blocks["common"])
        self.common_coef_, self.common_intercept_ = common
        self.deviation_coef_ = self.coef_ - self.common_coef_


class MeanRegularizedRegressor(MixedModelAnswers, RegressorRole, _MeanRegularized):
    """Coefficients of every task near a common part, squared loss."""


class MeanRegularizedClassifier(MixedModelFit, ClassifierRole, _MeanRegularized):
    """Coefficients of every task near a common part, logistic loss."""

    many_classes = True


FORMULATION = Formulation(
    name="mean-regularized",
    title="Mean-regularized",
    objective="min over w0, DW: R(w0 + Dw_i) + alpha ||DW||_F^2 + alpha_common ||w0||^2",
    regressor=MeanRegularizedRegressor,
    classifier=MeanRegularizedClassifier,
    compared={"alpha": "auto"},
    order=40,
    candidate=True,
    hedge=True,
)
