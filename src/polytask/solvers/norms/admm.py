"""The alternating direction method of multipliers, for the trace norm."""

from __future__ import annotations

import numpy as np

from polytask.algebra.arrow import ArrowFactor, factor_arrow
from polytask.algebra.curvature import narrow
from polytask.penalties.spectral import soft_threshold
from polytask.problem import Problem
from polytask.solvers.base import Solution
from polytask.solvers.norms.fista import fista
from polytask.solvers.norms.squares import Squares, squares_gap
from polytask.solvers.norms.trace_norm import solve_trace, why_not_trace
from polytask.structures import Blocks, CommonDeviation

__all__ = ["Admm", "AdmmInner", "admm"]

_MOST = 200  # iterations; balanced rho needs 20 to 60
_BALANCED_AFTER = 60  # iterations: rho is left alone from here, which convergence needs
_CHECK_EVERY = 3
_RELAX = 1.6  # over-relaxation (Boyd et al. 2011, 3.4.3)
_UNBALANCED = 5.0  # primal and dual residual this far apart call for another rho


class Admm:
    """Trace norm by splitting, with cached factorizations: tasks with a Gram matrix each."""

    name = "admm"

    def why_not(self, problem: Problem) -> str | None:
        """None, or why the method does not apply, or would be the slower one."""
        reason = why_not_trace(problem)
        if reason is None and not narrow(problem.data):
            return "is the slower method where tasks have fewer rows than half their features"
        return reason

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the duality gap is below ``tol`` times the objective at L = 0."""
        return solve_trace(problem, AdmmInner(), self.name, start, tol, max_iter)


class AdmmInner:
    """ADMM, and accelerated gradient from its last point should it not get there; keeps rho."""

    def __init__(self) -> None:
        self.rho: float | None = None

    def __call__(
        self, F: Squares, alpha: float, start: np.ndarray, tol: float, max_iter: int
    ) -> tuple[np.ndarray, int]:
        """Minimize F(L) + alpha ‖L‖_* until the gap is at most ``tol``: L, iterations."""
        most = min(_MOST, max_iter)
        L, used, self.rho = admm(F, alpha, start, tol, most, self.rho)
        if used < most or most == max_iter:
            return L, used
        L, more = fista(F, alpha, L, tol, max_iter - used)
        return L, used + more


def admm(
    F: Squares, alpha: float, start: np.ndarray, tol: float, max_iter: int, rho: float | None = None
) -> tuple[np.ndarray, int, float]:
    """Minimize F(L) + alpha ‖Z‖_* with L = Z until the gap at Z is at most ``tol``.

    A step in L and the rest solves one block-arrow system, factored once for each rho. Rho is
    balanced between the primal and the dual residual, each as a share of its variable (Wohlberg
    2017); without the shares the balance depends on units, and iterations grow tenfold (measured).

    Returns
    -------
    Z : ndarray of shape (m, d)
    n_iter : int
    rho : float
        The last one, a start for a similar problem.
    """
    rho = _first_rho(F) if rho is None else rho
    system = _System(F, rho)
    Z, dual = start, -F.gradient(start)[0] / rho  # the dual's value at the optimum
    for n_iter in range(max_iter):
        L = system.solve(Z - dual)
        relaxed = _RELAX * L + (1.0 - _RELAX) * Z
        new = soft_threshold(relaxed + dual, alpha / rho)
        dual = dual + relaxed - new.matrix
        primal, change = np.linalg.norm(L - new.matrix), np.linalg.norm(new.matrix - Z)
        Z = new.matrix
        if n_iter % _CHECK_EVERY == _CHECK_EVERY - 1:
            g, _ = F.gradient(Z)
            if squares_gap(F, Z, g, float(new.singular_values.sum()), alpha) <= tol:
                return Z, n_iter + 1, rho
            shares = primal * np.linalg.norm(dual), change * np.linalg.norm(L)
            ratio = float(shares[0]) / max(float(shares[1]), 1e-300)
            if n_iter < _BALANCED_AFTER and not 1 / _UNBALANCED < ratio < _UNBALANCED:
                factor = float(np.clip(np.sqrt(ratio), 0.1, 10.0))
                rho, dual = rho * factor, dual / factor
                system = _System(F, rho)
    return Z, max_iter, rho


class _System:
    """argmin over L of F(L) + rho/2 ‖L - V‖²."""

    def __init__(self, F: Squares, rho: float) -> None:
        self.F, self.rho, d = F, rho, F.structure.n_features
        rest = F.structure.rest
        everywhere = rest.deviation.copy()
        everywhere[:d] = True
        common, own = rest.common.copy(), F.penalties["deviation"].strength  # type: ignore[attr-defined]
        if not own.any():  # b0 beside free intercepts would make the system singular
            common[d:] &= ~rest.deviation[d:]
        self.structure = CommonDeviation(common, everywhere)
        D = np.full(int(everywhere.sum()), rho)
        D[d:] = 2.0 * own
        G = 2.0 * F.penalties["common"].strength[common[rest.common]]  # type: ignore[attr-defined]
        self.factor: ArrowFactor = factor_arrow(
            F.data.design, F.v, self.structure, G, D, F.curvature.grams
        )
        self.rhs = self.structure.adjoint(F.moment, {})

    def solve(self, V: np.ndarray) -> np.ndarray:
        d = self.F.structure.n_features
        own = self.rhs["deviation"].copy()
        own[:, :d] += self.rho * V
        return self.factor.solve({"common": self.rhs["common"], "deviation": own})["deviation"][
            :, :d
        ]


def _first_rho(F: Squares) -> float:
    """A third of the mean curvature: between the extremes that make ADMM slow."""
    design, d = F.data.design, F.structure.n_features
    norms = design.column_norms(F.v)[:, :d] ** 2
    return max(float(norms.mean()) / 3.0, 1e-300)
