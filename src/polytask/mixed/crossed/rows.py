"""Rows in several groupings, and the sums over them that every point of a search needs."""

from __future__ import annotations

from collections.abc import Sequence
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
        return own + self.cross @ rest, self.cross.T @ first + self.rest @ rest


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

    def sums(self, v: np.ndarray, T: np.ndarray, vT: np.ndarray | None = None) -> CrossSums:
        """Everything with row weights v (N,), T (N, c) and, unless it is their product, vT."""
        first, rest = self.Z[0], self.rest
        weighted = sparse.diags_array(v) @ first
        q = len(self.terms[0].columns)
        none = np.zeros((self.terms[0].n_levels, q, q))
        rest_weighted = sparse.diags_array(v) @ rest
        vT = v[:, None] * T if vT is None else vT
        return CrossSums(
            self._first.grams(v[self._order]) if q else none, (weighted.T @ rest).tocsr(),
            (rest_weighted.T @ rest).tocsr(), first.T @ vT, rest.T @ vT, T.T @ vT,
        )  # fmt: skip

    def predict(self, deviations: Sequence[np.ndarray]) -> np.ndarray:
        """Z times the deviations (m, q) of every term, summed, shape (N,)."""
        parts = (Z @ b.ravel() for Z, b in zip(self.Z, deviations, strict=True))
        return np.asarray(sum(parts, np.zeros(self.X.shape[0])))


def _spread(X: Any, term: Term) -> Any:
    """Csr (N, m q): the columns of a term's coefficients at the place of the row's level."""
    n, q = X.shape[0], len(term.columns)
    values = X[:, term.columns]
    values = values.toarray() if sparse.issparse(values) else values
    index = term.code[:, None] * q + np.arange(q)
    shape = (n, term.width)
    return sparse.csr_matrix((values.ravel(), index.ravel(), np.arange(n + 1) * q), shape=shape)
