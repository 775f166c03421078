"""L = A V of a given rank on Gram matrices: sweeps of exact half steps, then Newton's method."""

from __future__ import annotations

import numpy as np

from polytask.solvers.gram_steps import HeadStep, direction_step, head_step, newton_step
from polytask.solvers.heads import HeadModel
from polytask.solvers.task_quadratic import TaskQuadratic

__all__ = ["alternate_grams"]

_DAMPING = (1e-6, 1e3)  # first and largest, in mean curvatures of V
_CHEAP = 1e8  # multiplications of a step of Newton's method that cost no more than a sweep or two
_FREE = 1e-2  # damping below which a step is Newton's
_SWEEPS_LEFT = 3  # beside the rank: predicted sweeps from which Newton's method is cheaper


def alternate_grams(
    Q: TaskQuadratic, model: HeadModel, V: np.ndarray, tol: float, max_iter: int
) -> tuple[np.ndarray, np.ndarray, list[float], bool]:
    """A, V, the objective after every half step, and whether less than ``tol`` is left to fall.

    Alternation needs three or four sweeps where the tasks' directions are clear, and hundreds where
    they are not; it hands over to Newton's method when its own falls promise more sweeps than that.
    """
    at = _State(Q, model, V)
    newton = False
    for _ in range(max_iter):
        before = at.value
        newton = (at.free if newton else at.slow(tol)) and at.newton()
        if not newton:
            at.sweep()
        at.falls.append(before - at.value)
        if at.settled(tol, newton):
            if not newton and at.polishes:
                at.newton()  # sweeps settle the objective first, and its square root later
            return at.heads.A, at.heads.V, at.history, True
    return at.heads.A, at.heads.V, at.history, False


class _State:
    """Heads on their directions, and how the objective came down to them."""

    def __init__(self, Q: TaskQuadratic, model: HeadModel, V: np.ndarray) -> None:
        self.Q, self.model = Q, model
        self.damping = _DAMPING[0]
        self.falls: list[float] = []
        self.heads, self.value = self._on(_orthonormal(V))
        self.history = [self.value]

    def _on(self, V: np.ndarray) -> tuple[HeadStep, float]:
        """The best heads on V, and the objective there."""
        heads = head_step(self.Q, V, self.model.prior)
        return heads, heads.value + self.model.offset(V)

    def _take(self, heads: HeadStep, value: float) -> None:
        self.heads, self.value = heads, value
        self.history.append(value)

    def sweep(self) -> None:
        """Directions at these heads, then heads on those directions."""
        B, A, V = self.model.on_basis(self.heads.A, self.heads.V)
        V = direction_step(self.Q, A, B, V, self.heads.gradient)
        heads, value = self._on(_orthonormal(V) if self.model.turns else V)
        if value <= self.value:
            self._take(heads, value)

    def newton(self) -> bool:
        """One step with as much damping as it takes to fall; False where none does."""
        V = self.heads.V
        B = self.model.on_basis(self.heads.A, V)[0]
        while self.damping <= _DAMPING[1]:
            step = newton_step(self.heads, B, self.model.prior, self.damping, self.model.turns)
            if step is not None:
                heads, value = self._on(_orthonormal(V + step) if self.model.turns else V + step)
                if value < self.value:
                    self._take(heads, value)
                    self.damping *= 0.1
                    return True
            self.damping *= 10.0
        self.damping = _DAMPING[0]
        return False

    @property
    def polishes(self) -> bool:
        """Whether a step of Newton's method is cheap."""
        (k, d), m = self.heads.V.shape, len(self.Q.s)
        return m * k * (k * d) ** 2 <= _CHEAP

    @property
    def free(self) -> bool:
        """Whether the last step of Newton's method took little damping."""
        return self.damping <= _FREE

    def slow(self, tol: float) -> bool:
        """Whether sweeps that fall as the last two did need more than a few to settle."""
        if len(self.falls) < 2 or min(self.falls[-2:]) <= 0:
            return False
        rate = min(self.falls[-1] / self.falls[-2], 0.999)
        left = np.log(max(tol, 1e-300) / self.falls[-1]) / np.log(rate)
        return bool(left > _SWEEPS_LEFT + len(self.heads.V))

    def settled(self, tol: float, newton: bool) -> bool:
        """Whether at most ``tol`` is left to fall: the rest of a geometric series, for sweeps."""
        fall = self.falls[-1]
        if newton:
            return fall <= tol and self.free
        if len(self.falls) < 2 or self.falls[-2] <= 0:
            return fall <= tol
        rate = min(fall / self.falls[-2], 0.999)
        return bool(fall * max(1.0, rate / (1.0 - rate)) <= tol)


def _orthonormal(V: np.ndarray) -> np.ndarray:
    return np.linalg.qr(V.T)[0].T
