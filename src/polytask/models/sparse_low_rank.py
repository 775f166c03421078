"""Sparse + low-rank: a small space that tasks share, and a few coefficients beside it."""

from __future__ import annotations

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._sparse_plus_space import SparsePlusSpace
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Lasso, Penalty, TraceNorm

__all__ = ["SparseLowRankClassifier", "SparseLowRankRegressor"]


class _SparseLowRank(SparsePlusSpace):
    """min over L, S: R(L + S) + alpha ‖L‖_* + alpha_sparse ‖S‖_1, W = L + S.

    R is the mean over tasks of the mean loss over rows, ‖L‖_* the sum of singular values. As
    alpha_sparse grows this is `LowRank`, as alpha grows the lasso of each task.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means a lower rank. "cv" chooses it by 5 folds inside tasks, down
        from the computed strength from which L alone would be zero.
    alpha_sparse : float or "auto", default="auto"
        Strength, positive; larger means fewer single coefficients. "auto" is chosen with alpha if
        ``alpha="cv"``, down from the strength from which S alone would be zero, otherwise equal to
        alpha.

    Attributes
    ----------
    alpha_sparse_ : float

    References
    ----------
    Chen, Liu and Ye, Learning incoherent sparse and low-rank patterns from multiple tasks, KDD
    2010.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import SparseLowRankRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(320, 5)), np.repeat(np.arange(8), 40)
    >>> W = np.outer(1 + np.arange(8) % 3, rng.normal(size=5))
    >>> W[3, 2] += 4.0
    >>> y = (X * W[task]).sum(axis=1) + 0.1 * rng.normal(size=320)
    >>> model = SparseLowRankRegressor(0.2, alpha_sparse=0.1, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).rank_, np.argwhere(model.support_).tolist()
    (1, [[3, 2]])
    """

    alpha_sparse: float | str = "auto"

    strengths = (
        norm_strength("alpha", "shared"),
        norm_strength("alpha_sparse", "own", auto="alpha"),
        LEVEL,
    )

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        sparse = Lasso(float(strengths["alpha_sparse"]))
        return {"shared": TraceNorm(float(strengths["alpha"])), "own": sparse}


class SparseLowRankRegressor(RegressorRole, _SparseLowRank):
    """A small space of coefficients and single ones beside it, squared loss."""


class SparseLowRankClassifier(ClassifierRole, _SparseLowRank):
    """A small space of coefficients and single ones beside it, logistic loss."""


FORMULATION = Formulation(
    name="sparse-low-rank",
    title="Sparse + low-rank",
    objective="min over L, S: R(L + S) + alpha ||L||_* + alpha_sparse ||S||_1",
    regressor=SparseLowRankRegressor,
    classifier=SparseLowRankClassifier,
    default=False,
    order=66,
    group="sparse",
)
