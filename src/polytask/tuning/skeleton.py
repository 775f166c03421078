"""A few columns of a smooth family of functions that give all others.

What many strengths ask of one observation, or of one eigenvalue, are values of a smooth function
of the strength. Over all observations those functions span a space of few dimensions up to a
tolerance, so that exact values at a few strengths give the values at all others. A pivoted QR
decomposition finds the few (an interpolative decomposition: Cheng, Gimbutas, Martinsson, Rokhlin,
SIAM J. Sci. Comput. 2005).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

__all__ = ["FEW", "Skeleton", "of_columns", "of_shrinkage", "whole"]

_DIGITS = 1e-11  # of shrinkage at eigenvalues near the curvature
_FEWEST, _PER_DECADE = 100, 10  # eigenvalues that stand for all: shrinkage is smooth in their log
FEW = 8  # points below which nothing is saved


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Columns that are computed, and how they give all: F = F[:, nodes] @ weights.

    Parameters
    ----------
    nodes : int ndarray of shape (K,)
    weights : ndarray of shape (K, A)
    """

    nodes: np.ndarray
    weights: np.ndarray

    def error(self, F: np.ndarray) -> float:
        """Largest error among the entries of F (S, A)."""
        return float(np.abs(F[:, self.nodes] @ self.weights - F).max(initial=0.0))


def whole(n: int) -> Skeleton:
    """Every column for itself."""
    return Skeleton(np.arange(n), np.eye(n))


def of_columns(F: np.ndarray, tolerance: float) -> Skeleton:
    """Columns of F (S, A) from which the others differ by at most ``tolerance`` in 2-norm."""
    A = F.shape[1]
    if A < FEW:
        return whole(A)
    R, order = linalg.qr(F, mode="r", pivoting=True)
    R = R[:A]
    left = np.sqrt(np.cumsum((R**2)[::-1], axis=0)[::-1]).max(axis=1)
    k = max(1, int((left > tolerance).sum()))
    weights = np.zeros((k, A))
    weights[:, order[:k]] = np.eye(k)
    weights[:, order[k:]] = linalg.solve_triangular(R[:k, :k], R[:k, k:])
    return Skeleton(order[:k], weights)


def of_shrinkage(c: np.ndarray, least: float, largest: float) -> Skeleton:
    """Curvatures whose c s / (s + c) give those of all c (A,), for eigenvalues in a range.

    Relative errors are `_DIGITS` times (s / c)^½ + (c / s)^½, for every eigenvalue alike: a sum of
    matrices U diag(c s / (s + c)) U' has them too, in the order of positive definite matrices.
    """
    distinct, back = np.unique(c, return_inverse=True)
    if len(distinct) < FEW or not 0 < least <= largest:
        found, root = whole(len(distinct)), np.ones(len(distinct))
    else:
        n, root = _FEWEST + int(_PER_DECADE * np.log10(largest / least)), np.sqrt(distinct)
        s = np.geomspace(least, largest, n)[:, None]
        found = of_columns(np.sqrt(s) * root / (s + distinct), _DIGITS)
    first = np.array([np.argmax(back == j) for j in found.nodes])
    weights = found.weights * root / root[found.nodes][:, None]
    return Skeleton(first, weights[:, back])
