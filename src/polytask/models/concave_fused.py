"""Concave fused: coefficients that change at few places and are not shrunk so much."""

from __future__ import annotations

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import TaskData
from polytask.models._fused_base import FusedBase
from polytask.models.base import Strengths
from polytask.models.registry import Formulation
from polytask.models.roles import ClassifierRole, RegressorRole
from polytask.penalties import ConcaveFeatures, Fusion, Lasso, Penalty, Price

__all__ = ["ConcaveFusedClassifier", "ConcaveFusedRegressor"]


class _ConcaveFused(FusedBase):
    """min over W: R(W) + alpha sum_j rho(‖w^j‖_1) + alpha_difference sum_i ‖w_{i+1} - w_i‖_1.

    R is the mean over tasks of the mean loss over rows, w^j the coefficients of feature j in all
    tasks, in the order of their ids. rho(t) = 2 c (sqrt(1 + t/c) - 1) rises with slope one at zero
    and then as a root, so that what is kept is shrunk less the larger it is; with
    ``inside="differences"`` the differences stand inside of it too: alpha sum_j rho(‖w^j‖_1 +
    (alpha_difference / alpha) ‖differences of w^j‖_1). Not convex: solved by convex stages, the
    best of two starts; the certificate is "stationary", the gap that of the last stage. A hundredth
    of rho stays t. As the knee c grows this is `FusedTasks` with ``l1_ratio=1``.

    Parameters
    ----------
    inside : {"coefficients", "differences"}, default="coefficients"
        What stands inside the root: coefficients, or their differences too.
    knee : float, default=0.1
        c as a share of m² alpha, the sum of absolute values at which features of variance one
        begin to be kept in all m tasks; positive, smaller is less convex. Published with c towards
        zero, where no feature that once is zero comes back.

    References
    ----------
    Zhou, Liu, Narayan and Ye, Modeling disease progression via fused sparse group lasso, KDD 2012
    (its two non-convex forms).

    Examples
    --------
    >>> import numpy as np
    >>> from polytask import ConcaveFusedRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(240, 3)), np.repeat(np.arange(6), 40)
    >>> y = X[:, 0] * np.where(task < 4, 1, 2) + 0.1 * rng.normal(size=240)
    >>> model = ConcaveFusedRegressor(0.01, alpha_difference=0.03, task=-1)
    >>> model.fit(np.column_stack([X, task]), y).change_points_
    array([4])
    """

    inside: str = "coefficients"
    knee: float = 0.1

    _parameter_constraints = {
        "inside": [StrOptions({"coefficients", "differences"})],
        "knee": [Interval(Real, 0, None, closed="neither")],
    }

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        alpha, steps = (float(strengths[name]) for name in ("alpha", "alpha_difference"))
        unit = alpha * data.n_tasks**2
        price = Price("root", unit, self.knee * unit)
        if self.inside == "coefficients":
            penalty = ConcaveFeatures(alpha, price, (Lasso(1.0),), (Fusion(steps),))
        else:
            penalty = ConcaveFeatures(alpha, price, (Fusion(steps / alpha), Lasso(1.0)))
        return {"slopes": penalty}


class ConcaveFusedRegressor(RegressorRole, _ConcaveFused):
    """Few changes along ordered tasks, large coefficients shrunk less, squared loss."""


class ConcaveFusedClassifier(ClassifierRole, _ConcaveFused):
    """Few changes along ordered tasks, large coefficients shrunk less, logistic loss."""


FORMULATION = Formulation(
    name="concave-fused",
    title="Concave fused",
    objective="min over W: R(W) + alpha sum_j rho(||w^j||_1)"
    " + alpha_difference sum_i ||w_(i+1) - w_i||_1",
    regressor=ConcaveFusedRegressor,
    classifier=ConcaveFusedClassifier,
    default=False,
    order=69,
    group="temporal",
)
