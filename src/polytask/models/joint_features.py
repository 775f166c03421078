"""Joint features: all tasks keep or drop a feature together."""

from __future__ import annotations

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, NormBase, norm_strength
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import JointFeatures, Penalty
from polytask.solvers import Solution

__all__ = ["JointFeaturesClassifier", "JointFeaturesRegressor"]


class _JointFeatures(NormBase):
    """min over W: R(W) + alpha sum_j ‖w^j‖_2, w^j the tasks' coefficients of feature j.

    R is the mean over tasks of the mean loss over rows. Tasks have rows of their own. Intercepts
    are free, or pulled together: ``b_i = b0 + Δb_i`` with ``alpha_intercept ‖Δb‖²``, b0 free. With
    the same rows in all of m tasks this is the multi-task lasso, whose alpha is m times ours.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0.
    alpha_intercept : float or "auto", default="auto"
        Strength that pulls the tasks' intercepts together. "auto" is chosen with alpha if
        ``alpha="cv"``, otherwise 0.
    loss : str or Response, default="auto"
        What the targets are: "squared", which is a regressor's "auto", "poisson" for counts,
        "gamma" for amounts, "binomial" for shares, "ordinal" for ratings, "huber" for outliers, and
        more in `polytask.responses`; a classifier's is "logistic".
    task : None, str or int, default=None
        Task column of X: a name, or a position. None is one task, or a wide y.
    fit_intercept : bool, default=True
        Whether every task has an intercept.
    task_weight : {"equal", "size"}, default="equal"
        Whether tasks or rows weigh alike in R.
    unseen : {"error", "common"}, default="error"
        What to do with an unseen task in `predict`: refuse, or answer with
        `new_task_coef_`.
    tol : float, default=1e-7
        Largest duality gap, as a share of the objective at W = 0.
    max_iter : int, default=10000
        Iterations at most.

    Attributes
    ----------
    coef_ : ndarray of shape (m, d)
        Exactly zero in every task for features that are dropped.
    intercept_ : ndarray of shape (m,)
    support_ : bool ndarray of shape (d,)
        Which features are kept.
    new_task_coef_, new_task_intercept_ : ndarray of shape (d,), float
        What answers for unseen tasks: with ``unseen="common"`` and strengths that the data choose,
        the common part of a mean-regularized model that predicts whole tasks, left out, best.
    tasks_ : ndarray of shape (m,)
    alpha_, alpha_intercept_ : float
    alpha_path_, cv_scores_ : ndarray
        Values of alpha that were tried, and minus the estimated risk of each (``alpha="cv"``).
    gap_ : float
        Duality gap at ``coef_`` as a share of the objective at W = 0.
    response_, classes_
        The kind of target that was fitted, and a classifier's labels, sorted.
    objective_, violation_, certificate_, solver_, status_, n_iter_
        The objective and KKT violation at ``coef_``, and how they were reached.

    References
    ----------
    Argyriou, Evgeniou and Pontil, Convex multi-task feature learning, Machine Learning 2008.
    Obozinski, Taskar and Jordan, Joint covariate selection and joint subspace selection for
    multiple classification problems, Statistics and Computing 2010.

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

    strengths = (norm_strength("alpha", "slopes"), LEVEL)

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        return {"slopes": JointFeatures(float(strengths["alpha"]))}

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
)
