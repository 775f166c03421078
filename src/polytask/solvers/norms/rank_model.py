"""Matrices of one rank: what the trace norm is there, and an inverse near Newton equations.

At L = U diag(s) V' the tangents are X V' + U Y' with Y'V = 0: X (m, r) and Y (d, r), one below the
other in an array. Along matrices of rank r the trace norm is smooth. Its curvature, with that of
the matrices themselves under the gradient G across L, is (Vandereycken, Low-rank matrix completion
by Riemannian optimization, 2013)

    in X: alpha ((X - U A) / s + U T) + G Y / s,    A = U'X,  T_jk = (A_jk - A_kj) / (s_j + s_k)
    in Y: alpha Y / s + G'X / s.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from polytask.algebra.linalg import clear_inverses
from polytask.compiled import loops
from polytask.penalties.spectral import spectral_norm
from polytask.solvers.norms.squares import Squares

__all__ = ["RankAt", "RankModel", "is_worth"]

_USUAL = 3  # iterations of conjugate gradients with a factorization that is new enough
_PATIENCE = 6.0  # more of them that a new one is worth
_SHARP = 1.0 - 1e-3  # largest singular value of G / alpha in a factorization: it stays positive


class RankAt:
    """A point of rank r: the gradient g (m, d) of the smooth part, and what is left of it."""

    residual: np.ndarray
    across: np.ndarray
    left: float

    def __init__(
        self, U: np.ndarray, s: np.ndarray, V: np.ndarray, g: np.ndarray, alpha: float,
        known: tuple[np.ndarray, np.ndarray, float] | None = None,
    ) -> None:  # fmt: skip
        self.U, self.s, self.V, self.alpha, self.m = U, s, V, alpha, len(U)
        if known is not None:
            self.residual, self.across, self.left = known
            return
        both = self.part(g)
        self.across = g - self.whole(both)
        both[: self.m] += alpha * U
        self.residual = both
        self.left = float(np.linalg.norm(both))

    @property
    def facts(self) -> tuple[np.ndarray | float, ...]:
        """What compiled loops ask for."""
        return self.U, self.s, self.V, self.across, self.alpha, self.residual

    def whole(self, x: np.ndarray) -> np.ndarray:
        """A tangent as a matrix (m, d)."""
        return np.asarray(x[: self.m] @ self.V.T + self.U @ x[self.m :].T)

    def moved(self, x: np.ndarray) -> np.ndarray:
        """The matrix (m, d) of this rank to which a tangent leads.

        Singular vectors turn by what it says at the old singular values: where those grow much,
        as just after a direction joined, L + `whole` of x would turn them by less than is meant.
        """
        X, Y = x[: self.m], x[self.m :]
        A = self.U.T @ X
        left = (self.U + (X - self.U @ A) / self.s) @ (np.diag(self.s) + A)
        return np.asarray(left @ (self.V + Y / self.s).T)

    def part(self, R: np.ndarray) -> np.ndarray:
        """What is tangent of a matrix (m, d)."""
        Y = R.T @ self.U
        return np.concatenate([R @ self.V, Y - self.V @ (self.V.T @ Y)])

    def curve(self, x: np.ndarray, H: np.ndarray) -> np.ndarray:
        """The Hessian times x, H (m, d) that of the smooth part times `whole` of x."""
        X, Y, s, m = x[: self.m], x[self.m :], self.s, self.m
        A = self.U.T @ X
        turn = (A - A.T) / (s[:, None] + s) - A / s
        out = self.part(H) + x * (self.alpha / s)
        out[:m] += self.U @ (self.alpha * turn) + self.across @ (Y / s)
        out[m:] += self.across.T @ (X / s)
        return out


class RankModel:
    """An inverse near those of Newton equations, made anew as iterations show.

    With D_i = V'H_i V + alpha / s tasks stand alone in X, but for Y, which they share, and for
    -W W', because singular values grow at an even price. What is left without X is one positive
    definite matrix of r (r + 1) / 2 + r (d - r) unknowns.
    """

    def __init__(self) -> None:
        self.at: RankAt | None = None
        self._excess = 0.0

    def took(self, n_iter: int) -> None:
        """Iterations that an equation took."""
        self._excess += n_iter - _USUAL

    def ready(self, F: Squares, at: RankAt, B: np.ndarray) -> bool:
        """Whether there is an inverse for this rank: an old one, or one made here.

        ``B`` (d, d - r) are orthonormal and across V.
        """
        if self.at is None or self.at.U.shape != at.U.shape or self._excess >= _PATIENCE:
            self.at, self._excess = None, 0.0
            try:
                self._factor(F, at, B)
            except np.linalg.LinAlgError:
                return False
            self.at = at
        return True

    @property
    def facts(self) -> tuple[np.ndarray, ...]:
        """What compiled loops ask for."""
        assert self.at is not None
        at = self.at
        return at.U, at.s, at.V, self._B, self._G, self._Z, self._w, self._root

    def solve(self, at: RankAt, x: np.ndarray) -> np.ndarray:
        """The inverse, at the point where it was made, of a tangent here."""
        old = self.at
        if old is None or old is at:
            return self._solve(x)
        return at.part(old.whole(self._solve(old.part(at.whole(x)))))

    def _factor(self, F: Squares, at: RankAt, B: np.ndarray) -> None:
        U, s, V, alpha = at.U, at.s, at.V, at.alpha
        (m, r), (d, q) = U.shape, B.shape
        H = np.ascontiguousarray(np.broadcast_to(F.task_curvature(np.arange(d)), (m, d, d)))
        H = (H.reshape(m * d, d) @ np.hstack([V, B])).reshape(m, d, d)
        D = V.T @ H[:, :, :r]
        D[:, np.arange(r), np.arange(r)] += alpha / s
        inverse = clear_inverses(D)
        if inverse is None:
            raise np.linalg.LinAlgError("not positive definite")
        H = B.T @ H
        P = np.ascontiguousarray(H[:, :, :r].transpose(0, 2, 1))  # of X and B'Y
        J = inverse @ P
        G = at.across * min(1.0, _SHARP * alpha / max(spectral_norm(at.across), 1e-300)) @ B
        # singular values grow at an even price: W'A of A = U'X has w_jk A_jk + w_kj A_kj for j <= k
        w = np.sqrt(alpha * s[:, None] / (s * (s[:, None] + s)))
        self._w = w * (1.0 - (1.0 - np.sqrt(0.5)) * np.eye(r))
        self._pairs = j, k = np.triu_indices(r)
        c, e = np.triu_indices(q)
        # sums over tasks, of pairs of singular vectors and of what stands for a task
        pairs, own = (U[:, j] * U[:, k]).T, inverse[:, j, k]
        UG = (U[:, :, None] * G[:, None, :]).reshape(m, r * q).T
        J_flat, YY = J.reshape(m, r * q), (H[:, :, r:] - P.transpose(0, 2, 1) @ J)[:, c, e]
        N = pairs @ YY - (own / (s[j] * s[k])).T @ (G[:, c] * G[:, e])
        sums = N, UG @ J_flat, pairs @ own, pairs @ J_flat, UG @ own
        compiled = loops("rank_steps")
        system = compiled.system if compiled is not None else _system
        upper = system(sums, self._w, s, alpha, q)
        self._root, info = linalg.lapack.dpotrf(upper.T, lower=True, clean=0, overwrite_a=1)
        if info:
            raise np.linalg.LinAlgError("not positive definite")
        self._Z = np.concatenate([inverse, J], axis=2)  # what X is of what pulls at X and Y
        self._G, self._B = np.ascontiguousarray(G), B

    def _solve(self, x: np.ndarray) -> np.ndarray:
        assert self.at is not None
        U, s, (j, k) = self.at.U, self.at.s, self._pairs
        (m, r), Z = U.shape, self._Z
        a, b = x[:m], x[m:].T @ self._B
        X = (a[:, None, :] @ Z)[:, 0]
        X, XP = X[:, :r], X[:, r:]
        b = b - U.T @ XP - (X.T @ self._G) / s[:, None]
        rhs = np.concatenate([_down(self._w, U.T @ X), b.ravel()])
        shared = linalg.lapack.dpotrs(self._root, rhs, lower=True)[0]
        Y = shared[len(j) :].reshape(b.shape)
        T = np.zeros((r, r))
        T[j, k] = shared[: len(j)]
        T = self._w * (T + T.T)
        pull = np.hstack([U @ T - self._G @ (Y / s[:, None]).T, -U @ Y])
        return np.concatenate([X + (Z @ pull[:, :, None])[:, :, 0], self._B @ Y.T])


def _system(
    sums: tuple[np.ndarray, ...], w: np.ndarray, s: np.ndarray, alpha: float, q: int
) -> np.ndarray:
    """What is left without X, from sums over tasks: of A = U'X for j <= k, and of B'Y by rows."""
    N, C, T, R, own = sums
    r, p, n = len(s), len(T), len(T) + len(s) * q
    side, across = _square(r), _square(q)
    T = T[side][..., side].transpose(0, 2, 1, 3)  # [j, l, k, n] of A_jl and A_kn
    R = R[side].reshape(r, r, r, q).transpose(0, 2, 1, 3)  # [j, l, k, c] of A_jl and Y_kc
    R = R + (own.reshape(r, q, p)[..., side] / s).transpose(0, 2, 3, 1)
    C = (C.reshape(r, q, r, q) / s[:, None]).transpose(0, 2, 3, 1)  # [j, k, c, e] of Y_jc and Y_ke
    N = (N[side][..., across] - C - C.transpose(1, 0, 3, 2)).transpose(0, 2, 1, 3)
    out = np.empty((n, n))
    out[:p, :p] = np.eye(p) - _down(w, _down(w, T).transpose(1, 2, 0))
    out[:p, p:] = _down(w, R).reshape(p, r * q)
    out[p:, p:] = N.reshape(r * q, r * q)
    out[np.arange(p, n), np.arange(p, n)] += np.repeat(alpha / s, q)
    return out


def _square(r: int) -> np.ndarray:
    """Where the pair of j and k stands among those of j <= k, shape (r, r)."""
    j, k = np.triu_indices(r)
    at = np.empty((r, r), dtype=np.intp)
    at[j, k] = at[k, j] = np.arange(len(j))
    return at


def _down(w: np.ndarray, T: np.ndarray) -> np.ndarray:
    """W'T of T[j, k, ...]."""
    (j, k), some = np.triu_indices(len(w)), (slice(None), *(None,) * (T.ndim - 2))
    return np.asarray(w[j, k][some] * T[j, k] + w[k, j][some] * T[k, j])


def is_worth(m: int, r: int, d: int, iterations: float = 100.0) -> bool:
    """Whether a factorization at rank r costs no more than so many proximal iterations."""
    q = d - r
    n = 0.5 * r * (r + 1) + r * q
    work = m * (2.0 * d**3 + 0.5 * (r * q) ** 2 + (r * q) ** 2 + 0.5 * r**4) + n**3 / 6
    return work <= iterations * (3.0 * m * d * d + 20.0 * min(m, d) ** 3)
