"""Sparse + limited trace: a small space that tasks share, of a size that is given."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._sparse_plus_space import SparsePlusSpace
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Lasso, Penalty, TraceBall
from polytask.responses import Loss
from polytask.tuning import Strength, trace_limits

__all__ = ["SparseLimitedTraceClassifier", "SparseLimitedTraceRegressor"]


def _limits(model: Any, data: TaskData, loss: Loss) -> np.ndarray:
    """Traces about that of a first step from zero."""
    some = dict.fromkeys(model._given(), 1.0)
    return trace_limits(model._make_problem(data, loss, some))


class _SparseLimitedTrace(SparsePlusSpace):
    """min over L, S: R(L + S) + alpha ‖S‖_1, ‖L‖_* <= max_trace, W = L + S.

    R is the mean over tasks of the mean loss over rows, ‖L‖_* the sum of singular values. The twin
    of `SparseLowRank` with a limit where that has a penalty: to each strength on ‖L‖_* belongs the
    limit that its optimum has as ‖L‖_*, and both have the same optima then.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer single coefficients. "cv" chooses it by 5 folds
        inside tasks, down from the computed strength from which S alone would be zero.
    max_trace : float or "auto", default="auto"
        Largest sum of singular values of L, in the units of the coefficients; positive. Larger
        means more directions. "auto" is chosen with alpha if ``alpha="cv"``, from a tenth to ten
        times that of one gradient step from W = 0; otherwise 1.

    Attributes
    ----------
    max_trace_ : float

    References
    ----------
    Chen, Liu and Ye, Learning incoherent sparse and low-rank patterns from multiple tasks, KDD
    2010.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import SparseLimitedTraceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(320, 5)), np.repeat(np.arange(8), 40)
    >>> W = np.outer(1 + np.arange(8) % 3, [0.5, -0.5, 0.5, 0.0, 0.5])
    >>> W[3, 2] += 4.0
    >>> y = (X * W[task]).sum(axis=1) + 0.1 * rng.normal(size=320)
    >>> model = SparseLimitedTraceRegressor(0.1, max_trace=4.0, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).rank_, np.argwhere(model.support_).tolist()
    (1, [[3, 2]])
    """

    max_trace: float | str = "auto"

    strengths = (
        norm_strength("alpha", "own"),
        Strength("max_trace", _limits, auto=1.0, label="trace at most"),
        LEVEL,
    )

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        sparse = Lasso(float(strengths["alpha"]))
        return {"shared": TraceBall(float(strengths["max_trace"])), "own": sparse}


class SparseLimitedTraceRegressor(RegressorRole, _SparseLimitedTrace):
    """A small space of coefficients of a given size and single ones beside it, squared loss."""


class SparseLimitedTraceClassifier(ClassifierRole, _SparseLimitedTrace):
    """A small space of coefficients of a given size and single ones beside it, logistic loss."""


FORMULATION = Formulation(
    name="sparse-limited-trace",
    title="Sparse + limited trace",
    objective="min over L, S: R(L + S) + alpha ||S||_1, ||L||_* <= max_trace",
    regressor=SparseLimitedTraceRegressor,
    classifier=SparseLimitedTraceClassifier,
    default=False,
    order=66,
    group="sparse",
)
