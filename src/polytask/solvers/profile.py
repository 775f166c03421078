"""The objective as a function of L alone, measured with residuals from the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from polytask.data import TaskData
from polytask.penalties.spectral import spectral_norm
from polytask.problem import Problem
from polytask.solvers.curvature import RowProducts
from polytask.solvers.rest import make_rest
from polytask.structures import Blocks

__all__ = ["Profile", "duality_gap", "profile", "rest_facts", "zero_profile"]

_NEWTON_STEPS = 60
_REST_TOL = 1e-11  # of `Problem.gradient_bound`: the dual point is feasible to this


@dataclass(frozen=True, eq=False)
class Profile:
    """A point L with the best rest u there.

    Parameters
    ----------
    L : ndarray of shape (m, d)
    rest : dict
        u: blocks ``common`` and ``deviation``.
    f : ndarray of shape (N,)
        Linear predictor of every observation.
    smooth : float
        R + q(u): the objective without the penalty on L.
    gradient : ndarray of shape (m, d)
        Gradient of the smooth part in L.
    free_residual : float
        |⟨residual in u, u⟩|: by how much an inexact u may flatter a gap.
    """

    L: np.ndarray
    rest: Blocks
    f: np.ndarray
    smooth: float
    gradient: np.ndarray
    free_residual: float

    @property
    def blocks(self) -> Blocks:
        """All blocks."""
        return {"low_rank": self.L, **self.rest}


def profile(problem: Problem, L: np.ndarray, start: Blocks | None = None) -> Profile:
    """The best rest at L by Newton steps (two for the squared loss: solve and refine)."""
    data, loss, structure = problem.data, problem.loss, problem.structure
    rest = structure.rest  # type: ignore[attr-defined]
    theta = np.zeros((data.n_tasks, data.n_coefs))
    theta[:, : structure.n_features] = L  # type: ignore[attr-defined]
    f_L = data.design.predict(theta)
    u = _zero_rest(problem) if start is None else {b: start[b] for b in ("common", "deviation")}
    f = f_L + data.design.predict(rest.assemble(u))
    value = _smooth(problem, u, f)
    solver = None
    for step in range(3 if loss.constant_curvature else _NEWTON_STEPS):
        G = problem.risk_gradient(f)
        residual = _rest_residual(problem, u, G)
        if step > 0 and _small(problem, residual):
            break
        v = data.weight * np.maximum(loss.curvature(data.y, f), 1e-10)
        if solver is None or not loss.constant_curvature:
            solver = make_rest(
                data, v, rest, problem.penalties["common"], problem.penalties["deviation"],  # type: ignore[arg-type]
                RowProducts(data.design, v),
            )  # fmt: skip
        best = solver.solve(G + data.design.adjoint(v * (f_L - f)))
        f_best = f_L + data.design.predict(rest.assemble(best))
        if loss.constant_curvature:
            u, f = best, f_best
            continue
        found = _search(problem, u, f, value, best, f_best, residual)
        if found is None:
            break
        u, f, value = found
    G = problem.risk_gradient(f)
    residual = _rest_residual(problem, u, G)
    slack = sum(abs(float((residual[b] * u[b]).sum())) for b in residual)
    return Profile(L, u, f, _smooth(problem, u, f), G[:, : L.shape[1]], slack)


def zero_profile(problem: Problem) -> Profile:
    """The point L = 0, which is the optimum from ``alpha = ‖gradient‖_2`` on.

    Kept for as long as the data live, because every strength of a path asks for it.
    """
    data = problem.data
    kept = _KEPT.setdefault(data, {})
    key = rest_facts(problem)
    if key not in kept:
        kept[key] = profile(problem, np.zeros((data.n_tasks, data.n_features)))
    return kept[key]


def rest_facts(problem: Problem) -> tuple[Any, ...]:
    """What makes two problems on the same data differ beside the penalty on L."""
    rest = problem.structure.rest  # type: ignore[attr-defined]
    strengths = (problem.penalties[b].strength.tobytes() for b in ("common", "deviation"))  # type: ignore[attr-defined]
    return (problem.loss.name, rest.common.tobytes(), rest.deviation.tobytes(), *strengths)


_KEPT: WeakKeyDictionary[TaskData, dict[tuple[Any, ...], Profile]] = WeakKeyDictionary()


def duality_gap(problem: Problem, at: Profile, alpha: float, norm: float) -> float:
    """Objective with penalty alpha ‖L‖_* minus the dual objective, where ‖L‖_* = norm.

    The dual point is the loss derivatives times some s for which the gradient's spectral norm is
    at most alpha. As u is optimal, they satisfy the dual's equality constraints,
    and q's conjugate at s times its gradient is s² q(u).
    """
    data, loss = problem.data, problem.loss
    top = alpha / max(spectral_norm(at.gradient), 1e-300)
    if loss.constant_curvature:  # the same without cancellation, at the best s
        slope = float((at.L * at.gradient).sum())
        best = 1.0 - slope / (2.0 * at.smooth) if at.smooth > 0 else top
        s = min(max(best, 0.0), top)
        return (1.0 - s) ** 2 * at.smooth + s * slope + alpha * norm + at.free_residual
    nu = loss.gradient(data.y, at.f)
    q = sum(problem.penalties[b].value(at.rest[b]) for b in at.rest)
    duals = [
        -float(data.weight @ loss.conjugate(data.y, s * nu)) - s * s * q
        for s in (top, min(top, 1.0))
    ]
    return at.smooth + alpha * norm - max(duals) + at.free_residual


def _zero_rest(problem: Problem) -> Blocks:
    return {b: B for b, B in problem.zeros().items() if b != "low_rank"}


def _smooth(problem: Problem, u: Blocks, f: np.ndarray) -> float:
    risk = float(problem.data.weight @ problem.loss.value(problem.data.y, f))
    return risk + sum(problem.penalties[b].value(u[b]) for b in u)


def _rest_residual(problem: Problem, u: Blocks, G: np.ndarray) -> Blocks:
    adjoint = problem.structure.rest.adjoint(G, u)  # type: ignore[attr-defined]
    return {b: problem.penalties[b].residual(u[b], adjoint[b]) for b in u}


def _small(problem: Problem, residual: Blocks) -> bool:
    scale = problem.structure.rest.adjoint(problem.gradient_bound, {})  # type: ignore[attr-defined]
    return all((np.abs(R) <= _REST_TOL * scale[b]).all() for b, R in residual.items())


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
