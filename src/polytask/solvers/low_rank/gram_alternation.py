"""L = A V of a given rank on Gram matrices: sweeps of exact half steps, then Newton's method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from polytask.compiled import loops
from polytask.solvers.low_rank.ahead import Ahead
from polytask.solvers.low_rank.gram_steps import HeadStep, direction_step, head_step, newton_system
from polytask.solvers.low_rank.heads import HeadModel
from polytask.solvers.low_rank.progress import Progress
from polytask.solvers.low_rank.task_quadratic import TaskQuadratic

__all__ = ["GramFit", "alternate_grams"]

_DAMPING = (1e-6, 1e3)  # first and largest, in mean curvatures of V
_SWEEPS_LEFT = 3  # beside the rank: predicted sweeps from which Newton's method is cheaper
_FREE = 1e-2  # damping below which a step is Newton's
_NEAR = 1e-3  # violation from which the way is measured by it, and sweeps are combined
_SETTLED = 1e-7  # share of the first objective
_CLEAR = (
    1e-2  # share of the longest row that the others leave of each, where squares are exact enough
)
_ROUNDING = 1e-14  # share of the objective


@dataclass(frozen=True, eq=False)
class GramFit:
    """A, V, the objective after every step, and how they came about.

    ``ended`` says that more steps would not help, ``crept`` that heads grow without end instead of
    settling, ``swept`` that no step was of Newton's method.
    """

    A: np.ndarray
    V: np.ndarray
    history: list[float]
    ended: bool
    crept: bool
    swept: bool


def alternate_grams(
    Q: TaskQuadratic, model: HeadModel, V: np.ndarray, tol: float, max_iter: int, bound: np.ndarray
) -> GramFit:
    """Steps until half of ``tol`` is left of the slope in L (m, d), as a share of ``bound`` (d,).

    Alternation needs three or four sweeps where the tasks' directions are clear, and hundreds where
    they are not; it hands over to Newton's method when its own pace promises more sweeps than that.
    Near the end, where V may turn at will, sweeps go on to where the last ones promise (`Ahead`).
    """
    at, newton = _State(Q, model, V, bound), False
    for _ in range(max_iter):
        if at.violation <= 0.5 * tol or at.progress.over:
            break
        newton = (at.free if newton else at.slow(tol)) and at.newton()
        if not newton:
            at.sweep()
    ended = at.violation <= 0.5 * tol or at.progress.over
    return GramFit(at.heads.A, at.heads.V, at.history, ended, at.progress.creeps, at.steps == 0)


class _State:
    """Heads on their directions, and how the objective came down to them."""

    def __init__(
        self, Q: TaskQuadratic, model: HeadModel, V: np.ndarray, bound: np.ndarray
    ) -> None:
        self.Q, self.model, self.bound = Q, model, bound
        self.damping, self.steps, self.ahead = _DAMPING[0], 0, Ahead()
        self.heads, self.value = self._on(_orthonormal(V))
        self.noise = _ROUNDING * abs(Q.constant)
        self.history, self.violations = [self.value], [self._violation()]
        self.progress = Progress(self.value, self.violation, self.noise)

    @property
    def violation(self) -> float:
        """Largest share of the bound that is left."""
        return self.violations[-1]

    def _violation(self) -> float:
        compiled = loops("head_steps") if self.model.turns else None
        if compiled is not None:
            here = self.heads.A, self.heads.V, self.heads.gradient
            parts = (np.ascontiguousarray(part) for part in (*here, self.bound))
            most = float(compiled.left_along(*parts, _CLEAR))
            if most >= 0:
                return most
        left = self.model.residual(self.heads.A, self.heads.V, self.heads.gradient)
        return float((np.abs(left) / self.bound).max(initial=0.0))

    def _on(self, V: np.ndarray) -> tuple[HeadStep, float]:
        """The best heads on V, and the objective there."""
        heads = head_step(self.Q, V, self.model.prior)
        return heads, heads.value + self.model.offset(V)

    def _take(self, heads: HeadStep, value: float) -> None:
        self.heads, self.value = heads, value
        self.history.append(value)
        self.violations.append(self._violation())
        self.progress.note(value, self.violation)

    def sweep(self) -> None:
        """Directions at these heads, then heads on those directions, or on what they promise."""
        B, A, V = self.model.on_basis(self.heads.A, self.heads.V)
        swept = direction_step(self.Q, A, B, V, self.heads.gradient)
        if self.model.turns and self.violation <= _NEAR:
            if self._moves(self.ahead.of(V, swept)):
                return
            self.ahead.fell_back()
        if not self._moves(swept):
            self.progress.note(self.value, self.violation)

    def _moves(self, V: np.ndarray) -> bool:
        """Take directions with their best heads unless the objective rises."""
        heads, value = self._on(_orthonormal(V) if self.model.turns else V)
        if value > self.value + self.noise:
            return False
        self._take(heads, value)
        return True

    def newton(self) -> bool:
        """One step with as much damping as it takes to fall; False where none does."""
        V = self.heads.V
        B = self.model.on_basis(self.heads.A, V)[0]
        damped = newton_system(self.heads, B, self.model.prior, self.model.turns)
        while self.damping <= _DAMPING[1]:
            step = damped(self.damping)
            if step is not None and self._moves(V + step):
                self.ahead.forget()
                self.steps += 1
                self.damping *= 0.1
                return True
            self.damping *= 10.0
        self.damping = _DAMPING[0]
        return False

    @property
    def free(self) -> bool:
        """Whether the last step of Newton's method took little damping."""
        return self.damping <= _FREE

    def slow(self, tol: float) -> bool:
        """Whether sweeps that go on as the last two did would be more than a few.

        To the violation asked for where that is near, else to an objective as good as settled:
        steps of Newton's method from afar end in poorer places than sweeps do.
        """
        v, values = self.violations, self.history
        if len(v) < 3 or v[-1] == 0:
            return False
        if v[-1] <= _NEAR:
            rate, left = v[-1] / v[-2], 0.5 * tol / v[-1]
        else:
            last, before = values[-2] - values[-1], values[-3] - values[-2]
            if min(last, before) <= 0:
                return False
            rate, left = last / before, _SETTLED * values[0] / last
        sweeps = np.log(np.clip(left, 1e-300, 1.0)) / np.log(np.clip(rate, 1e-300, 0.999))
        return bool(sweeps > _SWEEPS_LEFT + len(self.heads.V))


def _orthonormal(V: np.ndarray) -> np.ndarray:
    """Rows that span the same: by a Cholesky factor where V nearly has such rows."""
    R, info = linalg.lapack.dpotrf(V @ V.T, lower=True)
    if info or not R.diagonal().min(initial=1.0) > _CLEAR * R.diagonal().max(initial=0.0):
        return np.linalg.qr(V.T)[0].T
    found: np.ndarray = linalg.lapack.dtrtri(R, lower=True)[0] @ V
    return found
