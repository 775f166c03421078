"""Inverses of a Hessian's simple relatives, for conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from polytask.algebra.curvature import Curvature
from polytask.algebra.linalg import symmetric_eigen
from polytask.problem import Problem
from polytask.solvers.arrow_problem import ArrowProblem, arrow_problem, why_not_arrow
from polytask.solvers.facts import coupled_of, quadratics_of
from polytask.structures import Blocks

__all__ = ["make_preconditioner"]

_LEAST = 1e-8  # share of the largest curvature that a free direction is granted


def make_preconditioner(problem: Problem, H: Curvature) -> Callable[[Blocks], Blocks]:
    """The best there is for a problem where R has the Hessian H."""
    if why_not_arrow(problem) is None:
        return DiagonalArrow(arrow_problem(problem), H.diagonal())
    deviation = problem.penalties.get("deviation")
    alone = all(np.prod(s) == 0 for b, s in _shapes(problem).items() if b != "deviation")
    if alone and hasattr(deviation, "coupling") and H.products:
        return KroneckerSum(problem, H)
    return Diagonal(problem, H)


def _shapes(problem: Problem) -> dict[str, tuple[int, ...]]:
    return problem.structure.shapes(problem.source.n_tasks)


class Diagonal:
    """The inverse of the Hessian's diagonal."""

    def __init__(self, problem: Problem, H: Curvature) -> None:
        zeros = problem.zeros()
        own = problem.structure.adjoint(H.diagonal(), zeros)
        self.inverse = {}
        for b, penalty in quadratics_of(problem).items():
            whole = own[b] + penalty.diagonal(zeros[b])
            self.inverse[b] = np.divide(1.0, whole, out=np.zeros_like(whole), where=whole > 0)

    def __call__(self, r: Blocks) -> Blocks:
        return {b: self.inverse[b] * R for b, R in r.items()}


class DiagonalArrow:
    """The inverse of the Hessian's diagonals: a small arrow for each coefficient.

    Exact where the features of a task are uncorrelated; it knows how w0 and the Δw_i share a
    coefficient. With s_i the curvature of a coefficient in task i, eliminating the tasks leaves
    G + sum_i s_i D / (s_i + D) for its common part.
    """

    def __init__(self, arrow: ArrowProblem, s: np.ndarray) -> None:
        structure = arrow.structure
        own = s[:, structure.deviation]
        whole = own + arrow.D
        self.inverse = np.divide(1.0, whole, out=np.zeros_like(whole), where=whole > 0)
        self.share = own * self.inverse
        both = structure.common & structure.deviation
        self.c = _positions(both[structure.common])
        self.k = _positions(both[structure.deviation])
        schur = arrow.G + s[:, structure.common].sum(axis=0)
        left = (own * self.inverse * arrow.D).sum(axis=0)
        schur[self.c] = arrow.G[self.c] + left[self.k]
        self.schur = np.divide(1.0, schur, out=np.zeros_like(schur), where=schur > 0)

    def __call__(self, r: Blocks) -> Blocks:
        reduced = r["common"].copy()
        reduced[self.c] -= np.einsum("mk,mk->k", self.share[:, self.k], r["deviation"][:, self.k])
        common = self.schur * reduced
        deviation = self.inverse * r["deviation"]
        deviation[:, self.k] -= self.share[:, self.k] * common[self.c]
        return {"common": common, "deviation": deviation}


class KroneckerSum:
    """The inverse of C ⊗ H̄ + 2 K ⊗ diag(s): all tasks have the average one's Hessian, up to size.

    C is diagonal with the tasks' shares of the curvature, H̄ the mean Hessian. With S = diag(s),
    the eigenvectors of C^-½ K C^-½ and of S^-½ H̄ S^-½ turn it into a diagonal.
    """

    def __init__(self, problem: Problem, H: Curvature) -> None:
        penalty, total, c = coupled_of(problem), H.total(), H.diagonal().sum(axis=1)
        c = np.maximum(c / max(c.sum(), 1e-300), _LEAST / len(c))
        total = total + np.diag(np.broadcast_to(2.0 * len(c) * penalty.ridge, len(total)))
        top = max(float(total.diagonal().max(initial=0.0)) * float(c.max()), 1e-300)
        s = np.maximum(
            2.0 * penalty.strengths, _LEAST * max(top, 2.0 * float(penalty.strengths.max()))
        )
        self.c, self.s = np.sqrt(c)[:, None], np.sqrt(s)
        K = penalty.coupling / self.c / self.c.T
        k, self.V = symmetric_eigen(K)
        h, self.U = symmetric_eigen(total / self.s / self.s[:, None])
        whole = np.maximum(h, 0.0) + np.maximum(k, 0.0)[:, None]
        self.inverse = 1.0 / np.maximum(whole, 1e-14 * max(float(whole.max(initial=0.0)), 1e-300))

    def __call__(self, r: Blocks) -> Blocks:
        R = self.V.T @ (r["deviation"] / self.c / self.s) @ self.U
        step = self.V @ (R * self.inverse) @ self.U.T
        return {**r, "deviation": step / self.c / self.s}


def _positions(mask: np.ndarray) -> slice | np.ndarray:
    """Where the mask is true; a slice, which copies nothing, where that is everywhere."""
    return slice(None) if mask.all() else np.flatnonzero(mask)
