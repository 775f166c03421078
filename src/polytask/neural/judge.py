"""What is written down after an epoch, and whether it was the last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from polytask.neural.keeper import Keeper
from polytask.neural.network import Network
from polytask.neural.samples import Sample
from polytask.neural.units import Units

__all__ = ["Judge", "Run"]


@dataclass
class Run:
    """What became of a training."""

    history: dict[str, list[float]] = field(default_factory=dict)
    status: str = "max_iter"
    n_iter: int = 0


class Judge:
    """Writes down the losses after an epoch and says whether to stop."""

    def __init__(
        self, network: Network, held_out: Sample | None, units: Units, held_units: Units | None,
        keeper: Keeper, watch: Callable[[int, Run], bool],
    ) -> None:  # fmt: skip
        self.network, self.held_out, self.keeper, self.watch = network, held_out, keeper, watch
        self.units, self.held_units = units, held_units
        self.run = Run()

    def epoch(self, losses: np.ndarray, conflict: float | None) -> bool:
        """Judge an epoch by the mean training losses (m,) of the tasks; True ends training."""
        self.run.n_iter += 1
        train, values = self._values(losses, self.units)
        self._write("train_loss", train)
        if self.held_out is not None and self.held_units is not None:
            held = self.held_out.mean_losses(self.network)
            validation, values = self._values(held, self.held_units)
            self._write("validation_loss", validation)
        if conflict is not None:
            self._write("gradient_conflict", conflict)
        if not (np.isfinite(train) and np.isfinite(values).all()):
            self.run.status = "non-finite loss"
            return True
        if self.keeper.update(values):
            self.run.status = "converged"
            return True
        if self.watch(self.run.n_iter, self.run):
            self.run.status = "stopped by a callback"
            return True
        return False

    def _values(self, losses: np.ndarray, units: Units) -> tuple[float, np.ndarray]:
        """R in the units of the user, and what is watched, in units of the spread."""
        risk = float(units.risk @ losses)
        if not units.separate:
            return risk, np.array([risk / units.total])
        absent = units.share == 0  # no rows to judge by: all tasks together decide
        return risk, np.where(absent, losses[~absent].mean(), losses)

    def _write(self, name: str, value: float) -> None:
        self.run.history.setdefault(name, []).append(value)
