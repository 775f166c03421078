"""Sums over tasks that a mixed model needs at one covariance: in one pass, or by numpy.

Task i has the Gram matrix H_i (p, p), the products r_i (p,) and the weight c_i² with its root c_i:
one, but where a task stands for several of the same design (`of_one_design`). Symbols are those of
`polytask.mixed.point`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from polytask.algebra.linalg import inverses_and_log_dets
from polytask.compiled import loops
from polytask.data.row_sums import summed

__all__ = [
    "FEW", "SecondSums", "bent_sums", "covariances", "first_sums", "of_one_design", "second_sums",
    "turned_sums",
]  # fmt: skip

FEW = 16  # coefficients up to which directions share the sums of all pairs

_FIRST, _SECOND, _FORMS = 16, 6, 8  # coefficients up to which loops are faster than BLAS
_A_CALL, _A_NUMBER = 3e-5, 8e-8  # seconds that loops save, the latter for a task's coefficient


class SecondSums(NamedTuple):
    """Sums over tasks at the common part w0.

    Parameters
    ----------
    q : ndarray of shape (m, p)
        b_i - c_i T_i w0.
    Q, shared, E, F : ndarrays of shape (p, p)
        sum q_i q_i', sum c_i² T_i S^-1 T_i, and with entries (j, n) sum q_ij q_in T_ijn and
        sum c_i T_ijn q_in.
    root : ndarray of shape (m,)
        The c_i.
    """

    q: np.ndarray
    Q: np.ndarray
    shared: np.ndarray
    E: np.ndarray
    F: np.ndarray
    root: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """The sum of c_i q_i, shape (p,)."""
        return self.root @ self.q


def first_sums(
    H: np.ndarray, r: np.ndarray, root: np.ndarray, L: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float, float]:
    """What the deviance is made of, at Gamma = L L'.

    Returns
    -------
    T : ndarray of shape (m, p, p)
    b : ndarray of shape (m, p)
        X_i'V_i^-1 y_i.
    S, pull : ndarrays of shapes (p, p), (p,)
        sum c_i² T_i and sum c_i b_i.
    log_det, explained : float
        sum c_i² log|A_i| and sum r_i'L A_i^-1 L'r_i.
    """
    if (compiled := _loops(H, _FIRST)) is not None:
        found: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float, float]
        found = compiled.first_sums(H, r, root, L)
        return found
    HL = H @ L
    A = L.T @ HL
    np.einsum("bkk->bk", A)[:] += 1.0
    inverse, log_dets = inverses_and_log_dets(A)
    HLA, rL = HL @ inverse, r @ L
    T, b = H - HLA @ HL.transpose(0, 2, 1), r - (HLA @ rL[:, :, None])[:, :, 0]
    explained = float((rL * (inverse @ rL[:, :, None])[:, :, 0]).sum())
    return T, b, _weighed(root**2, T), root @ b, float(root**2 @ log_dets), explained


def second_sums(
    T: np.ndarray, b: np.ndarray, root: np.ndarray, S_inverse: np.ndarray, common: np.ndarray
) -> SecondSums:
    """What slopes and the information of variances are made of, at the common part w0 (p,)."""
    if (compiled := _loops(T, _SECOND)) is not None:
        q, Q, shared, E, F = compiled.second_sums(T, b, root, S_inverse, common)
        return SecondSums(q, Q, shared, E, F, root)
    q = b - root[:, None] * (T @ common)
    shared = _weighed(root**2, (T @ S_inverse) @ T)
    pulls = T * q[:, None, :]
    E, F = (pulls * q[:, :, None]).sum(axis=0), _weighed(root, pulls)
    return SecondSums(q, q.T @ q, shared, E, F, root)


def covariances(
    H: np.ndarray, L: np.ndarray, S_inverse: np.ndarray, A_inverse: Callable[[], np.ndarray]
) -> np.ndarray:
    """K_i + (I - K_i H_i) S^-1 (I - K_i H_i)' of each task, shape (m, p, p)."""
    if (compiled := _loops(H, _FORMS)) is not None:
        return np.asarray(compiled.covariances(*map(np.ascontiguousarray, (H, L, S_inverse))))
    K = L @ A_inverse() @ L.T
    left = np.eye(len(L)) - K @ H
    return np.asarray(K + left @ S_inverse @ left.transpose(0, 2, 1))


def turned_sums(T: np.ndarray, q: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the information of a full covariance is made of.

    Returns
    -------
    M : ndarray of shape (p², p²)
        With entries (l j, n k) sum q_ij q_ik T_iln.
    Y : ndarray of shape (p², p)
        With entries (l j, n) sum c_i T_iln q_ij.
    """
    j, k, *_ = _pairs(q.shape[1])
    return _turned(q[:, j] * q[:, k], T[:, j, k]), _pulled(T, q, root)


def bent_sums(
    T: np.ndarray, q: np.ndarray, root: np.ndarray, S_inverse: np.ndarray, noise: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the second derivatives of the deviance are made of.

    Returns
    -------
    M, K : ndarrays of shape (p², p²)
        With entries (l j, n k) sum Z_ijk T_iln and sum c_i² T_ijk T_iln, where
        Z_i = 2 q_i q_i' / noise + c_i² (2 T_i S^-1 T_i - T_i).
    Y : ndarray of shape (p², p)
        As of `turned_sums`.
    """
    weight = (root**2)[:, None]
    if (compiled := _loops(T, _SECOND)) is not None:
        Z, flat = compiled.bent_pairs(T, q, root, S_inverse, noise)
    else:
        j, k, *_ = _pairs(q.shape[1])
        flat = T[:, j, k]
        Z = (2.0 / noise) * q[:, j] * q[:, k]
        Z += weight * (2.0 * ((T @ S_inverse) @ T)[:, j, k] - flat)
    return _turned(Z, flat), _turned(weight * flat, flat), _pulled(T, q, root)


def _turned(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The sum of A_ijk B_iln at (l j, n k), from pairs (m, p (p + 1) / 2) of A and B."""
    p = int((2 * second.shape[1]) ** 0.5)
    *_, of_first, of_second = _pairs(p)
    return np.asarray((first.T @ second)[of_first, of_second])


def _pulled(T: np.ndarray, q: np.ndarray, root: np.ndarray) -> np.ndarray:
    m, p = q.shape
    Y = (T.reshape(m, p * p).T @ (root[:, None] * q)).reshape(p, p, p)
    return Y.transpose(0, 2, 1).reshape(p * p, p)


@cache
def _pairs(p: int) -> tuple[np.ndarray, ...]:
    """Rows and columns of pairs, and which pairs are (j, k) and (l, n) at (l j, n k)."""
    j, k = np.tril_indices(p)
    pair = np.zeros((p, p), dtype=int)
    pair[j, k] = pair[k, j] = np.arange(len(j))
    both = np.broadcast_arrays(pair[:, None], pair[:, None, :, None])
    return j, k, *(each.reshape(p * p, p * p) for each in both)


def _weighed(weight: np.ndarray, A: np.ndarray) -> np.ndarray:
    """The sum of weight_i A_i, A (m, p, p)."""
    return (weight @ A.reshape(len(A), A.shape[1] ** 2)).reshape(A.shape[1:])


def of_one_design(H: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P + 1 tasks with the sums of many that have one Gram matrix: H, r and the roots of weights.

    A rotation of the tasks: the first stands for all, the others for how r differs.
    """
    m, p = r.shape
    mean = summed(r) / m
    scatter = np.linalg.qr(r - mean, mode="r")
    root = np.append(np.sqrt(m), np.zeros(p))
    return np.repeat(H[:1], p + 1, axis=0), np.vstack([np.sqrt(m) * mean, scatter]), root


def _loops(H: np.ndarray, most: int) -> Any:
    """Compiled loops, where they are worth it."""
    m, p = H.shape[:2]
    return loops("tasks", _A_CALL + _A_NUMBER * m * p) if 0 < p <= most else None
