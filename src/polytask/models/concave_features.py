"""Concave features: joint features whose kept coefficients are not shrunk."""

from __future__ import annotations

from dataclasses import field
from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, norm_strength
from polytask.models._signed_norms import SignedNorms
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import ConcaveFeatures, JointFeatures, Lasso, Penalty, Price
from polytask.solvers import Solution

__all__ = ["ConcaveFeaturesClassifier", "ConcaveFeaturesRegressor"]


class _ConcaveFeatures(SignedNorms):
    """min over W: R(W) + sum_j rho(‖w^j‖), rho rising with slope alpha at zero, then flat.

    R is the mean over tasks of the mean loss over rows, w^j the tasks' coefficients of feature j.
    A feature whose coefficients are large costs no more than one that is larger, so that what is
    kept is not shrunk as in `JointFeatures`. Not convex: solved by convex stages, the best of two
    starts; the certificate is "stationary", the gap that of the last stage. A hundredth of the
    penalty stays alpha ‖w^j‖.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength, positive; larger means fewer features. "cv" chooses it by 5 folds inside tasks,
        down from the computed strength from which W = 0 is stationary.
    penalty : {"mcp", "scad", "capped"}, default="mcp"
        How the slope of rho falls to zero: evenly from the beginning (minimax concave), evenly
        from the length on at which features of variance one are kept (smoothly clipped), or at
        once.
    norm : {"l2", "l1"}, default="l2"
        Length of w^j: of the vector, or the sum of absolute values, under which tasks also drop a
        feature that others keep.
    gamma : float, default=3.0
        The slope is zero from gamma times the length on at which features of variance one are
        kept, above 1. That is m alpha, for "l1" in each of the m tasks.

    Attributes
    ----------
    support_ : bool ndarray of shape (d,)
        Which features are kept in some task.

    References
    ----------
    Zhang, Nearly unbiased variable selection under minimax concave penalty, Annals of Statistics
    2010; Fan and Li, Variable selection via nonconcave penalized likelihood, JASA 2001 (scad);
    Gong, Ye and Zhang, Multi-stage multi-task feature learning, JMLR 2013 (capped).

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import ConcaveFeaturesRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(120, 5)), np.repeat([0, 1, 2], 40)
    >>> y = 2 * X[:, 0] * (1 + task) + 0.1 * rng.normal(size=120)
    >>> model = ConcaveFeaturesRegressor(0.1, task=-1).fit(np.column_stack([X, task]), y)
    >>> model.coef_[:, 0].round(1), model.support_.tolist()
    (array([2., 4., 6.]), [True, False, False, False, False])
    """

    alpha: float | str = field(default="cv", kw_only=False)
    penalty: str = "mcp"
    norm: str = "l2"
    gamma: float = 3.0

    strengths = (norm_strength("alpha", "slopes"), LEVEL)

    _parameter_constraints = {
        "penalty": [StrOptions({"mcp", "scad", "capped"})],
        "norm": [StrOptions({"l2", "l1"})],
        "gamma": [Interval(Real, 1, None, closed="neither")],
    }

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        alpha, m = float(strengths["alpha"]), float(data.n_tasks)
        unit = alpha * m if self.norm == "l2" else alpha * m * m
        length = JointFeatures(1.0) if self.norm == "l2" else Lasso(1.0)
        price = Price(self.penalty, unit, self.gamma * unit)
        return {"slopes": ConcaveFeatures(alpha, price, (length,))}

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.support_ = (self.coef_ != 0).any(axis=0)


class ConcaveFeaturesRegressor(RegressorRole, _ConcaveFeatures):
    """Shared features that are not shrunk once they are kept, squared loss."""


class ConcaveFeaturesClassifier(ClassifierRole, _ConcaveFeatures):
    """Shared features that are not shrunk once they are kept, logistic loss."""


FORMULATION = Formulation(
    name="concave-features",
    title="Concave features",
    objective="min over W: R(W) + sum_j rho(||w^j||), rho' = alpha at zero, then falling to zero",
    regressor=ConcaveFeaturesRegressor,
    classifier=ConcaveFeaturesClassifier,
    default=False,
    order=61,
    group="sparse",
)
