"""One eigendecomposition a task that serves every strength of its deviation.

The rows of a task, times the roots of their weights, are Z = V S^½ U'. With a ridge of curvature
c on the slopes' deviation, what its fit leaves of Z's range is V diag(c / (S + c)) V', whatever c:
no subtraction, so that residuals and leverages keep their digits where the fit nearly
interpolates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from polytask.algebra.linalg import symmetric_eigen
from polytask.data import TaskData
from polytask.data.batches import Batch

__all__ = ["Eigen", "TaskSpectra", "numbers_in_spectra", "task_spectra"]


Eigen = tuple[np.ndarray, np.ndarray]  # values (b, k), ascending, and vectors as columns
_LOST = 1e-7  # eigenvalue over the largest below which products of rows have lost its digits


@dataclass(frozen=True, eq=False)
class TaskSpectra:
    """The tasks of a batch: b of them, n rows at most, d slopes, r = min(n, d).

    Parameters
    ----------
    batch : Batch
    root : ndarray of shape (b, n)
        Roots of the rows' weights; zero on padding.
    s : ndarray of shape (b, r)
        Eigenvalues S of the weighted Gram matrix of the slopes; zero where only rounding is left.
    Ut : ndarray of shape (b, r, d)
        Their eigenvectors, as rows.
    Vt : ndarray of shape (b, r + 2, n)
        Left singular vectors of Z, as rows, and what they leave of the roots and of the targets,
        ``one_out`` and ``y_out``.
    outside : ndarray of shape (b, n)
        1 - sum_k V_jk²: the share of an observation that slopes cannot reach.
    y_in, one_in : ndarray of shape (b, r)
        Coordinates in V of the weighted targets, and of the roots, which are the column of the
        intercept; zero without one.
    one_one, one_y : ndarray of shape (b,)
        Products of ``one_out`` with itself and with ``y_out``.
    """

    batch: Batch
    root: np.ndarray
    s: np.ndarray
    Ut: np.ndarray
    Vt: np.ndarray
    outside: np.ndarray
    y_in: np.ndarray
    one_in: np.ndarray
    one_one: np.ndarray
    one_y: np.ndarray

    def without_rows(self) -> TaskSpectra:
        """What has no number for each row and singular vector."""
        return replace(self, Vt=np.zeros((len(self.s), 0, 0)), outside=self.outside[:, :0].copy())


def numbers_in_spectra(data: TaskData) -> tuple[float, float]:
    """Numbers that the spectra of all tasks hold without their rows, and with them."""
    d, least = data.n_features, np.minimum(data.sizes, data.n_features)
    return float((least * d).sum()), float((least * (data.sizes + d)).sum())


def task_spectra(data: TaskData, batch: Batch, eigen: Eigen | None = None) -> TaskSpectra:
    """Spectra of the tasks of a batch; ``eigen`` of its Gram matrices, where they are at hand."""
    d = data.n_features
    root = np.sqrt(batch.spread(data.weight))
    Z, unit = data.design.rows(batch)[:, :, :d], root[:, :1, None]
    if batch.valid is not None or (root != root[:, :1]).any():
        Z, unit = Z * root[:, :, None], np.ones((len(root), 1, 1))
    gram = data.grams[batch.at, :d, :d] if Z.shape[1] > d and data.keeps_grams else None
    s, Ut, rows = _decompose(Z, unit, gram, eigen)
    Vt = rows[:, :-2]
    full = _spans_all_rows(s, data.sizes[batch.tasks], Z.shape[1] <= d)[:, None]
    outside = np.where(full, 0.0, np.maximum(1.0 - np.einsum("brn,brn->bn", Vt, Vt), 0.0))
    one = root if data.intercept else np.zeros_like(root)
    inside, rest = _split(Vt, np.stack([one, root * batch.spread(data.y)], axis=1), full)
    rows[:, -2:] = rest
    one_in, y_in = np.ascontiguousarray(inside.transpose(1, 0, 2))
    one_one, one_y = np.einsum("bn,bkn->kb", rest[:, 0], rest)
    return TaskSpectra(batch, root, s, Ut, rows, outside, y_in, one_in, one_one, one_y)


def _decompose(
    Z: np.ndarray, unit: np.ndarray, gram: np.ndarray | None, eigen: Eigen | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """S (b, r), U' (b, r, d), V' (b, r + 2, n) of Z (b, n, d), from the smaller of Z'Z and ZZ'.

    Rows are Z times ``unit`` (b, 1, 1) of their task, ``gram`` their Z'Z (b, d, d) where it is at
    hand. The last two rows of V' are for others.
    The rows themselves are decomposed where products of them lose the digits of small values.
    """
    s, Ut, Vt = _from_products(Z, unit, gram, eigen)
    rough = ((s > 0) & (s < _LOST * s[:, -1:])).any(axis=1)
    if rough.any():
        left, roots, right = np.linalg.svd((Z * unit)[rough], full_matrices=False)
        kept = roots > 8 * min(Z.shape[1:]) * np.finfo(float).eps * roots[:, :1]
        s[rough] = np.where(kept, roots**2, 0.0)[:, ::-1]
        Ut[rough] = right[:, ::-1]
        Vt[rough, :-2] = (left * kept[:, None, :])[:, :, ::-1].transpose(0, 2, 1)
    return s, Ut, Vt


def _from_products(
    Z: np.ndarray, unit: np.ndarray, gram: np.ndarray | None, eigen: Eigen | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    b, n, d = Z.shape
    Zt, Vt = Z.transpose(0, 2, 1), np.empty((b, min(n, d) + 2, n))
    if eigen is None:
        gram = (Z @ Zt if n <= d else Zt @ Z) * unit**2 if gram is None else gram
        eigen = symmetric_eigen(gram)
    s, vectors = eigen
    kept = s > 8 * min(n, d) * np.finfo(float).eps * s[:, -1:]
    s = np.where(kept, s, 0.0)
    inverse_root = unit * (kept / np.sqrt(np.where(kept, s, 1.0)))[:, :, None]
    across = np.ascontiguousarray(vectors.transpose(0, 2, 1))
    if n <= d:
        np.multiply(across, kept[:, :, None], out=Vt[:, :-2])
        return s, (across @ Z) * inverse_root, Vt
    np.matmul(across * inverse_root, Zt, out=Vt[:, :-2])
    return s, across, Vt


def _spans_all_rows(s: np.ndarray, sizes: np.ndarray, from_rows: bool) -> np.ndarray:
    """Whether V is a whole orthonormal basis of each task's rows.

    From Z'Z it is orthonormal to eps times the ratio of the eigenvalues.
    """
    whole: np.ndarray = (s > 0).sum(axis=1) == sizes
    if from_rows:
        return whole
    smallest = np.where(s > 0, s, np.inf).min(axis=1)
    return whole & (smallest > 1e-5 * s[:, -1])


def _split(Vt: np.ndarray, t: np.ndarray, full: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates in V of rows of t (b, k, n) and the rest; none where V spans all rows."""
    inside = np.zeros((*t.shape[:2], Vt.shape[1]))
    rest = t
    for _ in range(2):  # twice is enough, as V is orthonormal to half the digits or better
        more = rest @ Vt.transpose(0, 2, 1)
        inside += more
        rest = rest - more @ Vt
    return inside, np.where(full[:, :, None], 0.0, rest)
