"""Elimination of the largest grouping where what is left is large, and sparse.

Classes in schools, and pupils who seldom move, leave S = I + L_r'K L_r with few numbers: a factor
in a good order has few more. Determinants come from its pivots; gradients and leverages need of
S^-1 only blocks of levels that share rows, which the factor's pattern holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from polytask.algebra.selected_inverse import SparseFactor
from polytask.algebra.sparse_order import minimum_degree
from polytask.mixed.crossed.point import SMALL, Elimination, block_times
from polytask.mixed.crossed.rows import CrossSums, Term

__all__ = ["Pattern", "SparseElimination"]

_MOST_NUMBERS = 3e7  # of a factor: 700 MB with what stands beside it
_WORTH = 40  # dense numbers for each sparse one from which less memory is less time too
_LEAST = 1000  # deviations below which a dense system is little work
_TINY = 1e-300  # keeps a place in a matrix


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where S may have numbers, and an order of elimination.

    Parameters
    ----------
    order : int ndarray of shape (Q,)
    places : csr matrix of shape (Q, Q)
    """

    order: np.ndarray
    places: Any

    @classmethod
    def of_terms(cls, terms: Sequence[Term], most_dense: int) -> Pattern | None:
        """From the levels that share rows; None where the factor is not worth it, or too large."""
        first, rest = terms[0], [term for term in terms[1:] if term.width]
        Q = sum(term.width for term in rest)
        if min(_LEAST, most_dense) > Q:
            return None
        most = min(_MOST_NUMBERS, Q**2 / _WORTH) if most_dense >= Q else _MOST_NUMBERS
        start = np.cumsum([0, *(term.n_levels for term in rest)])
        node = np.concatenate([t.code + at for t, at in zip(rest, start, strict=False)])
        levels = np.tile(first.code, len(rest))
        shape = (first.n_levels, int(start[-1]))
        together = sparse.csr_matrix((np.ones(len(node)), (levels, node)), shape=shape)
        if float(np.square(np.diff(together.indptr)).sum()) > 8 * most:  # before it is made
            together.sum_duplicates()
            if float(np.square(np.diff(together.indptr)).sum()) > 8 * most:
                return None
        size = np.concatenate([np.full(t.n_levels, len(t.columns)) for t in rest])
        near = together.T @ together
        nodes = minimum_degree(near, size, most)
        if nodes is None:
            return None
        ends = np.concatenate([[0], np.cumsum(size)])
        spread = sparse.csr_matrix(
            (np.ones(Q), (np.repeat(np.arange(len(size)), size), np.arange(Q))),
            shape=(len(size), Q),
        )
        places = (spread.T @ near @ spread).tocsr()
        places.data[:] = _TINY
        order = np.concatenate([np.arange(ends[k], ends[k + 1]) for k in nodes])
        return cls(order, places)


class SparseElimination(Elimination):
    """`Elimination` with a sparse factor."""

    def __init__(
        self, sums: CrossSums, roots: Sequence[np.ndarray], levels: Sequence[int], pattern: Pattern
    ) -> None:
        self.pattern, self.levels = pattern, levels
        super().__init__(sums, roots, levels)

    def _factor(self) -> None:
        """The factor of S and the logarithm of its determinant."""
        Q = self.sums.rest.shape[0]
        blocks = [
            sparse.kron(sparse.eye_array(m), L)
            for m, L in zip(self.levels[1:], self.roots[1:])  # noqa: B905
        ]
        self.root = sparse.block_diag(blocks, format="csr")
        K = self.sums.rest - self._across @ self.EC
        S = self.root.T @ K @ self.root + sparse.eye_array(Q) + self.pattern.places
        self.factor = SparseFactor(S, self.pattern.order)
        self.log_det += self.factor.log_det

    @cached_property
    def N(self) -> Any:
        """L_r S^-1 L_r' between levels that share rows; csr."""
        return (self.root @ self.factor.inverse @ self.root.T).tocsr()

    def _among(self, t: np.ndarray) -> np.ndarray:
        return self._left(self.factor.solve(self._right(t)))

    def leverages(
        self, first: np.ndarray, code: np.ndarray, rest: np.ndarray, index: np.ndarray
    ) -> np.ndarray:
        """As `Elimination.leverages`."""
        q, EN = self.q, self.EC @ self.N
        own = self.E + _by_level(EN, self.EC, q)
        found = np.einsum("na,nab,nb->n", first, own[code], first)
        for r in range(rest.shape[1]):
            for a in range(q):
                between = _entries(EN, code * q + a, index[:, r])
                found -= 2.0 * between * rest[:, r] * first[:, a]
            for k in range(rest.shape[1]):
                found += rest[:, r] * _entries(self.N, index[:, r], index[:, k]) * rest[:, k]
        return found

    def inner(self) -> list[np.ndarray]:
        """As `Elimination.inner`; small roots are raised a little, which moves no digit of it."""
        raised = [_raised(L) for L in self.roots[1:]]
        other = self
        if any(up is not L for up, L in zip(raised, self.roots[1:], strict=True)):
            roots = [self.roots[0], *raised]
            other = SparseElimination(self.sums, roots, self.levels, self.pattern)
        found = [self._inner_first()]
        for part, L, up in zip(self.parts, self.roots[1:], raised, strict=True):
            q = len(L)
            inverse = (self if up is L else other).factor.inverse
            rows = np.arange(part.start, part.stop).reshape(-1, q) if q else np.zeros((0, 0), int)
            block = [[_entries(inverse, rows[:, a], rows[:, b]).sum() for b in range(q)]
                     for a in range(q)]  # fmt: skip
            half = np.linalg.solve(up.T, len(rows) * np.eye(q) - np.array(block).reshape(q, q))
            found.append(np.linalg.solve(up.T, half.T))
        return found

    def _inner_first(self) -> np.ndarray:
        G = self.sums.blocks
        Q = np.eye(self.q) - G @ self.E
        QC = block_times(Q, self.sums.cross)
        return np.asarray((Q @ G).sum(axis=0) - _by_level(QC @ self.N, QC, self.q).sum(axis=0))


def _by_level(A: Any, B: Any, q: int) -> np.ndarray:
    """A B' of the rows of each level, (m, q, q)."""
    out = np.empty((A.shape[0] // q if q else 0, q, q))
    for a in range(q):
        for b in range(q):
            out[:, a, b] = np.asarray(A[a::q].multiply(B[b::q]).sum(axis=1)).ravel()
    return out


def _entries(A: Any, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    return np.asarray(A[rows, columns]).ravel()


def _raised(L: np.ndarray) -> np.ndarray:
    """L itself, or with singular values that are not too small to divide by."""
    u, s, v = np.linalg.svd(L)
    return L if s.min(initial=np.inf) > SMALL else (u * np.maximum(s, 2.0 * SMALL)) @ v
