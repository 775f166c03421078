"""F(B): a weighted sum of squares as a function of what the norm sees alone."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Protocol
from weakref import ref

import numpy as np

from polytask.algebra.curvature import largest_curvature, make_curvature
from polytask.algebra.linalg import psd_inverses
from polytask.data import TaskData
from polytask.data.kept import kept
from polytask.penalties import Norm
from polytask.problem import Problem
from polytask.solvers.facts import ridge_of, slopes_of
from polytask.solvers.norms.parts import conjugate_of, quadratic_of, support_of, total
from polytask.solvers.norms.rest import InterceptRest, make_rest, predict_rest
from polytask.structures import Blocks

__all__ = [
    "NEXT_TO_NONE",
    "Squares",
    "gap_of_slope",
    "gap_of_squares",
    "is_proven",
    "is_within",
    "squares_gap",
]

NEXT_TO_NONE = 1e-10  # share of F at zero below which a norm can be as good as none
# Shares, of a task's gradient and of all at zero, that a step may leave: more is not rounding.
_LEFT, _ROUNDING = 1e-3, 1e-14
_DIGITS = 1e6  # squares of features over what is left of them within tasks
_MOST, _SOME = 1e7, 4  # numbers in inverses that are kept, and tasks that are looked at first
_FAR = 1e4  # gaps, of what is asked for, above which no dual point is looked for beside residuals


class AtZero(Protocol):
    """What a `Profile` says at B = 0."""

    @property
    def rest(self) -> Blocks:
        """The blocks beside B."""
        ...

    @property
    def risk_gradient(self) -> np.ndarray:
        """Gradient of R in Theta, shape (m, p)."""
        ...

    @property
    def smooth(self) -> float:
        """The objective without the norm."""
        ...


class Squares:
    """F(B) = min_u ½ sum_k v_k (z_k - x_k'(l_i + u_i))² + q(u) + Q(B), quadratic in B.

    L is B, or the sum of its parts (see `parts`); Q is what is quadratic beside the norm.

    Parameters
    ----------
    problem : Problem
        Its structure, its ridges q on ``common`` and ``deviation``, and Q.
    v, z : ndarray of shape (N,)
        Curvature and working target of every observation.
    zero : AtZero, optional
        What residuals say at B = 0, where the loss is squared: v is the data's weight then, and
        Gram matrices are kept over fits.
    """

    def __init__(
        self, problem: Problem, v: np.ndarray, z: np.ndarray, zero: AtZero | None = None
    ) -> None:
        data = problem.data
        self.constant = zero is not None
        self.by_slopes = False  # whether `is_within` takes a norm's subgradients as dual points
        self.dual: np.ndarray | None = None  # minus the gradient (m, d) at the best of these
        self._data = ref(data)  # squares are kept for as long as the data live, and no longer
        self.structure, self.v, self.z = slopes_of(problem), v, z
        self.common, self.deviation = ridge_of(problem, "common"), ridge_of(problem, "deviation")
        self.quadratic = quadratic_of(problem)
        self.curvature = make_curvature(data, v, zero is not None)
        rest = self.structure.rest
        self.rest = make_rest(data, v, rest, self.common, self.deviation, self.curvature)
        touched = rest.common | rest.deviation
        self._level = self.curvature.last_column() if touched[-1:].any() else None
        self._slopes_too = bool(touched[: self.structure.n_features].any())
        if zero is None:
            self.rest_at_zero = self.rest.solve(-self.moment)
            self.slope_at_zero = self._with_rest(-self.moment, self.rest_at_zero)
            f = predict_rest(data, rest, self.rest_at_zero)
            u = self.rest_at_zero
            penalty = self.common.value(u["common"]) + self.deviation.value(u["deviation"])
            self.value_at_zero = 0.5 * float(v @ (z - f) ** 2) + penalty
        else:
            self.rest_at_zero, self.slope_at_zero = zero.rest, zero.risk_gradient
            self.value_at_zero = zero.smooth
        self.gradient_at_zero = self.slope_at_zero[:, : self.structure.n_features]

    @property
    def data(self) -> TaskData:
        """The data, for as long as somebody else holds them."""
        data = self._data()
        assert data is not None
        return data

    @cached_property
    def bend(self) -> np.ndarray:
        """Curvature of each row by itself, without its weight."""
        weight = self.data.weight
        return np.divide(self.v, weight, out=np.zeros_like(weight), where=weight > 0)

    @cached_property
    def moment(self) -> np.ndarray:
        """sum_k v_k z_k x_k in each task, shape (m, p)."""
        return self.data.design.adjoint(self.v * self.z)

    def gradient(self, B: np.ndarray) -> tuple[np.ndarray, Blocks]:
        """Gradient of F, which broadcasts to B, and the best rest u."""
        T, step = self.change(total(B))
        u = {name: self.rest_at_zero[name] + step[name] for name in step}
        g = T[:, : self.structure.n_features] + self.gradient_at_zero
        return g if self.quadratic is None else g + self.quadratic.gradient(B), u

    def change(self, L: np.ndarray) -> tuple[np.ndarray, Blocks]:
        """What L changes at zero: the sum's gradient in Theta (m, p), and the best rest."""
        theta = np.zeros_like(self.slope_at_zero)
        theta[:, : self.structure.n_features] = L
        T = self.curvature.apply(theta)
        step = self.rest.solve(T)
        return self._with_rest(T, step), step

    def _with_rest(self, T: np.ndarray, u: Blocks) -> np.ndarray:
        if self._slopes_too:
            return T + self.curvature.apply(self.structure.rest.assemble(u))
        return T if self._level is None else T + self._level * (u["common"] + u["deviation"])

    def value(self, B: np.ndarray, g: np.ndarray) -> float:
        """F(B), where g is the gradient at B."""
        return self.value_at_zero + 0.5 * float((B * (g + self.gradient_at_zero)).sum())

    def at(self, B: np.ndarray) -> tuple[Blocks, float, np.ndarray]:
        """The best rest, F, and the sum's gradient in Theta (m, p)."""
        T, step = self.change(total(B))
        T += self.slope_at_zero
        g = T[:, : self.structure.n_features]
        g = g if self.quadratic is None else g + self.quadratic.gradient(B)
        rest = {name: self.rest_at_zero[name] + step[name] for name in step}
        return rest, max(self.value(B, g), 0.0), T

    def largest_curvature(self) -> float:
        """About the largest eigenvalue of F's Hessian in L, from below."""

        def value() -> float:
            return largest_curvature(self.curvature, self.structure.n_features)

        return kept(self.data, ("largest curvature",), value) if self.constant else value()

    def mean_curvature(self) -> float:
        """Of all tasks in a feature."""
        d = self.structure.n_features

        def value() -> float:
            return float((self.data.design.column_norms(self.v)[:, :d] ** 2).mean()) if d else 0.0

        return kept(self.data, ("mean curvature",), value) if self.constant else value()

    @property
    def grams_have_digits(self) -> bool:
        """Whether Gram matrices exist, in which features vary as much as they are far from zero."""

        def found() -> bool:
            square = self.curvature.diagonal()[:, : self.structure.n_features].sum(axis=0)
            own = square
            if self._level is not None:
                h, n = self.curvature.last_column(), self.curvature.diagonal()[:, -1:]
                between = np.divide(h * h, n, out=np.zeros_like(h), where=n > 0)
                own = square - between[:, : self.structure.n_features].sum(axis=0)
            return bool((square <= _DIGITS * own)[square > 0].all())

        if not self.curvature.products:
            return False
        return kept(self.data, ("grams have digits", self._level is None), found)

    @cached_property
    def task_diagonal(self) -> np.ndarray:
        """The diagonals of `task_curvature`, shape (m, d)."""
        d, diagonal = self.structure.n_features, self.curvature.diagonal()
        held = getattr(self.rest, "held", None)
        if held is None:
            return diagonal[:, :d]
        return diagonal[:, :d] - self.curvature.last_column()[:, :d] ** 2 / held[:, None]

    @cached_property
    def task_squares(self) -> tuple[np.ndarray, np.ndarray, float] | None:
        """Gram matrices, the rows' mass in intercepts and twice the strength between those.

        None where tasks share more than that, or have no Gram matrices of their own.
        """
        grams = self.curvature.grams
        if grams is None or self.quadratic is not None:
            return None
        if isinstance(self.rest, InterceptRest):
            return grams, self.rest.mass, 2.0 * self.rest.strength
        bare = not self._slopes_too and self._level is None
        return (grams, np.zeros(0), 0.0) if bare else None

    def goes_by_slopes(self, gap: float, tol: float) -> bool:
        """Whether dual points beside the residuals are worth a look, where those prove ``gap``.

        Squares of the data have them where each task by itself determines its slopes, as what is
        kept over fits says.
        """
        if not self.constant:
            return self.by_slopes
        return self.by_slopes and gap <= _FAR * tol and self._inverses is not None

    @property
    def _own(self) -> np.ndarray | None:
        """No more than F's Hessian in each task, where that is known, a new array."""
        known = hasattr(self.rest, "mass") or self._level is None
        if self._slopes_too or not known or not self.curvature.products:
            return None
        return self.task_curvature(np.arange(self.structure.n_features), "mass")

    @cached_property
    def _inverses(self) -> np.ndarray | None:
        """Inverses of `_own`, kept over fits; None where a task is singular or next to it."""

        def found() -> np.ndarray | None:
            M = self._own
            if M is None or M.size > _MOST:
                return None
            some, bad = M[:_SOME].copy(), np.zeros(len(M), dtype=bool)
            psd_inverses(some, bad[:_SOME])  # where one task is singular, most are
            inverses = None if bad.any() else psd_inverses(M, bad)
            return None if bad.any() else inverses

        return kept(self.data, ("inverses of tasks", self._level is None), found)

    @cached_property
    def _least(self) -> tuple[np.ndarray, np.ndarray] | None:
        """`_own` and its pseudo-inverse."""
        M = self._own
        return None if M is None else (M, psd_inverses(M.copy()))

    def _down(self, g: np.ndarray) -> np.ndarray | None:
        """The step that takes a gradient g (m, d) away by `_least`; None where there is none.

        Slopes of features that do not vary within a task are held by other tasks' levels alone.
        """
        if g.ndim > 2:
            return None
        if self.constant and self._inverses is not None:
            return np.asarray((self._inverses @ g[:, :, None])[:, :, 0])
        if self._least is None:
            return None
        M, inverse = self._least
        step = (inverse @ g[:, :, None])[:, :, 0]
        left = np.linalg.norm(g - (M @ step[:, :, None])[:, :, 0], axis=1)
        rounding = _LEFT * np.linalg.norm(g, axis=1)
        rounding += _ROUNDING * np.linalg.norm(self.gradient_at_zero)
        return step if (left <= rounding).all() else None

    def above_least(self, g: np.ndarray) -> float:
        """No less than F at gradient g (m, d) is above the least F of all; infinite if unknown."""
        step = self._down(g)
        return np.inf if step is None else 0.5 * float((g * step).sum())

    def without_gradient(self, nu: np.ndarray, G: np.ndarray) -> np.ndarray | None:
        """Derivatives nu (N,) of a loss less what has a gradient G (m, p): None if not known.

        By least squares with the weights v, so that small changes of derivatives with a loss's
        curvature in v stay within what it has.
        """
        theta = self.step_down(G)
        if theta is None:
            return None
        return nu - self.bend * self.data.design.predict(theta)

    def step_down(self, G: np.ndarray) -> np.ndarray | None:
        """Theta (m, p) of which the squares alone, unpenalized, have the gradient G (m, p)."""
        d = self.structure.n_features
        theta, g = np.zeros_like(self.slope_at_zero), G[:, :d]
        if self._level is not None:
            h, n = self.curvature.last_column(), self.curvature.diagonal()[:, -1:]
            level = G[:, -1:] / np.where(n > 0, n, 1.0)
            g = g - h[:, :d] * level
        step = self._down(g)
        if step is None:
            return None
        theta[:, :d] = step
        if self._level is not None:
            theta[:, -1:] = level - (h * theta).sum(axis=1, keepdims=True) / np.where(n > 0, n, 1.0)
        return theta

    def task_curvature(self, features: np.ndarray, held_by: str = "held") -> np.ndarray:
        """About F's Hessian in these features of each task by itself, a new array.

        Shape (m, j, j), or (1, j, j) where that of one task is that of all. Intercepts are
        ``held_by`` what pulls them to each other too, or by their rows ("mass") alone.
        """
        grams, scale = self.curvature.grams, getattr(self.curvature, "scale", np.zeros(0))
        if grams is None:  # one for all, but for a factor
            one = self.curvature.total() / float(scale.sum())
            alike = bool((scale == scale[0]).all())
            grams = one * (scale[:1] if alike else scale)[:, None, None]
        if len(features) == self.structure.n_features:
            M = grams[:, : len(features), : len(features)].copy()
        else:
            M = grams.take(features, 1).take(features, 2)
        held = getattr(self.rest, held_by, None)
        if held is not None:
            h = grams[:, features, -1]
            held = np.where(held > 0, held, 1.0)
            M -= (h / held[: len(h), None])[:, :, None] * h[:, None, :]
        return M


def squares_gap(F: Squares, B: np.ndarray, g: np.ndarray, penalty: float, norm: Norm) -> float:
    """Duality gap of F(B) + norm(B) at B with gradient g and norm(B) = penalty."""
    slope = float((B * g).sum()) + support_of(norm, g)
    gap = gap_of_squares(F.value(B, g), slope, penalty, norm.dual(g), conjugate_of(norm, g))
    if penalty > NEXT_TO_NONE * F.value_at_zero:
        return gap
    return min(gap, penalty + F.above_least(g))  # rounding of g alone is more than such a norm


def is_within(
    F: Squares, B: np.ndarray, g: np.ndarray, penalty: float, norm: Norm, slopes: np.ndarray,
    tol: float,
) -> bool:  # fmt: skip
    """Whether the gap is at most ``tol``.

    Where F goes ``by_slopes``, subgradients of the norm at B, one for each part, as its shrinkage
    leaves them, are minus the gradients of dual points too, of which F keeps the best.
    """
    gap = squares_gap(F, B, g, penalty, norm) if F.constant else np.inf
    if gap <= tol:
        return True
    if g.ndim == 2 and F.goes_by_slopes(gap, tol):
        several = slopes[None] if slopes.ndim == 2 else (*slopes, slopes.mean(axis=0))
        if is_proven(F, B, g, penalty, norm, several, tol):
            return True
    return not F.constant and squares_gap(F, B, g, penalty, norm) <= tol


def is_proven(
    F: Squares, B: np.ndarray, g: np.ndarray, penalty: float, norm: Norm,
    several: Iterable[np.ndarray], tol: float,
) -> bool:  # fmt: skip
    """Whether one of ``several`` dual points proves a gap of at most ``tol``: F keeps the best."""
    least = np.inf
    for h in several:
        feasible = h / max(norm.dual(h), 1.0)
        gap = gap_of_slope(F, B, g, penalty, norm, feasible)
        if gap <= min(tol, least):
            F.dual, least = feasible, gap
    return least <= tol


def gap_of_slope(
    F: Squares, B: np.ndarray, g: np.ndarray, penalty: float, norm: Norm, h: np.ndarray | None
) -> float:  # fmt: skip
    """The gap at the dual point of gradient -h, which is feasible; infinite where there is none.

    It is norm(B) - ⟨B, h⟩ + ½ ‖g + h‖² in the inverse of F's Hessian: of second order in what is
    left of the optimum's equation, where that of g scaled into the dual ball is of first, as a
    share of the norm: of weak ones thousands of times as much.
    """
    if h is None:
        return np.inf
    beside = penalty - float((B * h).sum()) + support_of(norm, h) + conjugate_of(norm, h)
    return beside + F.above_least(g + h)


def gap_of_squares(
    value: float, slope: float, penalty: float, top: float, conjugate: float = 0.0
) -> float:
    """Duality gap from F(B), ⟨B, gradient⟩, norm(B), the gradient's dual norm and conjugate.

    The dual point is the residuals times the s in [0, 1/top] that is best:
    gap = (1 - s)² F(B) + s ⟨B, g⟩ + norm(B) + s² conjugate(g); s times what a limit's support adds
    is in the slope.
    """
    value, most = max(value, 0.0), 1.0 / max(top, 1e-300)
    curvature = 2.0 * (value + conjugate)
    best = (2.0 * value - slope) / curvature if curvature > 0 else most
    s = min(max(best, 0.0), most)
    return (1.0 - s) ** 2 * value + s * slope + penalty + s * s * conjugate
