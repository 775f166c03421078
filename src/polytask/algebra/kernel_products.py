"""Systems in the kernel of many rows, by products with the rows in single precision."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import linalg

from polytask.algebra.wide import outer_product
from polytask.data import Design
from polytask.data.row_sums import added

__all__ = ["Border", "KernelProducts", "NotNearError"]

_LEFT = 1e-7  # share of the right-hand side that is left: what single precision allows
_DIGITS, _MORE = 13.0, 6.0  # that all solves together are for, and that one brings
_STEPS, _ROWS_A_STEP = 40, 10  # that cost as much as the kernel, and one more for so many rows
_FEWEST = 100  # rows from which on steps pay
_LOOK = 8  # steps after which is told how many are needed


class NotNearError(Exception):
    """More steps are needed than the kernel itself costs, or more digits."""


@dataclass(frozen=True, eq=False)
class Border:
    """A: a column, or its rows of every task, each a column of its own.

    Parameters
    ----------
    column : ndarray of shape (N,)
    start : ndarray of shape (m + 1,)
        Offsets of the tasks.
    each : bool
        Whether tasks have columns of their own.
    """

    column: np.ndarray
    start: np.ndarray
    each: bool

    def times(self, values: np.ndarray) -> np.ndarray:
        """A'v, shape (m,) or (1,)."""
        products = self.column * values
        return added(products, self.start) if self.each else products.sum(keepdims=True)

    def over(self, values: np.ndarray, beside: np.ndarray) -> np.ndarray:
        """A'v over the A'u of vectors that may be nothing where A is."""
        return self.times(values) / np.maximum(self.times(beside), np.finfo(float).tiny)

    def image(self, b: np.ndarray) -> np.ndarray:
        """A b, shape (N,)."""
        return self.column * (np.repeat(b, np.diff(self.start)) if self.each else b)


class KernelProducts:
    """K a + A b = r and A'a = 0, for K = I + Z C Z' + diag_i(Z_i D Z_i') of the tasks' rows Z_i.

    Conjugate gradients, preconditioned by diagonal blocks: rows of different tasks are hardly alike
    where there are many features, so that blocks are nearly all of K. A step reads the rows once:
    with t_i = Z_i'p_i of a direction p its curvature is p'p + t'C t + sum t_i'D t_i for their sum
    t, so that the residual, what precedes it, and its own t follow in one pass. An answer has six
    digits, of which its residual, in double precision, leads to more.

    Parameters
    ----------
    design : Design
    root : ndarray of shape (N,)
        What rows are multiplied by, for Z.
    common, own : ndarray of shape (p,)
        Diagonals of C and D.
    border : Border
        A, which may be nothing.
    """

    @np.errstate(all="ignore")  # numbers that are none are seen by `_judge`
    def __init__(
        self, design: Design, root: np.ndarray, common: np.ndarray, own: np.ndarray,
        border: Border,
    ) -> None:  # fmt: skip
        self.border, self.beside = border, None
        self.parts = [slice(a, b) for a, b in pairwise(design.start.tolist())]
        self.common, self.own = common.astype(np.float32), own.astype(np.float32)
        self.most = _STEPS + len(root) // _ROWS_A_STEP
        self.digits = _DIGITS
        self.Z = np.empty((len(root), design.n_columns), dtype=np.float32)
        self.inverses = []
        for i, part in enumerate(self.parts):
            Z = self.Z[part]
            Z[:] = design.block(i)
            Z *= root[part, None].astype(np.float32)
            block = outer_product(Z, self.common + self.own)
            block.flat[:: len(block) + 1] += 1.0
            factor = linalg.cho_factor(block, lower=True, check_finite=False)
            ones = np.eye(len(block), dtype=np.float32)
            self.inverses.append(linalg.cho_solve(factor, ones, check_finite=False))
        if border.column.any():
            none = np.zeros((design.n_tasks, design.n_columns), dtype=np.float32)
            r = border.column.astype(np.float32)
            z, self.moved = self._step(r, 0.0, np.zeros_like(r), none)
            self.beside = Border(z, border.start, border.each)

    @staticmethod
    def serves(design: Design) -> bool:
        """Whether there are so many rows that steps could pay."""
        return not design.sparse and int(design.start[-1]) >= _FEWEST

    @np.errstate(all="ignore")
    def solve(self, rhs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vectors a (N,) and b: one number, or one of each task.

        Raises
        ------
        NotNearError
            If that would take longer than to make K.
        """
        unit = float(np.linalg.norm(rhs)) or 1.0  # squares of small numbers are nothing here
        r = (rhs / unit).astype(np.float32)
        x, p = np.zeros((2, len(r)), dtype=np.float32)
        t = np.zeros((len(self.parts), len(self.common)), dtype=np.float32)
        b, size, first, before = np.zeros(1), 0.0, 0.0, 1.0
        for step in range(self.most + 1):
            z, onward = self._step(r, size, p, t)
            x += size * p
            if self.beside is not None:
                share = self.border.over(z, self.beside.column)
                b = b + share
                r -= self.border.image(share).astype(np.float32)
                z -= self.beside.image(share).astype(np.float32)
                onward -= share.astype(np.float32)[:, None] * self.moved
            rz = float(r @ z)
            first = first if step else rz
            if rz <= _LEFT**2 * first:
                self.digits -= _MORE
                return unit * x.astype(float), unit * b
            self._judge(step, rz / first)
            more = rz / before if step else 0.0
            p, t, before = z + more * p, onward + more * t, rz
            whole = t.sum(axis=0)
            own = float(((t * t) @ self.own).sum())
            curvature = float(p @ p) + float(whole @ (self.common * whole)) + own
            size = rz / max(curvature, 1e-300)
        raise NotNearError

    def _step(
        self, r: np.ndarray, size: float, p: np.ndarray, t: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take size K p off r, in place; then z, what precedes r, and Z_i'z_i of every task."""
        z, onward = np.empty_like(r), np.empty_like(t)
        image = self.common * t.sum(axis=0)
        for i, (part, inverse) in enumerate(zip(self.parts, self.inverses, strict=True)):
            Z = self.Z[part]
            if size:
                r[part] -= size * (p[part] + Z @ (image + self.own * t[i]))
            np.dot(inverse, r[part], out=z[part])
            np.dot(z[part], Z, out=onward[i])
        return z, onward

    def _judge(self, step: int, left: float) -> None:
        """Give up early where steps bring too little, or numbers are none."""
        digits = -0.5 * np.log10(max(left, 1e-300)) / max(step, 1)
        if not np.isfinite(left) or (step == _LOOK and digits * self.most < self.digits):
            raise NotNearError
