"""A fit with variances estimated by REML, as a problem and its solution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polytask.data import TaskData
from polytask.losses import Loss
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.solvers import Solution, Status
from polytask.structures.rotated_deviation import RotatedDeviation
from polytask.tuning.reml import MixedModel
from polytask.tuning.reml_search import (
    RemlEstimate,
    Variances,
    estimate_diagonal,
    estimate_full,
)

__all__ = ["MixedFit", "fit_mixed"]


@dataclass(frozen=True, eq=False)
class MixedFit:
    """Estimates of a linear mixed model, in the units of the features.

    Parameters
    ----------
    solution : Solution
        At ``min R(w0 + C u_i) + 1/(2N) sum ‖u_i‖²``, R the mean over rows and sigma² C C' the
        covariance of deviations; blocks "common" (p,) and "deviation" (m, p), the Δw_i.
    noise : float
        sigma².
    deviation_covariance : ndarray of shape (p, p)
        Covariance of Δw_i between tasks.
    common_covariance : ndarray of shape (p, p)
        Of the estimate of w0.
    coef_covariance : ndarray of shape (m, p, p)
        Of w0 + Δw_i around its estimate.
    deviance : float
        Restricted deviance: minus twice the log likelihood, up to a constant of the data.
    common_strength : ndarray of shape (d,)
        Ridge strength on the common slopes that their variance amounts to; zero where w0 is free.
    """

    solution: Solution
    noise: float
    deviation_covariance: np.ndarray
    common_covariance: np.ndarray
    coef_covariance: np.ndarray
    deviance: float
    common_strength: np.ndarray


def fit_mixed(
    data: TaskData, loss: Loss, covariance: str, random_common: bool | None = None
) -> MixedFit:
    """Estimate the variances and the coefficients that go with them.

    Parameters
    ----------
    data : TaskData
        With ``task_weight="size"``: the likelihood counts every row alike.
    loss : Squared
    covariance : {"scalar", "diagonal", "full"}
        One variance for all slopes and one for the intercept; one per coefficient; or a full
        covariance matrix of the coefficients.
    random_common : bool or None
        Whether the common slopes have a normal prior of estimated variance, or are free; None
        decides by the number of rows and tasks.
    """
    model = MixedModel.from_data(data)
    if random_common is None:
        random_common = few_for_common(data)
    estimate = _estimate(model, data, covariance, random_common)
    point, unit = estimate.point, 1.0 / model.scale
    C = point.L * unit[:, None]
    blocks = {"common": (model.shift + point.common) * unit, "deviation": point.q @ point.L}
    N = model.n_rows
    common = np.zeros(data.n_coefs)
    if point.kappa is not None:
        common = 0.5 * point.J * model.scale**2 / (N * point.kappa)
    penalties = {
        "common": Ridge(common),
        "deviation": Ridge(np.full(C.shape[1], 0.5 / N)),
    }
    problem = Problem(data, loss, RotatedDeviation(C), penalties)
    solution = Solution(
        blocks={"common": blocks["common"], "deviation": blocks["deviation"] @ C.T},
        coefs=problem.structure.assemble(blocks),
        objective=problem.objective(blocks),
        violation=_violation(problem, blocks),
        status=Status.SOLVED if estimate.converged else Status.MAX_ITER,
        certificate="global",
        solver="reml",
        n_iter=estimate.n_iter,
    )
    return MixedFit(
        solution,
        point.noise,
        point.noise * (C @ C.T),
        point.noise * point.S_inverse * unit[:, None] * unit,
        point.coef_covariance() * unit[:, None] * unit,
        point.deviance,
        common[: data.n_features],
    )


def few_for_common(data: TaskData) -> bool:
    """Whether a free w0 would overfit: fewer than ten rows, or fewer than a task, a coefficient."""
    return len(data.y) < 10 * data.n_coefs or data.n_tasks < data.n_coefs


def _estimate(
    model: MixedModel, data: TaskData, covariance: str, random_common: bool
) -> RemlEstimate:
    """The REML estimate; a column that is zero everywhere has no variance to estimate."""
    p, d = data.n_coefs, data.n_features
    groups = np.where(np.arange(p) < d, 0, 1) if covariance == "scalar" else np.arange(p)
    varies = np.einsum("bkk->k", model.grams) > 0
    groups = np.where(varies, groups, -1)
    estimate = estimate_diagonal(Variances(model, groups, random_common))
    return estimate_full(estimate.point) if covariance == "full" else estimate


def _violation(problem: Problem, blocks: dict[str, np.ndarray]) -> float:
    """KKT violation of coefficients at the estimated variances, in units of the gradient bound."""
    residual = problem.residual(blocks)
    bound, C = problem.gradient_bound, np.abs(problem.structure.C)  # type: ignore[attr-defined]
    common = np.abs(residual["common"]) / bound.sum(axis=0)
    deviation = np.abs(residual["deviation"]) / np.maximum(bound @ C, 1e-300)
    return float(max(common.max(initial=0.0), deviation.max(initial=0.0)))
