"""Newton's method among matrices of one rank: the trace norm, where Gram matrices are kept.

Where the rank stays the trace norm is smooth, so that the optimum solves a smooth equation there;
singular vectors of the gradient say which directions join (Bareilles, Iutzeler and Malick, Newton
acceleration on manifolds identified by proximal gradient methods, Mathematical Programming 2023).
"""

from __future__ import annotations

from typing import Any, ClassVar, cast

import numpy as np

from polytask.compiled import loops
from polytask.data.kept import kept
from polytask.penalties import Norm
from polytask.penalties.spectral import is_below, remember, singular_above, soft_threshold
from polytask.problem import Problem
from polytask.solvers.base import Solution, Solver, fits
from polytask.solvers.facts import NORMS, RIDGES, ROWS, SLOPES, SPECTRAL, SQUARES, Need
from polytask.solvers.norms.admm import Admm, AdmmInner
from polytask.solvers.norms.outer import Inner, solve_norm
from polytask.solvers.norms.parts import quadratic_of
from polytask.solvers.norms.proximal import fista
from polytask.solvers.norms.rank_model import RankAt, RankModel, is_worth
from polytask.solvers.norms.squares import Squares, gap_of_squares, is_proven
from polytask.structures import Blocks

__all__ = ["RankInner", "RankNewton"]

_FAR, _NEAR = 3e-2, 1e-2  # gaps, of F at zero, above which and to which the other method goes
_FIRST, _TURNS = 60, 3  # iterations of it at a time, and turns
_CLOSER = 0.1  # share of the gap to which it goes where Newton's method found no way down
_MOST = 40  # iterations of conjugate gradients
_HALVINGS = 4
_FORCING = 0.1  # share of the residual that is left of a Newton equation at most
_OF_GAP, _POWER = 0.1, 0.75  # the same, as a share of what the gap allows; a power of the gap
_WEAK = 1e-6  # singular values, of the largest, that squares cannot tell from rounding
_LEAVES = 0.1  # share of a singular value below which a step ends it
_SETTLED = 0.3  # of the residual, excess above alpha from which directions join
_ALMOST = 0.9  # of alpha: where no further singular value of the gradient is above, none is missing
_STEPS = 30  # of Newton's method in a turn
_ROUNDING = 1e-13

_ALONE = Need(
    "the trace norm alone (`alpha`), no limit and nothing quadratic beside",
    lambda p: quadratic_of(p) is None and hasattr(p.penalties["low_rank"], "alpha"),
)


class RankNewton(Solver):
    """The trace norm of squares by Newton steps among matrices of one rank."""

    name: ClassVar[str] = "newton at a rank"
    needs: ClassVar[tuple[Need, ...]] = (SQUARES, ROWS, SLOPES, RIDGES, NORMS, SPECTRAL, _ALONE)

    def slower(self, problem: Problem) -> bool:
        """Where no Gram matrices are kept; without compiled loops where features are even."""
        return not (problem.data.keeps_grams and (_is_uneven(problem) or loops("rank_steps")))

    def solve(self, problem: Problem, start: Blocks | None, tol: float, max_iter: int) -> Solution:
        """Iterate until the duality gap is below ``tol`` times the objective at L = 0."""
        inner = RankInner(AdmmInner(), 100) if _is_uneven(problem) else RankInner(fista, 15)
        return solve_norm(problem, inner, self.name, start, tol, max_iter)


def _is_uneven(problem: Problem) -> bool:
    """Whether splitting is faster than accelerated gradients."""
    return fits(Admm(), problem)


class RankInner:
    """Newton's method near an optimum, and the ``other`` method from afar and at high rank.

    A factorization may cost as much as ``worth`` iterations of the other method.
    """

    def __init__(self, other: Inner, worth: int) -> None:
        self.other, self.worth = other, worth

    def __call__(
        self, F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int
    ) -> tuple[np.ndarray, int]:
        """Minimize F(B) + norm(B) until the gap is at most ``tol``: B, iterations."""
        model: RankModel = kept(F.data, ("rank model",), RankModel)
        used, far, near = 0, _FAR * F.value_at_zero, _NEAR * F.value_at_zero
        for _ in range(_TURNS):
            run = _Run(F, norm, start, model, self.worth)
            if run.gap > max(far, tol) and not run.heavy and near > tol:
                start, n = self.other(F, norm, run.L, near, min(_FIRST, max_iter - used))
                used += n
                run = _Run(F, norm, start, model, self.worth)
            if run.to(tol, max_iter - used):
                remember(run.L, run.here.U, run.here.s, run.here.V)
                return run.L, used + run.used
            used += run.used
            start, far, near = run.L, 0.0, _CLOSER * run.gap
            if run.heavy or used >= max_iter:
                break
        L, more = self.other(F, norm, start, tol, max(max_iter - used, 1))
        return L, used + more


class _Run:
    """A point L = U diag(s) V', what is known of it, and what leads on from there."""

    missing: bool  # whether a direction may be missing

    def __init__(
        self, F: Squares, norm: Norm, start: np.ndarray, model: RankModel, worth: int
    ) -> None:
        self.F, self.norm, self.model, self.worth, self.used = F, norm, model, worth, 0
        self.alpha = float(cast(Any, norm).alpha)
        self.compiled = None if F.task_squares is None else loops("rank_steps")
        self._at(start, len(start))

    def to(self, tol: float, max_iter: int) -> bool:
        """Steps until the gap is at most ``tol``: whether they got there."""
        for _ in range(_STEPS):
            if self.gap <= tol:
                return True
            least = self.alpha * (1.0 + _ROUNDING)
            self.missing = self.missing and not is_below(self.here.across, least)
            if self._is_proven(tol):
                return True
            if self.used >= max_iter or not (self._join() or self._newton(tol)):
                return False
        return self.gap <= tol

    def _is_proven(self, tol: float) -> bool:
        """Whether the subgradient nearest to minus the gradient is a dual point that proves it."""
        F, at = self.F, self.here
        if not F.goes_by_slopes(self.gap, tol):
            return False
        h = self.alpha * at.U @ at.V.T - at.across
        if self.missing:
            h += soft_threshold(at.across, self.alpha).matrix
        return is_proven(F, self.L, self.g, self.penalty, self.norm, [h], tol)

    @property
    def heavy(self) -> bool:
        """Whether a Newton step costs more than the other method would."""
        return not is_worth(len(self.L), len(self.here.s), self.L.shape[1], self.worth)

    def _at(self, L: np.ndarray, rank: int) -> None:
        """The nearest point to L of at most this rank."""
        F, alpha = self.F, self.alpha
        if self.compiled is None:
            found, slopes, known = _point(F, L, rank)
        else:
            zero = np.ascontiguousarray(F.gradient_at_zero)
            found, slopes, known = self.compiled.point(
                F.task_squares, zero, np.ascontiguousarray(L), rank, _WEAK, alpha
            )
        U, s, V, self.across_V, self.L, self.g = found
        self.here, self.used = RankAt(U, s, V, self.g, alpha, known), self.used + 1
        self.penalty = alpha * float(s.sum())
        smooth = F.value(self.L, self.g)
        self.value = smooth + self.penalty
        slope, top = float(np.vdot(self.L, self.g)), float(slopes[-1])
        self.gap = gap_of_squares(smooth, slope, self.penalty, top / alpha)
        few = len(s) < min(L.shape)
        self.missing = few and bool(slopes[-1 - len(s)] > _ALMOST * alpha)

    def _moves(self, L: np.ndarray, rank: int) -> bool:
        """Take a step unless the objective rises."""
        old = self.__dict__.copy()
        self._at(L, rank)
        if self.value <= old["value"] + _ROUNDING * self.F.value_at_zero:
            return True
        self.__dict__.update({**old, "used": self.used})
        return False

    def _join(self) -> bool:
        """Let directions join in which the gradient is above alpha: whether there were such.

        Each by itself to where it would stand alone, and all together as far as is best.
        """
        at = self.here
        if not self.missing:
            return False
        u, size, v = singular_above(at.across, self.alpha * (1.0 + _ROUNDING))
        excess = size - self.alpha
        if not len(size) or at.left > float(np.linalg.norm(excess)) / _SETTLED:
            return False
        bend = [self._bend(np.outer(*uv)) for uv in zip(u.T, v.T, strict=True)]
        size = excess / np.maximum(bend, 1e-300)
        step = -(u * size) @ v.T
        far = float(excess @ size) / max(self._bend(step), 1e-300)
        return self._moves(self.L + far * step, len(self.L))

    def _bend(self, step: np.ndarray) -> float:
        self.used += 1
        return float(np.vdot(step, self._image(step)))

    def _image(self, step: np.ndarray) -> np.ndarray:
        return self.F.change(step)[0][:, : step.shape[1]]

    def _newton(self, tol: float) -> bool:
        """A Newton step: whether it was one down. Directions that it nearly ends leave at once."""
        at, r = self.here, len(self.here.s)
        if self.heavy or not r or not self.model.ready(self.F, at, self.across_V):
            return False
        x = self._direction(at, tol)
        left = at.s + np.einsum("ij,ij->j", at.U, x[: at.m])
        stays = left > _LEAVES * at.s
        if not stays.all():
            to = at.U[:, stays]
            if self._moves(to @ (to.T @ (self.L + at.whole(x))), int(stays.sum())):
                return True
        if self._moves(self._moved(x, 1.0), r) or self._moves(self.L + at.whole(x), r):
            return True
        sizes = 0.5 ** np.arange(1, _HALVINGS)
        return any(self._moves(self._moved(x, size), r) for size in sizes)

    def _moved(self, x: np.ndarray, size: float) -> np.ndarray:
        at = self.here
        if self.compiled is None:
            return at.moved(size * x)
        return np.asarray(self.compiled.moved(at.U, at.s, at.V, x, size))

    def _direction(self, at: RankAt, tol: float) -> np.ndarray:
        """About the solution of the Newton equation."""
        far = self.gap / max(self.F.value_at_zero, 1e-300)
        enough = min(max(_OF_GAP * tol / self.gap, far**_POWER), _FORCING) * at.left
        if self.compiled is None:
            x, n = self._conjugate(at, enough)
        else:
            facts = self.F.task_squares, at.facts, self.model.facts
            x, n = self.compiled.direction(*facts, enough, _MOST)
        self.used += n
        self.model.took(n)
        return x

    def _conjugate(self, at: RankAt, enough: float) -> tuple[np.ndarray, int]:
        """Conjugate gradients until so much is left, and their number."""
        r, n = -at.residual, 0
        x, p = np.zeros_like(r), self.model.solve(at, r)
        rz = float(np.vdot(r, p))
        while rz > 0 and n < _MOST:
            n += 1
            Hp = at.curve(p, self._image(at.whole(p)))
            bend = float(np.vdot(p, Hp))
            if bend <= 0:
                break
            x += (rz / bend) * p
            r -= (rz / bend) * Hp
            if np.linalg.norm(r) <= enough:
                break
            z, before = self.model.solve(at, r), rz
            rz = float(np.vdot(r, z))
            p = z + (rz / before) * p
        return x, n


def _point(F: Squares, L: np.ndarray, rank: int) -> tuple[Any, np.ndarray, None]:
    """U, s, V, what is across V, L, the gradient and its singular values.

    Of the nearest point to L of at most this rank.
    """
    values, vectors = np.linalg.eigh(L.T @ L)
    s, vectors = np.sqrt(np.maximum(values[::-1], 0.0)), vectors.T[::-1]
    r = min(int((s > _WEAK * s[0]).sum()), rank, len(L))
    s, V, across = s[:r], vectors[:r].T.copy(), vectors[r:].T.copy()
    LV = L @ V
    L = LV @ V.T
    g = F.gradient(L)[0]
    slopes = np.sqrt(np.maximum(np.linalg.eigvalsh(g.T @ g), 0.0))
    return (LV / s, s, V, across, L, g), slopes, None
