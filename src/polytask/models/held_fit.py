"""Fits of any estimator, told which rows are held out together where it can be told."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

__all__ = ["fit_held", "takes_held"]


def takes_held(estimator: Any, name: str) -> bool:
    """Whether `fit` of the estimator, or of a pipeline's last step, takes this.

    It is "groups", "time" or "sample_weight".

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from polytask import SingleTaskRegressor
    >>> takes_held(SingleTaskRegressor(), "groups"), takes_held(Ridge(), "groups")
    (True, False)
    """
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    return bool(has_fit_parameter(last, name))


def fit_held(estimator: Any, X: Any, y: Any, sample_weight: Any = None, **held: Any) -> Any:
    """Fit with ``groups`` or ``time`` (None where there are none), if the estimator takes them."""
    step = f"{estimator.steps[-1][0]}__" if isinstance(estimator, Pipeline) else ""
    told = {
        step + name: value
        for name, value in held.items()
        if value is not None and takes_held(estimator, name)
    }
    if sample_weight is not None:
        told[f"{step}sample_weight"] = sample_weight
    return estimator.fit(X, y, **told)
