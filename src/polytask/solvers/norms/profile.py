"""The objective as a function of L alone, measured with residuals from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from polytask.algebra.curvature import RowProducts
from polytask.data.kept import kept
from polytask.penalties.spectral import spectral_norm
from polytask.problem import Problem
from polytask.solvers.norms.rest import make_rest, only_levels, predict_rest
from polytask.solvers.norms.squares import gap_of_squares
from polytask.structures import Blocks

__all__ = [
    "Point",
    "Profile",
    "duality_gap",
    "gap_at",
    "profile",
    "rest_facts",
    "zero_profile",
]

_NEWTON_STEPS = 60
_REST_TOL = 1e-11  # of `Problem.gradient_bound`: the dual point is feasible to this


@dataclass(frozen=True, eq=False)
class Point:
    """A point L with the best rest u there.

    Parameters
    ----------
    L : ndarray of shape (m, d)
    rest : dict
        u: blocks ``common`` and ``deviation``.
    smooth : float
        R + q(u): the objective without the penalty on L.
    risk_gradient : ndarray of shape (m, p)
        Gradient of R in Theta.
    """

    L: np.ndarray
    rest: Blocks
    smooth: float
    risk_gradient: np.ndarray

    @property
    def gradient(self) -> np.ndarray:
        """Gradient of the smooth part in L, shape (m, d)."""
        return self.risk_gradient[:, : self.L.shape[1]]

    @cached_property
    def gradient_norm(self) -> float:
        """Spectral norm of the gradient."""
        return spectral_norm(self.gradient)

    @property
    def blocks(self) -> Blocks:
        """All blocks."""
        return {"low_rank": self.L, **self.rest}


@dataclass(frozen=True, eq=False)
class Profile(Point):
    """A point measured with residuals from the rows.

    Parameters
    ----------
    f : ndarray of shape (N,)
        Linear predictor of every observation.
    free_residual : float
        |⟨residual in u, u⟩|: by how much an inexact u may flatter a gap.
    """

    f: np.ndarray
    free_residual: float


def profile(
    problem: Problem, L: np.ndarray, start: Blocks | None = None, tol: float = _REST_TOL
) -> Profile:
    """The best rest at L by Newton steps (two for the squared loss: solve and refine).

    A gap is believed only with the default ``tol``.
    """
    data, loss, structure = problem.data, problem.loss, problem.structure
    rest = structure.rest  # type: ignore[attr-defined]
    f_L = np.zeros(len(data.y))
    if L.any():
        theta = np.zeros((data.n_tasks, data.n_coefs))
        theta[:, : structure.n_features] = L  # type: ignore[attr-defined]
        f_L = data.design.predict(theta)
    steps = 3 if loss.is_quadratic else _NEWTON_STEPS
    u = _zero_rest(problem) if start is None else {b: start[b] for b in ("common", "deviation")}
    f = f_L + predict_rest(data, rest, u)
    value = _smooth(problem, u, f)
    solver = None
    for step in range(steps * bool((rest.common | rest.deviation).any())):
        G = _adjoint(problem, data.weight * loss.gradient(data.y, f))
        residual = _rest_residual(problem, u, G)
        if (step > 0 or tol > _REST_TOL) and _small(problem, residual, tol):
            break
        v = data.weight * np.maximum(loss.curvature(data.y, f), 1e-10)
        if solver is None or not loss.is_quadratic:
            solver = make_rest(
                data, v, rest, problem.penalties["common"], problem.penalties["deviation"],  # type: ignore[arg-type]
                RowProducts(data.design, v),
            )  # fmt: skip
        best = solver.solve(G + _adjoint(problem, v * (f_L - f)))
        f_best = f_L + predict_rest(data, rest, best)
        if loss.is_quadratic:
            u, f = best, f_best
            continue
        found = _search(problem, u, f, value, best, f_best, residual)
        if found is None:
            break
        u, f, value = found
    G = problem.risk_gradient(f)
    residual = _rest_residual(problem, u, G)
    slack = sum(abs(float((residual[b] * u[b]).sum())) for b in residual)
    return Profile(L, u, _smooth(problem, u, f), G, f, slack)


def _adjoint(problem: Problem, s: np.ndarray) -> np.ndarray:
    """sum_k s_k x_k in each task, in the rest's columns at least, shape (m, p)."""
    data = problem.data
    if not only_levels(data, problem.structure.rest):  # type: ignore[attr-defined]
        return data.design.adjoint(s)
    out = np.zeros((data.n_tasks, data.n_coefs))
    out[:, -1] = np.bincount(data.code, s, minlength=data.n_tasks)
    return out


def zero_profile(problem: Problem) -> Profile:
    """The point L = 0, which is the optimum from ``alpha = ‖gradient‖_2`` on.

    Kept for as long as the data live, because every strength of a path asks for it.
    """
    data = problem.data
    zero = np.zeros((data.n_tasks, data.n_features))
    return kept(data, ("profile at zero", *rest_facts(problem)), lambda: profile(problem, zero))


def rest_facts(problem: Problem) -> tuple[Any, ...]:
    """What makes two problems on the same data differ beside the penalty on L."""
    rest = problem.structure.rest  # type: ignore[attr-defined]
    strengths = (problem.penalties[b].strength.tobytes() for b in ("common", "deviation"))  # type: ignore[attr-defined]
    return (problem.loss, rest.common.tobytes(), rest.deviation.tobytes(), *strengths)


def duality_gap(problem: Problem, at: Profile, alpha: float, norm: float) -> float:
    """Objective with penalty alpha ‖L‖_* minus the dual objective, where ‖L‖_* = norm.

    The dual point is the loss derivatives times some s for which the gradient's spectral norm is
    at most alpha. As u is optimal, they satisfy the dual's equality constraints,
    and q's conjugate at s times its gradient is s² q(u).
    """
    q = sum(problem.penalties[b].value(at.rest[b]) for b in at.rest)
    slope, top = float((at.L * at.gradient).sum()), at.gradient_norm
    return gap_at(problem, at.f, at.smooth, q, slope, alpha, norm, top) + at.free_residual


def gap_at(
    problem: Problem, f: np.ndarray, smooth: float, q: float, slope: float, alpha: float,
    norm: float, top: float,
) -> float:  # fmt: skip
    """`duality_gap` from predictors f, R + q, q, ⟨L, g⟩ and ‖g‖_2 = top, u taken for optimal."""
    data, loss = problem.data, problem.loss
    if loss.is_quadratic:  # the same without cancellation, at the best s
        return gap_of_squares(smooth, slope, norm, alpha, top)
    most, nu = alpha / max(top, 1e-300), loss.gradient(data.y, f)
    duals = [
        -float(data.weight @ loss.conjugate(data.y, s * nu)) - s * s * q
        for s in {most, min(most, 1.0)}
    ]
    return smooth + alpha * norm - max(duals)


def _zero_rest(problem: Problem) -> Blocks:
    return {b: B for b, B in problem.zeros().items() if b != "low_rank"}


def _smooth(problem: Problem, u: Blocks, f: np.ndarray) -> float:
    risk = float(problem.data.weight @ problem.loss.value(problem.data.y, f))
    return risk + sum(problem.penalties[b].value(u[b]) for b in u)


def _rest_residual(problem: Problem, u: Blocks, G: np.ndarray) -> Blocks:
    adjoint = problem.structure.rest.adjoint(G, u)  # type: ignore[attr-defined]
    return {b: problem.penalties[b].residual(u[b], adjoint[b]) for b in u}


def _small(problem: Problem, residual: Blocks, tol: float) -> bool:
    scale = problem.structure.rest.adjoint(problem.gradient_bound, {})  # type: ignore[attr-defined]
    return all((np.abs(R) <= tol * scale[b]).all() for b, R in residual.items())


def _search(
    problem: Problem, u: Blocks, f: np.ndarray, value: float, best: Blocks, f_best: np.ndarray,
    residual: Blocks,
) -> tuple[Blocks, np.ndarray, float] | None:  # fmt: skip
    """The first of the steps 1, 1/2, 1/4, ... to ``best`` that falls enough (Armijo)."""
    slope = sum(float((residual[b] * (best[b] - u[b])).sum()) for b in u)
    noise = 1e-14 * abs(value)
    for size in 0.5 ** np.arange(30):
        trial = {b: u[b] + size * (best[b] - u[b]) for b in u}
        f_trial = f + size * (f_best - f)
        new = _smooth(problem, trial, f_trial)
        if new <= value + 1e-4 * size * slope + noise:
            return trial, f_trial, new
    return None
