"""When steps towards a stationary point have come to an end without reaching it."""

from __future__ import annotations

__all__ = ["Progress"]

_NO_BETTER = 3  # steps in which rounding hides every fall and the violation does not halve
_PATIENCE = 50  # steps in which the violation falls to a quarter, or the objective more than hardly
_QUARTER, _HARDLY = 0.25, 1e-3  # of the violation and of the objective


class Progress:
    """Watches objective and violation from step to step.

    Rounding may hide all that is left to fall. Or there is no optimum: heads of tasks that know
    nothing of a direction grow without end, and the objective creeps.
    """

    def __init__(self, value: float, violation: float, noise: float) -> None:
        self.noise, self.value, self.hidden, self.creeps = noise, value, 0, False
        self.best, self.steps = violation, 0
        self.mark = value, violation

    def note(self, value: float, violation: float) -> None:
        """A step that led to ``value`` and ``violation``."""
        self.hidden = self.hidden + 1 if self.value - value <= self.noise else 0
        if violation <= 0.5 * self.best:
            self.best, self.hidden = violation, 0
        self.value, self.steps = value, self.steps + 1
        if self.steps % _PATIENCE == 0:
            before, least = self.mark
            fell = before - value > _HARDLY * abs(value)
            self.creeps = not fell and self.best > _QUARTER * least
            self.mark = value, self.best

    @property
    def over(self) -> bool:
        """Whether further steps promise nothing."""
        return self.hidden >= _NO_BETTER or self.creeps
