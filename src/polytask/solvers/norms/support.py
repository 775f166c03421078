"""Newton's method on the support: norms that are smooth in what they keep, where Gram matrices are.

Away from zero the length of a feature's coefficients is smooth, and an absolute value is linear, so
that on a given support the optimum solves a smooth equation. A proximal gradient step says what
joins the support wherever something must (Bareilles, Iutzeler and Malick, Newton acceleration on
manifolds identified by proximal gradient methods, Mathematical Programming 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np

from polytask.algebra.curvature import one_gram_serves
from polytask.data.kept import kept
from polytask.penalties import Norm
from polytask.penalties.joint import shortened
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver, fits
from polytask.solvers.facts import LENGTHS, NORMS, RIDGES, ROWS, SLOPES, SQUARES, Need
from polytask.solvers.norms.admm import Admm, AdmmInner
from polytask.solvers.norms.outer import Inner, solve_norm
from polytask.solvers.norms.proximal import fista
from polytask.solvers.norms.squares import Squares, squares_gap
from polytask.solvers.norms.support_model import SupportAt, SupportModel
from polytask.solvers.norms.sweeps import after_sweeps
from polytask.structures import Blocks

__all__ = ["SupportInner", "SupportNewton"]

_COLD = 60  # iterations of the other method from zero on
_BUDGET = 100  # products with the Gram matrices after which Newton's method does not pay
_FORCING = 0.03  # share of the residual that is left of a Newton equation
_MOST = 40  # iterations of conjugate gradients
_HALVINGS = 5
_OF_GAP = 0.2  # residual of an equation, as a share of what the gap allows
_ROUNDING = 1e-13
_FLAT = 1e-6  # least curvature of an entry, in those of its feature's others


class SupportNewton(Solver):
    """Lasso, joint features and sparse group of squares by Newton steps on what they keep."""

    name: ClassVar[str] = "newton on the support"
    needs: ClassVar[tuple[Need, ...]] = (SQUARES, ROWS, SLOPES, RIDGES, NORMS, LENGTHS)

    def slower(self, problem: Problem) -> bool:
        """Where no Gram matrices are kept."""
        return not (problem.data.keeps_grams or one_gram_serves(problem.data))

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the duality gap is below ``tol`` times the objective at L = 0."""
        support = SupportInner(lambda: AdmmInner() if fits(Admm(), problem) else fista)
        return solve_norm(problem, after_sweeps(support), self.name, start, tol, max_iter)


class SupportInner:
    """Newton's method on the support where there is one to go on from, and it gets somewhere.

    From zero, and on data where it once took long, as with collinear features, the ``other`` method
    is the faster one.
    """

    def __init__(self, choose: Callable[[], Inner]) -> None:
        self._choose = choose  # asks for curvatures, which sweeps do without

    @cached_property
    def other(self) -> Inner:
        """The other method."""
        return self._choose()

    def __call__(
        self, F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int
    ) -> tuple[np.ndarray, int]:
        """Minimize F(B) + norm(B) until the gap is at most ``tol``: B, iterations."""
        model: SupportModel = kept(F.data, ("support model",), SupportModel)
        if model.weary or not F.curvature.products:  # rows shared, but with weights of their own
            return self.other(F, norm, start, tol, max_iter)
        used = 0
        if not start.any():
            start, used = self.other(F, norm, start, tol, min(_COLD, max_iter))
        run = _Run(F, norm, start, model)
        while run.used <= _BUDGET and used + run.used <= max_iter:
            if squares_gap(F, run.B, run.g, run.penalty, norm) <= tol:
                return run.B, used + run.used
            if not (run.join() | run.newton(tol)):
                run.proximal()
        model.weary = used + run.used <= max_iter
        used += run.used
        B, more = self.other(F, norm, run.B, tol, max(max_iter - used, 1))
        return B, used + more


class _Run:
    """A point B, its gradient and what leads on from there."""

    def __init__(self, F: Squares, norm: Norm, start: np.ndarray, model: SupportModel) -> None:
        self.F, self.norm, self.model, self.used = F, norm, model, 1
        lengths = cast(Any, norm)
        self.l1, self.l2 = lengths.by_entries, lengths.by_features
        self.curvature = F.largest_curvature()
        self.B, self.penalty = start, norm.value(start)
        self.g = F.gradient(start)[0]

    def join(self) -> bool:
        """Let coefficients leave zero that must: whether there were such.

        Each feature by itself to where it would stand alone, in curvatures of single coefficients,
        and all together as far as is best: beyond the support the norm is linear along a line.
        """
        out = self.B == 0
        pull = np.where(out, np.maximum(np.abs(self.g) - self.l1, 0.0), 0.0)
        length = np.sqrt(np.einsum("ij,ij->j", self.B, self.B))
        l2 = np.where(length > 0, 0.0, self.l2)  # in a kept feature the length is smooth
        across = np.divide(self.l2, length, out=np.zeros_like(length), where=length > 0)
        wanted = np.sqrt(np.einsum("ij,ij->j", pull, pull)) > l2 * (1.0 + _ROUNDING)
        if not wanted.any():
            return False
        curvature = self.F.task_diagonal[:, wanted] + across[wanted]
        step = np.zeros_like(self.B)
        curvature = np.maximum(curvature, _FLAT * curvature.max(axis=0))
        alone = shortened(pull[:, wanted], curvature, l2[wanted])
        step[:, wanted] = -np.sign(self.g[:, wanted]) * alone
        H = self._image(step)
        square = np.einsum("ij,ij->j", step, step)
        fall = float((np.abs(step) * pull).sum()) - float((l2 * np.sqrt(square)).sum())
        bend = float((step * H).sum()) + float((across * square).sum())
        size = fall / max(bend, 1e-300)
        return fall > 0 and self._moves(size * step, size * H)

    def proximal(self) -> None:
        """A proximal gradient step, of a curvature that is large enough."""
        while True:
            c = self.curvature
            new, penalty = self.norm.shrink(self.B - self.g / c, 1.0 / c)
            step = new - self.B
            H = self._image(step)
            needed, length = float((step * H).sum()), float((step * step).sum())
            if needed <= 1.0001 * c * length:
                break
            self.curvature = 1.02 * needed / length
        self.B, self.g, self.penalty = new, self.g + H, penalty

    def newton(self, tol: float) -> bool:
        """A Newton step on the support: whether it was one down."""
        at = SupportAt(self.B, self.g, self.l1, self.l2)
        if not len(at.features):
            return False
        aim = _OF_GAP * tol / max(self.penalty, 1e-300)
        step, H = self._direction(at, aim)
        if not step.any():
            return False
        to = np.where(self._turned(self.B + step), 0.0, self.B + step)
        whole = to - self.B
        if not np.array_equal(to, self.B + step) and self._moves(whole, self._image(whole)):
            return True
        return any(self._moves(size * step, size * H) for size in 0.5 ** np.arange(_HALVINGS))

    def _moves(self, step: np.ndarray, H: np.ndarray) -> bool:
        """Take a step unless the objective rises."""
        to = self.B + step
        penalty = self.norm.value(to)
        fall = float((step * (self.g + 0.5 * H)).sum()) + penalty - self.penalty
        if fall > _ROUNDING * self.F.value_at_zero:
            return False
        self.B, self.g, self.penalty = to, self.g + H, penalty
        return True

    def _turned(self, to: np.ndarray) -> np.ndarray:
        """What passed zero on the way, where the norm has an edge there."""
        entries = self.B * to < 0
        features = np.einsum("ij,ij->j", self.B, to) <= 0
        return (entries & (self.l1 > 0)) | (features & (np.asarray(self.l2) > 0))

    def _image(self, step: np.ndarray) -> np.ndarray:
        self.used += 1
        return self.F.change(step)[0][:, : step.shape[1]]

    def _direction(self, at: SupportAt, aim: float) -> tuple[np.ndarray, np.ndarray]:
        """Conjugate gradients for the Newton equation: the step and F's Hessian times it."""
        whole, image = np.zeros_like(self.B), np.zeros_like(self.B)
        solve, J = self.model.at(self.F, at), at.features
        r = -at.residual
        x, first, n = np.zeros_like(r), float(np.vdot(r, r)), 0
        z = p = solve(r)
        rz = float(np.vdot(r, z))
        while rz > 0 and n < _MOST:
            n += 1
            whole[:, J] = p
            H = self._image(whole)
            Np = at.curve(p, H[:, J])
            pNp = float(np.vdot(p, Np))
            if pNp <= 0:
                break
            size = rz / pNp
            x += size * p
            image += size * H
            r -= size * Np
            if float(np.vdot(r, r)) <= _FORCING**2 * first or at.share(r) <= aim:
                break
            z = solve(r)
            rz, before = float(np.vdot(r, z)), rz
            p = z + (rz / before) * p
        self.model.took(n)
        whole[:, J] = x
        return whole, image
