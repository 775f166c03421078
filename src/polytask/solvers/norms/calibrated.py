"""Roots of mean squares + a norm: the noise of each task and the coefficients in turn.

With the noise of each task given the problem is one of squares, in which task i weighs 1/sigma_i;
with the coefficients given the best sigma_i is the root of the mean square of its residuals. Both
are convex together and sigma is bounded below, so that taking turns leads to the optimum (Ndiaye,
Fercoq, Gramfort, Leclère and Salmon, Efficient smoothed concomitant lasso estimation, 2017).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np

from polytask.data import TaskData
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver, Status
from polytask.solvers.facts import NOISE, NORMS, ROWS, SLOPES, SQUARES, Need
from polytask.solvers.norms.outer import squares_at
from polytask.solvers.norms.parts import norm_of, quadratic_of, stacked
from polytask.solvers.norms.profile import Profile, profile, zero_profile
from polytask.solvers.norms.squares import NEXT_TO_NONE
from polytask.solvers.norms.working_set import solve_wide
from polytask.structures import Blocks

__all__ = ["Calibrated", "at_null_noise", "root_mean_squares"]

_TURNS = 200
_TURNS_BACK, _ALIKE = 5, 1e-8  # that tell where turns lead; share of those that are alike
_FIRST, _CLOSER = 1e-2, 0.1  # gap of the first turn's squares; of each turn's in the last one's
_ROUNDING, _SETTLED = 1e-15, 1e-12
_OF_ROUNDING = 1e-8  # share of a task's targets below which it has no noise
_SQUARE = 0.3  # the gap of squares is the square of how far their dual point must be scaled


class Calibrated(Solver):
    """Coefficients and the noise of each task in turn, to a duality gap of both."""

    name: ClassVar[str] = "calibrated squares"
    needs: ClassVar[tuple[Need, ...]] = (ROWS, SLOPES, SQUARES, NORMS, NOISE)

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Turns until the duality gap is below ``tol`` times the objective at W = 0."""
        data = problem.data
        penalties = {b: q for b, q in problem.penalties.items() if b != "noise"}
        null = _null_noise(data)
        floor = cast(Any, problem.penalties["noise"]).floor * null
        sigma, scale = null, float(data.share @ null)
        if start is not None:
            sigma = np.maximum(_residual_roots(problem, start), floor)
        n_iter, ahead, before = 0, _Ahead(), np.inf
        for turn in range(_TURNS):
            squares = replace(problem, source=_weighed(data, sigma), penalties=penalties)
            last = max((_SQUARE * tol) ** 2, _ROUNDING)
            closer = max(last, _FIRST * _CLOSER**turn)
            found = solve_wide(squares, start, closer, max_iter - n_iter)
            n_iter, blocks = n_iter + found.n_iter, found.blocks
            start = blocks
            at = profile(squares, stacked(squares, blocks), blocks)
            root = root_mean_squares(data, at.f)
            value, gap = _value_and_gap(squares, at, root, sigma, floor)
            settled = closer == last and (np.abs(root - sigma) <= _SETTLED * sigma).all()
            if gap <= tol * scale or n_iter >= max_iter or settled:
                break
            sigma = np.maximum(ahead(sigma, np.maximum(root, floor), gap < before), floor)
            before = gap
        return replace(
            found, objective=value, violation=squares.violation(blocks), solver=self.name,
            n_iter=n_iter, gap=max(gap, 0.0) / scale,
            status=Status.SOLVED if gap <= tol * scale else Status.MAX_ITER,
        )  # fmt: skip


class _Ahead:
    """Where turns lead to, from the last few: Anderson's acceleration in the logarithm of sigma.

    Tasks that features nearly explain take many turns: each goes on by a share of what is left.
    """

    def __init__(self) -> None:
        self.at: list[np.ndarray] = []
        self.moved: list[np.ndarray] = []

    def __call__(self, sigma: np.ndarray, turned: np.ndarray, falls: bool) -> np.ndarray:
        """The next sigma, from this one and what its turn made of it; that, where no gap falls."""
        if not falls:
            self.at, self.moved = [], []
        step = np.log(turned / sigma)
        self.at = [*self.at, np.log(turned)][-_TURNS_BACK:]
        self.moved = [*self.moved, step][-_TURNS_BACK:]
        if not falls or len(self.at) < 2:
            return turned
        change = np.diff(np.array(self.moved), axis=0).T
        share = np.linalg.lstsq(change, step, rcond=_ALIKE)[0]
        found = self.at[-1] - np.diff(np.array(self.at), axis=0).T @ share
        return np.asarray(np.exp(np.clip(found - self.at[-1], -1.0, 1.0)) * turned)


def _value_and_gap(
    squares: Problem, at: Profile, root: np.ndarray, sigma: np.ndarray, floor: np.ndarray
) -> tuple[float, float]:
    """The objective, and how far it is above the dual at the residuals over sigma, times t.

    A task's loss h(z) of its residuals z, in which ‖z‖ is their root mean square, is ‖z‖, or below
    the floor ½ (‖z‖² / floor + floor); its conjugate is ½ floor (‖p‖² - 1) for ‖p‖ <= 1. The rest u
    is optimal at these sigma, so that a quadratic q takes part by 2 t q - t² q.
    """
    share, norm = squares.data.share * sigma, norm_of(squares)  # as without the weighing
    quadratic = quadratic_of(squares)
    q = sum(squares.penalties[b].value(B) for b, B in at.rest.items())
    q += quadratic.value(at.B) if quadratic else 0.0
    high = root >= floor
    below = 0.5 * (root**2 / np.where(floor > 0, floor, 1.0) + floor)
    value = float(share @ np.where(high, root, below)) + q + norm.value(at.B)
    length = root / sigma  # of p at t = 1

    def dual(top: float, slope: float) -> float:
        t = 1.0 / max(top, float(length.max(initial=0.0)), 1.0)
        loss = share @ (t * root**2 / sigma - 0.5 * floor * ((t * length) ** 2 - 1.0))
        return float(loss) - t * slope + (2.0 * t - t * t) * q

    found = dual(norm.dual(at.gradient), float((at.B * at.gradient).sum()))
    if norm.value(at.B) <= NEXT_TO_NONE * value and quadratic is None:
        # What residuals have of the features is rounding, and more than such a norm: without it,
        # by a step of the least squares, their gradient is zero.
        left = squares_at(squares, zero_profile(squares)).above_least(at.gradient)
        found = max(found, dual(0.0, 2.0 * left))
    return value, value - found + at.free_residual


def root_mean_squares(data: TaskData, f: np.ndarray) -> np.ndarray:
    """Root of the mean squared residual of each task at predictions f (N,), shape (m,)."""
    total = np.bincount(data.code, data.weight * (data.y - f) ** 2, minlength=data.n_tasks)
    return np.sqrt(total / np.where(data.share > 0, data.share, 1.0))


def at_null_noise(data: TaskData) -> TaskData:
    """The rows as squares see them where no feature is kept: a task of noise s weighs 1/s."""
    return _weighed(data, _null_noise(data))


def _null_noise(data: TaskData) -> np.ndarray:
    """Root of the mean square of y, about the task's mean where there are intercepts.

    A task that has none then, as with one row, is measured in what the others have on average.
    """
    f = np.zeros(len(data.y))
    size = root_mean_squares(data, f)
    if data.intercept:
        ones = data.design.last_column()  # others where moments stand for rows
        mass = np.bincount(data.code, data.weight * ones**2, minlength=data.n_tasks)
        mean = np.bincount(data.code, data.weight * ones * data.y, minlength=data.n_tasks)
        f = ones * (mean / np.where(mass > 0, mass, 1.0))[data.code]
    found = root_mean_squares(data, f)
    noisy = found > _OF_ROUNDING * size
    typical = float(found[noisy].mean() if noisy.any() else size.max(initial=0.0)) or 1.0
    return np.where(noisy, found, typical)


def _residual_roots(problem: Problem, blocks: Blocks) -> np.ndarray:
    return root_mean_squares(problem.data, problem.predict(blocks))


def _weighed(data: TaskData, sigma: np.ndarray) -> TaskData:
    """The same rows, those of task i weighing 1/sigma_i as much; Gram matrices are kept."""
    found = replace(data, share=data.share / sigma)
    if data.keeps_grams:
        vars(found)["grams"] = data.grams / sigma[:, None, None]
    return found
