"""The covariances of several groupings that minimize the deviance, zero variances included."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.mixed.root import Root

__all__ = ["CrossedEstimate", "Roots", "estimate_roots"]

_START = 0.3  # standard deviation over that of the noise, in scaled columns
_DIGITS = 1e-14  # of the deviance, relative
_TOL = 1e-10  # deviance that a last step could still gain
_SHARE = 0.2  # of the promised descent that a step must bring: half is exact, none is twice too far
_HELD = 10.0  # standard deviation that is taken where the likelihood has no maximum
_FAR = 1e3  # largest standard deviation: a larger one leaves no noise
_DEEPER = 1e-4  # standard deviation from which a search goes on that ended at zero


@dataclass(frozen=True, eq=False)
class CrossedEstimate:
    """The minimizing point, and the free parameters of its roots."""

    point: Any
    parameters: np.ndarray
    violation: float
    n_iter: int
    converged: bool


@dataclass(frozen=True, eq=False)
class Roots:
    """Free parameters of all terms in one vector."""

    roots: Sequence[Root]

    @property
    def parts(self) -> list[slice]:
        """Where those of each term stand."""
        ends = np.cumsum([root.size for root in self.roots])
        return [slice(end - root.size, end) for end, root in zip(ends, self.roots, strict=True)]

    def at(self, t: np.ndarray) -> list[np.ndarray]:
        """L of every term."""
        return [root.at(t[part]) for root, part in zip(self.roots, self.parts, strict=True)]

    def slope(self, point: Any) -> np.ndarray:
        """Gradient of the deviance in the parameters."""
        found = [
            np.bincount(root.owner, (2.0 * M @ L)[root.row, root.column], minlength=root.size)
            for root, M, L in zip(self.roots, point.gradients, point.roots, strict=True)
        ]
        return np.concatenate(found)

    def curvature(self, point: Any) -> np.ndarray:
        """Second derivatives: average information, and what the roots bend."""
        along = []
        for f, (root, L) in enumerate(zip(self.roots, point.roots, strict=True)):
            along += [(f, slope) for slope in root.turned(L, np.eye(root.size))]
        H = point.information(along)
        for root, part, M in zip(self.roots, self.parts, point.gradients, strict=True):
            H[part, part] += 2.0 * root.bending(M)
        return H


def estimate_roots(
    at: Callable[[list[np.ndarray]], Any], roots: Sequence[Root], start: np.ndarray | None = None,
    max_iter: int = 100,
) -> CrossedEstimate:  # fmt: skip
    """Newton steps on the entries of the roots, with the average information as Hessian.

    Where a search ends at a variance of zero though the deviance falls beyond it, it goes on from
    there: zero is stationary in a standard deviation whatever lies above.
    """
    together = Roots(roots)
    first = np.concatenate([_first(root) for root in roots])
    found = _descend(at, together, first if start is None else start, max_iter)
    if found.point.noiseless:  # deviations that hold the rows exactly: there is no maximum
        t = first * (_HELD / _START)
        return CrossedEstimate(at(together.at(t)), t, found.violation, found.n_iter, True)
    for _ in range(3):
        higher = _above_zero(together, found)
        if higher is None:
            break
        again = _descend(at, together, higher, max_iter)
        if again.point.deviance > found.point.deviance - _TOL:
            break
        found = again
    return found


def _first(root: Root) -> np.ndarray:
    L = np.zeros(root.shape)
    k = np.arange(min(root.shape))
    L[k, k] = _START
    return root.read(L)


def _descend(
    at: Callable[[list[np.ndarray]], Any], roots: Roots, t: np.ndarray, max_iter: int
) -> CrossedEstimate:
    point, left = at(roots.at(t)), np.inf
    if not len(t):
        return CrossedEstimate(point, t, 0.0, 1, True)
    for n_iter in range(1, max_iter + 1):
        slope = roots.slope(point)
        step = _newton_step(roots.curvature(point), slope)
        left = float(-0.5 * slope @ step)
        if point.noiseless:  # the likelihood has no maximum
            return CrossedEstimate(point, t, left, n_iter, True)
        if left <= max(_TOL, _DIGITS * abs(point.deviance)):
            return CrossedEstimate(point, t, left, n_iter, True)
        moved = _line(at, roots, t, step, point, slope)
        if moved is None:
            held = np.abs(t).max(initial=0.0) >= _FAR
            return CrossedEstimate(point, t, left, n_iter, left <= 1e-4 or held)
        t, point = moved
    return CrossedEstimate(point, t, left, max_iter, False)


def _newton_step(H: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """-H^-1 slope with the eigenvalues of H made positive."""
    size = np.sqrt(np.maximum(np.abs(np.diag(H)), 1e-12 * max(np.abs(np.diag(H)).max(), 1e-300)))
    values, vectors = np.linalg.eigh(H / size / size[:, None])
    floor = 1e-8 * np.abs(values).max()
    inverse = 1.0 / np.maximum(np.abs(values), max(floor, 1e-300))
    return -(vectors @ (inverse * (vectors.T @ (slope / size)))) / size


def _line(
    at: Callable[[list[np.ndarray]], Any], roots: Roots, t: np.ndarray, step: np.ndarray,
    point: Any, slope: np.ndarray,
) -> tuple[np.ndarray, Any] | None:  # fmt: skip
    """The first of the halved steps that lowers the deviance; none is longer than threefold."""
    longest = 2.0 * max(float(np.abs(t).max()), 0.5)
    step = step * min(1.0, longest / max(float(np.abs(step).max()), 1e-300))
    for size in 0.5 ** np.arange(25):
        trial = np.clip(t + size * step, -_FAR, _FAR)
        try:
            found = at(roots.at(trial))
        except FloatingPointError:
            continue
        gain = point.deviance - found.deviance
        if gain > -_SHARE * float(slope @ (trial - t)) and gain > 0:
            return trial, found
    return None


def _above_zero(roots: Roots, found: CrossedEstimate) -> np.ndarray | None:
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
