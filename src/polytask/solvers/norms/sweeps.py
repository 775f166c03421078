"""Descent over features by compiled loops, where those are installed and Gram matrices are kept."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from polytask.compiled import loops
from polytask.data.kept import kept
from polytask.penalties import Norm
from polytask.solvers.norms.outer import Inner
from polytask.solvers.norms.parts import total
from polytask.solvers.norms.prices import LENGTHS, Prices, prices_of
from polytask.solvers.norms.rest import InterceptRest, NoRest
from polytask.solvers.norms.squares import Squares

__all__ = ["after_sweeps"]

_MOST = 300  # sweeps after which features are too much alike for them
_MOST_ALONE = 48  # the same, where tasks cannot take steps of their own
# Sweeps before tasks take steps of their own, and where they have parts too; one step in a few.
_ALONE, _EARLY, _ROUND = 24, 6, 2
_OWN = 4  # sweeps before tasks get a part of their own, which most do not keep
_FLAT = 1e-12  # curvature of an entry that is rounding, in the largest of its feature
_WIDE = 100  # features from which factors of every task's Hessian cost more than other methods


def after_sweeps(inner: Inner) -> Inner:
    """Sweeps over features, and ``inner`` from where they led: at once where there are none.

    Once they led too slowly, as they do where features are all but the same, they are left out.
    """
    weary = False

    def solve(
        F: Squares, norm: Norm, start: np.ndarray, tol: float, max_iter: int
    ) -> tuple[np.ndarray, int]:
        nonlocal weary
        compiled = loops("block_descent") if _suits(F, norm, start) else None
        if compiled is None or weary:
            return inner(F, norm, start, tol, max_iter)
        sweeps = _Sweeps(compiled, F, cast(Prices, prices_of(norm, F.quadratic)), start)
        allowed = _MOST if sweeps.prices.bends else _MOST_ALONE
        most = min(allowed, max_iter)
        used = sweeps.run(tol, most)
        B, weary = sweeps.parts(), used == allowed
        if used < most or most == max_iter:
            return B, used
        B, more = inner(F, norm, B, tol, max_iter - used)
        return B, used + more

    return solve


def _suits(F: Squares, norm: Norm, B: np.ndarray) -> bool:
    """Whether sweeps know the norm, and Gram matrices are all there is."""
    known = F.curvature.products and isinstance(F.rest, NoRest | InterceptRest)
    prices = prices_of(norm, F.quadratic) if known and B.size else None
    if prices is None or (prices.by_tasks and B.shape[-1] > _WIDE):
        return False
    return not (F.by_slopes and prices.linked)  # other methods say dual points there


class _Sweeps:
    """Squares as compiled loops want them, a point and what leads on from there."""

    def __init__(self, compiled: Any, F: Squares, prices: Prices, start: np.ndarray) -> None:
        (self.m, d), grams = start.shape[-2:], F.curvature.grams
        self.compiled, self.prices = compiled, prices
        scale = np.ones(self.m)
        if grams is None:
            shared = cast(Any, F.curvature)
            grams, scale = shared.gram[None], shared.scale
        held, tie, h = np.zeros(self.m), np.zeros(self.m), np.zeros((d, self.m))
        if isinstance(F.rest, InterceptRest):
            held = F.rest.held
            tie = 2.0 * F.rest.strength / held
            h = np.ascontiguousarray(F.curvature.last_column()[:, :d].T)
        links, c = prices.links, _kept_curvatures(F)
        c = c if links is None else c + links[0]
        links = np.zeros((2, 1, self.m)) if links is None else links
        turned, zero = _turned(F, grams), np.ascontiguousarray(F.gradient_at_zero.T)
        grams = np.ascontiguousarray(grams)
        squares = turned, grams, scale, h, held, tie, c, links, zero, float(F.value_at_zero)
        l1, l2, l3 = (np.full(d, 1.0) * price for price in prices.by_feature)
        prices_of_all = prices.kind, l1, l2, l3, float(prices.by_tasks)
        self.state = prices.laid_out(start)
        g = total(F.gradient(start)[0]) if start.any() else F.gradient_at_zero
        self.here = squares, prices_of_all, self.state, np.array(g.T, order="C")

    def run(self, tol: float, most: int) -> int:
        """Sweeps until the gap is ``tol`` at most: how many; ``most`` where they led to no such.

        Where they take long, features are alike, and between sweeps all tasks take a step, or each
        steps by its own Hessian.
        """
        alone = _ALONE if self.prices.bends else most
        if self.prices.by_tasks:
            alone = 0 if self.parts()[1].any() else _OWN
        alone = min(alone, most)
        used = int(self.compiled.descend(*self.here, tol, alone))
        return used if used < alone or alone == most else self._with_tasks(tol, alone, most)

    def _with_tasks(self, tol: float, begin: int, most: int) -> int:
        """The same, with steps of tasks between."""
        own, compiled, n_kept, whole = self.prices.by_tasks, self.compiled, 0, begin == 0
        points = np.empty((compiled.KEPT + 1, len(self.state)))
        slopes = np.empty((compiled.KEPT + 1, self.here[3].size))
        for n in range(begin, most):
            if whole and compiled.gap(*self.here) <= tol:
                return n
            compiled.sweep(*self.here)
            alike = n >= (_EARLY if own else _ALONE)
            ends = not alike or n % _ROUND == _ROUND - 1
            self._step(alike and ends)
            if ends:
                points[n_kept], slopes[n_kept] = self.state, self.here[3].ravel()
                n_kept += 1
            whole = n_kept <= compiled.KEPT or not compiled.combine(
                *self.here[:2], points, slopes, *self.here[2:]
            )
            n_kept %= compiled.KEPT + 1
        return most

    def _step(self, newton: bool) -> None:
        """Of all tasks at once where lengths are, if it leads down; or of each."""
        lengths = self.prices.kind == LENGTHS and np.any(self.prices.by_features)
        if newton and lengths:
            newton = not loops("joint_steps").joint_step(*self.here)
        if newton or self.prices.by_tasks:
            loops("task_steps").over_tasks(*self.here, newton)

    def parts(self) -> np.ndarray:
        """The point, as the norm sees it."""
        return self.prices.parts(self.state, self.m)


def _turned(F: Squares, grams: np.ndarray) -> np.ndarray:
    """Gram matrices with the tasks last, of which the loops over tasks are."""
    d = F.structure.n_features

    def turned() -> np.ndarray:
        return np.ascontiguousarray(grams[:, :d, :d].transpose(1, 2, 0))

    return kept(F.data, ("turned gram matrices",), turned) if F.constant else turned()


def _kept_curvatures(F: Squares) -> np.ndarray:
    """The same for as long as the data live, where strengths alone differ."""
    key = ("curvatures of features", getattr(F.rest, "strength", None))
    return kept(F.data, key, lambda: _curvatures(F)) if F.constant else _curvatures(F)


def _curvatures(F: Squares) -> np.ndarray:
    """Of single coefficients, shape (d, m); what does not bend takes steps as short as others'."""
    c = np.ascontiguousarray(F.task_diagonal.T)
    top = c.max(axis=1, keepdims=True)
    top = np.where(top > 0, top, max(c.max(), np.finfo(float).tiny))
    return np.where(c > _FLAT * top, c, top)
