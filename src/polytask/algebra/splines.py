"""Natural cubic splines as columns that a ridge penalty makes smooth.

A natural cubic spline f with K knots is a line plus K - 2 bends. The bends are turned so that over
the rows they are uncorrelated with the line and with one another, and scaled so that the squares
of their coefficients sum to the roughness of f, the integral of f''², x in units of the knots'
span (Demmler and Reinsch, Numerische Mathematik 24, 1975). So a variance of the coefficients is a
smoothing parameter, and zero is a line. Beyond the outer knots f goes on straight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.linalg import eigh

from polytask.data.distinct import distinct_values

__all__ = [
    "Bends",
    "SplineColumns",
    "cardinal",
    "find_knots",
    "knots_each",
    "learn_columns",
    "make_bends",
    "turned_bends",
]

_MOST_BENDS = 200  # in all; with many features each gets fewer knots


@dataclass(frozen=True, eq=False)
class Bends:
    """The bends of one feature.

    Parameters
    ----------
    knots : ndarray of shape (K,)
    values, slopes : ndarrays of shape (K, K - 2)
        Of every bend at the knots, the slopes in x over the knots' span.
    """

    knots: np.ndarray
    values: np.ndarray
    slopes: np.ndarray

    def columns(self, x: np.ndarray) -> np.ndarray:
        """Every bend at x (n,), shape (n, K - 2)."""
        first, last = self.knots[[0, -1]]
        inside = np.clip(x, first, last)
        span = last - first
        at, u = (self.knots - first) / span, (inside - first) / span
        from_left = np.clip(np.searchsorted(at, u, side="right") - 1, 0, len(at) - 2)
        h = np.diff(at)[from_left]
        t = ((u - at[from_left]) / h)[:, None]
        v, s = self.values, self.slopes
        left, right = from_left, from_left + 1
        cubic = (
            (1 + 2 * t) * (1 - t) ** 2 * v[left]
            + t**2 * (3 - 2 * t) * v[right]
            + h[:, None] * t * (1 - t) * ((1 - t) * s[left] - t * s[right])
        )
        beyond = ((x - inside) / span)[:, None]
        return np.asarray(cubic + beyond * np.where(beyond < 0, s[0], s[-1]))


def find_knots(distinct: np.ndarray, n_knots: int) -> np.ndarray | None:
    """Knots at quantiles of a feature's distinct values; None where they make no curve."""
    K = min(n_knots, len(distinct))
    if K < 3:
        return None
    knots = np.quantile(distinct, np.linspace(0.0, 1.0, K))
    span = knots[-1] - knots[0]
    if not np.isfinite(span) or np.diff(knots).min() <= 1e-9 * span:  # rounding tells them apart
        return None
    return knots


def cardinal(knots: np.ndarray) -> Bends:
    """Natural splines that are one at one of the knots and zero at the others, (K, K) each."""
    at = (knots - knots[0]) / (knots[-1] - knots[0])
    K = len(knots)
    return Bends(knots, np.eye(K), CubicSpline(at, np.eye(K), bc_type="natural")(at, 1))


def turned_bends(knots: np.ndarray, gram: np.ndarray) -> Bends:
    """Bends by the mean products (K, K) of the cardinal splines over the rows."""
    everything = cardinal(knots)
    K = len(knots)
    at = (knots - knots[0]) / (knots[-1] - knots[0])
    G = gram.copy()
    G[np.diag_indices(K)] += 1e-12 * np.trace(G) / K
    M, h = CubicSpline(at, np.eye(K), bc_type="natural")(at, 2), np.diff(at)
    mass = np.zeros((K, K))  # of integrals of products of piecewise linear functions
    mass[np.arange(K - 1), np.arange(K - 1)] += h / 3
    mass[np.arange(1, K), np.arange(1, K)] += h / 3
    mass[np.arange(K - 1), np.arange(1, K)] += h / 6
    mass[np.arange(1, K), np.arange(K - 1)] += h / 6
    roughness, V = eigh(M.T @ mass @ M, G)
    turn = V[:, 2:] / np.sqrt(roughness[2:])
    return Bends(knots, turn, everything.slopes @ turn)


def make_bends(x: np.ndarray, weight: np.ndarray, n_knots: int) -> Bends | None:
    """Bends of a feature by its values (n,) and their weights; None where it has no three values.

    The knots are quantiles of the values that occur.
    """
    knots = find_knots(distinct_values(x[weight > 0]), n_knots)
    if knots is None:
        return None
    B = cardinal(knots).columns(x)
    return turned_bends(knots, (B * weight[:, None]).T @ B / weight.sum())


@dataclass(frozen=True, eq=False)
class SplineColumns:
    """Features as lines about their means, and then as bends.

    Parameters
    ----------
    mean : ndarray of shape (d,)
    bends : list of dict
        What `Bends` is made of, empty for a feature that has a line only.
    """

    mean: np.ndarray
    bends: list[dict[str, np.ndarray]]

    @property
    def feature(self) -> np.ndarray:
        """Feature of each column, shape (p,)."""
        d = len(self.bends)
        n_bends = [len(b["knots"]) - 2 if b else 0 for b in self.bends]
        return np.append(np.arange(d), np.repeat(np.arange(d), n_bends))

    @property
    def is_bend(self) -> np.ndarray:
        """Whether each column is a bend, shape (p,)."""
        return np.arange(len(self.feature)) >= len(self.bends)

    def of(self, X: np.ndarray) -> np.ndarray:
        """The columns of features X (n, d), shape (n, p)."""
        parts = [Bends(**b).columns(X[:, k]) for k, b in enumerate(self.bends) if b]
        return np.column_stack([X - self.mean, *parts])

    def of_feature(self, k: int, x: np.ndarray) -> np.ndarray:
        """Those of one feature at x (n,)."""
        parts = [Bends(**self.bends[k]).columns(x)] if self.bends[k] else []
        return np.column_stack([x - self.mean[k], *parts])


def knots_each(n_knots: int, d: int) -> int:
    """Knots of each of d features at most, 200 bends in all; none where there is less than one."""
    return max(3, min(n_knots, 2 + _MOST_BENDS // max(d, 1))) if d <= _MOST_BENDS else 0


def learn_columns(X: np.ndarray, weight: np.ndarray, n_knots: int) -> SplineColumns:
    """Means and bends of features X (n, d), at most 200 bends in all."""
    most = knots_each(n_knots, X.shape[1])
    found = [make_bends(x, weight, most) for x in X.T]
    return SplineColumns(
        weight @ X / weight.sum(), [{} if each is None else dict(vars(each)) for each in found]
    )
