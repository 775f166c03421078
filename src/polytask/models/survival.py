"""Times to an event in many tasks: Cox models with a baseline hazard per task."""

from __future__ import annotations

from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from polytask.data import TaskData, read_rows, task_codes
from polytask.data.strata import StrataData, risk_sets
from polytask.data.survival_target import read_survival
from polytask.model_selection.survival import concordance
from polytask.models._declared import Declared
from polytask.models._fields import FromFields
from polytask.models.mean_regularized import _MeanRegularized
from polytask.models.pooled import _Pooled
from polytask.models.single_task import _SingleTask
from polytask.models.unseen import unseen_message
from polytask.responses import Cox, Response
from polytask.solvers import Solution

__all__ = ["MeanRegularizedSurvival", "PooledSurvival", "SingleTaskSurvival", "SurvivalModel"]


class SurvivalModel(Declared, FromFields):
    """h_i(t | x) = h_i0(t) exp(w_i'x): what all Cox models share."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "ties": [StrOptions({"efron", "breslow"})],
        "task": [None, str, Integral],
    }
    alpha: Any = field(default="cv", kw_only=False)
    ties: str = "efron"
    loss: str | Response = field(default="cox", init=False)
    fit_intercept: bool = field(default=False, init=False)  # the baseline hazard takes its place
    alpha_intercept: float | str = field(default=0.0, init=False)  # of no effect

    def _loss(self) -> Cox:
        return Cox(self.ties)

    def _encode(self, y: np.ndarray) -> np.ndarray:
        return y

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None,
        time: Any = None,
    ) -> Any:  # fmt: skip
        """Fit to a long table with a task column.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d) or (n, d + 1)
            Features, and the task column that the parameter ``task`` names.
        y : table or array of shape (n, 2), or structured array of shape (n,)
            The time of each row, and whether the event came then (1) or the row was censored (0).
            A table's columns are found by the names "time" and "event", or taken in that order;
            of a structured array the truth values are the events (as scikit-survival's).
        sample_weight : array of shape (n,), default=None
            Weights of rows inside their task; zero leaves a row out.
        groups, time : array of shape (n,), optional
            Who each row is of, or when it came under observation; as in the other models.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Naming the row, if a time is not positive or an event neither true nor false; naming
            tasks that have no event.
        """
        lasted, event = read_survival(type(self).__name__, y)
        return super().fit(  # type: ignore[misc]
            X, np.where(event, lasted, -lasted), sample_weight, groups=groups, time=time
        )

    def _check_data(self, data: TaskData) -> None:
        self._refuse_none(data.y > 0)
        events = np.bincount(data.code, data.y > 0, data.n_tasks)
        if not events.all():
            none = data.tasks[events == 0].tolist()
            raise ValueError(
                f"{type(self).__name__}: y must hold an event in every task; all rows are censored "
                f"in {none[:5]}{' and others' if len(none) > 5 else ''}. Leave them out: with "
                "unseen='common' such tasks are predicted by what the others share."
            )

    def _refuse_none(self, event: np.ndarray) -> None:
        if not event.any():
            raise ValueError(
                f"{type(self).__name__}: y must hold an event; all {len(event)} rows are censored."
            )

    def _fit_source(self, source: Any, runner: Any) -> Any:
        raise ValueError(
            f"{type(self).__name__}: fit_parquet must have a target of one column; times and "
            "events are two. Use fit for rows in memory."
        )

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)  # type: ignore[misc]
        self.feature_mean_ = data.design.adjoint(data.weight).sum(axis=0)
        f = data.design.predict(solution.coefs) - (self.coef_ @ self.feature_mean_)[data.code]
        at = StrataData(data, self.ties).at(None, solution.coefs)
        rows = at.sets.order[at.sets.event]
        jumps = at.jumps * np.exp(at.shift - f[rows])
        parts = [data.code[rows] == i for i in range(data.n_tasks)]
        steps = [_steps(data.y[rows[part]], jumps[part]) for part in parts]
        self.event_times_ = [times for times, _ in steps]
        self.baseline_hazard_ = [hazard for _, hazard in steps]
        self.common_event_times_, self.common_baseline_hazard_ = _common(data, f, self.ties)

    def predict(self, X: Any) -> np.ndarray:
        """Log relative hazard w_i'x, shape (n,): the larger, the earlier the event.

        Rows of different tasks have different baseline hazards: compare `predict_survival`.
        """
        return self._linear_predictor(X)

    def predict_cumulative_hazard(self, X: Any, times: Any) -> np.ndarray:
        """Expected events up to each time, H_i0(t) exp(w_i'x), shape (n, number of times).

        Parameters
        ----------
        X : as in `fit`
        times : array-like of numbers
            After the last event of a task its hazard stays as it was.
        """
        check_is_fitted(self)
        times = np.asarray(times, dtype=float)
        f = self._linear_predictor(X)
        rows = read_rows(self, X, reset=False)
        code = task_codes(rows.ids, self.tasks_, len(f))
        coef = np.vstack([self.coef_, self.common_coef_])  # code -1 points at the last
        f = f - (coef @ self.feature_mean_)[code]
        if (code < 0).any() and self.unseen == "error":
            raise ValueError(unseen_message(self, np.asarray(rows.ids)[code < 0]))
        curves = [
            *map(_at, self.event_times_, self.baseline_hazard_, [times] * len(self.tasks_)),
            _at(self.common_event_times_, self.common_baseline_hazard_, times),
        ]
        return np.stack(curves)[code] * np.exp(f)[:, None]

    def predict_survival(self, X: Any, times: Any) -> np.ndarray:
        """Probability that the event comes after each time, shape (n, number of times).

        Parameters
        ----------
        X : as in `fit`
        times : array-like of numbers
        """
        return np.exp(-self.predict_cumulative_hazard(X, times))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Concordance (Harrell's C): the mean over tasks with a pair of rows in a known order."""
        f = self.predict(X)
        time, event = read_survival(type(self).__name__, y)
        rows = read_rows(self, X, reset=False)
        ids = np.zeros(len(time), dtype=int) if rows.ids is None else rows.ids
        _, code = np.unique(ids, return_inverse=True)
        each = concordance(time, event, f, code)
        return float(np.nanmean(each)) if np.isfinite(each).any() else np.nan

    def __sklearn_tags__(self) -> Any:
        """Tags: a target of two columns."""
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.target_tags.single_output, tags.target_tags.multi_output = False, True
        return tags


def _steps(time: np.ndarray, jumps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct times, ascending, and the cumulative hazard after each."""
    times, at = np.unique(time, return_inverse=True)
    return times, np.cumsum(np.bincount(at, jumps, len(times)))


def _at(event_times: np.ndarray, hazard: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.append(0.0, hazard)[np.searchsorted(event_times, times, side="right")]


def _common(data: TaskData, f: np.ndarray, ties: str) -> tuple[np.ndarray, np.ndarray]:
    """One baseline hazard for all rows, at their own predictors: that of an unseen task."""
    none = np.zeros(len(f), dtype=int)
    sets = risk_sets(np.abs(data.y), data.y > 0, none, 1, ties)
    s, top = data.sample_weight[sets.order], f.max()
    total = sets.at_risk(s * np.exp(f[sets.order] - top))
    own = s[sets.event]
    weight = sets.tied_sum(own) / sets.tied_sum(np.ones(len(own)))
    return _steps(np.abs(data.y)[sets.order][sets.event], weight / total * np.exp(-top))


class SingleTaskSurvival(SurvivalModel, _SingleTask, own_text=True):
    """min over each w_i alone: R(W) + alpha sum_i ‖w_i‖², R of Cox's partial likelihood.

    R(W) is the mean over tasks of minus the log partial likelihood of the task's rows, divided by
    their number. Every task has its own baseline hazard h_i0, which is left free.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Ridge strength, zero or positive; larger shrinks coefficients to zero. "cv" chooses one for
        all tasks by the cross-validated partial likelihood (Verweij and van Houwelingen) on 5
        folds inside tasks.
    ties : {"efron", "breslow"}, default="efron"
        How events at the same time are counted.
    task : None, str or int, default=None
        Task column of X: a name, or a position. None is one task.
    task_weight : {"equal", "size"}, default="equal"
        Whether tasks or rows weigh alike in R.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or use the mean of the tasks and one
        baseline hazard for all rows.
    tol : float, default=1e-8
        Largest scale-free KKT violation at the returned coefficients.
    max_iter : int, default=100
        Newton steps at most.
    verbose : int, default=0
        1 prints a line for each step of a fit.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
    common_coef_ : ndarray of shape (d,)
        Mean over tasks.
    tasks_ : ndarray of shape (m,)
    event_times_, baseline_hazard_ : list of m ndarrays
        Times of the events of each task, and the cumulative baseline hazard after each (Breslow's
        estimate, with Efron's correction where ``ties`` says so), at ``feature_mean_``.
    common_event_times_, common_baseline_hazard_ : ndarray
        The same of all rows together, for unseen tasks.
    feature_mean_ : ndarray of shape (d,)
        Weighted mean of the features over all rows.
    alpha_, alpha_path_, cv_scores_, alpha_intercept_, intercept_, common_intercept_
        Strength and how it was chosen; the others are zero.
    response_, objective_, violation_, certificate_, solver_, status_, n_iter_
        The response, the objective and KKT violation at ``coef_``, and how they were reached.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import SingleTaskSurvival
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(60, 2))
    >>> y = np.column_stack([rng.exponential(np.exp(-X[:, 0])), rng.random(60) < 0.8])
    >>> model = SingleTaskSurvival(0.01).fit(X, y)
    >>> model.predict_survival(X[:3], [0.5, 1.0]).shape
    (3, 2)
    """


class PooledSurvival(SurvivalModel, _Pooled, own_text=True):
    """min over one w for all tasks: R(w, ..., w) + alpha ‖w‖², R of Cox's partial likelihood.

    Tasks share the coefficients and keep a baseline hazard each: the stratified Cox model.

    Parameters
    ----------
    alpha, ties, task, task_weight, tol, max_iter, verbose
        As in `SingleTaskSurvival`.
    unseen : {"error", "common"}, default="common"
        What to do with an unseen task in `predict`: refuse, or predict it by the one model and one
        baseline hazard for all rows.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        The same row for every task.
    common_coef_ : ndarray of shape (d,)
    tasks_, event_times_, baseline_hazard_, feature_mean_
    common_event_times_, common_baseline_hazard_
        As in `SingleTaskSurvival`.
    alpha_, alpha_path_, cv_scores_, intercept_, common_intercept_
        Strength and how it was chosen; the others are zero.
    response_, objective_, violation_, certificate_, solver_, status_, n_iter_
        The response, the objective and KKT violation at ``coef_``, and how they were reached.
    """

    unseen: str = "common"


class MeanRegularizedSurvival(SurvivalModel, _MeanRegularized, own_text=True):
    """min over w0, ΔW: R(w0 + Δw_i) + alpha ‖ΔW‖_F² + alpha_common ‖w0‖², R of Cox's likelihood.

    R(W) is the mean over tasks of minus the log partial likelihood of the task's rows, divided by
    their number. Every task has its own baseline hazard h_i0, which is left free. With alpha large
    the model is the stratified Cox model, with alpha_common large every task alone.

    Parameters
    ----------
    alpha : float, array of shape (d,) or "cv", default="cv"
        Strength that pulls the tasks' coefficients to their common part; larger means more alike.
        "cv" chooses by the cross-validated partial likelihood (Verweij and van Houwelingen) on 5
        folds inside tasks.
    alpha_common : float or "auto", default="auto"
        Ridge strength on w0. "auto" is chosen with alpha if ``alpha="cv"``, otherwise 0.
    ties, task, unseen, tol, max_iter, verbose
        As in `SingleTaskSurvival`; an unseen task is predicted from w0.
    task_weight : {"equal", "size"}, default="equal"
        Whether tasks or rows weigh alike in R.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        w0 + Δw_i.
    common_coef_ : ndarray of shape (d,)
        w0.
    deviation_coef_ : ndarray of shape (m, d)
        Δw_i.
    tasks_, event_times_, baseline_hazard_, feature_mean_
    common_event_times_, common_baseline_hazard_
        As in `SingleTaskSurvival`.
    alpha_, alpha_common_, alpha_path_, cv_scores_
        Strengths and how they were chosen.
    alpha_intercept_, intercept_, common_intercept_
        Zero.
    training_weight_ : float
        Sum of the sample weights.
    response_, objective_, violation_, certificate_, solver_, status_, n_iter_
        The response, the objective and KKT violation at ``coef_``, and how they were reached.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import MeanRegularizedSurvival
    >>> rng = np.random.default_rng(0)
    >>> clinic, x = np.repeat(np.arange(6), 20), rng.normal(size=(120, 2))
    >>> y = np.column_stack([rng.exponential(np.exp(-x[:, 0])), rng.random(120) < 0.8])
    >>> X = np.column_stack([x, clinic])
    >>> MeanRegularizedSurvival(0.1, task=2).fit(X, y).deviation_coef_.shape
    (6, 2)
    """

    # Of the mixed model, which this is not.
    varying: Any = field(default="all", init=False)
    covariance: str = field(default="auto", init=False)
    n_factors: int = field(default=1, init=False)
    noise: str = field(default="auto", init=False)
    weights: str = field(default="precision", init=False)
    task_weight: str = "equal"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "alpha": [StrOptions({"cv"}), "array-like", Interval(Real, 0, None, closed="left")],
        "alpha_common": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "task_weight": [StrOptions({"equal", "size"})],
    }


SURVIVAL = {
    "single-task": SingleTaskSurvival,
    "pooled": PooledSurvival,
    "mean-regularized": MeanRegularizedSurvival,
}
