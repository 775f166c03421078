"""A sparse positive definite matrix factored, and its inverse where the factor has numbers.

With S = L D L', Z = S^-1 follows column by column from the last, Z_IJ = -Z_II L_IJ L_JJ^-1, and
needs of what came before only the rows I of the factor (Takahashi, Fagan, Chin 1973): all of them
stand in the front of the next column among I. Columns of one pattern go together.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.sparse.linalg import splu

__all__ = ["SparseFactor"]


class SparseFactor:
    """L D L' of a sparse symmetric positive definite matrix.

    Parameters
    ----------
    S : sparse matrix of shape (n, n)
    order : int ndarray of shape (n,)
        In which columns are eliminated.

    Raises
    ------
    FloatingPointError
        If S is not positive definite to its digits.
    """

    def __init__(self, S: Any, order: np.ndarray) -> None:
        self.order = order
        self._lu = splu(
            S.tocsc()[:, order][order].tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )  # fmt: skip
        self._pivots = self._lu.U.diagonal()
        if not (self._pivots > 0).all() or (self._lu.perm_r != self._lu.perm_c).any():
            raise FloatingPointError("a matrix is not positive definite to its digits")

    @property
    def log_det(self) -> float:
        """Logarithm of the determinant."""
        return float(np.log(self._pivots).sum())

    def solve(self, B: np.ndarray) -> np.ndarray:
        """S^-1 B of a dense B (n, c)."""
        found = np.empty_like(B)
        found[self.order] = self._lu.solve(np.ascontiguousarray(B[self.order]))
        return found

    @cached_property
    def inverse(self) -> Any:
        """S^-1 where the factor, or its transpose, has numbers; csr."""
        L = self._lu.L.tocsc()
        L.sort_indices()
        n, ends = L.shape[0], L.indptr
        count = np.diff(ends)
        next_row = np.where(count > 1, L.indices[np.minimum(ends[:-1] + 1, L.nnz - 1)], -1)
        joins = (next_row[:-1] == np.arange(1, n)) & (count[:-1] == count[1:] + 1)
        first = np.concatenate([[0], np.flatnonzero(~joins) + 1])
        last = np.append(first[1:], n)
        block = np.repeat(np.arange(len(first)), last - first)
        waiting = np.bincount(block[next_row[last - 1][next_row[last - 1] >= 0]], minlength=n)
        fronts: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        rows, columns, values = [], [], []
        for s in range(len(first) - 1, -1, -1):
            a, b = first[s], last[s]
            beneath = L.indices[ends[b - 1] + 1 : ends[b]]
            J = np.arange(a, b)
            D = 1.0 / self._pivots[a:b]
            if b == a + 1:
                inverse, G = np.ones((1, 1)), L.data[ends[a] + 1 : ends[b]][:, None]
            else:
                corner, below = np.eye(b - a), np.empty((len(beneath), b - a))
                for k in range(a, b):
                    column = L.data[ends[k] : ends[k + 1]]
                    corner[k - a :, k - a] = column[: b - k]
                    below[:, k - a] = column[b - k :]
                inverse = solve_triangular(
                    corner, np.eye(b - a), lower=True, unit_diagonal=True, check_finite=False
                )
                G = below @ inverse
            Z = (inverse.T * D) @ inverse
            everywhere = np.concatenate([J, beneath])
            front = np.empty((len(everywhere), len(everywhere)))
            if len(beneath):
                up = int(block[beneath[0]])
                there, above = fronts[up]
                at = np.searchsorted(there, beneath)
                own = above[np.ix_(at, at)]
                side = own @ -G
                Z = Z - G.T @ side
                front[b - a :, b - a :], front[b - a :, : b - a] = own, side
                front[: b - a, b - a :] = side.T
                waiting[up] -= 1
                if not waiting[up]:
                    del fronts[up]
            front[: b - a, : b - a] = 0.5 * (Z + Z.T)
            if waiting[s]:
                fronts[s] = everywhere, front
            rows.append(np.repeat(everywhere, b - a))
            columns.append(np.tile(J, len(everywhere)))
            values.append(front[:, : b - a].ravel())
        i, j, v = (np.concatenate(part) for part in (rows, columns, values))
        below = block[i] != block[j]
        place = self.order[np.argsort(self._lu.perm_c)]  # where each column of L came from
        i, j = place[np.append(i, j[below])], place[np.append(j, i[below])]
        return sparse.csr_matrix((np.append(v, v[below]), (i, j)), shape=(n, n))
