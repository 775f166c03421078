"""Reduced-rank regression: the global optimum of every rank where tasks share their rows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from polytask.penalties.spectral import canonical_svd
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver, Status
from polytask.solvers.facts import (
    RANK,
    RIDGES,
    ROWS,
    SPECTRAL,
    SQUARES,
    Need,
    rank_of,
    ridge_of,
    slopes_of,
)
from polytask.structures import Blocks

__all__ = ["ReducedRank"]

_RANK_TOL = 1e-12  # singular values of the design below this share are rounding


class ReducedRank(Solver):
    """Squared loss, one design for all tasks, alpha rank(L) and a limit: the closed form.

    With weights omega_ij = s_i p_j, centred rows X and targets Y (n, m), and the thin singular
    value decomposition diag(p)^½ X = Q T Z', the risk is a constant plus

        ½ ‖Q' diag(p)^½ Y S^½ - T Z' L' S^½‖_F²,

    so the best L of rank r keeps the r largest singular values t_1 >= t_2 >= ... of the first
    term, and alpha rank(L) keeps those with t² > 2 alpha (Eckart and Young; Izenman 1975).
    """

    name: ClassVar[str] = "reduced rank regression"
    needs: ClassVar[tuple[Need, ...]] = (
        ROWS,
        SPECTRAL,
        RANK,
        RIDGES,
        SQUARES,
        Need("the rank penalty without a ridge", lambda p: rank_of(p).ridge == 0),
        Need("the same rows and weights in all tasks", lambda p: _weights(p) is not None),
        Need("a structure without a common part", lambda p: not _splits(p)),
        Need("free intercepts", lambda p: p.data.n_tasks == 1 or not _pulls(p)),
    )

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Exact; ``start``, ``tol`` and ``max_iter`` are not used."""
        penalty = rank_of(problem)
        L = _solve(problem, penalty.alpha, penalty.max_rank)
        blocks = {"low_rank": L, **_intercepts(problem, L)}
        return Solution(
            blocks=blocks,
            coefs=problem.structure.assemble(blocks),
            objective=problem.objective(blocks),
            violation=problem.violation(blocks),
            status=Status.SOLVED,
            certificate="global",
            solver=self.name,
            n_iter=1,
        )


def _splits(problem: Problem) -> bool:
    return bool(slopes_of(problem).rest.common[: problem.data.n_features].any())


def _pulls(problem: Problem) -> bool:
    return bool(ridge_of(problem, "deviation").strength.any())


def _weights(problem: Problem) -> tuple[np.ndarray, np.ndarray] | None:
    """(s, p) with omega_ij = s_i p_j; None where rows or weights are not so shared."""
    if not problem.data.design.shared:
        return None
    omega = problem.data.weight.reshape(problem.data.n_tasks, -1)
    s = omega.sum(axis=1)
    p = omega[0] / s[0]
    return (s, p) if np.allclose(omega, np.outer(s, p), rtol=1e-12, atol=0.0) else None


def _solve(problem: Problem, alpha: float, max_rank: int | None) -> np.ndarray:
    data = problem.data
    weights = _weights(problem)
    assert weights is not None, "asked of problems that need it"
    s, p = weights
    X, Y = _centred(problem, p)
    root = np.sqrt(p)[:, None]
    Q, T, Zt = np.linalg.svd(root * X, full_matrices=False)
    kept = _RANK_TOL * max(T.max(initial=0.0), 1e-300) < T
    Q, T, Zt = Q[:, kept], T[kept], Zt[kept]
    U, t, V = canonical_svd((Q.T @ (root * Y)) * np.sqrt(s))
    rank = int((t**2 > 2.0 * alpha).sum())
    rank = rank if max_rank is None else min(rank, max_rank)
    fitted = (U[:, :rank] * t[:rank]) @ V[:rank]
    L = (Zt.T @ (fitted / T[:, None])).T / np.sqrt(s)[:, None]
    return L if rank else np.zeros((data.n_tasks, data.n_features))


def _centred(problem: Problem, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    data = problem.data
    rows = data.design.block(0)
    X = (rows.toarray() if data.design.sparse else rows)[:, : data.n_features]
    Y = data.y.reshape(data.n_tasks, -1).T
    return (X - p @ X, Y - p @ Y) if data.intercept else (X, Y)


def _intercepts(problem: Problem, L: np.ndarray) -> Blocks:
    """Free intercepts: the means that the slopes leave."""
    data = problem.data
    blocks = {b: B for b, B in problem.zeros().items() if b != "low_rank"}
    if data.intercept:
        theta = np.hstack([L, np.zeros((data.n_tasks, 1))])
        left = data.weight * (data.y - data.design.predict(theta))
        total = np.bincount(data.code, data.weight, minlength=data.n_tasks)
        level = np.bincount(data.code, left, minlength=data.n_tasks) / total
        share = float(total @ level) / float(total.sum())
        blocks["common"], blocks["deviation"] = np.array([share]), (level - share)[:, None]
    return blocks
