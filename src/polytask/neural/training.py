"""The training loop: epochs of steps, what is kept of them, when they end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from polytask.neural.gradients import conflict_share
from polytask.neural.judge import Judge, Run
from polytask.neural.lbfgs import minimize
from polytask.neural.network import Network
from polytask.neural.samples import Sample
from polytask.neural.weighing import Weighing

__all__ = ["Recipe", "make_optimizer", "train"]


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
