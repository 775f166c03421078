"""Full and low-rank-plus-diagonal covariances of the deviations, found on their roots."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize

from polytask.algebra.linalg import symmetric_eigen
from polytask.mixed.point import AnyMixedModel, MixedPoint
from polytask.mixed.reml import FAR
from polytask.mixed.root import Root
from polytask.mixed.roots import Roots, descend, descend_in_order
from polytask.mixed.search import ZERO, RemlEstimate
from polytask.mixed.sums import FEW

__all__ = ["estimate_factor", "estimate_full", "full_by_moments"]

_NEWTON_STEPS, _FEW_STEPS = 30, 10
_TOL = 1e-13  # deviance that a last step could still gain
_SMALL = 1e-3  # variance at which a column starts that had none: zero is stationary, minimum or not


def estimate_full(
    model: AnyMixedModel, start: RemlEstimate, varies: np.ndarray, like: RemlEstimate | None = None,
    begun: RemlEstimate | None = None,
) -> RemlEstimate:  # fmt: skip
    """A full covariance of the deviations, by Newton steps on its Cholesky factor.

    Starts at a diagonal estimate, which also says how far w0 is random, or at moments, or at one of
    like data. ``begun`` is what `full_by_moments` found with this w0.
    """
    root, kappa = Root.full(varies), start.point.kappa
    if like is not None:
        return _estimate(model, root, root.read(like.point.L), start)
    t = root.read(np.diag(_start_deviations(start, varies)))
    begun = full_by_moments(model, varies, kappa) if begun is None else begun
    by_moments = _by_moments(model, varies)
    if begun is not None:
        if begun.point.deviance + begun.fell < start.point.deviance and not begun.point.noiseless:
            if begun.converged:
                return begun
            t = begun.parameters
    elif by_moments is not None and root.is_full:
        other = root.factored(by_moments)
        if model.at(root.at(other), kappa).deviance < start.point.deviance:
            t = other
    return _estimate(model, root, t, start)


def full_by_moments(
    model: AnyMixedModel, varies: np.ndarray, kappa: np.ndarray | None
) -> RemlEstimate | None:
    """Where few steps by the whole Hessian lead from moments; None where there are none.

    The columns are in the order of pivots: the way to a covariance without full rank is curved and
    nearly level unless those that depend on others are the last.
    """
    root, by_moments = Root.full(varies), _by_moments(model, varies)
    far = by_moments is not None and float((by_moments**2).sum()) > FAR
    if by_moments is None or far or not root.is_full or model.n_coefs > FEW:
        return None
    most = float(np.sqrt(model.most_variance))
    at = lambda roots: _OnRoot(model.at(roots[0], kappa), most, whole=True)  # noqa: E731
    turned = root.pivoted(by_moments)
    t = turned.factored(by_moments)
    found = descend(at, Roots([turned]), t, _FEW_STEPS, _TOL, whole=True)
    point, t = found.point.point, found.parameters
    if (turned.row != root.row).any():
        t = root.factored(point.L)
        point = copy(point)  # all but what is made of L is of Gamma
        point.L = root.at(t)
        vars(point).pop("A_inverse", None)
    done, fell = found.converged and not point.noiseless, found.first - point.deviance
    return replace(_ended(model, root, t, point, found.n_iter, done), converged=done, fell=fell)


def _by_moments(model: AnyMixedModel, varies: np.ndarray) -> np.ndarray | None:
    """A root of the covariance that moments say, no direction of it without variance."""
    if model.moments is None:
        return None
    values, vectors = symmetric_eigen(np.where(varies[:, None] & varies, model.moments, 0.0))
    L = vectors * np.sqrt(np.clip(values, _SMALL, model.most_variance))
    return np.where(varies[:, None], L, 0.0)


def estimate_factor(
    model: AnyMixedModel,
    start: RemlEstimate,
    varies: np.ndarray,
    n_factors: int,
    like: RemlEstimate | None = None,
) -> RemlEstimate:
    """Covariance F F' + diag(s²), F of shape (p, n_factors), by Newton steps on F and s.

    Starts at a diagonal estimate, F along the directions in which the deviance falls most, by the
    units of each coefficient and by equal ones, as there may be several minima; or at an estimate
    of like data.
    """
    r = min(n_factors, int(varies.sum()))
    root = Root.factor(varies, r)
    if like is None:
        s = _start_deviations(start, varies)
        alike = np.where(varies, np.sqrt(np.mean(s**2)), 0.0)
        starts = [np.hstack([np.diag(s), _steepest(start, u, r)]) for u in (s, alike)]
    else:
        starts = [like.point.L]
    ends = [_estimate(model, root, root.read(L), start) for L in starts]
    found = min(ends, key=_judged)
    L, p = found.point.L, len(varies)
    kept = np.flatnonzero(varies)
    turned = np.zeros((p, r))
    turned[kept] = np.linalg.qr(L[kept, p:].T)[1].T  # F Q: the same covariance, none above
    low = Root.factor(varies, r, low=True)
    t = low.read(np.hstack([L[:, :p], turned]))
    return replace(found, point=model.at(low.at(t), found.point.kappa), root=low, parameters=t)


def _judged(end: RemlEstimate) -> tuple[bool, float]:
    """Its deviance, in which what rounding makes of one minimum does not count."""
    return end.point.noiseless, round(end.point.deviance, 4)


def _steepest(start: RemlEstimate, unit: np.ndarray, r: int) -> np.ndarray:
    """Factors (p, r) along which the deviance falls most, in the units (p,) of coefficients."""
    along = symmetric_eigen(unit[:, None] * start.point.gradient * unit)[1][:, :r]
    return 0.3 * unit[:, None] * along


def _start_deviations(start: RemlEstimate, varies: np.ndarray) -> np.ndarray:
    L = start.point.L
    return np.where(varies, np.sqrt(np.maximum((L**2).sum(axis=1), _SMALL)), 0.0)


def _estimate(model: AnyMixedModel, root: Root, t: np.ndarray, start: RemlEstimate) -> RemlEstimate:
    """Newton steps; where rows are so unlike the model that these find no end, L-BFGS."""
    kappa, most = start.point.kappa, float(np.sqrt(model.most_variance))
    at = lambda roots: _OnRoot(model.at(roots[0], kappa), most)  # noqa: E731
    found = descend_in_order(at, Roots([root]), np.clip(t, -most, most), _NEWTON_STEPS, _TOL)
    point, t, n_iter, done = found.point.point, found.parameters, found.n_iter, found.converged
    if not done:
        n_more, t = _minimize(model, root, t, kappa, most)
        point, n_iter = model.at(root.at(t), kappa), n_iter + n_more
    return _ended(model, root, t, point, n_iter, done)


def _ended(
    model: AnyMixedModel, root: Root, t: np.ndarray, point: MixedPoint, n_iter: int, done: bool
) -> RemlEstimate:
    """What a search has found that ended here."""
    none = (point.L**2).sum(axis=0) < ZERO
    if (none & (point.L != 0).any(axis=0)).any():  # a direction of next to no variance has none
        t = root.read(np.where(none, 0.0, point.L))
        point = model.at(root.at(t), point.kappa)
    size = np.linalg.norm(point.L, axis=1)[root.row]  # of the coefficient: slopes are in its log
    steep = np.abs(root.slope(point) * size)[np.abs(t) < np.sqrt(model.most_variance)]
    violation = float(steep.max(initial=0.0))
    done = done or violation <= 1e-2 or point.noiseless
    return RemlEstimate(point, violation, n_iter, done, root, t)


def _minimize(
    model: AnyMixedModel, root: Root, t: np.ndarray, kappa: np.ndarray | None, most: float
) -> tuple[int, np.ndarray]:
    """Iterations of L-BFGS, and where they end."""

    def deviance(t: np.ndarray) -> tuple[float, np.ndarray]:
        point = model.at(root.at(t), kappa)
        return point.deviance, root.slope(point)

    found = minimize(
        deviance, t, jac=True, method="L-BFGS-B", bounds=[(-most, most)] * len(t),
        options={"maxiter": 500, "maxfun": 2000, "maxcor": 30, "ftol": 1e-13, "gtol": 1e-6},
    )  # fmt: skip
    return int(found.nit), np.asarray(found.x)


@dataclass(frozen=True, eq=False)
class _OnRoot:
    """A point of one grouping, as `polytask.mixed.roots` asks for it."""

    point: MixedPoint
    most: float
    whole: bool = False

    @property
    def deviance(self) -> float:
        return self.point.deviance

    @property
    def noiseless(self) -> bool:
        return self.point.noiseless

    @property
    def roots(self) -> list[np.ndarray]:
        return [self.point.L]

    @property
    def gradients(self) -> list[np.ndarray]:
        return [self.point.gradient]

    def information(self, along: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
        slopes = np.array([slope for _, slope in along])
        point = self.point
        return point.curvature_along(slopes) if self.whole else point.information_along(slopes)
