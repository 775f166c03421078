"""A positive and skewed target, and the model of its logarithm that is compared for it."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from polytask.inspection.roles import LOG, final_step, title_of
from polytask.inspection.sample import RowSample
from polytask.models.scaled_target import ScaledTargetRegressor, may_take_log

__all__ = ["log_rivals", "of_logarithm"]

_LOG_OF = ("curved", "mean-regularized")  # the first that is compared


def of_logarithm(estimator: Any) -> Any:
    """The same, unfitted, of the target's logarithm."""
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        return Pipeline([*clone(estimator).steps[:-1], (name, of_logarithm(last))])
    if isinstance(estimator, ScaledTargetRegressor):
        return clone(estimator).set_params(transform="log")
    return ScaledTargetRegressor(clone(estimator), transform="log")


def log_rivals(
    estimators: dict[str, Any], sample: RowSample
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The estimators, one more of a skewed target's logarithm among them, and a note of it.

    It stands behind the one that it is made of, before those that are made of all.
    """
    asked = next((name for name in _LOG_OF if name in estimators), None)
    if asked is None or not (sample.response.is_quadratic and may_take_log(sample.y)):
        return estimators, ()
    last = estimators[asked]
    last = last[-1] if isinstance(last, Pipeline) else last
    if getattr(last, "transform", None) is not None:  # it has the logarithm already
        return estimators, ()
    if final_step(last).get_params(deep=False).get("loss") not in ("auto", sample.response.name):
        return estimators, ()
    rival = asked + LOG
    told = f"The target is positive and skewed: {title_of(rival)}, is compared, too."
    found: dict[str, Any] = {}
    for name, estimator in estimators.items():
        found[name] = estimator
        if name == asked:
            found.setdefault(rival, of_logarithm(estimator))
    return found, (told,)
