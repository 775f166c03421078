"""The model for who does not want to choose: candidates, weighed by their held-out predictions."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from polytask.data import (
    Rows,
    TaskData,
    all_or_nothing,
    forget,
    make_task_data,
    read_rows,
    read_target,
    task_codes,
)
from polytask.data.gross_rows import gross_cells, gross_targets
from polytask.data.read_once import read_once
from polytask.models._candidates import REML, candidate, default_names, must_earn
from polytask.models._held_out import held_out_by_folds, held_out_of, linear_predictor
from polytask.models.estimator import TaskEstimator
from polytask.models.mixed import without_doubts
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.models.scaled_target import ScaledTargetRegressor
from polytask.models.shared_fits import SharedFits
from polytask.models.steps import fit_steps, step, with_callbacks
from polytask.models.unseen import answering_unseen, unseen_message
from polytask.responses import Response
from polytask.tuning import held_out_risk
from polytask.tuning.stacking import HeldOut, stack, worth

__all__ = ["AutoMultiTaskClassifier", "AutoMultiTaskRegressor"]


class _AutoMultiTask(TaskEstimator):
    """f_i(x) = sum_c a_ic f_ic(x), a_i >= 0 with sum one, over candidate formulations c.

    The weights minimize the loss of held-out predictions on the training rows, first in common
    for all tasks. Tasks move from the common weights to their own by as much as held-out rows
    support (a task with n_i rows by n_i / (n_i + tau), tau chosen on held-out rows), and not at
    all where that gains nothing clear. A task that sharing harms falls back to single-task so.

    Parameters
    ----------
    candidates : None, list of str or dict {str: estimator}, default=None
        Names of formulations, or estimators with the parameter ``task``; also
        "mean-regularized-reml" (``alpha="reml"``) and "gradient-boosting", and any of a regressor
        with "-log" at its end, fitted to the logarithm of the target. None: single-task,
        pooled, task-intercept, mean-regularized with strengths by leave-one-out and (unless rows
        have groups or time) by REML, low-rank where m d <= 5000; and where they clearly lower the
        held-out loss of the others, curves, curves of the logarithm of a positive and skewed
        target, and in a long table of 20 rows or more shared trees, of 60 or more gradient boosting
        with the task as a category. Names of neural formulations load PyTorch.
    loss : str or Response, default="auto"
        What the targets are: "squared", which is a regressor's "auto", "poisson" for counts,
        "gamma" for amounts, "binomial" for shares, "ordinal" for ratings, "huber" for outliers, and
        more in `polytask.responses`; a classifier's is "logistic".
    task : None, str or int, default=None
        Task column of X: a name, or a position. None is one task, or a wide y.
    fit_intercept : bool, default=True
        Whether every task has an intercept.
    task_weight : {"auto", "equal", "size"}, default="auto"
        Whether tasks or rows weigh alike in the risk. "auto" leaves it to each candidate, and
        weighs candidates by the mean over tasks.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or weigh the candidates' answers.
    own_weights : bool, default=True
        Whether tasks may have weights of their own.
    gross_rows : {"leave-out", "learn"}, default="leave-out"
        What to do with rows that are grossly wrong: a cell or, with the squared loss, a target
        more than eight scales from all others of its column or task and with a gap of 2.5 times
        before it, in at most 2 % of the rows. `notes_` says which. Not looked for in sparse
        matrices and wide targets.
    n_folds : int, default=5
        Folds inside tasks for candidates without leave-one-out predictions.
    verbose : int, default=0
        1 prints a line for each step of a fit.

    Attributes
    ----------
    candidates_ : list of str, length c
    estimators_ : dict {str: estimator}
        The candidates, fitted to all rows.
    left_out_ : list of str
        Default candidates whose held-out predictions did not earn them a place.
    weights_ : ndarray of shape (m, c)
        Weight of each candidate in each task.
    common_weights_ : ndarray of shape (c,)
        Weights where tasks have none of their own; unseen tasks use them.
    tau_ : float
        Rows that the common weights count for; inf: no task has weights of its own.
    scores_ : dict {str: float}
        Minus the held-out risk of each candidate; labels of tasks that hold one class are judged
        as nearly of it (`polytask.tuning.judged_labels`).
    coef_, intercept_ : ndarray of shape (m, d), (m,)
        The combination, where every candidate is linear.
    common_coef_, common_intercept_ : ndarray of shape (d,), float
        That of the candidates' answers for an unseen task.
    tasks_ : ndarray of shape (m,)
    notes_ : tuple of str
        Which rows were not learned from.
    response_, classes_
        The kind of target, as held-out predictions learn it; labels of a classifier, sorted.

    References
    ----------
    Breiman, Stacked regressions, Machine Learning 24, 1996.

    Examples
    --------
    >>> from polytask import AutoMultiTaskRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=4, random_state=0)
    >>> model = AutoMultiTaskRegressor(["single-task", "pooled"], task="task").fit(X, y)
    >>> model.weights_.shape
    (3, 2)
    """

    _parameter_constraints = {
        "candidates": [None, list, tuple, dict],
        "loss": [str, Response],
        "task": [None, str, Integral, list, tuple],
        "fit_intercept": ["boolean"],
        "task_weight": [StrOptions({"auto", "equal", "size"})],
        "unseen": [StrOptions({"error", "common"})],
        "own_weights": ["boolean"],
        "gross_rows": [StrOptions({"leave-out", "learn"})],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
        "verbose": ["verbose"],
    }
    joint = True
    shares_fits = True

    @property
    def _weight_rule(self) -> str:
        return "equal" if self.task_weight == "auto" else self.task_weight

    def __init__(
        self,
        candidates: list[str] | Mapping[str, Any] | None = None,
        *,
        loss: str | Response = "auto",
        task: str | int | None = None,
        fit_intercept: bool = True,
        task_weight: str = "auto",
        unseen: str = "error",
        own_weights: bool = True,
        gross_rows: str = "leave-out",
        n_folds: int = 5,
        verbose: int = 0,
    ) -> None:
        self.candidates = candidates
        self.loss = loss
        self.task = task
        self.fit_intercept = fit_intercept
        self.task_weight = task_weight
        self.unseen = unseen
        self.own_weights = own_weights
        self.gross_rows = gross_rows
        self.n_folds = n_folds
        self.verbose = verbose

    @all_or_nothing
    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> Self:
        """Fit every candidate and weigh them.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d) or (n, d + 1)
        y : array of shape (n,), or of shape (n, m) with ``task=None``
        sample_weight : array of shape (n,) or, with a wide y, (n, m)
        groups, time : array of shape (n,), optional
            What rows are held out by, in the candidates and where they are weighed; as in the other
            models. Not both.

        Returns
        -------
        self
        """
        return self._fit_sharing(SharedFits(X, y, sample_weight, groups=groups, time=time))

    @read_once()
    def _fit_sharing(self, fits: SharedFits) -> Self:
        """Fit every candidate that ``fits`` does not hold, and weigh all of them."""
        self._validate_params()
        forget(self)
        X, y, weight = fits.X, fits.y, fits.sample_weight
        rows = read_rows(self, X, reset=True, split=True)
        target, names = read_target(self, y)
        self._wide = target.ndim == 2
        check_consistent_length(rows.X, target)
        keep = self._sound_rows(rows, target)
        if keep is not None:
            fits = fits.subset(keep)
            X, y, weight = fits.X, fits.y, fits.sample_weight
            rows, (target, names) = read_rows(self, X, reset=False), read_target(self, y)
        data = make_task_data(
            self, rows, self._encode(target), names, weight,
            center=True, groups=fits.groups, time=fits.time,
        )  # fmt: skip
        self._check_data(data)
        made = self._make_candidates(data)
        earning = {n: made.pop(n) for n in list(made) if self.candidates is None and must_earn(n)}
        self.estimators_, self.left_out_ = {}, []
        loss, n_folds, held = self._loss(), self.n_folds, []
        with fit_steps(self, 2 * (len(made) + len(earning)) + 1, X, y):
            for name, model in made.items():
                self.estimators_[name] = self._fitted(name, model, fits)
            for name, model in self.estimators_.items():
                with step(self, f"hold rows out of {name}"), without_doubts():
                    held.append(held_out_of(model, fits, target, names, data, loss, n_folds))
            for name, model in earning.items():
                with step(self, f"hold rows out of {name}"), without_doubts():
                    f = self._earned(model, fits, target, data, np.column_stack(held))
                if f is None:
                    self.left_out_.append(name)
                    continue
                self.estimators_[name] = self._fitted(name, model, fits)
                held.append(f)
            self.candidates_ = list(self.estimators_)
            with step(self, "weigh"):
                self._weigh(np.column_stack(held), data)
        return self

    def _fitted(self, name: str, model: Any, fits: SharedFits) -> Any:
        """A candidate that answers unseen tasks: it is this estimator that refuses them."""
        with step(self, f"fit {name}", inner=model), without_doubts():
            fits.fitted(model)
        fitted = fits.fitted(model)  # copied when the step is over: without its callbacks
        return answering_unseen(fitted)

    def _sound_rows(self, rows: Rows, target: np.ndarray) -> np.ndarray | None:
        """Places of the rows to learn from, where some are grossly wrong; None for all."""
        self.notes_: tuple[str, ...] = ()
        if self.gross_rows == "learn" or sparse.issparse(rows.X) or self._wide:
            return None
        tasks = np.zeros(len(target)) if rows.ids is None else rows.ids
        code = np.unique(tasks, return_inverse=True)[1]
        wrong = gross_cells(rows.X)
        if self._loss().is_quadratic:
            numbers = self._encode(target)
            if not np.isfinite(numbers).all():  # which is refused further on
                return None
            wrong |= gross_targets(numbers, code, np.asarray(rows.X, dtype=float))
        wrong &= (np.bincount(code, ~wrong) > 0)[code]  # no task is lost
        if not wrong.any():
            return None
        shown = ", ".join(map(str, np.flatnonzero(wrong)[:5].tolist()))
        more = ", ..." if wrong.sum() > 5 else ""
        self.notes_ = (
            f"Not learned from, since a cell or the target is far from all others: {wrong.sum()} "
            f"of {len(wrong)} rows ({shown}{more}, counted from 0). gross_rows='learn' takes them.",
        )
        return np.flatnonzero(~wrong)

    def _earned(
        self, model: Any, fits: SharedFits, target: np.ndarray, data: TaskData, F: np.ndarray
    ) -> np.ndarray | None:
        """Held-out predictions of a model that clearly lowers the risk of the others, else None.

        What looks hopeless after some folds is not fitted to the rest.
        """
        loss = self._loss().started(data.y, data.weight, data.code)
        held = HeldOut.of(F, data, loss)

        def is_hopeless(f: np.ndarray) -> bool:
            gain, error = worth(held, f, loss, data.n_tasks)
            return gain + error < 0.0

        if hasattr(model, "left_out"):  # one fit, which whoever compares it has made
            args = (target, None, data, self._loss(), self.n_folds)
            f = held_out_of(fits.fitted(model), fits, *args)
        else:
            f = held_out_by_folds(
                model, fits.X, target, fits.sample_weight, data, loss, self.n_folds, is_hopeless
            )
        gain, error = worth(held, f, loss, data.n_tasks)
        return f if gain > error else None

    def _check_data(self, data: TaskData) -> None:
        """Refuse data that the role cannot learn from."""

    def _learned(self) -> Response:
        """The response with what held-out predictions say of it; candidates learn it themselves."""
        return getattr(self, "response_", None) or self._loss()

    def _weigh(self, F: np.ndarray, data: TaskData) -> None:
        loss = self._loss().started(data.y, data.weight, data.code)
        held = HeldOut.of(F, data, loss)
        found = stack(held, loss, data.n_tasks, self.own_weights)
        self.tasks_, self.tau_ = data.tasks, found.tau
        self.weights_, self.common_weights_ = found.weights, found.common
        f = np.einsum("nc,nc->n", F, found.weights[data.code])
        known = np.isfinite(f)
        self.response_ = loss.updated(data.y[known], f[known], data.weight[known])
        risks = (held_out_risk(data, loss, f) for f in F.T)
        self.scores_ = {name: -risk for name, risk in zip(self.candidates_, risks, strict=True)}
        self._keep_coefs(list(self.estimators_.values()))

    def _keep_coefs(self, models: list[Any]) -> None:
        """Coefficients of the combination, where every candidate is linear."""
        if not all(np.ndim(getattr(e, "coef_", 0.0)) == 2 for e in models):
            return
        self.coef_ = np.einsum("mc,cmd->md", self.weights_, np.stack([e.coef_ for e in models]))
        self.intercept_ = (self.weights_ * np.stack([e.intercept_ for e in models], axis=1)).sum(1)
        if all(hasattr(e, "_common") for e in models):
            common, levels = zip(*(e._common() for e in models), strict=True)
            self.common_coef_ = self.common_weights_ @ np.stack(common)
            self.common_intercept_ = float(self.common_weights_ @ np.array(levels))

    def _common(self) -> tuple[np.ndarray, float]:
        return self.common_coef_, self.common_intercept_

    def _make_candidates(self, data: TaskData) -> dict[str, Any]:
        wanted = self.candidates
        if wanted is None:
            wanted = default_names(data, self._loss(), self._wide)
        if not wanted:
            raise ValueError(f"{type(self).__name__}: candidates must name one model; got none.")
        if isinstance(wanted, Mapping):
            return {name: self._ready(clone(e)) for name, e in wanted.items()}
        role = "classifier" if is_classifier(self) else "regressor"
        caller = type(self).__name__
        made = {name: self._ready(candidate(caller, name, role)) for name in wanted}
        if REML in made and (data.sample_weight != 1.0).any():
            made[REML].set_params(weights="count")  # as leave-one-out: two is the row twice
        return made

    def _ready(self, estimator: Any) -> Any:
        """The candidate with this estimator's task column and weighting."""
        ours = {
            "loss": self.loss, "task": self.task, "unseen": self.unseen,
            "fit_intercept": self.fit_intercept, "task_weight": self.task_weight,
        }  # fmt: skip
        takes = estimator.get_params(deep=False)
        if getattr(estimator, "_is_one", False):  # which answers any task
            del ours["unseen"]
        if isinstance(estimator, ScaledTargetRegressor):
            return estimator.set_params(estimator=self._ready(estimator.estimator))
        if self.task_weight == "auto" or takes.get("alpha") == "reml":  # a likelihood counts rows
            del ours["task_weight"]
        return estimator.set_params(**{k: v for k, v in ours.items() if k in takes})

    def _linear_predictor(self, X: Any) -> np.ndarray:
        """Weighted linear predictors, shape (n,), or (n, m) after a fit to a wide y."""
        check_is_fitted(self)
        rows = read_rows(self, X, reset=False)
        parts = np.stack(
            [linear_predictor(e, X, self._loss()) for e in self.estimators_.values()], axis=-1
        )
        if self._wide:
            return np.einsum("nmc,mc->nm", parts, self.weights_)
        code = task_codes(rows.ids, self.tasks_, rows.X.shape[0])
        if rows.ids is not None and (code < 0).any() and self.unseen == "error":
            raise ValueError(unseen_message(self, rows.ids[code < 0]))
        weights = np.vstack([self.weights_, self.common_weights_])  # code -1 is the last row
        return (parts * weights[code]).sum(axis=1)


class AutoMultiTaskRegressor(RegressorRole, _AutoMultiTask):
    """Candidates weighed by held-out squared error."""


class AutoMultiTaskClassifier(ClassifierRole, _AutoMultiTask):
    """Candidates' log odds weighed by held-out log loss."""


FORMULATION = Formulation(
    name="auto",
    title="Weighted candidates",
    objective="f_i = sum_c a_ic f_ic, a_i in the simplex, min of the held-out loss",
    regressor=AutoMultiTaskRegressor,
    classifier=AutoMultiTaskClassifier,
    order=90,
    costly=True,
    hedge=True,
)
