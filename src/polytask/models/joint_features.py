"""Joint features: all tasks keep or drop a feature together."""

from __future__ import annotations

from dataclasses import field

from sklearn.utils._param_validation import StrOptions

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import Penalty, joint_norm
from polytask.solvers import Solution

__all__ = ["JointFeaturesClassifier", "JointFeaturesRegressor"]


class _JointFeatures(SignedNorms):
    """min over W: R(W) + alpha sum_j ‖w^j‖, w^j the tasks' coefficients of feature j.

    R is the mean over tasks of the mean loss over rows. Tasks have rows of their own. Intercepts
    are free, or pulled together: ``b_i = b0 + Δb_i`` with ``alpha_intercept ‖Δb‖²``, b0 free. With
    the same rows in all of m tasks this is the multi-task lasso, whose alpha is m times ours.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0.
    norm : {"l2", "max"}, default="l2"
        What a feature costs: the length of w^j, or its largest coefficient, under which the tasks'
        coefficients of a feature come to be of one size.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Exactly zero in every task for features that are dropped.
    support_ : bool ndarray of shape (d,)
        Which features are kept.

    References
    ----------
    Argyriou, Evgeniou and Pontil, Convex multi-task feature learning, Machine Learning 2008.
    Obozinski, Taskar and Jordan, Joint covariate selection and joint subspace selection for
    multiple classification problems, Statistics and Computing 2010.
    Liu, Palatucci and Zhang, Blockwise coordinate descent procedures for the multi-task lasso
    (the largest coefficient), ICML 2009.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import JointFeaturesRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(120, 6)), np.repeat([0, 1, 2], 40)
    >>> y = X[:, 0] * (1 + task) - X[:, 1] + 0.1 * rng.normal(size=120)
    >>> model = JointFeaturesRegressor(0.05, task=-1).fit(np.column_stack([X, task]), y)
    >>> model.support_.tolist()
    [True, True, False, False, False, False]
    """

    alpha: float | str = field(default="cv", kw_only=False)
    norm: str = "l2"

    strengths = (norm_strength("alpha", "slopes"), LEVEL)

    _parameter_constraints = {"norm": [StrOptions({"l2", "max"})]}

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        return {"slopes": joint_norm(self.norm, float(strengths["alpha"]))}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = (self.coef_ != 0).any(axis=0)


class JointFeaturesRegressor(RegressorRole, _JointFeatures):
    """Features that all tasks keep or drop together, squared loss."""


class JointFeaturesClassifier(ClassifierRole, _JointFeatures):
    """Features that all tasks keep or drop together, logistic loss."""


FORMULATION = Formulation(
    name="joint-features",
    title="Joint features",
    objective="min over W: R(W) + alpha sum_j ||w^j||_2, w^j the tasks' coefficients of feature j",
    regressor=JointFeaturesRegressor,
    classifier=JointFeaturesClassifier,
    default=False,
    order=60,
    group="sparse",
)
