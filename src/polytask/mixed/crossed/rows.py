"""Rows in several groupings, and the sums over them that every point of a search needs."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from polytask.data import Design

__all__ = ["CrossSums", "GroupedRows", "Term"]


@dataclass(frozen=True, eq=False)
class Term:
    """Coefficients that deviate between the levels of one grouping.

    Parameters
    ----------
    code : ndarray of shape (N,)
        Level of each row, 0 … m-1.
    n_levels : int
    columns : int ndarray of shape (q,)
        Columns of the design whose coefficients deviate.
    """

    code: np.ndarray
    n_levels: int
    columns: np.ndarray

    @property
    def width(self) -> int:
        """Deviations in all: levels times coefficients."""
        return self.n_levels * len(self.columns)


@dataclass(frozen=True, eq=False)
class CrossSums:
    """Products with weights v, Z the columns of deviations, T those of w0 and the target.

    The first term is the one to be eliminated, the others are "the rest".

    Parameters
    ----------
    blocks : ndarray of shape (m, q, q)
        Z'vZ of each level of the first term.
    cross : csr matrix of shape (m q, Q)
        Z'vZ between the first term and the rest.
    rest : csr matrix of shape (Q, Q)
        Z'vZ of the rest.
    first_target, rest_target : ndarrays of shape (m q, c), (Q, c)
        Z'vT.
    target : ndarray of shape (c, c)
        T'vT.
    """

    blocks: np.ndarray
    cross: Any
    rest: Any
    first_target: np.ndarray
    rest_target: np.ndarray
    target: np.ndarray

    def products(self, first: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Z'vZ times deviations (m q, c) and (Q, c)."""
        m, q, _ = self.blocks.shape
        own = (self.blocks @ first.reshape(m, q, first.shape[1])).reshape(first.shape)
        if not len(rest):
            return own, rest
        return own + self.cross @ rest, self.cross.T @ first + self.rest @ rest


class Pairs:
    """Sums over rows of v times an entry on the left and one on the right, csr, for any v.

    Parameters
    ----------
    left, right : ndarrays of shape (N, a), (N, b)
    left_index, right_index : int ndarrays of the same shapes
        Row and column of the result where each entry stands.
    shape : (int, int)
    """

    def __init__(
        self, left: np.ndarray, left_index: np.ndarray, right: np.ndarray, right_index: np.ndarray,
        shape: tuple[int, int],
    ) -> None:  # fmt: skip
        self.left, self.right = left, right
        key = left_index[:, :, None] * shape[1] + right_index[:, None, :]
        found, place = np.unique(key, return_inverse=True)
        self.place, self.n = place.ravel(), len(found)
        row, indices = np.divmod(found, max(shape[1], 1))
        indptr = np.searchsorted(row, np.arange(shape[0] + 1))
        self.empty = sparse.csr_matrix((np.zeros(self.n), indices, indptr), shape=shape)

    def __call__(self, v: np.ndarray) -> Any:
        """The matrix."""
        filled = copy(self.empty)  # a shell of the same places: no check of them costs anything
        if self.n:
            entries = (v[:, None] * self.left)[:, :, None] * self.right[:, None, :]
            filled.data = np.bincount(self.place, entries.ravel(), self.n)
        return filled


class GroupedRows:
    """Design rows and the terms in which their coefficients deviate.

    Parameters
    ----------
    X : ndarray or csr matrix of shape (N, p)
        Columns of a like scale.
    terms : sequence of Term
        The one with most deviations comes first: it is eliminated.
    """

    def __init__(self, X: Any, terms: Sequence[Term]) -> None:
        self.X = X if sparse.issparse(X) else np.asarray(X)
        self.terms = list(terms)

    @cached_property
    def Z(self) -> list[Any]:
        """Columns of the deviations of every term, csr (N, m q)."""
        return [_spread(self.X, term) for term in self.terms]

    @cached_property
    def rest(self) -> Any:
        """Those of all terms but the first."""
        if len(self.terms) == 1:
            return sparse.csr_matrix((self.X.shape[0], 0))
        return sparse.hstack(self.Z[1:], format="csr")

    @cached_property
    def coordinates(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each row's own coordinates in the first term, in the rest, and where the latter stand."""
        n, first = self.X.shape[0], self.Z[0]
        rest = [Z.data.reshape(n, -1) for Z in self.Z[1:]]
        ends = np.cumsum([0, *(term.width for term in self.terms[1:])])
        index = [
            Z.indices.reshape(n, -1) + end for Z, end in zip(self.Z[1:], ends[:-1], strict=True)
        ]
        none = np.zeros((n, 0))
        return (
            first.data.reshape(n, -1),
            np.hstack([none, *rest]),
            np.hstack([none.astype(int), *index]),
        )

    @cached_property
    def _first(self) -> Design:
        term = self.terms[0]
        start = np.concatenate([[0], np.cumsum(np.bincount(term.code, minlength=term.n_levels))])
        return Design(self.X[:, term.columns][self._order], None, start)

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.terms[0].code, kind="stable")

    def first_by_level(self, values: np.ndarray) -> np.ndarray:
        """Z'values of the first term, (m q,) or (m q, c)."""
        if values.ndim == 1 and len(self.terms[0].columns) == 1:
            first = self.coordinates[0][:, 0]
            return np.bincount(self.terms[0].code, first * values, self.terms[0].n_levels)
        return np.asarray(self._across[0] @ values)

    def rest_by_level(self, values: np.ndarray) -> np.ndarray:
        """Z'values of the rest, (Q,) or (Q, c)."""
        return np.asarray(self._across[1] @ values)

    @cached_property
    def _across(self) -> tuple[Any, Any]:
        return self.Z[0].T, self.rest.T

    def _blocks(self, v: np.ndarray) -> np.ndarray:
        """Z'vZ of each level of the first term."""
        term = self.terms[0]
        q = len(term.columns)
        if q == 0:
            return np.zeros((term.n_levels, 0, 0))
        if q == 1:
            squares = v * self.coordinates[0][:, 0] ** 2
            return np.bincount(term.code, squares, term.n_levels)[:, None, None]
        return self._first.grams(v[self._order])

    @cached_property
    def _pairs(self) -> tuple[Pairs, Pairs]:
        first, rest, index = self.coordinates
        q = first.shape[1]
        place = self.terms[0].code[:, None] * q + np.arange(q)
        Q = self.rest.shape[1]
        return (
            Pairs(first, place, rest, index, (self.Z[0].shape[1], Q)),
            Pairs(rest, index, rest, index, (Q, Q)),
        )

    def sums(
        self, v: np.ndarray, T: np.ndarray, vT: np.ndarray | None = None, again: bool = False
    ) -> CrossSums:
        """Everything with row weights v (N,), T (N, c) and, unless it is their product, vT.

        With ``again`` places are kept for the next call, with other weights.
        """
        first, rest = self.Z[0], self.rest
        vT = v[:, None] * T if vT is None else vT
        if again:
            cross, among = (pairs(v) for pairs in self._pairs)
        else:
            cross = ((sparse.diags_array(v) @ first).T @ rest).tocsr()
            among = ((sparse.diags_array(v) @ rest).T @ rest).tocsr()
        return CrossSums(
            self._blocks(v), cross, among, self.first_by_level(vT), self.rest_by_level(vT), T.T @ vT
        )

    def predict(self, deviations: Sequence[np.ndarray]) -> np.ndarray:
        """Z times the deviations (m, q) of every term, summed, shape (N,)."""
        total = np.zeros(self.X.shape[0])
        for Z, b, term in zip(self.Z, deviations, self.terms, strict=True):
            if len(term.columns) == 1:
                total += Z.data * b.ravel()[term.code]
            else:
                total += Z @ b.ravel()
        return total


def _spread(X: Any, term: Term) -> Any:
    """Csr (N, m q): the columns of a term's coefficients at the place of the row's level."""
    n, q = X.shape[0], len(term.columns)
    values = X[:, term.columns]
    values = values.toarray() if sparse.issparse(values) else values
    index = term.code[:, None] * q + np.arange(q)
    shape = (n, term.width)
    return sparse.csr_matrix((values.ravel(), index.ravel(), np.arange(n + 1) * q), shape=shape)
