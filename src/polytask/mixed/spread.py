"""What the error of the estimated variances adds to the standard errors.

Standard errors at the estimated variances are too small where tasks are few: the variances are
themselves uncertain, and one estimated as zero may be positive (Kackar and Harville, JASA 79,
1984; Kass and Steffey, JASA 84, 1989). The free parameters t of the root L (standard deviations
and loadings, over the noise) get a flat prior and a split normal posterior about the estimate,
along the eigenvectors of half the average information. Its reach to either side is where the
deviance, with the average information quadratic in Gamma, has risen by one: in t a polynomial of
degree four, so that it is right where a variance is zero, too. Draws of t give

    mean of Cov(w_i | t) + mean of (E(w_i | t) - estimate)(...)',

with the noise variance rss / (free - 2), its posterior mean at given t.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.algebra.linalg import symmetric_eigen
from polytask.mixed.point import AnyMixedModel, MixedPoint
from polytask.mixed.root import Root

__all__ = ["reaches", "spread"]

_DRAWS = 50  # pairs
_FARTHEST = 10.0  # standard deviation over noise that rows which say nothing may leave possible
_HALVINGS = 50
_FEW = 30  # parameters up to which the reach is refined by the deviance itself
_REFINEMENTS = 3


def spread(
    model: AnyMixedModel,
    point: MixedPoint,
    root: Root,
    t: np.ndarray,
    grams: np.ndarray,
    cross: np.ndarray,
) -> tuple[float, np.ndarray, np.ndarray]:
    """Second moments about the estimates over the posterior of the variances, scaled columns.

    Parameters
    ----------
    model, point, root, t
        The estimate, and how its L follows from t.
    grams, cross : ndarrays of shapes (m, p, p), (m, p)
        Statistics of the tasks asked about: those of the model, or new ones, which say nothing
        about the variances.

    Returns
    -------
    noise : float
        Of a new row.
    unseen : ndarray of shape (p, p)
        Of the coefficients of a task that was not in training.
    seen : ndarray of shape (m, p, p)
        Of each task's coefficients.
    """
    p, noise = model.n_coefs, 0.0
    unseen, seen = np.zeros((p, p)), np.zeros_like(grams)
    estimate, _ = point.tasks(grams, cross)
    draws = _draws(model, point, root, t)
    for drawn in draws:
        other = model.at(root.at(drawn), point.kappa)
        off = other.common - point.common
        noise += other.noise_mean
        between = other.S_inverse + other.L @ other.L.T
        unseen += other.noise_mean * between + np.outer(off, off)
        theta, covariance = other.tasks(grams, cross)
        own = theta - estimate
        seen += other.noise_mean / other.noise * covariance + own[:, :, None] * own[:, None, :]
    K = len(draws)
    return noise / K, unseen / K, seen / K


def _draws(model: AnyMixedModel, point: MixedPoint, root: Root, t: np.ndarray) -> np.ndarray:
    """Parameters drawn from their split normal posterior, in pairs about the estimate."""
    if root.size == 0:
        return t[None]
    V, up, down = reaches(model, point, root, t)
    z = np.random.default_rng(0).standard_normal((_DRAWS, root.size))
    z = np.concatenate([z, -z])
    return t + (np.where(z > 0, up, down) * z) @ V.T


def reaches(
    model: AnyMixedModel, point: MixedPoint, root: Root, t: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Directions of the parameters (columns), and how far the posterior reaches to both sides."""
    V, up, down = _axes(point, root, t)
    if root.size <= _FEW:

        def rise(step: np.ndarray) -> float:
            return model.at(root.at(t + step), point.kappa).deviance - point.deviance

        up = np.array([_refined(rise, v, x) for v, x in zip(V.T, up, strict=True)])
        down = np.array([_refined(rise, -v, x) for v, x in zip(V.T, down, strict=True)])
    return V, up, down


def _axes(point: MixedPoint, root: Root, t: np.ndarray) -> tuple[np.ndarray, ...]:
    """Directions (columns, each of a definite sign) and the reach to their two sides."""
    L = root.at(t)
    values, vectors = symmetric_eigen(point.gradient)
    M = (vectors * np.maximum(values, 0.0)) @ vectors.T  # at a minimum no direction leads down
    unit = np.eye(root.size)
    along = root.turned(L, unit)
    H = point.information_along(along) + 2.0 * root.bending(M)
    V = symmetric_eigen(H)[1]
    V = V * np.where(V[np.abs(V).argmax(axis=0), np.arange(len(V))] < 0, -1.0, 1.0)
    A, B = root.turned(L, V), root.bent(V)
    n = len(V)
    info = point.information_along(np.concatenate([A, B]))
    square = (B * M).sum(axis=(1, 2)) + 0.5 * np.diag(info)[:n]
    cube, fourth = np.diag(info[:n, n:]), 0.5 * np.diag(info)[n:]
    return V, _reach(square, cube, fourth), _reach(square, -cube, fourth)


def _reach(square: np.ndarray, cube: np.ndarray, fourth: np.ndarray) -> np.ndarray:
    """Where square x² + cube x³ + fourth x⁴ reaches one, by halving."""
    low, high = np.zeros_like(square), np.full_like(square, _FARTHEST)
    for _ in range(_HALVINGS):
        x = 0.5 * (low + high)
        beyond = x**2 * (square + x * (cube + x * fourth)) > 1.0
        low, high = np.where(beyond, low, x), np.where(beyond, x, high)
    return high


def _refined(rise: Callable[[np.ndarray], float], v: np.ndarray, x: float) -> float:
    """Reach x along v by the deviance itself, which flattens towards large variances."""
    for _ in range(_REFINEMENTS):
        x *= float(np.clip(1.0 / np.sqrt(max(rise(x * v), 1e-3)), 1.0 / 3.0, 3.0))
    return min(x, _FARTHEST)
