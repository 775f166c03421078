"""The facts that make a problem an arrow: masks of common and own coefficients, ridge strengths."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np

from polytask.algebra.arrow import ArrowFactor, factor_arrow, factor_grams, in_both
from polytask.data import RiskAt
from polytask.data.kept import kept
from polytask.problem import Problem
from polytask.solvers.facts import Need, ridge_of
from polytask.structures import Blocks, CommonDeviation

__all__ = [
    "ARROW",
    "ArrowProblem",
    "arrow_problem",
    "centered",
    "keep_fit",
    "kept_fit",
    "why_not_arrow",
]

_BEYOND = 0.01  # share of a parabola above the loss that is seen where it is straight
_STRONG = 1e-6  # curvature of a penalty over the largest of a column with which digits are left
_FLAT = 1e-30  # least curvature: where a loss is saturated, a step would leave the numbers


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

    def factor(self, curvature: np.ndarray) -> ArrowFactor:
        """Factorization at second derivatives ``curvature`` (N,) of the loss."""
        data = self.problem.data
        v = data.weight * curvature
        return factor_arrow(data.design, v, self.structure, self.G, self.D)

    def factor_grams(self, grams: np.ndarray) -> ArrowFactor:
        """Factorization at the tasks' Hessians of R, shape (m, p, p)."""
        return factor_grams(grams, self.structure, self.G, self.D)

    def factor_at(self, risk: RiskAt, above: bool = False) -> ArrowFactor:
        """Factorization at the curvature of R somewhere, or of parabolas above its losses."""
        if risk.gram is not None:
            return self.factor_grams(risk.gram)
        curvature = risk.majorizer if above else risk.curvature
        assert curvature is not None
        if self.problem.loss.has_kinks and risk.majorizer is not None:
            curvature = np.maximum(curvature, _BEYOND * risk.majorizer)
        return self.factor(np.maximum(curvature, _FLAT))

    def factor_squares(self) -> ArrowFactor:
        """Factorization at curvature one, for answers that their residuals correct."""
        data, c, k = self.problem.data, len(self.G), len(self.D)
        narrow = 2 * data.sizes.min() >= k or k <= 16 or self._grams_serve()
        if data.design.sparse or not narrow or not c == k == data.n_coefs:
            return self.factor_unit()
        again, total = (partial(getattr, data, name) for name in ("grams", "total_gram"))
        return factor_grams(data.own_grams(), self.structure, self.G, self.D, again, total)

    def _grams_serve(self) -> bool:
        """Whether Gram matrices are there already, and penalties leave tasks of few rows digits."""
        data = self.problem.data
        if "grams" not in vars(data):
            return False
        return bool(self.D.min(initial=np.inf) > _STRONG * (data.column_norms**2).max(initial=0.0))

    def factor_unit(self) -> ArrowFactor:
        """Factorization at curvature one, from Gram matrices that others asked for as well."""
        data, k = self.problem.data, int(self.structure.deviation.sum())
        if k > 1 and data.keeps_grams and 2 * data.sizes.min() >= data.n_coefs:
            return self.factor_grams(data.grams)
        total = partial(getattr, data, "total_gram")
        arrow = self.structure, self.G, self.D
        return factor_arrow(data.design, data.weight, *arrow, total=total)

    def center(self, blocks: Blocks) -> Blocks:
        """The same coefficients with w0 at the tasks' mean where neither part has a penalty.

        The split is free there; the mean is the limit of a vanishing strength on deviations.
        """
        masks = (np.flatnonzero(self.structure.common), np.flatnonzero(self.structure.deviation))
        c, k = in_both(*masks)
        free = (self.G[c] == 0) & (self.D[k] == 0)
        if not free.any():
            return blocks
        c, k = c[free], k[free]
        common, deviation = blocks["common"].copy(), blocks["deviation"].copy()
        known = self.problem.source.share > 0
        mean = deviation[known][:, k].mean(axis=0)
        common[c] += mean
        deviation[np.ix_(known, k)] -= mean
        return {"common": common, "deviation": deviation}


ARROW = (
    Need(
        "a common part and deviations as its structure",
        lambda p: all(hasattr(p.structure, mask) for mask in ("common", "deviation")),
    ),
    Need(
        "a quadratic penalty with a strength per coefficient (`strength`) on every block",
        lambda p: all(hasattr(penalty, "strength") for penalty in p.penalties.values()),
    ),
)


def why_not_arrow(problem: Problem) -> str | None:
    """None, or why the problem is no arrow."""
    lacks = (f"needs {need.says}" for need in ARROW if not need.holds(problem))
    return next(lacks, None)


def keep_fit(problem: Problem, blocks: Blocks | None) -> None:
    """Keep the blocks of an arrow that were found beside something else, for who solves it."""
    kept(problem.data, _key(problem), lambda: blocks)


def kept_fit(problem: Problem) -> Blocks | None:
    """Blocks that were kept for an arrow with these data and strengths."""
    return kept(problem.data, _key(problem), lambda: None)


def _key(problem: Problem) -> tuple[Hashable, ...]:
    arrow = arrow_problem(problem)
    masks = arrow.structure.common, arrow.structure.deviation
    return "fit", *(part.tobytes() for part in (arrow.G, arrow.D, *masks))


def arrow_problem(problem: Problem) -> ArrowProblem:
    """The arrow of a problem for which `why_not_arrow` is None."""
    structure = cast(CommonDeviation, problem.structure)
    common, deviation = (ridge_of(problem, block).strength for block in ("common", "deviation"))
    return ArrowProblem(problem, structure, 2.0 * common, 2.0 * deviation)


def centered(problem: Problem, blocks: Blocks) -> Blocks:
    """`ArrowProblem.center` of an arrow; the blocks themselves of another problem."""
    return blocks if why_not_arrow(problem) else arrow_problem(problem).center(blocks)
