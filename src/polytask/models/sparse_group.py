"""Sparse group: tasks share features, and each drops some of them."""

from __future__ import annotations

from dataclasses import field
from numbers import Real

from sklearn.utils._param_validation import Interval

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Penalty, sparse_group
from polytask.solvers import Solution

__all__ = ["SparseGroupClassifier", "SparseGroupRegressor"]


class _SparseGroup(SignedNorms):
    """min over W: R(W) + alpha (l1_ratio ‖W‖_1 + (1 - l1_ratio) sum_j ‖w^j‖_2).

    R is the mean over tasks of the mean loss over rows, w^j the tasks' coefficients of feature j.
    With ``l1_ratio=1`` this is the lasso of each task, with 0 joint features.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0.
    l1_ratio : float, default=0.5
        Share of alpha on single coefficients, from 0 to 1; the rest is on features in all tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Exactly zero where a task drops a feature.
    support_ : bool ndarray of shape (m, d)
        Which features each task keeps.
    shared_support_ : bool ndarray of shape (d,)
        Which features every task keeps.

    References
    ----------
    Friedman, Hastie and Tibshirani, A note on the group lasso and a sparse group lasso, arXiv
    1001.0736, 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import SparseGroupRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(80, 4)), np.repeat(np.arange(2), 40)
    >>> y = X[:, 0] + X[:, 1] * (task == 0) + 0.1 * rng.normal(size=80)
    >>> model = SparseGroupRegressor(0.05, task=-1).fit(np.column_stack([X, task]), y)
    >>> model.support_.tolist()
    [[True, True, False, False], [True, False, False, False]]
    """

    alpha: float | str = field(default="cv", kw_only=False)
    l1_ratio: float = 0.5

    strengths = (norm_strength("alpha", "slopes"), LEVEL)

    _parameter_constraints = {"l1_ratio": [Interval(Real, 0, 1, closed="both")]}

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        return {"slopes": sparse_group(float(strengths["alpha"]), self.l1_ratio)}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = self.coef_ != 0
        self.shared_support_ = self.support_.all(axis=0)


class SparseGroupRegressor(RegressorRole, _SparseGroup):
    """Features that tasks share, some of which a task drops, squared loss."""


class SparseGroupClassifier(ClassifierRole, _SparseGroup):
    """Features that tasks share, some of which a task drops, logistic loss."""


FORMULATION = Formulation(
    name="sparse-group",
    title="Sparse group",
    objective="min over W: R(W) + alpha (l1_ratio ||W||_1 + (1 - l1_ratio) sum_j ||w^j||_2)",
    regressor=SparseGroupRegressor,
    classifier=SparseGroupClassifier,
    default=False,
    order=61,
    group="sparse",
)
