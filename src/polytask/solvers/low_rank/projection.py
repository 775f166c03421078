"""w0, ΔW and P together: exact heads, then directions, from several starts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import ClassVar

import numpy as np

from polytask.penalties import Penalty, Rank, Ridge
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver
from polytask.solvers.facts import BASIS, ORTHONORMAL, ROWS, Need, basis_of, ridge_of
from polytask.solvers.low_rank.alternating import Factored, best_of, everything, status_of, wanted
from polytask.solvers.low_rank.heads import MeanHeads
from polytask.solvers.low_rank.own_basis import hidden_gain
from polytask.solvers.low_rank.starts import extended, principal, ridge_slopes, starting_directions
from polytask.structures import Blocks, CommonDeviation, SlopesPlus

__all__ = ["Alternating"]


class Alternating(Solver):
    """Mean-regularized heads on learned directions P.

    Given P, the heads are a mean-regularized model on P'x (exact). Given the heads, the penalty is
    a quadratic of P's unconstrained form V, and V is least squares; writing A V = A' P' with P
    orthonormal leaves the objective as it is. With k = min(m, d) the directions of any optimum
    fit into P, and the heads on all features are the global optimum.
    """

    name: ClassVar[str] = "alternating"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, BASIS, ORTHONORMAL)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Steps to a violation of ``tol``; see `wanted`."""
        data, k = problem.data, basis_of(problem).n_components
        core, model = _core(problem)
        if k >= min(data.n_tasks, data.n_features):
            at = everything(core, model, k)
            return _solution(problem, core, model, at, "global", tol, max_iter)
        starts: Iterable[np.ndarray] = starting_directions(core, k, tol)
        if start is not None:
            known = extended(start["projection"].T, principal(ridge_slopes(core), k), k)
            starts = chain([known], starts)
        best = best_of(core, model, starts, wanted(tol), max_iter)
        return _solution(problem, core, model, best, "stationary", tol, max_iter)


def _core(problem: Problem) -> tuple[Problem, MeanHeads]:
    """The problem in L = A V, and what its heads are believed to be."""
    data = problem.data
    k, d = basis_of(problem).n_components, data.n_features
    common, deviation = ridge_of(problem, "common"), ridge_of(problem, "deviation")
    level = np.zeros(data.n_coefs, dtype=bool)
    level[d:] = True
    penalties: dict[str, Penalty] = {
        "low_rank": Rank(0.0),
        "common": Ridge(common.strength[k:]),
        "deviation": Ridge(deviation.strength[k:]),
    }
    core = Problem(data, problem.loss, SlopesPlus(CommonDeviation(level, level), d), penalties)
    model = MeanHeads(float(deviation.strength[0]), float(common.strength[0]))
    return core, model


def _solution(
    problem: Problem, core: Problem, model: MeanHeads, at: Factored, certificate: str, tol: float,
    max_iter: int,
) -> Solution:  # fmt: skip
    w0 = model.common(at.heads.A)
    blocks = {
        "projection": at.V.T,
        "common": np.append(w0, at.rest["common"]),
        "deviation": np.hstack([at.heads.A - w0, at.rest["deviation"]]),
    }
    objective, residual = at.measured(problem, blocks)
    violation = _violation(problem, blocks, residual)
    gradient = at.gradient
    if gradient is None:
        gradient = problem.risk_gradient(problem.predict(blocks))
    left = model.residual(at.heads.A, at.V, gradient[:, : at.V.shape[1]])
    hidden = hidden_gain(core, left, 2.0 * model.alpha, 2.0 * model.alpha_common)
    return Solution(
        blocks=blocks,
        coefs=problem.structure.assemble(blocks),
        objective=objective,
        violation=violation,
        status=status_of(violation, wanted(tol), at, max_iter, hidden),
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
