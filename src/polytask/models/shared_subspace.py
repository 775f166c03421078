"""Shared subspace: tasks differ along few directions of the features, and little elsewhere."""

from __future__ import annotations

from numbers import Integral
from typing import ClassVar

from sklearn.utils._param_validation import Interval

from polytask.data import TaskData
from polytask.models._box_base import BoxBase
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.solvers import Solution

__all__ = ["SharedSubspaceClassifier", "SharedSubspaceRegressor"]


class _SharedSubspace(BoxBase):
    """min over W, M: R(W) + alpha eta (1 + eta) tr(W (eta I + M)^-1 W'), tr M = n_components.

    R is the mean over tasks of the mean loss over rows, W has a row per task, eta = alpha_ridge /
    alpha and 0 ⪯ M ⪯ I, M of shape (d, d): the convex form of alternating structure optimization.
    The best W is that of `TaskClusters`, whose M stands between tasks.

    Parameters
    ----------
    n_components : int, default=2
        Dimension of the shared subspace.

    Attributes
    ----------
    components_ : ndarray of shape (k, d)
        Directions that the subspace is spanned by, the most used first; k at most n_components.
    component_shares_ : ndarray of shape (k,)
        M's eigenvalue along each, from 0 to 1; 1 is wholly in the subspace.

    References
    ----------
    Chen, Tang, Liu and Ye, A convex formulation for learning shared structures from multiple tasks,
    ICML 2009.
    Ando and Zhang, A framework for learning predictive structures from multiple tasks and unlabeled
    data, JMLR 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import SharedSubspaceRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(240, 3)), np.repeat(np.arange(6), 40)
    >>> y = (X[:, 0] + X[:, 1]) * (1 + task) + 0.1 * rng.normal(size=240)
    >>> model = SharedSubspaceRegressor(0.1, alpha_ridge=0.001, n_components=1, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).components_.round(1) + 0.0
    array([[0.7, 0.7, 0. ]])
    """

    n_components: int = 2

    size: ClassVar[str] = "n_components"
    _parameter_constraints = {"n_components": [Interval(Integral, 1, None, closed="left")]}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        _, right, shares = self._directions()
        self.components_ = right[: self.n_components]
        self.component_shares_ = shares[: self.n_components]


class SharedSubspaceRegressor(RegressorRole, _SharedSubspace):
    """Coefficients in a shared subspace and a little beside it, squared loss."""


class SharedSubspaceClassifier(ClassifierRole, _SharedSubspace):
    """Coefficients in a shared subspace and a little beside it, logistic loss."""


FORMULATION = Formulation(
    name="shared-subspace",
    title="Shared subspace",
    objective="min over W, M: R(W) + alpha eta (1 + eta) tr(W (eta I + M)^-1 W'), tr M = k",
    regressor=SharedSubspaceRegressor,
    classifier=SharedSubspaceClassifier,
    default=False,
    order=71,
    group="clustered",
)
