"""The objective as a function of what the norm sees alone, measured by residuals of the rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from polytask.algebra.curvature import RowProducts
from polytask.data.kept import kept
from polytask.penalties import Quadratic
from polytask.problem import Problem
from polytask.solvers.descent import Descent
from polytask.solvers.facts import ridge_of, slopes_of
from polytask.solvers.norms.parts import conjugate_of, norm_of, quadratic_of, support_of, total
from polytask.solvers.norms.rest import make_rest, only_levels, predict_rest
from polytask.solvers.norms.squares import NEXT_TO_NONE, Squares, gap_of_squares
from polytask.structures import Blocks

__all__ = [
    "Profile",
    "dual_value",
    "duality_gap",
    "profile",
    "rest_facts",
    "share_zero",
    "zero_factor",
    "zero_profile",
]

_NEWTON_STEPS = 60
_DUAL_STEPS, _DUAL_FALLS = 8, 0.5
_LEAST_TOP = 1e-6  # of a dual norm: no loss has derivatives a million times those at hand
_REST_TOL = 1e-11  # of `Problem.gradient_bound`: the dual point is feasible to this


@dataclass(frozen=True, eq=False)
class Profile:
    """A point B with the best rest u there, measured with residuals from the rows.

    Parameters
    ----------
    B : ndarray of shape (m, d) or (parts, m, d)
        What the norm sees (see `parts`).
    rest : dict
        u: blocks ``common`` and ``deviation``.
    smooth : float
        R + q(u) + Q(B): the objective without the norm.
    risk_gradient : ndarray of shape (m, p)
        Gradient of R in Theta.
    f : ndarray of shape (N,)
        Linear predictor of every observation.
    free_residual : float
        |⟨residual in u, u⟩|: by how much an inexact u may flatter a gap.
    quadratic : Quadratic or None
        Q.
    """

    B: np.ndarray
    rest: Blocks
    smooth: float
    risk_gradient: np.ndarray
    f: np.ndarray
    free_residual: float
    quadratic: Quadratic | None = None

    @property
    def L(self) -> np.ndarray:
        """The slopes' part (m, d) that the norm sees."""
        return total(self.B)

    @property
    def beside(self) -> float:
        """The quadratic beside the norm."""
        return self.quadratic.value(self.B) if self.quadratic else 0.0

    def is_next_to_free(self, penalty: float) -> bool:
        """Whether a norm of this value, and what is beside it, can be as good as none.

        Sooner than in the squares on the way, which end by that: none ends short of a gap here.
        """
        return penalty + self.beside <= 100.0 * NEXT_TO_NONE * self.smooth

    @property
    def gradient(self) -> np.ndarray:
        """Gradient of the smooth part in B, or one that broadcasts to it."""
        g = self.risk_gradient[:, : self.B.shape[-1]]
        return g if self.quadratic is None else g + self.quadratic.gradient(self.B)


@dataclass(frozen=True, eq=False)
class _Rest:
    """The smooth part at a rest u, the slopes under the norm held."""

    problem: Problem
    held: np.ndarray
    blocks: Blocks

    @cached_property
    def f(self) -> np.ndarray:
        data, rest = self.problem.data, slopes_of(self.problem).rest
        return np.asarray(self.held + predict_rest(data, rest, self.blocks))

    @cached_property
    def value(self) -> float:
        data, penalties = self.problem.data, self.problem.penalties
        risk = float(data.weight @ self.problem.loss.value(data.y, self.f))
        return risk + sum(penalties[b].value(B) for b, B in self.blocks.items())

    @cached_property
    def gradient(self) -> np.ndarray:
        """Of R, in the rest's columns at least."""
        data = self.problem.data
        return _adjoint(self.problem, data.weight * self.problem.loss.gradient(data.y, self.f))

    @cached_property
    def residual(self) -> Blocks:
        return _rest_residual(self.problem, self.blocks, self.gradient)


def profile(
    problem: Problem, B: np.ndarray, start: Blocks | None = None, tol: float = _REST_TOL
) -> Profile:
    """The best rest at B by Newton steps (two for the squared loss: solve and refine).

    A gap is believed only with the default ``tol``.
    """
    data, loss, structure = problem.data, problem.loss, slopes_of(problem)
    rest, quadratic = structure.rest, quadratic_of(problem)
    f_L = np.zeros(len(data.y))
    if B.any():
        theta = np.zeros((data.n_tasks, data.n_coefs))
        theta[:, : structure.n_features] = total(B)
        f_L = data.design.predict(theta)
    solvers: list[Any] = []  # one is enough where the curvature stays

    def step(at: _Rest) -> tuple[Blocks, int]:
        v = data.weight * np.maximum(loss.curvature(data.y, at.f), 1e-10)
        if not (solvers and loss.is_quadratic):
            ridges = ridge_of(problem, "common"), ridge_of(problem, "deviation")
            solvers[:] = [make_rest(data, v, rest, *ridges, RowProducts(data.design, v))]
        best = solvers[0].solve(at.gradient + _adjoint(problem, v * (f_L - at.f)))
        return {b: u - best[b] for b, u in at.blocks.items()}, 1

    begin = problem.start() if start is None else start
    steps = 3 if loss.is_quadratic else _NEWTON_STEPS
    blocks = {b: begin[b] for b in ("common", "deviation")}
    at = _Rest(problem, f_L, blocks)
    if (rest.common | rest.deviation).any():
        found = Descent(blocks, step, lambda at: _small(problem, at.residual, tol), steps)
        at = found.run(lambda blocks: _Rest(problem, f_L, blocks)).here
    G = problem.risk_gradient(at.f) if only_levels(data, rest) else at.gradient
    residual = _rest_residual(problem, at.blocks, G)
    slack = sum(abs(float((residual[b] * u).sum())) for b, u in at.blocks.items())
    smooth = at.value + (quadratic.value(B) if quadratic else 0.0)
    return Profile(B, at.blocks, smooth, G, at.f, slack, quadratic)


def _adjoint(problem: Problem, s: np.ndarray) -> np.ndarray:
    """sum_k s_k x_k in each task, in the rest's columns at least, shape (m, p)."""
    data = problem.data
    if not only_levels(data, slopes_of(problem).rest):
        return data.design.adjoint(s)
    out = np.zeros((data.n_tasks, data.n_coefs))
    out[:, -1] = np.bincount(data.code, s, minlength=data.n_tasks)
    return out


def zero_profile(problem: Problem) -> Profile:
    """The point L = 0, which is the optimum where the norm is strong enough.

    Kept for as long as the data live, because every strength of a path asks for it.
    """
    return kept(problem.data, _key_at_zero(problem), lambda: profile(problem, _zero(problem)))


def share_zero(problem: Problem, some: Problem, columns: np.ndarray) -> None:
    """Let a problem on some of the columns know what it is at L = 0, where all see the same."""
    zero = zero_profile(problem)
    G = zero.risk_gradient[:, columns]
    known = replace(zero, B=_zero(some), risk_gradient=G, quadratic=quadratic_of(some))
    kept(some.data, _key_at_zero(some), lambda: known)


def _zero(problem: Problem) -> np.ndarray:
    data, parts = problem.data, slopes_of(problem).parts
    several = () if len(parts) == 1 else (len(parts),)
    return np.zeros((*several, data.n_tasks, data.n_features))


def _key_at_zero(problem: Problem) -> tuple[Any, ...]:
    return ("profile at zero", len(slopes_of(problem).parts), *rest_facts(problem))


def zero_factor(problem: Problem) -> float:
    """What the norm must be multiplied by for L = 0 to be the optimum: with alpha 1, alpha_max.

    Infinite where there is the square of a norm, of which none is enough, or a limit.
    """
    norm, G = norm_of(problem), zero_profile(problem).gradient
    if conjugate_of(norm, G) > 0 or support_of(norm, G) > 0:
        return np.inf
    if not getattr(norm, "multiple", False):
        return norm.dual(G)
    alpha = float(cast(Any, norm).alpha)
    key = ("dual norm at zero", type(norm), *_key_at_zero(problem))
    return kept(problem.data, key, lambda: alpha * norm.dual(G)) / alpha


def rest_facts(problem: Problem) -> tuple[Any, ...]:
    """What makes two problems on the same data differ beside the penalty on L."""
    rest = slopes_of(problem).rest
    strengths = (ridge_of(problem, b).strength.tobytes() for b in ("common", "deviation"))
    return (problem.loss, rest.common.tobytes(), rest.deviation.tobytes(), *strengths)


def duality_gap(
    problem: Problem, at: Profile, penalty: float, near: Squares | None = None
) -> float:
    """The objective minus the dual objective, where the norm of B is ``penalty``.

    The dual point of squares ``near`` it is tried too, if they have one.
    """
    loss, y = problem.loss, problem.data.y
    if not loss.is_quadratic:
        nu, dual = loss.gradient(y, at.f), -np.inf
        if near is not None and near.dual is not None:
            dual = _value_near(problem, at, nu, near, near.dual)
        if dual == -np.inf:
            dual = dual_value(problem, at, nu, penalty)
        return at.smooth + penalty - dual + at.free_residual
    norm, g = norm_of(problem), at.gradient  # the same without cancellation, at the best s
    slope = float((at.B * g).sum()) + support_of(norm, g)
    square = conjugate_of(norm, g)
    return gap_of_squares(at.smooth, slope, penalty, norm.dual(g), square) + at.free_residual


def dual_value(problem: Problem, at: Profile, nu: np.ndarray, penalty: float) -> float:
    """The dual objective at loss derivatives nu (N,), whose gradient and best rest ``at`` has.

    The dual point is nu times some s for which the gradient's dual norm is at most one; zero, at
    which the least losses of all rows bound R, is best where the square of a norm is weak. As u is
    optimal, they satisfy the dual's equality constraints, and the conjugate of a quadratic (q, Q)
    at s times its gradient is s² times its value.
    """
    data, loss, norm = problem.data, problem.loss, norm_of(problem)
    top, square = norm.dual(at.gradient), conjugate_of(norm, at.gradient)
    support = support_of(norm, at.gradient)
    q = sum(problem.penalties[b].value(at.rest[b]) for b in at.rest)
    most = 1.0 / max(top, _LEAST_TOP) if top > 0 else 1.0
    duals = [
        -float(data.weight @ loss.conjugate(data.y, s * nu))
        - s * s * (q + at.beside + square)
        - s * support
        for s in {most, min(most, 1.0), 0.0}
    ]
    if at.is_next_to_free(penalty):
        # What is left of the gradient is more than such a norm allows; without it nu is dual.
        left = at.risk_gradient.copy()
        left[:, at.B.shape[-1] :] = 0.0  # what tasks' derivatives sum to stays the same
        without = Squares(problem, data.weight, data.y).without_gradient(nu, left)
        if without is not None:
            duals.append(-float(data.weight @ loss.conjugate(data.y, without)) - q)
    return max(duals)


def _value_near(
    problem: Problem, at: Profile, nu: np.ndarray, near: Squares, h: np.ndarray
) -> float:
    """The dual objective at derivatives near nu (N,) whose gradient is -h, which is feasible.

    They move by least squares, but for rows that would leave what the loss has as derivatives; what
    these leave of the gradient moves others.
    """
    data, norm, loss, d = problem.data, norm_of(problem), problem.loss, at.B.shape[-1]
    wanted = at.risk_gradient.copy()
    wanted[:, :d] -= at.gradient + h
    G, before = at.risk_gradient, np.inf
    for _ in range(_DUAL_STEPS):
        moved = near.without_gradient(nu, G - wanted)
        if moved is None:
            return -np.inf
        nu = np.where(np.isfinite(loss.conjugate(data.y, moved)), moved, nu)
        G = data.design.adjoint(data.weight * nu)
        left = float(np.linalg.norm(G - wanted))
        if left > _DUAL_FALLS * before:
            break
        before = left
    h = h + (wanted - G)[:, :d]
    s = 1.0 / max(norm.dual(h), 1.0)
    levels = slopes_of(problem).rest.assemble(at.rest)[:, d:]
    slack = abs(float(((G - wanted)[:, d:] * levels).sum()))
    q = sum(problem.penalties[b].value(at.rest[b]) for b in at.rest) + at.beside
    risk = float(data.weight @ loss.conjugate(data.y, s * nu))
    return -risk - s * s * (q + conjugate_of(norm, h)) - s * support_of(norm, h) - slack


def _rest_residual(problem: Problem, u: Blocks, G: np.ndarray) -> Blocks:
    adjoint = slopes_of(problem).rest.adjoint(G, u)
    return {b: problem.penalties[b].residual(u[b], adjoint[b]) for b in u}


def _small(problem: Problem, residual: Blocks, tol: float) -> bool:
    if not any(R.size for R in residual.values()):
        return True
    scale = slopes_of(problem).rest.adjoint(problem.gradient_bound, {})
    return all((np.abs(R) <= tol * scale[b]).all() for b, R in residual.items())
