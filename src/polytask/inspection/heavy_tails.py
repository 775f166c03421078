"""Residuals with heavy tails, and the model that is compared for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from polytask.inspection.out_of_fold import OutOfFold
from polytask.inspection.roles import ROBUST, final_step
from polytask.inspection.sample import RowSample
from polytask.models.scaled_target import ScaledTargetRegressor

__all__ = ["heaviness", "is_heavy", "robust_rivals"]

_NORMAL = 1.4826022185056018  # standard deviation of a normal variable, in median deviations
_HEAVY = 1.5  # t with five degrees of freedom has 1.43, with three 2.3
_CHANCE, _SURE = 3.4, 3.0  # n times the variance of the logarithm for normal rows, and errors
_LEAST_ROWS = 50
_ROBUST_OF = "mean-regularized"


def heaviness(residual: np.ndarray) -> float:
    """Mean square over that of a normal variable with this median deviation; 1 if it is one.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> even = (np.arange(2000) + 0.5) / 2000
    >>> round(heaviness(stats.norm.ppf(even)), 1), heaviness(stats.t(3).ppf(even)) > 2
    (1.0, True)
    """
    middle = _NORMAL * float(np.median(np.abs(residual)))
    return float(np.mean(residual**2)) / middle**2 if middle > 0 else 1.0


def is_heavy(residual: np.ndarray) -> bool:
    """Whether residuals have heavy tails, and clearly more so than normal ones by chance."""
    n = len(residual)
    if n < _LEAST_ROWS:
        return False
    return heaviness(residual) > max(_HEAVY, float(np.exp(_SURE * np.sqrt(_CHANCE / n))))


def robust_rivals(
    estimators: dict[str, Any], sample: RowSample, found: OutOfFold
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Estimators that Huber's loss makes robust, with a note, where residuals are heavy-tailed.

    The residuals are those of the model with the least median one, of rows it had not seen.
    """
    asked = estimators.get(_ROBUST_OF)
    response = sample.response
    if asked is None or not (response.is_quadratic and found.predictions):
        return {}, ()
    last = asked[-1] if isinstance(asked, Pipeline) else asked
    if isinstance(last, ScaledTargetRegressor) and last.transform is not None:
        return {}, ()  # residuals of the target tell nothing of those of its logarithm
    parameters = final_step(asked).get_params(deep=False)
    if parameters.get("loss") not in ("auto", response.name):
        return {}, ()
    scale = np.sqrt(sample.shares)  # a row's noise has a variance over its weight
    residuals = [scale * (sample.y - predicted[0]) for predicted in found.predictions.values()]
    least = min((e[np.isfinite(e)] for e in residuals), key=lambda e: float(np.median(np.abs(e))))
    if not is_heavy(least):
        return {}, ()
    robust = clone(asked)
    final_step(robust).set_params(loss="huber")
    if isinstance(parameters.get("alpha"), str):  # of rules, Huber's loss has only this one
        final_step(robust).set_params(alpha="cv")
    told = (
        f"Residuals have heavy tails (a mean square {heaviness(least):.2g} times that of normal "
        "ones): the mean-regularized model with Huber's loss is compared, too."
    )
    return {_ROBUST_OF + ROBUST: robust}, (told,)
