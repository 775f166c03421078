"""A fit with variances estimated by REML, as a problem and its solution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from polytask.data import TaskData
from polytask.data.row_sums import residual_sums, summed
from polytask.mixed.chosen import START_TOL, Estimates, choose, criterion, renumbered
from polytask.mixed.doubts import doubts, has_no_noise, pooled_point
from polytask.mixed.laplace import LaplaceModel, LaplacePoint
from polytask.mixed.learned import learned, whole_deviance
from polytask.mixed.marginal import marginal_common
from polytask.mixed.point import AnyMixedModel, MixedPoint
from polytask.mixed.reml import MixedModel, RemlPoint
from polytask.mixed.search import TOL, RemlEstimate, Variances, estimate_diagonal
from polytask.mixed.state import MixedState
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Loss
from polytask.solvers import Solution, Status
from polytask.solvers.orthogonal import solve_rotated, too_large
from polytask.structures.rotated_deviation import RotatedDeviation

__all__ = ["MixedFit", "MixedState", "fit_groups", "fit_mixed"]

_LOST = 1e-10  # KKT violation above which the search's own algebra has lost digits
_MOST = 1e-6  # KKT violation of a solution
_GROUPED = "grouped"  # the name of a covariance whose groups were given
_ROUNDS = 30  # of variances and parameters of the loss


@dataclass(frozen=True, eq=False)
class MixedFit:
    """Estimates of a linear mixed model, in the units of the features, about their center.

    Parameters
    ----------
    solution : Solution
        At ``min R(w0 + C u_i) + 1/(2N) sum ‖u_i‖²``, R the mean over rows and sigma² C C' the
        covariance of deviations; blocks "common" (p,) and "deviation" (m, p), the Δw_i.
    noise : float
        sigma²; one where the loss is a likelihood by itself.
    deviation_covariance : ndarray of shape (p, p)
        Covariance of Δw_i between tasks.
    common : ndarray of shape (p,)
        The estimate of w0: that of the solution, or where the loss is a likelihood by itself, that
        with the deviations integrated out.
    common_covariance : callable
        Makes the covariance (p, p) of that estimate.
    coef_covariance : ndarray of shape (m, p, p)
        Of w0 + Δw_i around its estimate.
    deviance : float
        Restricted deviance: minus twice the logarithm of the restricted likelihood, all constants
        included but those of the targets alone, for labels with the prior of the variances.
    log_likelihood : float
        Restricted; where the loss is a likelihood by itself, at the w0 that is reported.
    n_parameters : int
        Free common coefficients, variances and correlations, noise.
    common_strength : ndarray of shape (d,)
        Ridge strength on the common slopes that their variance amounts to; zero where w0 is free.
    covariance : {"scalar", "diagonal", "factor", "full"}
        What "auto" chose.
    slope : float
        Largest slope of the deviance that is left, in log variance.
    state : MixedState
        What standard errors follow from.
    doubts : list of str
        What rows cannot say: sentences for a warning.
    has_no_noise : bool
        Whether deviations leave none.
    loss : Loss
        With what was learned of it.
    estimates : mapping
        All that were compared, from which the search on like data may start.
    """

    solution: Solution
    noise: float
    deviation_covariance: np.ndarray
    common: np.ndarray
    common_covariance: Callable[[], np.ndarray]
    coef_covariance: np.ndarray
    deviance: float
    log_likelihood: float
    n_parameters: int
    common_strength: np.ndarray
    covariance: str
    slope: float
    state: MixedState
    doubts: list[str]
    has_no_noise: bool
    loss: Loss
    estimates: Estimates


def fit_mixed(
    data: TaskData,
    loss: Loss,
    covariance: str,
    random_common: bool | None = None,
    n_factors: int = 1,
    learn: bool = False,
    last: MixedFit | None = None,
    may_deviate: np.ndarray | None = None,
    marginal: bool = True,
) -> MixedFit:
    """Estimate the variances and the coefficients that go with them.

    Parameters
    ----------
    data : TaskData
        With ``task_weight="size"``: the likelihood counts every row alike.
    loss : Loss
        Squared, or minus the log likelihood of a row.
    covariance : {"auto", "scalar", "diagonal", "factor", "full"}
        One variance for all slopes (in scaled columns) and one for the intercept; one per
        coefficient; that and ``n_factors`` factors; or a full covariance matrix. "auto" is the one
        of the smallest Akaike criterion.
    random_common : bool or None
        Whether the common slopes have a normal prior of estimated variance, or are free; None
        decides by the number of rows and tasks.
    learn : bool
        Whether parameters of the loss are those of the largest likelihood: variances and parameters
        are found in turn, until parameters stay.
    last : MixedFit, optional
        Of the same model to like data: where searches start.
    may_deviate : bool ndarray of shape (p,), optional
        Coefficients that may; all of them by default.
    marginal : bool, default=True
        Whether w0 of a likelihood is that with the deviations integrated out; else the mode.
    """
    model = _model(data, loss)
    if random_common is None:
        random_common = few_for_common(data)
    _check_rows(model, random_common)
    starts: Estimates = {} if last is None else last.estimates
    may = np.ones(data.n_coefs, dtype=bool) if may_deviate is None else may_deviate
    how = (data.n_tasks, data.n_features, random_common, n_factors, may)
    chosen, estimates = choose(model, covariance, starts, *how)
    for _ in range(_ROUNDS if learn else 0):
        assert isinstance(model, LaplaceModel)
        point = estimates[chosen].point
        assert isinstance(point, LaplacePoint)
        found = learned(model, point)
        if found is None:
            break
        model, loss = found, found.loss
        chosen, estimates = choose(model, chosen, {}, *how)
    fit = _fitted(data, loss, model, estimates, chosen, marginal)
    more = len(fit.loss.parameters) if learn else 0
    return replace(fit, n_parameters=fit.n_parameters + more)


def fit_groups(
    data: TaskData,
    loss: Loss,
    groups: Sequence[tuple[np.ndarray, np.ndarray]],
    unit: np.ndarray,
    last: MixedFit | None = None,
) -> MixedFit:
    """The same with given groups of coefficients that share a variance.

    Parameters
    ----------
    groups : sequence of pairs (between, common) of int ndarrays of shape (p,)
        Group of each coefficient's deviations, and of its common part: 0, 1, ...; -1 in `between`
        is a coefficient that must not deviate, in `common` one whose common part is free. Of
        several, the pair with the smallest Akaike criterion is taken; the same are to be free. The
        last is tried only where none of the others leaves noise.
    unit : int ndarray of shape (p,)
        Coefficients of the same unit keep their relative size; others are scaled to a mean square
        of one.
    last : MixedFit, optional
        Of the same groups to like data: where searches start.
    """
    model, starts = _model(data, loss, unit), {} if last is None else last.estimates
    found: list[tuple[bool, float, RemlEstimate, Variances]] = []
    tol = START_TOL if len(groups) > 2 else TOL  # of fits that are compared
    for k, (between, common) in enumerate(groups):
        if 0 < k == len(groups) - 1 and not all(lost for lost, *_ in found):
            break
        free = model.rank(common < 0)
        if model.n_rows <= free:
            raise ValueError(_too_few(model.n_rows, free))
        some = renumbered(common) if (common >= 0).any() else None
        between = renumbered(np.where(model.varies, between, -1))
        variances = Variances(model, between, some)
        near = starts.get(str(k)) or (None if all(lost for lost, *_ in found) else found[0][2])
        estimate = estimate_diagonal(variances, tol=tol, start=variances.like(near))
        found.append((*criterion(estimate, len(estimate.parameters)), estimate, variances))
    estimates = {str(k): each[2] for k, each in enumerate(found)}
    *_, best, variances = min(found, key=lambda each: each[:2])
    if best.violation > TOL and best.converged:
        best = estimate_diagonal(variances, start=variances.like(best))
    return _fitted(data, loss, model, {**estimates, _GROUPED: best}, _GROUPED, marginal=False)


def _model(data: TaskData, loss: Loss, unit: np.ndarray | None = None) -> AnyMixedModel:
    if loss.is_quadratic:
        return MixedModel.from_data(data, unit)
    return LaplaceModel(data, loss, unit)


def _fitted(
    data: TaskData, loss: Loss, model: AnyMixedModel, estimates: Estimates, chosen: str,
    marginal: bool,
) -> MixedFit:  # fmt: skip
    """The problem at the estimated variances, and its solution."""
    estimate, exact = estimates[chosen], loss.is_quadratic
    point, unit = estimate.point, 1.0 / model.scale
    C = point.L * unit[:, None]
    blocks = {"common": (model.shift + point.common) * unit, "deviation": point.q @ point.L}
    N = model.n_rows
    ridge = np.zeros(data.n_coefs)
    if point.kappa is not None:
        ridge = 0.5 * point.J * model.scale**2 / (N * point.kappa)
    penalties = {
        "common": Ridge(ridge),
        "deviation": Ridge(np.full(C.shape[1], 0.5 / N)),
    }
    problem = Problem(data, loss, RotatedDeviation(C), penalties)
    objective, violation = _judged(problem, blocks)
    if exact and violation > _LOST and not too_large(problem):
        blocks = solve_rotated(problem, 2.0 * ridge, np.full(C.shape[1], 1.0 / N))
        objective, violation = _judged(problem, blocks)
    solution = Solution(
        blocks={"common": blocks["common"], "deviation": blocks["deviation"] @ C.T},
        coefs=problem.structure.assemble(blocks),
        objective=objective,
        violation=violation,
        status=_status(estimate.converged, violation),
        certificate="global",
        solver="reml",
        n_iter=estimate.n_iter,
    )
    state = MixedState.of_fit(point.quadratic(), point.kappa, estimate.root, estimate.parameters)
    deviance = point.deviance + _constant(model, point)
    common, log_likelihood, covariance = _common(model, estimate, deviance, marginal)
    kappas = 0 if point.kappa is None else len(np.unique(point.kappa[point.J > 0]))
    n_parameters = model.rank(point.J == 0) + estimate.root.size + kappas + int(exact)
    judged = exact and not model.silent and chosen != _GROUPED
    no_noise = has_no_noise(state.model, point, estimate.root)
    if no_noise:
        covariance = partial(_of_mode, pooled_point(state.model, point))
    covariances = point.coef_covariance()
    covariances *= unit[:, None] * unit
    return MixedFit(
        solution,
        point.noise,
        point.noise * (C @ C.T),
        (model.shift + common) * unit,
        lambda: covariance() * unit[:, None] * unit,
        covariances,
        deviance,
        log_likelihood,
        n_parameters,
        ridge[: data.n_features],
        chosen,
        estimate.violation,
        state,
        doubts(data, no_noise, chosen, estimate.root if judged else None),
        no_noise,
        loss,
        estimates,
    )


def _status(converged: bool, violation: float) -> Status:
    if violation > _MOST:
        return Status.MAX_ITER
    return Status.SOLVED if converged else Status.VARIANCES


def _common(
    model: AnyMixedModel, estimate: RemlEstimate, deviance: float, marginal: bool
) -> tuple[np.ndarray, float, Callable[[], np.ndarray]]:
    """The estimate of w0 that is reported (scaled columns), its log likelihood, its covariance.

    Of labels those of the ``marginal`` likelihood; else the mode, as where groups were given.
    """
    point = estimate.point
    if isinstance(model, LaplaceModel) and marginal:
        return marginal_common(estimate)
    return point.common, -0.5 * deviance, partial(_of_mode, point)


def _of_mode(point: MixedPoint) -> np.ndarray:
    return point.noise * point.S_inverse


def _constant(model: AnyMixedModel, point: MixedPoint) -> float:
    """What makes the deviance minus twice the logarithm of a density, in the units of features."""
    free = point.J == 0
    units = 2.0 * float(np.log(model.scale[free]).sum())
    if isinstance(point, LaplacePoint):
        units += whole_deviance(point) - point.deviance
    if isinstance(point, RemlPoint):
        return units + point.free * (1.0 + np.log(2.0 * np.pi))
    return units - model.rank(free) * float(np.log(2.0 * np.pi))


def _check_rows(model: AnyMixedModel, random_common: bool) -> None:
    p = model.n_coefs
    free = np.arange(p) >= (p - int(model.intercept) if random_common else 0)
    lost = model.rank(free)
    if model.n_rows <= lost:
        raise ValueError(_too_few(model.n_rows, lost))


def _too_few(rows: float, lost: int) -> str:
    return (
        f"alpha='reml' needs more rows than free common coefficients; got {rows:g} rows and {lost}."
        " Set alpha_common='reml', which gives w0 a variance too."
    )


def few_for_common(data: TaskData) -> bool:
    """Whether a free w0 could overfit: fewer than ten tasks, or ten rows, a coefficient.

    Of labels, the rarer one counts.
    """
    rows = float(data.sample_weight.sum())
    if np.isin(data.y, (0.0, 1.0)).all():
        ones = float(data.sample_weight @ data.y)
        rows = min(ones, rows - ones)
    return min(data.n_tasks, rows) < 10 * data.n_coefs


def _judged(problem: Problem, blocks: dict[str, np.ndarray]) -> tuple[float, float]:
    """Objective and KKT violation at the estimated variances, in units of the gradient bound."""
    data, theta = problem.data, problem.structure.assemble(blocks)
    if problem.loss.is_quadratic:
        pull, squares = residual_sums(data.design, data.y, data.weight, theta)
        risk, gradient = 0.5 * float(squares.sum()), -pull
    else:
        at = data.at(problem.loss, theta)
        risk, gradient = at.total, at.gradient
    residual = problem.residual(blocks, gradient=gradient)
    bound, C = problem.gradient_bound, np.abs(problem.structure.C)  # type: ignore[attr-defined]
    common = np.abs(residual["common"]) / summed(bound)
    deviation = np.abs(residual["deviation"]) / np.maximum(bound @ C, 1e-300)
    penalty = sum(problem.penalties[b].value(B) for b, B in blocks.items())
    return risk + penalty, float(max(common.max(initial=0.0), deviation.max(initial=0.0)))
