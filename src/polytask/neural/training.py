"""The training loop: epochs of steps, what is kept of them, when they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from polytask.neural.gradients import conflict_share
from polytask.neural.keeper import Keeper
from polytask.neural.lbfgs import minimize
from polytask.neural.network import Network
from polytask.neural.samples import Sample
from polytask.neural.units import Units
from polytask.neural.weighing import Weighing

__all__ = ["Judge", "Recipe", "Run", "make_optimizer", "train"]


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    optimizer: str
    learning_rate: float
    max_iter: int
    tol: float
    track_conflicts: bool = False
    aggregation: Any = None
    uncertainty: bool = False


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


def train(
    network: Network, sample: Sample, weighing: Weighing, recipe: Recipe, judge: Judge,
    rng: np.random.RandomState, optimizer: torch.optim.Optimizer | None = None,
) -> Run:  # fmt: skip
    """Train until the judge or the budget of epochs ends it; the keeper has the weights."""
    if recipe.optimizer == "lbfgs":
        minimize(network, sample, weighing, recipe.max_iter, recipe.tol, judge)
        return judge.run
    optimizer = optimizer or make_optimizer(network, weighing, recipe)
    for _ in range(recipe.max_iter):
        losses, conflict = _epoch(network, sample, weighing, recipe, optimizer, rng)
        if judge.epoch(losses, conflict):
            break
    return judge.run


def make_optimizer(network: Network, weighing: Weighing, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam, or stochastic gradient descent with Nesterov's momentum."""
    parameters = [*network.parameters(), *weighing.parameters()]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(parameters, recipe.learning_rate, momentum=0.9, nesterov=True)
    return torch.optim.Adam(parameters, recipe.learning_rate, fused=True)


def _epoch(
    network: Network, sample: Sample, weighing: Weighing, recipe: Recipe,
    optimizer: torch.optim.Optimizer, rng: np.random.RandomState,
) -> tuple[np.ndarray, float | None]:  # fmt: skip
    total: Tensor | None = None
    conflict: float | None = None
    parameters = [*network.parameters(), *weighing.parameters()]
    for batch in sample.batches(rng):
        losses = sample.n_batches * sample.task_losses(network, batch)
        if recipe.track_conflicts and conflict is None:
            conflict = conflict_share(network, losses)
        for parameter in parameters:
            parameter.grad = None
        weighing.backward(losses, network)
        optimizer.step()
        total = losses.detach() if total is None else total + losses.detach()
    assert total is not None  # a sample has observations
    mean: Any = total / sample.n_batches
    return mean.cpu().double().numpy(), conflict
