"""Held-out predictions of a fitted estimator on its own training rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from polytask.data import TaskData, make_task_data, read_rows, task_shares
from polytask.models.shared_fits import SharedFits
from polytask.responses import Response
from polytask.solvers import one_blas_thread
from polytask.solvers.arrow_problem import why_not_arrow
from polytask.tuning import (
    LeaveOneOut,
    few_labels,
    fitted_strengths,
    fold_predictions,
    held_out_folds,
    of_one_row,
)
from polytask.tuning.leave_group_out import whole_tasks

__all__ = ["held_out_by_folds", "held_out_of", "held_out_predictions", "linear_predictor"]

_TOL = 1e-6  # of fits that are only compared


def held_out_of(
    estimator: Any, fits: SharedFits, target: np.ndarray, names: Any, data: TaskData,
    response: Response, cv: int,
) -> np.ndarray:  # fmt: skip
    """`held_out_predictions` of an estimator that was fitted to the rows of ``fits``."""

    def make() -> np.ndarray:
        return held_out_predictions(
            estimator, fits.X, target, names, fits.sample_weight, data, response, cv
        )

    return fits.once(estimator, ("held out", response, cv), make)


def held_out_predictions(
    estimator: Any, X: Any, target: np.ndarray, names: Any, weight: Any, data: TaskData,
    response: Response, cv: int,
) -> np.ndarray:  # fmt: skip
    """Linear predictors (N,) of every observation from fits without it, at the chosen strengths.

    By leave-one-out from a mixed model's covariances, or from the factorization of the fit where
    the penalties are quadratic (exact for the squared loss, one Newton step for others), else, and
    where labels are few, by ``cv`` fits to folds inside tasks.
    NaN where nothing else informs an observation.
    """
    f = _by_covariances(estimator, X, target, weight, data, response)
    if f is not None:
        return f
    made = _own_problems(estimator, X, target, names, weight, data)
    if made is None:
        return held_out_by_folds(estimator, X, target, weight, data, response, cv)
    make, own_data = made
    own = make(own_data)
    with one_blas_thread():
        if few_labels(own_data, own.loss) or _by_more_than_rows(own):
            f = fold_predictions(own_data, make, cv, _TOL, estimator.max_iter)
            alone = held_out_folds(own_data, cv).fold < 0
        else:
            f = LeaveOneOut(_TOL, estimator.max_iter).predictions(own)
            alone = of_one_row(data)[data.code]
            if data.group is not None:
                alone = whole_tasks(data)
    if not own.structure.common.any():  # every task alone: nothing informs the only row of one
        f[alone] = np.nan
    return f


def linear_predictor(estimator: Any, X: Any, response: Response) -> np.ndarray:
    """Log odds of a classifier; of a regressor the link of its predictions."""
    for name in ("decision_function", "_linear_predictor"):
        if hasattr(estimator, name):
            return np.asarray(getattr(estimator, name)(X), dtype=float)
    return response.link(np.asarray(estimator.predict(X), dtype=float))


def _by_covariances(
    estimator: Any, X: Any, target: np.ndarray, weight: Any, data: TaskData, response: Response
) -> np.ndarray | None:
    """What a mixed model knows of rows left out, where they are independent; None of others."""
    together = data.group is not None or data.time is not None
    if together or few_labels(data, response) or not hasattr(estimator, "left_out"):
        return None
    found: np.ndarray | None
    if hasattr(estimator, "left_out_of") and estimator.fit_intercept == data.intercept:
        found = estimator.left_out_of(data)
    else:
        found = estimator.left_out(X, target, weight)
    return found


def _own_problems(
    estimator: Any, X: Any, target: np.ndarray, names: Any, weight: Any, data: TaskData
) -> tuple[Callable[[TaskData], Any], TaskData] | None:
    """A fitted estimator's problem on any data, and its data, where penalties are quadratic."""
    if not hasattr(estimator, "_make_problem"):
        return None
    strengths = fitted_strengths(estimator)
    if any(np.ndim(value) > 1 for value in strengths.values()):  # of correlated deviations
        return None
    data = _as_read_by(estimator, X, target, names, weight, data)

    def make(part: TaskData) -> Any:
        return estimator._make_problem(part, estimator._learned(), strengths)

    return (make, data) if why_not_arrow(make(data)) is None else None


def _as_read_by(
    estimator: Any, X: Any, target: np.ndarray, names: Any, weight: Any, data: TaskData
) -> TaskData:
    """The rows as the estimator reads them: ``data`` itself where it says the same of them."""
    chosen = getattr(estimator, "task_share_", None)
    shares = task_shares(data.counts, estimator._weight_rule) if chosen is None else chosen
    if estimator.fit_intercept == data.intercept and np.array_equal(shares, data.share):
        return data
    rows = read_rows(estimator, X, reset=False, split=True)
    own = make_task_data(estimator, rows, estimator._encode(target), names, weight, center=True)
    own = own if chosen is None else own.reshared(chosen)
    return replace(own, group=data.group, time=data.time)


def held_out_by_folds(
    estimator: Any, X: Any, target: np.ndarray, weight: Any, data: TaskData,
    response: Response, cv: int, is_enough: Callable[[np.ndarray], bool] | None = None,
) -> np.ndarray:  # fmt: skip
    """The same by ``cv`` fits, NaN where a row is in training always.

    ``is_enough`` is asked after every fold about what is known so far, and may end it.
    """
    folds = held_out_folds(data, cv)
    model = clone(estimator).set_params(**_chosen(estimator))
    out = np.full(len(data.y), np.nan)
    for trained, held in folds.parts():
        train, test = data.row[trained], data.row[held]
        if target.ndim == 2:
            left = np.full(target.shape, np.nan)
            left[train, data.code[trained]] = target[train, data.code[trained]]
            f = linear_predictor(model.fit(X, left, sample_weight=weight), X, response)
            out[held] = f[test, data.code[held]]
        else:
            part = None if weight is None else _safe_indexing(np.asarray(weight), train)
            model.fit(_safe_indexing(X, train), target[train], sample_weight=part)
            out[held] = linear_predictor(model, _safe_indexing(X, test), response)
        if is_enough is not None and is_enough(out):
            break
    return out


def _by_more_than_rows(problem: Any) -> bool:
    """Whether what is held out together is more than leave-one-out can leave out."""
    data = problem.data
    return (data.group is not None or data.time is not None) and bool(LeaveOneOut.why_not(problem))


def _chosen(estimator: Any) -> dict[str, Any]:
    """Strengths that the fit chose, as parameters."""
    given = estimator.get_params(deep=False)
    chosen = {
        name: value
        for name, value in fitted_strengths(estimator).items()
        if isinstance(given.get(name), str) and np.ndim(value) == 0
    }
    if chosen and given.get("task_weight") == "auto":
        chosen["task_weight"] = estimator._weight_rule  # at which they were chosen
    return chosen
