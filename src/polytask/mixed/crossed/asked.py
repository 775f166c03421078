"""Rows in memory, and what is asked of every grouping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.mixed.root import Root

__all__ = ["Asked", "Choice", "CrossedData"]


@dataclass(frozen=True, eq=False)
class CrossedData:
    """Rows in memory.

    Parameters
    ----------
    X : ndarray or csr matrix of shape (N, p)
        Design rows, the last column ones if ``intercept``.
    y, weight : ndarrays of shape (N,)
        Targets; how often each row counts.
    intercept : bool
    ones : ndarray of shape (N,), or 1
        What a column of ones holds: other numbers in rows that stand for the moments of many.
    """

    X: Any
    y: np.ndarray
    weight: np.ndarray
    intercept: bool
    ones: Any = 1.0

    @property
    def n_coefs(self) -> int:
        """Columns p."""
        return int(self.X.shape[1])

    @property
    def slopes(self) -> np.ndarray:
        """Positions of the columns that are features."""
        return np.arange(self.n_coefs - int(self.intercept))


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked of one grouping.

    Parameters
    ----------
    code : ndarray of shape (N,)
    n_levels : int
    columns : int ndarray or None
        Columns that deviate; None lets the likelihood choose.
    covariance : {"auto", "scalar", "diagonal", "full"}
    variance : ndarray of shape (p,) or None
        Given variances over that of the noise, in the units of the columns; None estimates them.
    """

    code: np.ndarray
    n_levels: int
    columns: np.ndarray | None
    covariance: str = "auto"
    variance: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Choice:
    """A term as it is to be fitted."""

    asked: Asked
    columns: np.ndarray
    kind: str

    def root(self, p: int, intercept: bool) -> Root:
        """Free parameters of its covariance."""
        q = len(self.columns)
        if self.kind == "full":
            return Root.full(np.ones(q, dtype=bool))
        groups = np.arange(q)
        if self.kind == "scalar":
            level = (self.columns == p - 1) & intercept
            groups = np.unique(level.astype(int), return_inverse=True)[1]
        return Root.diagonal(groups)
