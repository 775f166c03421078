"""Exact steps for L = A V on Gram matrices: the heads A, the directions V, and both at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from polytask.algebra.linalg import COLLINEAR, clear_inverses, psd_inverses
from polytask.compiled import loops
from polytask.solvers.low_rank.task_quadratic import TaskQuadratic

__all__ = ["HeadStep", "Prior", "direction_step", "head_step", "newton_system"]


@dataclass(frozen=True, eq=False)
class Prior:
    """½ own Σ ‖a_i - w0‖² + ½ common ‖w0‖² on the heads; without ``common`` w0 is zero."""

    own: float
    common: float | None = None


@dataclass(frozen=True, eq=False)
class HeadStep:
    """The best heads on V, and the products that led to them.

    Parameters
    ----------
    A : ndarray of shape (m, k)
    shared : ndarray
        w0 where the prior has one, then b of the quadratic.
    value : float
        Q and the prior, at their best.
    """

    quadratic: TaskQuadratic
    V: np.ndarray
    A: np.ndarray
    shared: np.ndarray
    value: float
    HV: np.ndarray  # (m, d, k)
    inverse: np.ndarray  # (m, k, k)
    coupling: np.ndarray  # (m, k, c): own coordinates with what is shared
    shared_curvature: np.ndarray  # (c, c), heads not eliminated

    @cached_property
    def gradient(self) -> np.ndarray:
        """Gradient of Q in every l_i (m, d)."""
        Q = self.quadratic
        g: np.ndarray = (self.HV @ self.A[:, :, None])[:, :, 0] - Q.s
        q = len(Q.t)
        return g + np.einsum("iqd,q->id", Q.E, self.shared[len(self.shared) - q :]) if q else g


def head_step(Q: TaskQuadratic, V: np.ndarray, prior: Prior) -> HeadStep:
    """Eliminate the heads, solve for what is shared, go back.

    With G_i = V H_i V' and h_i = G_i + own I, w0's system is own Σ h_i^-1 G_i + common I: no
    difference of near numbers, however strong the prior.
    """
    k, q = len(V), len(Q.t)
    HV, G, r, inverse = _products(Q, V, prior.own)
    first = (inverse @ r[:, :, None])[:, :, 0]
    if prior.common is None and q == 0:  # tasks stand alone
        value = Q.constant - 0.5 * float(np.vdot(r, first))
        nothing = np.zeros((len(r), k, 0)), np.zeros((0, 0))
        return HeadStep(Q, V, first, np.zeros(0), value, HV, inverse, *nothing)
    F = (Q.E @ V.T).transpose(0, 2, 1)
    total = r.sum(axis=0)
    if prior.common is None:
        X, S = F, Q.T - np.einsum("ikq,ikp->qp", F, inverse @ F)
        C, rhs, t = Q.T, Q.t - np.einsum("ikq,ik->q", F, first), Q.t
    else:
        X, t = (np.concatenate([G, F], axis=2), np.append(total, Q.t)) if q else (G, total)
        C = G.sum(axis=0)
        if q:
            C = np.block([[C, F.sum(axis=0)], [F.sum(axis=0).T, Q.T]])
        S, rhs = _with_mean(Q, prior, G, F, inverse, first)
        C[:k, :k] += prior.common * np.eye(k)
    shared = _solve(S, rhs)
    own = first - (inverse @ (X @ shared)[:, :, None])[:, :, 0]
    A = own if prior.common is None else own + shared[:k]
    value = Q.constant - 0.5 * (float(np.vdot(r, own)) + float(t @ shared))
    return HeadStep(Q, V, A, shared, value, HV, inverse, X, C)


def _products(Q: TaskQuadratic, V: np.ndarray, own: float) -> tuple[np.ndarray, ...]:
    """H_i V', V H_i V', V s_i and the inverse of V H_i V' + own I, of every task."""
    m, d = Q.s.shape
    if (compiled := loops("head_steps")) is not None:
        H, s, W = (np.ascontiguousarray(part) for part in (Q.H, Q.s, V))
        *found, inverse, clear = compiled.products(H, s, W, own, COLLINEAR)
        return *found, inverse if clear else _inverses(found[1] + own * np.eye(len(V)))
    HV = (Q.H.reshape(m * d, d) @ np.ascontiguousarray(V.T)).reshape(m, d, -1)  # one product
    G = V @ HV
    return HV, G, Q.s @ V.T, _inverses(G + own * np.eye(len(V)))


def direction_step(
    Q: TaskQuadratic, A: np.ndarray, B: np.ndarray, V: np.ndarray, gradient: np.ndarray
) -> np.ndarray:
    """V that minimizes Q(A V) + ½ tr(V'B V): one system of k d unknowns.

    Its matrix Σ a_i a_i' ⊗ H_i is a single product of (k², m) and (m, d²). Solved for the change
    of V, so that rounding is a share of the change. ``gradient`` is that of Q at A V (m, d).
    """
    k, d = V.shape
    rhs = -(A.T @ gradient + B @ V).ravel()
    if (compiled := loops("head_steps")) is not None:
        M = compiled.kronecker(np.ascontiguousarray(A), Q.packed, B)
    else:
        M = _kronecker(A, Q.H, B)
    if len(Q.t):
        N = np.einsum("ip,iqd->pdq", A, Q.E).reshape(k * d, -1)
        M, rhs = np.block([[M, N], [N.T, Q.T]]), np.append(rhs, np.zeros(len(Q.t)))
    return V + _solve(M, rhs)[: k * d].reshape(k, d)


def newton_system(
    at: HeadStep, B: np.ndarray, prior: Prior, horizontal: bool
) -> Callable[[float], np.ndarray | None]:
    """Changes of V (k, d) by Newton's method on the objective at its best heads, by damping.

    The Hessian in V, bordered by what is shared, less what the heads give way to. ``horizontal``
    moves across the rows of V only, where rotations of them change nothing. A change is None where
    the damped Hessian is not positive definite.
    """
    V = at.V
    (k, d), S = V.shape, _newton_matrix(at, B, prior)
    slope = at.A.T @ at.gradient + B @ V
    scale = float(np.trace(S[: k * d, : k * d])) / (k * d)
    if horizontal:
        off = np.eye(d) - V.T @ V
        P = linalg.block_diag(np.kron(np.eye(k), off), np.eye(len(S) - k * d))
        S = P @ S @ P
        S[: k * d, : k * d] += scale * np.kron(np.eye(k), V.T @ V)
        slope = slope @ off
    rhs = np.append(-slope.ravel(), np.zeros(len(S) - k * d))

    def step(damping: float) -> np.ndarray | None:
        diagonal = np.full(len(S), 1e-13 * scale)
        diagonal[: k * d] += damping * scale
        try:
            factor = linalg.cho_factor(S + np.diag(diagonal), lower=True, check_finite=False)
        except linalg.LinAlgError:
            return None
        found: np.ndarray = linalg.cho_solve(factor, rhs, check_finite=False)
        return found[: k * d].reshape(k, d)

    return step if scale > 0 else lambda _: None


def _newton_matrix(at: HeadStep, B: np.ndarray, prior: Prior) -> np.ndarray:
    """Second derivatives in V and in what is shared, the heads at their best.

    A head's own derivatives with V's row p are a_p H V' + g e_p', so that what it gives way to
    needs no matrix of its own.
    """
    Q, A, g, F = at.quadratic, at.A, at.gradient, at.coupling
    (k, d), m = at.V.shape, len(A)
    J = at.HV @ at.inverse
    S = _kronecker(A, Q.H - J @ at.HV.transpose(0, 2, 1), B)
    Ag = (A[:, :, None] * g[:, None, :]).reshape(m, k * d)
    turn = (Ag.T @ J.reshape(m, d * k)).reshape(k, d, d, k).transpose(0, 2, 3, 1)  # p e d q
    turn = turn.reshape(k * d, k * d)
    gg = (g[:, :, None] * g[:, None, :]).reshape(m, d * d)
    both = (at.inverse.reshape(m, k * k).T @ gg).reshape(k, k, d, d).transpose(0, 2, 1, 3)
    S -= turn + turn.T + both.reshape(k * d, k * d)
    c = F.shape[2]
    if c == 0:
        return S
    sides, give = [], at.inverse @ F
    if prior.common is not None:
        own = (A.T @ at.HV.reshape(m, d * k)).reshape(k, d, k)
        own[np.arange(k), :, np.arange(k)] += g.sum(axis=0)
        sides.append(own)
    if len(Q.t):
        sides.append(np.einsum("ip,iqd->pdq", A, Q.E))
    side = np.concatenate(sides, axis=2)
    side = side - (A.T @ (at.HV @ give).reshape(m, d * c)).reshape(k, d, c)
    side -= (give.reshape(m, k * c).T @ g).reshape(k, c, d).transpose(0, 2, 1)
    side = side.reshape(k * d, c)
    corner = at.shared_curvature - np.tensordot(F, give, ((0, 1), (0, 1)))
    return np.block([[S, side], [side.T, corner]])


def _with_mean(
    Q: TaskQuadratic, prior: Prior, G: np.ndarray, F: np.ndarray, inverse: np.ndarray,
    first: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    k = G.shape[1]
    rows = inverse.transpose(1, 0, 2).reshape(k, -1)
    top = prior.own * (rows @ G.reshape(-1, k)) + prior.common * np.eye(k)  # type: ignore[operator]
    if F.shape[2] == 0:
        return 0.5 * (top + top.T), prior.own * first.sum(axis=0)
    hF = inverse @ F
    side = prior.own * hF.sum(axis=0)
    S = np.block([[top, side], [side.T, Q.T - np.einsum("ikq,ikp->qp", F, hF)]])
    rhs = np.append(prior.own * first.sum(axis=0), Q.t - np.einsum("ikq,ik->q", F, first))
    return 0.5 * (S + S.T), rhs


def _kronecker(A: np.ndarray, H: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Σ a_i a_i' ⊗ H_i + B ⊗ I, shape (k d, k d)."""
    (m, k), d = A.shape, H.shape[1]
    p, q = np.triu_indices(k)
    products = ((A[:, p] * A[:, q]).T @ H.reshape(m, d * d)).reshape(-1, d, d)
    pair = np.empty((k, k), dtype=np.intp)
    pair[p, q] = pair[q, p] = np.arange(len(p))
    blocks = products[pair]
    np.einsum("pqdd->pqd", blocks)[:] += B[:, :, None]
    return blocks.transpose(0, 2, 1, 3).reshape(k * d, k * d)


def _inverses(h: np.ndarray) -> np.ndarray:
    """The inverses of all heads' systems; pseudo-inverses where one is singular."""
    inverse = clear_inverses(h)
    return psd_inverses(np.ascontiguousarray(h)) if inverse is None else inverse


def _solve(S: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """S^-1 rhs of a positive semidefinite S; the shortest solution where S is singular.

    S is overwritten.
    """
    if len(rhs) == 0:
        return rhs
    S, diagonal = np.ascontiguousarray(S), S.diagonal().copy()
    factor, info = linalg.lapack.dpotrf(S.T, lower=True, clean=0, overwrite_a=1)
    if info == 0 and (factor.diagonal() > 1e-6 * np.sqrt(diagonal)).all():
        x: np.ndarray = linalg.lapack.dpotrs(factor, rhs, lower=True)[0]
        return x
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    S = np.tril(S, -1)  # of which the other half is left
    scaled = (S + S.T + np.diag(diagonal)) * scale[:, None] * scale
    return np.asarray(scale * np.linalg.lstsq(scaled, scale * rhs, rcond=1e-12)[0])
