"""w0, ΔW and P together: exact heads, then directions, from several starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

import numpy as np

from polytask.penalties import Rank
from polytask.problem import Problem
from polytask.solvers.base import Solution
from polytask.solvers.facts import has_basis, keeps_orthonormal
from polytask.solvers.low_rank.alternating import Factored, best_of, everything, status_of, wanted
from polytask.solvers.low_rank.heads import MeanHeads
from polytask.solvers.low_rank.starts import extended, principal, ridge_slopes, starting_directions
from polytask.structures import Blocks, CommonDeviation, LowRankPlus

__all__ = ["Alternating"]


class Alternating:
    """Mean-regularized heads on learned directions P.

    Given P, the heads are a mean-regularized model on P'x (exact). Given the heads, the penalty is
    a quadratic of P's unconstrained form V, and V is least squares; writing A V = A' P' with P
    orthonormal leaves the objective as it is. With k = min(m, d) the directions of any optimum
    fit into P, and the heads on all features are the global optimum.
    """

    name = "alternating"

    def why_not(self, problem: Problem) -> str | None:
        """None, or why the method does not apply."""
        if not has_basis(problem.structure):
            return "needs a projection in its structure"
        if not keeps_orthonormal(problem.penalties["projection"]):
            return "needs orthonormal directions"
        return None

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Steps to a violation of ``tol``; see `wanted`."""
        data, k = problem.data, problem.structure.n_components  # type: ignore[attr-defined]
        core, model = _core(problem)
        if k >= min(data.n_tasks, data.n_features):
            return _solution(problem, model, everything(core, model, k), "global", tol, max_iter)
        starts: Iterable[np.ndarray] = starting_directions(core, k, tol)
        if start is not None:
            known = extended(start["projection"].T, principal(ridge_slopes(core), k), k)
            starts = chain([known], starts)
        best = best_of(core, model, starts, wanted(tol), max_iter)
        return _solution(problem, model, best, "stationary", tol, max_iter)


def _core(problem: Problem) -> tuple[Problem, MeanHeads]:
    """The problem in L = A V, and what its heads are believed to be."""
    data = problem.data
    k, d = problem.structure.n_components, data.n_features  # type: ignore[attr-defined]
    common, deviation = problem.penalties["common"], problem.penalties["deviation"]
    level = np.zeros(data.n_coefs, dtype=bool)
    level[d:] = True
    penalties = {
        "low_rank": Rank(0.0),
        "common": replace(common, strength=common.strength[k:]),  # type: ignore
        "deviation": replace(deviation, strength=deviation.strength[k:]),  # type: ignore
    }
    core = Problem(data, problem.loss, LowRankPlus(CommonDeviation(level, level), d), penalties)
    model = MeanHeads(float(deviation.strength[0]), float(common.strength[0]))  # type: ignore
    return core, model


def _solution(
    problem: Problem, model: MeanHeads, at: Factored, certificate: str, tol: float, max_iter: int
) -> Solution:
    w0 = model.common(at.heads.A)
    blocks = {
        "projection": at.V.T,
        "common": np.append(w0, at.rest["common"]),
        "deviation": np.hstack([at.heads.A - w0, at.rest["deviation"]]),
    }
    objective, residual = at.measured(problem, blocks)
    violation = _violation(problem, blocks, residual)
    return Solution(
        blocks=blocks,
        coefs=problem.structure.assemble(blocks),
        objective=objective,
        violation=violation,
        status=status_of(violation, wanted(tol), at, max_iter),
        certificate=certificate,
        solver=Alternating.name,
        n_iter=at.n_iter,
    )


def _violation(problem: Problem, blocks: Blocks, residual: Blocks) -> float:
    """Largest residual of each block as a share of the largest gradient that the loss allows it."""
    sizes = {b: np.abs(B) for b, B in blocks.items()}
    bound = problem.gradient_bound  # P's residual mixes the tasks, see `slope_bound`
    scale = problem.structure.adjoint(np.broadcast_to(bound.max(axis=0), bound.shape), sizes)
    shares = [
        np.abs(R).max(initial=0.0) / max(scale[b].max(initial=0.0), 1e-300)
        for b, R in residual.items()
    ]
    return float(max(shares))
