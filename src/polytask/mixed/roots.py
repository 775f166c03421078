"""The covariances, of one grouping or several, that minimize the deviance; zero is an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import lapack

from polytask.algebra.linalg import symmetric_eigen
from polytask.mixed.root import Root
from polytask.mixed.secant import secant
from polytask.responses import ImpossibleParametersError

__all__ = ["Roots", "RootsEstimate", "descend", "descend_in_order", "estimate_roots"]

_START = 0.3  # standard deviation over that of the noise, in scaled columns
_DIGITS = 1e-14  # of the deviance, relative
_TOL = 1e-10  # deviance that a last step could still gain
_LEVEL = 1e-6  # slope so small that only a likelihood without a maximum goes on from there
_LITTLE, _HIDDEN = 0.1, 1e-6  # share of so small a promise below which rounding hides the descent
_SHARE = 0.2  # of the promised descent that a step must bring: half is exact, none is twice too far
_HELD = 10.0  # standard deviation that is taken where the likelihood has no maximum
_NEAR = 0.3  # deviance that a step promises from which on steps tell what the Hessian lacks
_PATIENCE = 12  # steps in the order of the columns; those that find their way take 4 to 10
_CLOSE = 1e-2  # deviance that a step promises from which on the Hessian hardly changes
_CLEAR = 1e-2  # pivot of a Hessian in the scale of a unit diagonal from which on it is positive
_DEEPER = 1e-4  # standard deviation from which a search goes on that ended at zero


@dataclass(frozen=True, eq=False)
class RootsEstimate:
    """The minimizing point, and the free parameters of its roots; where the search began."""

    point: Any
    parameters: np.ndarray
    violation: float
    n_iter: int
    converged: bool
    first: float = np.inf  # deviance

    @property
    def at_limit(self) -> bool:
        """Whether a deviation is the largest that is taken, or leaves the rows no noise."""
        most = max((np.abs(L).max(initial=0.0) for L in self.point.roots), default=0.0)
        return bool(self.point.noiseless or (len(self.parameters) and most >= self.point.most))


@dataclass(frozen=True, eq=False)
class Roots:
    """Free parameters of all terms in one vector."""

    roots: Sequence[Root]

    @cached_property
    def parts(self) -> list[slice]:
        """Where those of each term stand."""
        ends = np.cumsum([root.size for root in self.roots])
        return [slice(end - root.size, end) for end, root in zip(ends, self.roots, strict=True)]

    @cached_property
    def size(self) -> int:
        """How many there are."""
        return sum(root.size for root in self.roots)

    def at(self, t: np.ndarray) -> list[np.ndarray]:
        """L of every term."""
        return [root.at(t[part]) for root, part in zip(self.roots, self.parts, strict=True)]

    def slope(self, point: Any) -> np.ndarray:
        """Gradient of the deviance in the parameters."""
        found = [
            root.of_pull(2.0 * M @ L)
            for root, M, L in zip(self.roots, point.gradients, point.roots, strict=True)
        ]
        return found[0] if len(found) == 1 else np.concatenate([np.zeros(0), *found])

    def curvature(self, point: Any) -> np.ndarray:
        """Second derivatives: average information, and what the roots bend."""
        along = []
        for f, (root, L) in enumerate(zip(self.roots, point.roots, strict=True)):
            along += [(f, slope) for slope in root.every_turn(L)]
        H = point.information(along)
        for root, part, M in zip(self.roots, self.parts, point.gradients, strict=True):
            H[part, part] += 2.0 * root.bending(M)
        return np.asarray(H)


def estimate_roots(
    at: Callable[..., Any], roots: Sequence[Root], beside: Callable[..., np.ndarray] | None = None,
    max_iter: int = 100,
) -> RootsEstimate:  # fmt: skip
    """Newton steps on the entries of the roots, with the average information as Hessian.

    Where a search ends at a variance of zero though the deviance falls beyond it, it goes on from
    there: zero is stationary in a standard deviation whatever lies above.

    Parameters
    ----------
    at : callable
        From L of every term to a point; with ``beside``, from L and what there is beside them.
    beside : callable, optional
        From L to where the search for the latter begins.
    """
    together = Roots(roots)
    first = np.concatenate([_first(root) for root in roots])
    if beside is not None:
        first = np.append(first, beside(together.at(first)))
    q = together.size
    found = descend_in_order(at, together, first, max_iter)
    if found.point.noiseless:  # deviations that hold the rows exactly: there is no maximum
        t = first * (_HELD / _START)
        return RootsEstimate(at(together.at(t)), t, found.violation, found.n_iter, True)
    for _ in range(3):
        higher = _above_zero(together, found)
        if higher is None:
            break
        again = descend_in_order(at, together, higher, max_iter)
        if again.point.deviance > found.point.deviance - _TOL:
            break
        found = again
    return replace(found, parameters=found.parameters[:q])


def _first(root: Root) -> np.ndarray:
    L = np.zeros(root.shape)
    k = np.arange(min(root.shape))
    L[k, k] = _START
    return root.read(L)


def descend_in_order(
    at: Callable[..., Any], roots: Roots, t: np.ndarray, max_iter: int, tol: float = _TOL
) -> RootsEstimate:
    """Descend; after some steps with the columns of full roots in the order of pivots.

    A covariance that loses its rank has many roots unless the columns that depend on others are
    the last: the way along them is curved and nearly level.
    """
    if max_iter <= _PATIENCE or not any(root.is_full for root in roots.roots):
        return descend(at, roots, t, max_iter, tol)
    found = descend(at, roots, t, _PATIENCE, tol)
    if found.converged:
        return found
    before = found.point.roots
    sorted_ = Roots([root.pivoted(L) for root, L in zip(roots.roots, before, strict=True)])
    beside = found.parameters[roots.size :]
    found = descend(at, sorted_, _factored(sorted_, before, beside), max_iter - _PATIENCE, tol)
    t = _factored(roots, found.point.roots, found.parameters[roots.size :])
    n_iter = found.n_iter + _PATIENCE
    return replace(found, point=_look(at, roots, t), parameters=t, n_iter=n_iter)


def _factored(roots: Roots, L: Sequence[np.ndarray], beside: np.ndarray) -> np.ndarray:
    """Parameters of roots with the covariances of L, and those beside."""
    found = [root.factored(each) for root, each in zip(roots.roots, L, strict=True)]
    return np.concatenate([*found, beside])


def descend(
    at: Callable[..., Any], roots: Roots, t: np.ndarray, max_iter: int = 100, tol: float = _TOL,
    whole: bool = False,
) -> RootsEstimate:  # fmt: skip
    """From parameters t, those of the roots first, then those beside, if there are any.

    What the average information lacks of the Hessian is learned by secants (SR1: Conn, Gould and
    Toint, Mathematical Programming 50, 1991), unless points know the ``whole`` of it.
    """
    point = _look(at, roots, t)
    found = _descend(at, roots, t, point, max_iter, tol, whole)
    return replace(found, first=point.deviance)


def _descend(
    at: Callable[..., Any], roots: Roots, t: np.ndarray, point: Any, max_iter: int, tol: float,
    whole: bool,
) -> RootsEstimate:  # fmt: skip
    left = np.inf
    if not len(t):
        return RootsEstimate(point, t, 0.0, 1, True)
    slope, H = _derivatives(point, roots, t)
    missing = np.zeros_like(H)
    for n_iter in range(1, max_iter + 1):
        held = np.abs(t) >= point.most
        held[roots.size :] = False
        free = ~held | (t * slope > 0)  # those that would go beyond the largest stay
        step = _newton_step(H + missing, slope, free)
        left = float(-0.5 * slope @ step)
        if point.noiseless:  # the likelihood has no maximum
            return RootsEstimate(point, t, left, n_iter, True)
        level, least = np.abs(slope).max() <= _LEVEL, max(tol, _DIGITS * abs(point.deviance))
        if level or left <= least:
            return RootsEstimate(point, t, left, n_iter, True)
        moved = _line(at, roots, t, step, point, slope)
        if moved is None and missing.any():
            missing = np.zeros_like(H)
            continue
        if moved is None:
            return RootsEstimate(point, t, left, n_iter, left <= 1e-4 or bool(held.any()))
        gain = point.deviance - moved[1].deviance
        before, slope_before = t, slope
        t, point = moved
        if gain < _LITTLE * left < _LITTLE * _HIDDEN:
            return RootsEstimate(point, t, left, n_iter, True)
        slope = roots.slope(point) if whole else slope
        if whole and _is_end(H, slope, free, left, least):
            return RootsEstimate(point, t, 0.0, n_iter, True)
        slope, H = _derivatives(point, roots, t, slope if whole else None)
        if left < _NEAR and not whole:
            missing = secant(
                missing, slope - slope_before - (H + missing) @ (t - before), t - before
            )
    return RootsEstimate(point, t, left, max_iter, False)


def _look(at: Callable[..., Any], roots: Roots, t: np.ndarray) -> Any:
    q = roots.size
    return at(roots.at(t), t[q:]) if len(t) > q else at(roots.at(t))


def _derivatives(
    point: Any, roots: Roots, t: np.ndarray, slope: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient, unless it is at hand, and Hessian in t, as far as they are known."""
    if not roots.roots:  # they are held
        return point.beside_slope, point.beside_curvature
    slope, H = roots.slope(point) if slope is None else slope, roots.curvature(point)
    if len(t) == roots.size:
        return slope, H
    both = np.zeros((len(t), len(t)))
    both[: len(H), : len(H)], both[len(H) :, len(H) :] = H, point.beside_curvature
    return np.append(slope, point.beside_slope), both


def _is_end(H: np.ndarray, slope: np.ndarray, free: np.ndarray, left: float, least: float) -> bool:
    """Whether there is nothing to gain after a step by H that promised little enough."""
    if np.abs(slope).max() <= _LEVEL:
        return True
    return left < _CLOSE and -0.5 * slope @ _newton_step(H, slope, free) <= least


def _newton_step(H: np.ndarray, slope: np.ndarray, free: np.ndarray) -> np.ndarray:
    """-H^-1 slope with the eigenvalues of H made positive, among the ``free``."""
    if not free.all():
        step = np.zeros_like(slope)
        step[free] = _newton_step(H[np.ix_(free, free)], slope[free], free[free])
        return step
    size = np.abs(H.diagonal())
    size = np.sqrt(np.maximum(size, 1e-12 * size.max(initial=1e-300)))
    scaled = H / size / size[:, None]
    factor, info = lapack.dpotrf(scaled, lower=1)
    if len(H) and info == 0 and factor.diagonal().min() > _CLEAR:
        return np.asarray(-lapack.dpotrs(factor, slope / size, lower=1)[0] / size)
    values, vectors = symmetric_eigen(scaled)
    floor = 1e-8 * np.abs(values).max(initial=0.0)
    inverse = 1.0 / np.maximum(np.abs(values), max(floor, 1e-300))
    return -(vectors @ (inverse * (vectors.T @ (slope / size)))) / size


def _line(
    at: Callable[..., Any], roots: Roots, t: np.ndarray, step: np.ndarray,
    point: Any, slope: np.ndarray,
) -> tuple[np.ndarray, Any] | None:  # fmt: skip
    """The first of the halved steps that lowers the deviance; no root grows over threefold."""
    q = roots.size
    longest = 2.0 * max(float(np.abs(t[:q]).max(initial=0.0)), 0.5)
    step = step * min(1.0, longest / max(float(np.abs(step[:q]).max(initial=0.0)), 1e-300))
    for size in 0.5 ** np.arange(25):
        trial = t + size * step
        trial[:q] = np.minimum(np.maximum(trial[:q], -point.most), point.most)
        try:
            found = _look(at, roots, trial)
        except (FloatingPointError, ImpossibleParametersError):
            continue
        gain = point.deviance - found.deviance
        if gain > -_SHARE * float(slope @ (trial - t)) and gain > 0:
            return trial, found
    return None


def _above_zero(roots: Roots, found: RootsEstimate) -> np.ndarray | None:
    """Parameters a little above zeros from which the deviance falls."""
    t, moved = found.parameters.copy(), False
    for root, part, M, L in zip(
        roots.roots, roots.parts, found.point.gradients, found.point.roots, strict=True
    ):
        for k in np.flatnonzero(np.abs(np.diag(L)) < _DEEPER):
            if M[k, k] < 0:
                at = (root.row == k) & (root.column == k)
                t[part.start + root.owner[at]] = 0.1 * _START
                moved = True
    return t if moved else None
