"""The facts that make a problem an arrow: masks of common and own coefficients, ridge strengths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from polytask.problem import Problem
from polytask.solvers.arrow import ArrowFactor, factor_arrow
from polytask.structures import CommonDeviation

__all__ = ["ArrowProblem", "arrow_problem", "why_not_arrow"]


@dataclass(frozen=True, eq=False)
class ArrowProblem:
    """A problem whose Hessian is a block arrow.

    Parameters
    ----------
    problem : Problem
    structure : CommonDeviation
    G, D : ndarray
        Curvature (twice the strength) of the penalties on the common part and on deviations.
    """

    problem: Problem
    structure: CommonDeviation
    G: np.ndarray
    D: np.ndarray

    def factor(self, curvature: np.ndarray, grams: np.ndarray | None = None) -> ArrowFactor:
        """Factorization at second derivatives ``curvature`` (N,) of the loss."""
        data = self.problem.data
        v = data.weight * curvature
        return factor_arrow(data.design, v, self.structure, self.G, self.D, grams)


def why_not_arrow(problem: Problem) -> str | None:
    """None, or why the problem is no arrow."""
    if not all(hasattr(problem.structure, mask) for mask in ("common", "deviation")):
        return "needs a common part and deviations as its structure"
    if not all(hasattr(penalty, "strength") for penalty in problem.penalties.values()):
        return "needs a quadratic penalty with a strength per coefficient on every block"
    return None


def arrow_problem(problem: Problem) -> ArrowProblem:
    """The arrow of a problem for which `why_not_arrow` is None."""
    structure = cast(CommonDeviation, problem.structure)
    strength = {b: getattr(penalty, "strength") for b, penalty in problem.penalties.items()}  # noqa: B009
    return ArrowProblem(problem, structure, 2.0 * strength["common"], 2.0 * strength["deviation"])
