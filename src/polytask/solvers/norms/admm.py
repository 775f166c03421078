"""The alternating direction method of multipliers, for any norm."""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np

from polytask.algebra.arrow import ArrowFactor, factor_arrow
from polytask.algebra.curvature import largest_curvature, make_curvature
from polytask.data import TaskData
from polytask.data.kept import kept
from polytask.penalties import Norm
from polytask.penalties.base import FeatureWise
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver
from polytask.solvers.facts import NORMS, RIDGES, ROWS, SLOPES, Need
from polytask.solvers.norms.outer import solve_norm
from polytask.solvers.norms.parts import quadratic_of, total
from polytask.solvers.norms.proximal import fista, metric
from polytask.solvers.norms.squares import Squares, is_within
from polytask.solvers.norms.sweeps import after_sweeps
from polytask.structures import Blocks, CommonDeviation

__all__ = ["Admm", "AdmmInner", "admm"]

_MOST = 200  # iterations; balanced rho needs 20 to 60
_BALANCED_AFTER = 60  # iterations: rho is left alone from here, which convergence needs
_CHECK_EVERY = 3
_RELAX = 1.6  # over-relaxation (Boyd et al. 2011, 3.4.3)
_RHO = 3.0
_LEAST_RHO = 1e-10  # of the mean curvature: with less the dual is rounding
_EVEN = 4.0  # largest over mean curvature below which accelerated gradient is faster
_UNLIKE = 1e4  # curvatures of features so far apart have a rho each
_UNBALANCED = 5.0  # primal and dual residual this far apart call for another rho

_NOTHING_BESIDE = Need(
    "nothing quadratic beside the norm", lambda problem: quadratic_of(problem) is None
)


class Admm(Solver):
    """Norms by splitting, with cached factorizations: tasks with a Gram matrix each."""

    name: ClassVar[str] = "admm"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SLOPES, RIDGES, NORMS, _NOTHING_BESIDE)

    def slower(self, problem: Problem) -> bool:
        """Where tasks have fewer rows than half their features, or squares have even ones."""
        data = problem.data
        return not data.is_narrow or (problem.loss.is_quadratic and _evenness(data) < _EVEN)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the duality gap is below ``tol`` times the objective at L = 0."""
        return solve_norm(problem, after_sweeps(AdmmInner()), self.name, start, tol, max_iter)


class AdmmInner:
    """ADMM, and accelerated gradient from its last point should it not get there; keeps rho."""

    def __init__(self) -> None:
        self.rho: float | None = None

    def __call__(
        self, F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int
    ) -> tuple[np.ndarray, int]:
        """Minimize F(B) + norm(B) until the gap is at most ``tol``: B, iterations."""
        unit = metric(F, norm)
        if unit is not None and unit.ndim == 2 and not F.constant:
            return fista(F, norm, start, tol, max_iter)
        most = min(_MOST, max_iter)
        B, used, self.rho = admm(F, norm, start, tol, most, self.rho)
        if used < most or most == max_iter:
            return B, used
        B, more = fista(F, norm, B, tol, max_iter - used)
        return B, used + more


def admm(
    F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int, rho: float | None = None
) -> tuple[np.ndarray, int, float]:
    """Minimize F(B) + norm(Z) with B = Z until the gap at Z is at most ``tol``.

    A step in B and the rest solves one block-arrow system, factored once for each rho. Rho is
    balanced between the primal and the dual residual, each as a share of its variable (Wohlberg
    2017); without the shares the balance depends on units, and iterations grow tenfold (measured).

    Returns
    -------
    Z : ndarray, as ``start``
    n_iter : int
    rho : float
        The last one, a start for a similar problem.
    """
    curvature, unit = F.mean_curvature(), _units(F, norm)
    least = _LEAST_RHO * curvature
    rho = max(_first_rho(F, norm, curvature) if rho is None else rho, least, 1e-300)
    system = _System(F, rho * unit)
    Z, root = start, np.sqrt(unit)
    v = Z - F.gradient(start)[0] / (rho * unit)  # Z and the dual's optimum
    for n_iter in range(max_iter):
        new, penalty = norm.shrink(v, cast(float, 1.0 / (rho * unit)))
        dual, change = v - new, new - Z
        Z = new
        B = system.solve(Z - dual)
        if n_iter % _CHECK_EVERY == _CHECK_EVERY - 1:
            g, _ = F.gradient(Z)
            if is_within(F, Z, g, penalty, norm, rho * unit * dual, tol):
                return Z, n_iter + 1, rho
            far, owed, moved, size = (np.linalg.norm(root * A) for A in (B - Z, dual, change, B))
            ratio = float(far * owed) / max(float(moved * size), 1e-300)
            if n_iter < _BALANCED_AFTER and not 1 / _UNBALANCED < ratio < _UNBALANCED:
                factor = max(float(np.clip(np.sqrt(ratio), 0.1, 10.0)), least / rho)
                rho, v = rho * factor, Z + dual / factor
                system = _System(F, rho * unit)
                continue
        v = v + _RELAX * (B - Z)
    return Z, max_iter, rho


class _System:
    """argmin over B of F(B) + ½ sum_j rho_j ‖b^j - v^j‖², rho one number or one a feature.

    Of a stack of k parts F sees the sum alone: that sum is the answer to rho/k and the sum of V,
    and what it differs by is shared evenly among the parts.
    """

    def __init__(self, F: Squares, rho: float | np.ndarray) -> None:
        self.F, d = F, F.structure.n_features
        self.rho = rho = rho / len(F.structure.parts)
        rest = F.structure.rest
        everywhere = rest.deviation.copy()
        everywhere[:d] = True
        common, own = rest.common.copy(), F.deviation.strength
        if not own.any():  # b0 beside free intercepts would make the system singular
            common[d:] &= ~rest.deviation[d:]
        self.structure = CommonDeviation(common, everywhere)
        D = np.zeros(int(everywhere.sum()))
        D[:d] = rho
        D[d:] = 2.0 * own
        G = 2.0 * F.common.strength[common[rest.common]]
        self.factor: ArrowFactor = factor_arrow(
            F.data.design, F.v, self.structure, G, D, F.curvature.grams
        )
        self.rhs = self.structure.adjoint(F.moment, {})

    def solve(self, V: np.ndarray) -> np.ndarray:
        L = self._solve_total(total(V))
        return L if V.ndim == 2 else V + (L - total(V)) / len(V)

    def _solve_total(self, V: np.ndarray) -> np.ndarray:
        d = self.F.structure.n_features
        own = self.rhs["deviation"].copy()
        own[:, :d] += self.rho * V
        return self.factor.solve({"common": self.rhs["common"], "deviation": own})["deviation"][
            :, :d
        ]


def _evenness(data: TaskData) -> float:
    """Largest curvature of any task over the mean of all, kept for as long as the data live."""
    d = data.n_features
    if d == 0:
        return 1.0

    def ratio() -> float:
        H = make_curvature(data, data.weight, True)
        return largest_curvature(H, d) / max(float(H.diagonal()[:, :d].mean()), 1e-300)

    return kept(data, ("evenness",), ratio)


def _first_rho(F: Squares, norm: Norm, curvature: float) -> float:
    """The mean curvature times the norm's strength, as a share of that from which B = 0.

    Where rho is balanced it is within a factor of three of that over two decades of strengths.
    """
    top = norm.dual(F.gradient_at_zero) or _RHO  # the square of a norm has no such strength
    return _RHO * curvature / max(top, 1e-300)


def _units(F: Squares, norm: Norm) -> float | np.ndarray:
    """What rho is multiplied by in each feature: its curvature, where those are far apart.

    A norm that is a sum over features is shrunk with a step for each of them.
    """
    d = F.structure.n_features
    if not isinstance(norm, FeatureWise) or len(F.structure.parts) > 1 or d < 2:
        return 1.0
    each = (F.data.design.column_norms(F.v)[:, :d] ** 2).mean(axis=0)
    unit = np.maximum(each, _UNLIKE**-3 * each.max()) / max(each.mean(), 1e-300)
    return unit if unit.max() > _UNLIKE * unit.min() else 1.0
