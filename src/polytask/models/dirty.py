"""Dirty: features that tasks share, and features of one task alone."""

from __future__ import annotations

from dataclasses import field

from sklearn.utils._param_validation import StrOptions

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Lasso, Penalty, joint_norm
from polytask.solvers import Solution

__all__ = ["DirtyTasksClassifier", "DirtyTasksRegressor"]


class _DirtyTasks(SignedNorms):
    """min over P, Q: R(P + Q) + alpha sum_j max_i |P_ij| + alpha_own ‖Q‖_1, W = P + Q.

    R is the mean over tasks of the mean loss over rows. P holds what tasks share, Q what is a
    task's own. With ``norm="l2"`` P has alpha sum_j ‖p^j‖_2 instead. As alpha grows this is the
    lasso of each task, as alpha_own grows `JointFeatures` with the same ``norm``. Where tasks have
    fewer rows than features, largest coefficients can leave more than one optimum.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer shared features. "cv" chooses it by 5 folds inside
        tasks, down from the computed strength from which P alone would be zero.
    alpha_own : float or "auto", default="auto"
        Strength, positive; larger means fewer coefficients of one task alone. "auto" is chosen with
        alpha if ``alpha="cv"``, down from the strength from which Q alone would be zero, otherwise
        equal to alpha.
    norm : {"max", "l2"}, default="max"
        What a shared feature costs: its largest coefficient, or the length of all of them.

    Attributes
    ----------
    shared_coef_, own_coef_ : ndarray of shape (m, d)
        P and Q; ``coef_`` is their sum.
    alpha_own_ : float
    support_ : bool ndarray of shape (m, d)
        Which features each task keeps.
    shared_support_ : bool ndarray of shape (d,)
        Features of the shared part.

    References
    ----------
    Jalali, Ravikumar, Sanghavi and Ruan, A dirty model for multi-task learning, NIPS 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import DirtyTasksRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(160, 4)), np.repeat(np.arange(4), 40)
    >>> y = X[:, 0] + X[:, 1] * (task == 2) + 0.1 * rng.normal(size=160)
    >>> model = DirtyTasksRegressor(0.1, alpha_own=0.06, task=-1).fit(np.column_stack([X, task]), y)
    >>> model.shared_support_.tolist(), (model.own_coef_ != 0)[:, 1].tolist()
    ([True, False, False, False], [False, False, True, False])
    """

    alpha: float | str = field(default="cv", kw_only=False)
    alpha_own: float | str = "auto"
    norm: str = "max"

    strengths = (
        norm_strength("alpha", "shared"),
        norm_strength("alpha_own", "own", auto="alpha"),
        LEVEL,
    )

    _parameter_constraints = {"norm": [StrOptions({"max", "l2"})]}

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        shared = joint_norm(self.norm, float(strengths["alpha"]))
        return {"shared": shared, "own": Lasso(float(strengths["alpha_own"]))}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = self.coef_ != 0
        self.shared_support_ = (self.shared_coef_ != 0).any(axis=0)


class DirtyTasksRegressor(RegressorRole, _DirtyTasks):
    """Features that tasks share and features of one task alone, squared loss."""


class DirtyTasksClassifier(ClassifierRole, _DirtyTasks):
    """Features that tasks share and features of one task alone, logistic loss."""


FORMULATION = Formulation(
    name="dirty",
    title="Dirty",
    objective="min over P, Q: R(P + Q) + alpha sum_j max_i |P_ij| + alpha_own ||Q||_1",
    regressor=DirtyTasksRegressor,
    classifier=DirtyTasksClassifier,
    default=False,
    order=62,
    group="sparse",
)
