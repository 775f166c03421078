"""Tree-guided: the nearer tasks are in a tree, the more features they share."""

from __future__ import annotations

from dataclasses import field
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Lasso, Nested, Penalty, TaskGroup
from polytask.solvers import Solution

__all__ = ["TreeGuidedClassifier", "TreeGuidedRegressor"]


class _TreeGuided(SignedNorms):
    """min over W: R(W) + alpha (leaf_ratio ‖W‖_1 + (1 - leaf_ratio) sum over v, j of ‖w^j_v‖_2).

    R is the mean over tasks of the mean loss over rows, w^j_v the coefficients of feature j of the
    tasks below node v of a tree. A feature is kept or dropped at every node: by all
    tasks, by those of a branch, by one.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0.
    tree : None or nested lists, default=None
        The tree over tasks: a list is a node, its items are task ids or nodes, as in ``[["a", "b"],
        ["c", ["d", "e"]]]``. Every task stands in it once. None is one node for all.
    leaf_ratio : float, default=0.5
        Share of alpha on single coefficients, from 0 to 1; the rest is on the nodes.

    Attributes
    ----------
    support_ : bool ndarray of shape (m, d)
        Which features each task keeps.

    References
    ----------
    Kim and Xing, Tree-guided group lasso for multi-task regression with structured sparsity, ICML
    2010.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import TreeGuidedRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(160, 3)), np.repeat(np.arange(4), 40)
    >>> y = X[:, 0] * (task < 2) + X[:, 1] * (task >= 2) + 0.1 * rng.normal(size=160)
    >>> model = TreeGuidedRegressor(0.03, tree=[[0, 1], [2, 3]], task=-1)
    >>> model.fit(np.column_stack([X, task]), y).support_.astype(int).tolist()
    [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]]
    """

    alpha: float | str = field(default="cv", kw_only=False)
    tree: list[Any] | tuple[Any, ...] | None = None
    leaf_ratio: float = 0.5

    strengths = (norm_strength("alpha", "slopes"), LEVEL)

    _parameter_constraints = {
        "tree": [None, list, tuple],
        "leaf_ratio": [Interval(Real, 0, 1, closed="both")],
    }

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        alpha = float(strengths["alpha"])
        leaf, node = alpha * self.leaf_ratio, alpha * (1.0 - self.leaf_ratio)
        nodes = [TaskGroup(node, members) for members in self._nodes(data.tasks) if node > 0]
        return {"slopes": Nested((*([Lasso(leaf)] if leaf > 0 else []), *nodes))}

    def _nodes(self, tasks: np.ndarray) -> list[np.ndarray]:
        """Members of every node, those of branches before those of what they hang from."""
        if self.tree is None:
            return [np.ones(len(tasks), dtype=bool)]
        found: list[np.ndarray] = []
        whole = _members(self.tree, tasks.tolist(), found)
        if not (whole == 1).all():
            wrong = tasks[whole != 1].tolist()
            raise ValueError(
                f"{type(self).__name__}: tree must hold every task once; got "
                f"{', '.join(map(repr, wrong[:5]))} missing or more than once. Each id is "
                "an item of one list."
            )
        return found

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = self.coef_ != 0


def _members(node: Any, tasks: list[Any], found: list[np.ndarray]) -> np.ndarray:
    """How often each task stands below a node; the node is added to ``found``, branches first."""
    if not isinstance(node, list | tuple):
        return np.array([task == node for task in tasks], dtype=int)
    count = sum((_members(item, tasks, found) for item in node), np.zeros(len(tasks), dtype=int))
    if (count > 0).any():
        found.append(count > 0)
    return np.asarray(count)


class TreeGuidedRegressor(RegressorRole, _TreeGuided):
    """Features that branches of a tree keep or drop together, squared loss."""


class TreeGuidedClassifier(ClassifierRole, _TreeGuided):
    """Features that branches of a tree keep or drop together, logistic loss."""


FORMULATION = Formulation(
    name="tree-guided",
    title="Tree-guided",
    objective="min over W: R(W) + alpha (leaf_ratio ||W||_1 + (1 - leaf_ratio) sum_v,j ||w^j_v||)",
    regressor=TreeGuidedRegressor,
    classifier=TreeGuidedClassifier,
    default=False,
    order=63,
    group="sparse",
)
