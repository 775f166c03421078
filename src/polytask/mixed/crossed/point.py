"""The mixed model of several groupings at given covariances, by elimination.

    y = X w0 + sum_f Z_f b_f + noise,   b_f ~ N(0, sigma² I ⊗ Gamma_f),   Gamma_f = L_f L_f'.

Z'Z of the grouping with most levels is block-diagonal, so it is eliminated first, a small block a
level; what is left is a system of the size of the other groupings' deviations,

    K = Z_r'Z_r - Z_r'Z_1 E Z_1'Z_r,   E = L_1 (I + L_1'Z_1'Z_1 L_1)^-1 L_1',   S = I + L_r'K L_r,

and after it one of the size of w0: the arrow of `polytask.algebra.arrow` twice. With
N = L_r S^-1 L_r', V = I + sum Z_f Gamma_f Z_f' and P = V^-1 less what w0 takes of it,

    deviance = log|V| (+ log|X'V^-1 X|) + n (1 + log 2 pi y'Py / n),   n = N - p (or N),

with the bracket for restricted likelihood, and its gradient in Gamma_f is the sum over levels of
Z'PZ (Z'V^-1 Z without restriction) less Z'Py y'PZ / noise. Singular L is fine: a variance of zero
is an answer. See Bates et al., J. Stat. Softw. 67 (2015), whose criterion this is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import lapack

from polytask.algebra.linalg import psd_inverse_and_log_det
from polytask.mixed.crossed.rows import CrossSums

__all__ = ["FAR", "SMALL", "CrossedPoint", "Eliminate", "Elimination", "Solved", "block_times"]

SMALL = 1e-3  # roots below which a block of S^-1 has not the digits of its part of K
_CHUNK = 4_000_000
_NO_NOISE = 1e-7  # share of the squares that w0 leaves below which there is no noise
_NO_DIGITS = 1e-13  # the same where rows exceed the coefficients: digits are lost
FAR, _FARTHEST = 1e3, 1e6  # largest standard deviation over that of the noise: likewise
_LITTLE = 1e-3  # share below which the squares are summed anew


class Elimination:
    """I + L'Z'vZ L factored, the first term by its blocks and the rest densely.

    Parameters
    ----------
    sums : CrossSums
    roots : sequence of ndarray of shape (q, k)
        L of every term.
    levels : sequence of int
    """

    def __init__(self, sums: CrossSums, roots: Sequence[np.ndarray], levels: Sequence[int]) -> None:
        self.sums, self.roots = sums, list(roots)
        L = roots[0]
        self.m, self.q = sums.blocks.shape[:2]
        A = np.eye(L.shape[1]) + L.T @ sums.blocks @ L
        if L.shape == (1, 1):
            self.log_det, self.E = float(np.log(A).sum()), L[0, 0] ** 2 / A
        else:
            self.log_det = float(np.linalg.slogdet(A)[1].sum()) if L.shape[1] else 0.0
            self.E = L @ np.linalg.inv(A) @ L.T
        self.EC = block_times(self.E, sums.cross)
        self.parts, at = [], 0
        for root, m in zip(roots[1:], levels[1:], strict=True):
            self.parts.append(slice(at, at + m * root.shape[0]))
            at += m * root.shape[0]
        self._factor()

    def _factor(self) -> None:
        """The factor of S and the logarithm of its determinant."""
        Q = self.sums.rest.shape[0]
        self.K = np.zeros((Q, Q))
        if not Q:
            return
        self.K = (self.sums.rest - self._across @ self.EC).toarray()
        S = np.eye(Q) + self._right(self._right(self.K).T)
        self._low, info = lapack.dpotrf(S, lower=1, clean=1, overwrite_a=1)
        if info:
            raise FloatingPointError("variances are too large for the digits of the sums")
        self.log_det += 2.0 * float(np.log(self._low.diagonal()).sum())

    @cached_property
    def _across(self) -> Any:
        return self.sums.cross.T

    @cached_property
    def S_inverse(self) -> np.ndarray:
        """S^-1."""
        if not len(self.K):
            return self.K
        low = lapack.dpotri(self._low, lower=1)[0]
        return np.asarray(low + np.tril(low, -1).T)

    @cached_property
    def N(self) -> np.ndarray:
        """L_r S^-1 L_r', the covariance of the rest's deviations around their estimate."""
        return self._left(self._left(self.S_inverse).T)

    def _right(self, M: np.ndarray) -> np.ndarray:
        """L_r' M."""
        return self._by_part(M, [root.T for root in self.roots[1:]])

    def _left(self, M: np.ndarray) -> np.ndarray:
        """L_r M, for square L."""
        return self._by_part(M, self.roots[1:])

    def _by_part(self, M: np.ndarray, small: Sequence[np.ndarray]) -> np.ndarray:
        out = np.empty_like(M)
        for part, L in zip(self.parts, small, strict=True):
            if not len(L):  # nothing deviates
                continue
            rows = M[part].reshape(-1, L.shape[1], M.shape[1])
            out[part] = (L @ rows).reshape(-1, M.shape[1]) if len(L) > 1 else M[part] * L[0, 0]
        return out

    def solve(self, first: np.ndarray, rest: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Deviations Gamma Z'V^-1 t of right-hand sides Z'vt, (m q, c) and (Q, c)."""
        own = self._own(first)
        if not len(rest):
            return own, rest
        b = self._among(rest - self._across @ own)
        return own - self.EC @ b, b

    def _among(self, t: np.ndarray) -> np.ndarray:
        """N t, the rest's deviations."""
        found = lapack.dpotrs(self._low, self._right(t), lower=1)[0]
        return self._left(found)

    def _own(self, first: np.ndarray) -> np.ndarray:
        by_level = first.reshape(self.m, self.q, first.shape[1])
        return np.asarray((self.E @ by_level).reshape(first.shape))

    def leverages(
        self, first: np.ndarray, code: np.ndarray, rest: np.ndarray, index: np.ndarray
    ) -> np.ndarray:
        """Z' L A^-1 L' z of rows z, with coordinates in the first term and in the rest.

        Parameters
        ----------
        first, code : ndarrays of shape (n, q), (n,)
            Coordinates in the first term, at a level.
        rest, index : ndarrays of shape (n, r)
            Coordinates in the rest, and where they stand.
        """
        own = self.E.copy()
        between = np.zeros(rest.shape)
        step = max(1, _CHUNK // max(self.q * len(self.N), 1))
        for at in range(0, self.m if self.parts else 0, step):
            EC = self.EC[at * self.q : (at + step) * self.q]
            EN = (EC @ self.N).reshape(-1, self.q, len(self.N))
            wide = EC.toarray().reshape(EN.shape)
            own[at : at + step] += EN @ wide.transpose(0, 2, 1)
            here = np.flatnonzero((code >= at) & (code < at + step))
            rows = EN[code[here, None] - at, :, index[here]]
            between[here] = np.einsum("nrq,nq->nr", rows, first[here])
        if first.shape[1] == 1:
            alone = own[code, 0, 0] * first[:, 0] ** 2
        else:
            alone = np.einsum("na,nab,nb->n", first, own[code], first)
        if not self.parts:
            return alone
        N = self.N[index[:, :, None], index[:, None, :]]
        among = ((N @ rest[:, :, None])[:, :, 0] * rest).sum(axis=1)
        return alone - 2.0 * (between * rest).sum(axis=1) + among

    def inner(self) -> list[np.ndarray]:
        """Sum over levels of Z'V^-1 Z of every term, each of shape (q, q)."""
        found = [self._inner_first()]
        for part, L in zip(self.parts, self.roots[1:], strict=True):
            q = len(L)
            if not q:  # nothing deviates
                found.append(np.zeros((0, 0)))
            elif np.linalg.svd(L, compute_uv=False).min() > SMALL:
                m = (part.stop - part.start) // q
                left = m * np.eye(q) - _block_sum(self.S_inverse[part, part], q)
                half = np.linalg.solve(L.T, left)
                found.append(np.linalg.solve(L.T, half.T))
            else:
                K = self.K[:, part]
                found.append(_block_sum(K[part] - K.T @ (self.N @ K), q))
        return found

    def _inner_first(self) -> np.ndarray:
        G = self.sums.blocks
        Q = np.eye(self.q) - G @ self.E
        total = np.asarray((Q @ G).sum(axis=0))
        if not (self.q and len(self.N)):
            return total
        QC = block_times(Q, self.sums.cross)
        if self.q == 1:
            return total - np.vdot((QC.T @ QC).toarray(), self.N)
        step = max(1, _CHUNK // (self.q * self.N.shape[0]))
        for at in range(0, self.m, step):
            rows = QC[at * self.q : (at + step) * self.q]
            left = (rows @ self.N).reshape(-1, self.q, self.N.shape[0])
            right = rows.toarray().reshape(left.shape)
            total -= np.einsum("iaj,ibj->ab", left, right)
        return total


def block_times(blocks: np.ndarray, C: Any) -> Any:
    """A block-diagonal matrix of blocks (m, q, q) times csr C (m q, Q)."""
    m, q, _ = blocks.shape
    if q == 0 or C.shape[1] == 0:
        return C
    if q == 1:
        scaled = C.copy()
        scaled.data = C.data * np.repeat(blocks.ravel(), np.diff(C.indptr))
        return scaled
    wide = sparse.bsr_matrix((blocks, np.arange(m), np.arange(m + 1)), shape=(m * q, m * q))
    return (wide @ C).tocsr()


def _block_sum(M: np.ndarray, q: int) -> np.ndarray:
    """Sum of the diagonal blocks (q, q) of a square matrix."""
    blocks = M.reshape(len(M) // q, q, len(M) // q, q)
    return np.asarray(np.einsum("iaib->ab", blocks))


Eliminate = Callable[[CrossSums, Sequence[np.ndarray], Sequence[int]], Elimination]


class Solved:
    """Coefficients at given roots, and the slopes of the log determinants in every Gamma.

    Parameters
    ----------
    sums : CrossSums
        T are the columns of w0 and, last, the target.
    roots : sequence of ndarray
    levels : sequence of int
    restricted : bool
        Whether determinants are those of w0 and the deviations, or of the deviations alone.
    common : ndarray of shape (p,) or None
        w0 where it is not to be estimated.
    eliminate : callable
        How the system is solved.
    """

    noise = 1.0
    square = np.inf  # that the noise is profiled from
    noiseless = False
    most = FAR  # largest standard deviation that a search takes

    def __init__(
        self, sums: CrossSums, roots: Sequence[np.ndarray], levels: Sequence[int],
        restricted: bool, common: np.ndarray | None = None,
        eliminate: Eliminate = Elimination,
    ) -> None:  # fmt: skip
        self.sums, self.roots, self.levels = sums, list(roots), list(levels)
        self.restricted = restricted
        self.system = eliminate(sums, roots, levels)
        self._solution = self.system.solve(sums.first_target, sums.rest_target)
        first, rest = self._solution
        inner = sums.target - sums.first_target.T @ first - sums.rest_target.T @ rest
        p = len(inner) - 1
        self._inner = inner
        self.inner_common = inner[:p, :p]
        self.common = self.common_covariance @ inner[:p, p] if common is None else common
        self._less = np.append(-self.common, 1.0)
        self.deviations = [b @ self._less for b in self._split(first, rest)]

    @cached_property
    def _of_common(self) -> tuple[np.ndarray, float]:
        return psd_inverse_and_log_det(self.inner_common.copy())

    @property
    def common_covariance(self) -> np.ndarray:
        """Of w0's estimate, over the noise."""
        return self._of_common[0]

    @cached_property
    def log_det(self) -> float:
        """Logarithms of the determinants."""
        return self.system.log_det + (self._of_common[1] if self.restricted else 0.0)

    def _split(self, first: np.ndarray, rest: np.ndarray) -> list[np.ndarray]:
        """By term: (m, q, c)."""
        parts = [first, *(rest[part] for part in self.system.parts)]
        return [
            part.reshape(m, len(L), part.shape[1])
            for part, m, L in zip(parts, self.levels, self.roots, strict=True)
        ]

    @cached_property
    def _pulls(self) -> list[np.ndarray]:
        """Z'V^-1 T of every term's levels, (m, q, c)."""
        first, rest = self.sums.products(*self._solution)
        return self._split(self.sums.first_target - first, self.sums.rest_target - rest)

    @cached_property
    def pulls(self) -> list[np.ndarray]:
        """Z'Py of every term's levels, (m, q)."""
        return [D @ self._less for D in self._pulls]

    @cached_property
    def log_det_gradients(self) -> list[np.ndarray]:
        """Gradient of the log determinants in every Gamma, (q, q)."""
        out = []
        for inner, D in zip(self.system.inner(), self._pulls, strict=True):
            X = D[..., :-1]
            if self.restricted:
                along = X @ self.common_covariance
                inner = inner - np.tensordot(along, X, axes=((0, 2), (0, 2)))
            out.append(inner)
        return out

    def information(self, slopes: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
        """Average information of the variances along dGamma (q, q) of given terms."""
        sizes = [m * len(L) for m, L in zip(self.levels, self.roots, strict=True)]
        start = np.concatenate([[0], np.cumsum(sizes)])
        C = np.zeros((start[-1], len(slopes)))
        for k, (f, slope) in enumerate(slopes):
            C[start[f] : start[f + 1], k] = (self.pulls[f] @ slope).ravel()
        first, rest = self.sums.products(C[: sizes[0]], C[sizes[0] :])
        own, other = self.system.solve(first, rest)
        back = self.sums.products(own, other)
        whole = C.T @ (np.vstack([first, rest]) - np.vstack(back))
        each = [
            D[..., :-1].reshape(size, -1)
            for D, size in zip(self._pulls, sizes, strict=True)
            if size
        ]
        X = np.vstack(each).T @ C
        a = np.concatenate([g.ravel() for g in self.pulls]) @ C
        found = whole - X.T @ self.common_covariance @ X - np.outer(a, a) / self.square
        return np.asarray(0.5 * (found + found.T) / self.noise)


class CrossedPoint(Solved):
    """Deviance, slopes and estimates of the squared loss at given roots.

    Parameters
    ----------
    sums, roots, levels, restricted, eliminate
        As in `Solved`.
    n_rows : float
    """

    def __init__(
        self, sums: CrossSums, roots: Sequence[np.ndarray], levels: Sequence[int],
        restricted: bool, n_rows: float, eliminate: Eliminate = Elimination,
    ) -> None:  # fmt: skip
        super().__init__(sums, roots, levels, restricted, eliminate=eliminate)
        p = len(self.common)
        square, total = float(self._inner[p, p] - self.common @ self._inner[:p, p]), sums.target
        exceed = n_rows > p + len(sums.first_target) + len(sums.rest_target)
        if exceed and square < _LITTLE * total[p, p]:
            square = self._square_of_errors()
        self.most = _FARTHEST if exceed else FAR
        least = (_NO_DIGITS if exceed else _NO_NOISE) * float(total[p, p])
        self.noiseless = square <= least  # nothing but rounding is left
        self.square = max(square, least, 1e-300)
        self.free = n_rows - p if restricted else n_rows
        self.noise = self.square / self.free
        self.deviance = self.log_det + self.free * (1.0 + np.log(2.0 * np.pi * self.noise))

    def _square_of_errors(self) -> float:
        """The rows' errors squared and the deviations' penalty: errors of b count squared in it."""
        b = np.concatenate([each.ravel() for each in self.deviations])
        pull = np.concatenate([each.ravel() for each in self.pulls])
        asked = np.concatenate([self.sums.first_target, self.sums.rest_target]) @ self._less
        inside = float(self._less @ self.sums.target @ self._less) - b @ (asked + pull)
        penalty = sum(
            float(np.square(g @ L).sum()) for g, L in zip(self.pulls, self.roots, strict=True)
        )
        return float(inside + penalty)

    @cached_property
    def gradients(self) -> list[np.ndarray]:
        """Gradient of the deviance in every Gamma, (q, q)."""
        pairs = zip(self.log_det_gradients, self.pulls, strict=True)
        found = [M - g.T @ g / self.noise for M, g in pairs]
        return [0.5 * (M + M.T) for M in found]
