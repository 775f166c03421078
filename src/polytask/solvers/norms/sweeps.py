"""Descent over features by compiled loops, where those are installed and Gram matrices are kept."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from polytask.compiled import loops
from polytask.data.kept import kept
from polytask.penalties import Norm
from polytask.solvers.norms.outer import Inner
from polytask.solvers.norms.prices import Prices, prices_of
from polytask.solvers.norms.rest import InterceptRest, NoRest
from polytask.solvers.norms.squares import Squares, gap_of_squares

__all__ = ["after_sweeps"]

_MOST = 300  # sweeps after which features are too much alike for them
_FIRST, _ROUND = 24, 2  # sweeps after which tasks take steps of their own, one in a few sweeps
_OWN = 4  # sweeps before tasks get a part of their own, which most do not keep
_KEPT = 5  # points that are combined
_RIDGE = 1e-12  # of the products of their differences, where they are nearly dependent
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
        most = min(_MOST, max_iter)
        sweeps = _Sweeps(compiled, F, cast(Prices, prices_of(norm)), start)
        used = sweeps.run(tol, most)
        B, weary = sweeps.parts(), used == _MOST
        if used < most or most == max_iter:
            return B, used
        B, more = inner(F, norm, B, tol, max_iter - used)
        return B, used + more

    return solve


def _suits(F: Squares, norm: Norm, B: np.ndarray) -> bool:
    """Whether sweeps know the norm, and Gram matrices are all there is."""
    alone = F.quadratic is None and F.curvature.products
    known = isinstance(F.rest, NoRest | InterceptRest)
    prices = prices_of(norm) if alone and known and B.size else None
    return prices is not None and not (prices.by_tasks and B.shape[-1] > _WIDE)


class _Sweeps:
    """Squares as compiled loops want them, a point and what leads on from there."""

    def __init__(self, compiled: Any, F: Squares, prices: Prices, start: np.ndarray) -> None:
        (self.m, d), grams = start.shape[-2:], F.curvature.grams
        self.compiled, self.F, self.prices = compiled, F, prices
        scale = np.ones(self.m)
        if grams is None:
            shared = cast(Any, F.curvature)
            grams, scale = shared.gram[None], shared.scale
        held, tie, h = np.zeros(self.m), np.zeros(self.m), np.zeros((self.m, d))
        if isinstance(F.rest, InterceptRest):
            held = F.rest.held
            tie = 2.0 * F.rest.strength / held
            h = np.ascontiguousarray(F.curvature.last_column()[:, :d])
        self.hessian = np.ascontiguousarray(grams), scale, h, held, tie
        self.c, self.zero = _kept_curvatures(F), np.ascontiguousarray(F.gradient_at_zero)
        self.l1, self.l2 = (np.full(d, 1.0) * price for price in prices[1:3])
        self.state, self.g = prices.laid_out(start), np.array(F.gradient(start)[0], order="C")
        self.points = np.empty((_KEPT + 1, *self.state.shape))
        self.slopes = np.empty((_KEPT + 1, *self.g.shape))

    def run(self, tol: float, most: int) -> int:
        """Sweeps until the gap is ``tol`` at most: how many; ``most`` where they led to no such.

        After some of them the combination of their points with the least change is tried (Anderson
        acceleration; Bertrand and Massias, AISTATS 2021). Where they take long, features are alike,
        and between sweeps each task takes steps by its own Hessian.
        """
        n_kept, whole = 0, True  # whole after a sweep, which makes equal what is to be equal
        for n in range(most):
            if whole and self._gap() <= tol:
                return n
            alike = n >= _FIRST
            ends = not alike or n % _ROUND == _ROUND - 1
            self._sweep(n, alike and ends)
            n_kept = 0 if n == _FIRST else n_kept
            if ends:
                self.points[n_kept], self.slopes[n_kept] = self.state, self.g
                n_kept += 1
            whole = n_kept <= _KEPT or not self._combine()
            n_kept = n_kept % (_KEPT + 1)
        return most

    def parts(self) -> np.ndarray:
        """The point, as the norm sees it."""
        return self.prices.parts(self.state, self.m)

    def _sweep(self, n: int, newton: bool) -> None:
        (B, t, Q), g, own = self._split(self.state), self.g, self.prices.by_tasks
        here = self.prices.kind, B, t
        self.compiled.sweep(*self.hessian, self.c, *here, g, self.l1, self.l2)
        if newton or (own and (n >= _OWN or Q.any())):
            steps = loops("task_steps").over_tasks
            steps(*self.hessian, *here, Q, g, self.l1, self.l2, own, newton)

    def _split(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return state[: self.m], state[self.m], state[self.m + 1 :]

    def _measures(self, state: np.ndarray, g: np.ndarray) -> tuple[float, float, float, float]:
        """F, ⟨L, gradient⟩, the penalty and the gradient's dual norm."""
        (B, t, Q), own = self._split(state), self.prices.by_tasks
        slope, at_zero, penalty, top = self.compiled.measures(
            self.prices.kind, B, t, g, self.zero, self.l1, self.l2
        )
        if own:
            slope, at_zero = slope + np.vdot(Q, g), at_zero + np.vdot(Q, self.zero)
            penalty += own * np.sqrt(np.einsum("ij,ij->i", Q, Q)).sum()
            top = max(top, np.sqrt(np.einsum("ij,ij->i", g, g).max()) / own)
        value = self.F.value_at_zero + 0.5 * (slope + at_zero)
        return float(value), float(slope), float(penalty), float(top)

    def _gap(self) -> float:
        return gap_of_squares(*self._measures(self.state, self.g))

    def _combine(self) -> bool:
        """Go on from the combination of the last points with the least change: if it is lower."""
        points = self.points.reshape(_KEPT + 1, -1)
        change = points[1:] - points[:-1]
        unit = max(change.max(), -change.min())
        if not 0 < unit < np.inf:
            return False
        change /= unit
        S = change @ change.T
        share = np.linalg.solve(S + _RIDGE * np.trace(S) * np.eye(_KEPT), np.ones(_KEPT))
        share /= share.sum()
        state = (share @ points[1:]).reshape(self.state.shape)
        g = (share @ self.slopes[1:].reshape(_KEPT, -1)).reshape(self.g.shape)
        np.maximum(state[self.m], 0.0, out=state[self.m])
        there, here = self._measures(state, g), self._measures(self.state, self.g)
        lower = there[0] + there[2] < here[0] + here[2]
        if lower:
            self.state, self.g = state, g
        return lower


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
