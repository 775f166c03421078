"""Covariances of the deviations as Gamma = L L', with L linear in free parameters t.

Unlike Gamma's own entries, those of L are free of constraints, and the deviance is smooth in them
at the boundary, where a variance is zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy.linalg import lapack

from polytask.mixed.point import MixedPoint

__all__ = ["Root"]


@dataclass(frozen=True, eq=False)
class Root:
    """L (p, k) with L[row, column] = t[owner] and zeros elsewhere.

    Parameters
    ----------
    shape : (int, int)
    row, column, owner : int ndarrays of shape (number of entries,)
    """

    shape: tuple[int, int]
    row: np.ndarray
    column: np.ndarray
    owner: np.ndarray

    @classmethod
    def diagonal(cls, groups: np.ndarray) -> Root:
        """A standard deviation for every group of columns; group -1 has none."""
        varies = np.flatnonzero(groups >= 0)
        return cls((len(groups), len(groups)), varies, varies, groups[varies])

    @classmethod
    def full(cls, varies: np.ndarray) -> Root:
        """A Cholesky factor over the columns that vary (p,)."""
        kept = np.flatnonzero(varies)
        low = _triangle(len(kept))
        return cls((len(varies), len(varies)), kept[low[0]], kept[low[1]], np.arange(len(low[0])))

    @classmethod
    def factor(cls, varies: np.ndarray, n_factors: int, low: bool = False) -> Root:
        """A standard deviation for every column, and loadings of factors (low: none above)."""
        kept, p = np.flatnonzero(varies), len(varies)
        a, b = np.tril_indices(len(kept), 0, n_factors) if low else (
            np.indices((len(kept), n_factors)).reshape(2, -1)
        )  # fmt: skip
        row, column = np.append(kept, kept[a]), np.append(kept, p + b)
        return cls((p, p + n_factors), row, column, np.arange(len(row)))

    @cached_property
    def size(self) -> int:
        """Number of parameters q."""
        return int(self.owner.max(initial=-1)) + 1

    @cached_property
    def _owned(self) -> np.ndarray:
        """Entries by parameters, ones and zeros."""
        return (self.owner[:, None] == np.arange(self.size)).astype(float)

    @cached_property
    def _beside(self) -> np.ndarray:
        """Whether pairs of entries stand in one column."""
        return np.asarray(self.column[:, None] == self.column)

    def owners(self, k: int) -> np.ndarray:
        """Parameters of row k: their norm is the standard deviation of coefficient k."""
        return np.unique(self.owner[self.row == k])

    def n_with(self, k: int) -> int:
        """Parameters that go with the variance of k: one, or with its correlations."""
        diagonal = (self.row == self.column).all()
        return 1 if diagonal else min(len(np.unique(self.row)), int((self.row == k).sum()) + 1)

    def at(self, t: np.ndarray) -> np.ndarray:
        """L of parameters t (q,)."""
        L = np.zeros(self.shape)
        L[self.row, self.column] = t[self.owner]
        return L

    def read(self, L: np.ndarray) -> np.ndarray:
        """Parameters of a given L (an owner's last entry counts)."""
        t = np.zeros(self.size)
        t[self.owner] = L[self.row, self.column]
        return t

    @cached_property
    def is_full(self) -> bool:
        """Whether it is a Cholesky factor of more than one column."""
        return self.size > len(set(self.row)) and set(self.row) == set(self.column)

    def pivoted(self, L: np.ndarray) -> Root:
        """The same Gamma's with the columns of a full root in the order of pivots at L."""
        if not self.is_full:
            return self
        kept = self.row[self.row == self.column]
        kept = kept[lapack.dgeqp3(L[kept].T)[1] - 1]
        low = _triangle(len(kept))
        return Root(self.shape, kept[low[0]], kept[low[1]], np.arange(self.size))

    def factored(self, L: np.ndarray) -> np.ndarray:
        """Parameters of L L', for L of any order of the columns."""
        if not self.is_full:
            return self.read(L)
        kept = self.row[self.row == self.column]
        R = lapack.dgeqrf(L[kept].T)[0]
        R = R[: len(kept)] * np.where(R.diagonal() < 0, -1.0, 1.0)[:, None]
        return np.asarray(R.T[_triangle(len(kept))])

    def slope(self, point: MixedPoint) -> np.ndarray:
        """Gradient of the deviance in t, at a point whose L this is."""
        return self.of_pull(2.0 * point.gradient @ point.L)

    def of_pull(self, pull: np.ndarray) -> np.ndarray:
        """Derivatives in t, from those in L's entries."""
        return np.bincount(self.owner, pull[self.row, self.column], minlength=self.size)

    def turned(self, L: np.ndarray, V: np.ndarray) -> np.ndarray:
        """Derivatives of Gamma at L along the columns of V (q, n), shape (n, p, p)."""
        half = self._laid(V) @ L.T
        return half + half.transpose(0, 2, 1)

    def every_turn(self, L: np.ndarray) -> np.ndarray:
        """Those in every parameter."""
        half = self._every @ L.T
        return half + half.transpose(0, 2, 1)

    @cached_property
    def _every(self) -> np.ndarray:
        return self._laid(np.eye(self.size))

    def _laid(self, V: np.ndarray) -> np.ndarray:
        """Matrices like L (n, p, k) of the columns of V (q, n)."""
        B = np.zeros((V.shape[1], *self.shape))
        B[:, self.row, self.column] = V[self.owner].T
        return B

    def bent(self, V: np.ndarray) -> np.ndarray:
        """Half the second derivatives of Gamma along the columns of V (q, n), shape (n, p, p)."""
        B = self._laid(V)
        return B @ B.transpose(0, 2, 1)

    def bending(self, M: np.ndarray) -> np.ndarray:
        """Second-derivative matrix (q, q) of <M, Gamma> / 2 in t."""
        entries = np.where(self._beside, M[self.row[:, None], self.row], 0.0)
        return self._owned.T @ entries @ self._owned


@cache
def _triangle(k: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a lower triangle."""
    return np.tril_indices(k)
