"""When steps towards a stationary point have come to an end without reaching it."""

from __future__ import annotations

__all__ = ["Progress"]

_NO_BETTER = 3  # steps in which rounding hides every fall and the violation does not halve
_PATIENCE = 50  # steps in which the violation does not halve and the objective hardly falls
_HARDLY = 1e-3  # share of the objective


class Progress:
    """Watches objective and violation from step to step.

    Rounding may hide all that is left to fall. Or there is no optimum: heads of tasks that know
    nothing of a direction grow without end, and the objective creeps.
    """

    def __init__(self, value: float, violation: float, noise: float) -> None:
        self.noise, self.value, self.hidden, self.since = noise, value, 0, 0
        self.best, self.value_at_best = violation, value

    def note(self, value: float, violation: float) -> None:
        """A step that led to ``value`` and ``violation``."""
        self.hidden = self.hidden + 1 if self.value - value <= self.noise else 0
        self.since += 1
        if violation <= 0.5 * self.best:
            self.best, self.value_at_best, self.hidden, self.since = violation, value, 0, 0
        self.value = value

    @property
    def over(self) -> bool:
        """Whether further steps promise nothing."""
        creeps = self.value_at_best - self.value <= _HARDLY * abs(self.value)
        return self.hidden >= _NO_BETTER or (self.since >= _PATIENCE and creeps)
