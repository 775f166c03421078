"""Arrow-shaped least squares by orthogonal transformations: for data that Gram matrices lose.

A Gram matrix squares the condition number, so the elimination in `polytask.algebra.arrow` has no
digit left where that number is above 1e8: features far from zero, nearly collinear ones, a ridge
many decades below the data. Here no product of the data with themselves is formed. The deviation
of task i is eliminated from

    ½ ‖Z_i Δ_i + C_i w0 - r_i‖² + ½ ‖D^½ Δ_i‖²

by a singular value decomposition, which leaves rows in w0 alone; those of all tasks, and the
ridge on w0, are one least squares problem of the same kind (Björck, Numerical methods for least
squares problems, SIAM 1996, section 6.3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import linalg

from polytask.problem import Problem
from polytask.solvers.arrow_problem import arrow_problem
from polytask.structures import Blocks

__all__ = ["OrthogonalRidge", "solve_orthogonal", "solve_rotated", "too_large"]

_Split = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

_ROUNDING = 1e-8  # of a column of Z, what is outside the range of Z
_WORK_LIMIT = 2e10  # multiplications: above this a second, slower solve is not worth the wait


class OrthogonalRidge:
    """min over b: ½ ‖Z b - y‖² + ½ ‖D^½ b‖², for any number of right-hand sides.

    Coefficients with D = 0 are projected out first; where they are not unique the shortest
    (in units of column norms) is taken.

    Parameters
    ----------
    Z : ndarray of shape (n, k)
    D : ndarray of shape (k,)
        Zero or positive.
    """

    def __init__(self, Z: np.ndarray, D: np.ndarray) -> None:
        self.pen, self.free = np.flatnonzero(D > 0), np.flatnonzero(D <= 0)
        self.Z_pen, self.root = Z[:, self.pen], np.sqrt(D[self.pen])
        self.Q, self.free_inverse = _range_and_inverse(Z[:, self.free])
        self.U, self.s, self.Vt = _graded_svd(self._project(self.Z_pen / self.root))

    def solve(self, y: np.ndarray) -> np.ndarray:
        """The minimizing b, shape (k,)."""
        b = np.zeros(len(self.pen) + len(self.free))
        t = self.U.T @ self._project(y)
        b[self.pen] = self.Vt.T @ (self.s / (1.0 + self.s**2) * t) / self.root
        b[self.free] = self.free_inverse @ (self.Q.T @ (y - self.Z_pen @ b[self.pen]))
        return b

    def reduce(self, Y: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Rows R such that min over b of the objective at y = Y c is ½ ‖R c‖² for every c.

        ``own`` (q,) says which columns of Y are columns of Z, or -1: these have nothing outside
        the range of Z, and nothing at all where their coefficient is free.
        """
        Y = self._project(Y)
        Y[:, np.isin(own, self.free)] = 0.0
        inside = self.U.T @ Y
        shrunk = inside / np.sqrt(1.0 + self.s**2)[:, None]
        if len(self.s) + self.Q.shape[1] >= len(Y):  # nothing outside the range but rounding
            return shrunk
        outside = Y - self.U @ inside
        rounding = np.linalg.norm(outside, axis=0) <= _ROUNDING * np.linalg.norm(Y, axis=0)
        outside[:, (own >= 0) & rounding] = 0.0  # a small column may have been left out of U
        return np.vstack([shrunk, outside])

    def _project(self, Y: np.ndarray) -> np.ndarray:
        """Y without what the free coefficients explain; twice is enough for orthogonality."""
        Y = Y - self.Q @ (self.Q.T @ Y)
        return Y - self.Q @ (self.Q.T @ Y)


def solve_orthogonal(problem: Problem) -> Blocks:
    """Optimal blocks of a squared loss whose problem is an arrow."""
    arrow = arrow_problem(problem)
    c, k = np.flatnonzero(arrow.structure.common), np.flatnonzero(arrow.structure.deviation)
    own = np.array([*(int(np.searchsorted(k, j)) if j in k else -1 for j in c), -1])
    return _eliminate(problem, lambda X: (X[:, c], X[:, k]), arrow.G, arrow.D, own)


def solve_rotated(problem: Problem, G: np.ndarray, D: np.ndarray) -> Blocks:
    """Optimal blocks of a squared loss with deviations C u_i, ridges G (p,) on w0, D (k,) on u."""
    C: np.ndarray = problem.structure.C  # type: ignore[attr-defined]
    return _eliminate(problem, lambda X: (X, X @ C), G, D, np.full(len(C) + 1, -1))


def _eliminate(
    problem: Problem, split: _Split, G: np.ndarray, D: np.ndarray, own: np.ndarray
) -> Blocks:
    """The blocks where ``split`` makes of a task's rows those of w0 and those of the deviation."""
    m = problem.data.n_tasks
    tasks, rows = [], np.zeros((0, len(G) + 1))
    for i in range(m):
        X, y = _task(problem, i)
        common_rows, own_rows = split(X)
        tasks.append(OrthogonalRidge(own_rows, D))
        rows = np.vstack([rows, tasks[i].reduce(np.column_stack([common_rows, y]), own)])
        if len(rows) > 4 * (len(G) + 1):
            rows = np.asarray(np.linalg.qr(rows, mode="r"))
    common = OrthogonalRidge(rows[:, :-1], G).solve(rows[:, -1])
    deviation = np.zeros((m, len(D)))
    for i, task in enumerate(tasks):
        X, y = _task(problem, i)
        deviation[i] = task.solve(y - split(X)[0] @ common)
    return {"common": common, "deviation": deviation}


def too_large(problem: Problem) -> bool:
    """Whether the decompositions would take minutes, or their factors fill the memory."""
    data, p = problem.data, problem.data.n_coefs
    return (
        float((data.sizes * np.minimum(data.sizes, p) * p).sum()) + data.n_tasks * p * p
        > _WORK_LIMIT
    )


def _task(problem: Problem, i: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and targets of a task, times the roots of their weights."""
    X, y, weight = problem.data.block(i)
    root = np.sqrt(weight)
    X = X if isinstance(X, np.ndarray) else X.toarray()
    return X * root[:, None], y * root


def _graded_svd(B: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Singular value decomposition, without values that are rounding.

    A pivoted QR step first orders the columns by length, so that large ones do not spill rounding
    over small ones.
    """
    if 0 in B.shape:
        return np.zeros((len(B), 0)), np.zeros(0), np.zeros((0, B.shape[1]))
    Q, R, order = linalg.qr(B, mode="economic", pivoting=True)
    U, s, Vt = np.linalg.svd(R, full_matrices=False)
    back = np.empty_like(Vt)
    back[:, order] = Vt
    kept = s > s[0] * max(B.shape) * np.finfo(float).eps
    return Q @ U[:, kept], s[kept], back[kept]


def _range_and_inverse(F: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal basis of the range of F, and the matrix from it to coefficients."""
    norms = np.linalg.norm(F, axis=0)
    scale = np.where(norms > 0, norms, 1.0)
    U, s, Vt = _graded_svd(F / scale)
    return U, (Vt.T / s) / scale[:, None]
