"""Full and low-rank-plus-diagonal covariances of the deviations, by L-BFGS on their roots."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from polytask.mixed.point import AnyMixedModel
from polytask.mixed.root import Root
from polytask.mixed.search import RemlEstimate

__all__ = ["estimate_factor", "estimate_full"]

_SMALL = 1e-3  # variance at which a column starts that had none: zero is stationary, minimum or not


def estimate_full(
    model: AnyMixedModel, start: RemlEstimate, varies: np.ndarray, like: RemlEstimate | None = None,
    max_iter: int = 500,
) -> RemlEstimate:  # fmt: skip
    """A full covariance of the deviations, by L-BFGS on its Cholesky factor.

    Starts at a diagonal estimate, which also says how far w0 is random, or at one of like data.
    """
    root = Root.full(varies)
    L = np.diag(_start_deviations(start, varies)) if like is None else like.point.L
    return _estimate(model, root, root.read(L), start, max_iter)


def estimate_factor(
    model: AnyMixedModel,
    start: RemlEstimate,
    varies: np.ndarray,
    n_factors: int,
    like: RemlEstimate | None = None,
    max_iter: int = 500,
) -> RemlEstimate:
    """Covariance F F' + diag(s²), F of shape (p, n_factors), by L-BFGS on F and s.

    Starts at a diagonal estimate, F along the directions in which the deviance falls most, or at
    an estimate of like data.
    """
    r = min(n_factors, int(varies.sum()))
    root = Root.factor(varies, r)
    if like is None:
        M = np.where(varies[:, None] & varies, start.point.gradient, 0.0)
        steepest = np.linalg.eigh(M)[1][:, :r]
        s = _start_deviations(start, varies)
        L = np.hstack([np.diag(s), 0.3 * np.sqrt(max(float(np.mean(s**2)), _SMALL)) * steepest])
    else:
        L = like.point.L
    found = _estimate(model, root, root.read(L), start, max_iter)
    L, p = found.point.L, len(varies)
    kept = np.flatnonzero(varies)
    turned = np.zeros((p, r))
    turned[kept] = np.linalg.qr(L[kept, p:].T)[1].T  # F Q: the same covariance, none above
    low = Root.factor(varies, r, low=True)
    t = low.read(np.hstack([L[:, :p], turned]))
    return replace(found, point=model.at(low.at(t), found.point.kappa), root=low, parameters=t)


def _start_deviations(start: RemlEstimate, varies: np.ndarray) -> np.ndarray:
    L = start.point.L
    return np.where(varies, np.sqrt(np.maximum((L**2).sum(axis=1), _SMALL)), 0.0)


def _estimate(
    model: AnyMixedModel, root: Root, t: np.ndarray, start: RemlEstimate, max_iter: int
) -> RemlEstimate:
    kappa = start.point.kappa

    def deviance(t: np.ndarray) -> tuple[float, np.ndarray]:
        point = model.at(root.at(t), kappa)
        return point.deviance, root.slope(point)

    reach = np.sqrt(model.most_variance)
    found = minimize(
        deviance, t, jac=True, method="L-BFGS-B", bounds=[(-reach, reach)] * len(t),
        options={
            "maxiter": max_iter, "maxfun": 4 * max_iter, "maxcor": 30,
            "ftol": 1e-13, "gtol": 1e-6,
        },
    )  # fmt: skip
    L = root.at(found.x)
    size = np.linalg.norm(L, axis=1)[root.row]  # of the coefficient: makes the slope one in its log
    inside = np.abs(found.x) < reach
    violation = float(np.abs(found.jac * size)[inside].max(initial=0.0))
    point = model.at(L, kappa)
    done = violation <= 1e-2 or point.noiseless
    return RemlEstimate(point, violation, int(found.nit), done, root, found.x)
