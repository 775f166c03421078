"""One training: from parsed targets to weights in the units of the user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import ceil, inf
from typing import Any

import numpy as np
import torch

from polytask.neural.coding import Group
from polytask.neural.gradients import AggregatedGradients, make_aggregator
from polytask.neural.judge import Judge, Run
from polytask.neural.keeper import Keeper
from polytask.neural.network import Architecture, build_network, from_arrays, start_at, to_arrays
from polytask.neural.optimizer_state import load_state, plain_state
from polytask.neural.samples import LongSample, Observations, Sample, StackedSample, WideSample
from polytask.neural.targets import Targets
from polytask.neural.training import Recipe, make_optimizer, train
from polytask.neural.units import Units, measure_units
from polytask.neural.weighing import FixedWeights, UncertaintyWeights, Weighing

__all__ = ["Session"]


class Session:
    """A network, its data on the device, and what came of the training.

    Parameters
    ----------
    owner : str
        Class name, for messages.
    architecture : Architecture
    groups : sequence of Group
    recipe : Recipe
    X : (n, d) array or csr matrix
    targets, held : Targets
        Training part, and the validation part or None.
    batch_size : int, "auto" or None
    wide : bool
        Whether tasks share rows.
    delta : float
        Of Huber's loss, in the units of the user.
    device, dtype, rng
    """

    def __init__(
        self, owner: str, architecture: Architecture, groups: Sequence[Group], recipe: Recipe,
        X: Any, targets: Targets, held: Targets | None, *, batch_size: int | str | None, wide: bool,
        delta: float, device: torch.device, dtype: torch.dtype, rng: np.random.RandomState,
    ) -> None:  # fmt: skip
        self.owner, self.architecture, self.groups, self.recipe = (
            owner,
            architecture,
            groups,
            recipe,
        )
        self.X, self.targets, self.held = X, targets, held
        self.batch_size, self.wide, self.delta = batch_size, wide, delta
        self.device, self.dtype, self.rng = device, dtype, rng
        self.separate = architecture.tying == "separate"
        self.units = measure_units(targets, groups, self.separate)
        self.run = Run()
        self.optimizer_state: Mapping[str, Any] | None = None
        self.weighing: Weighing | None = None

    def units_at(self, scale: np.ndarray, offset: np.ndarray) -> Units:
        """The units of an earlier call, so that the optimizer's moments stay right."""
        return replace(self.units, scale=scale, offset=offset)

    def start(self, arrays: Mapping[str, np.ndarray] | None) -> None:
        """Random weights, or those of an earlier fit."""
        network = build_network(self.architecture, self.groups, self.X.shape[1], self.units)
        network.to(self.dtype)
        if arrays is None:
            start_at(network, self.groups, self.units, self.rng)
        else:
            from_arrays(network, arrays, self.groups, self.units)
        self.network = network.to(self.device)
        self.sample = self._sample(self.targets, self.batch_size)

    def _sample(self, targets: Targets, batch_size: int | str | None) -> Sample:
        y = (targets.y - self.units.offset[targets.code]) / self.units.scale[targets.code]
        observations = Observations(
            self.X, targets.row, targets.code, y, targets.weight, targets.n_tasks, self.groups,
            self.delta / self.units.scale, self.device, self.dtype,
        )  # fmt: skip
        if self.separate:
            n, kind = int(np.bincount(targets.code).max()), StackedSample
        elif self.wide and len(targets.y) * (self.X.shape[1] + 1) >= targets.n_tasks * (
            n := len(np.unique(targets.row))
        ):
            return WideSample(observations, _batches(n, batch_size))
        else:
            n, kind = len(targets.y), LongSample  # type: ignore[assignment]
        return kind(observations, _batches(n, batch_size))

    def train(self, watch: Callable[[int, Run], bool], patience: int) -> Run:
        """Train; afterwards the network has the weights that are to be kept."""
        recipe = self.recipe
        held_units = held_sample = None
        if self.held is not None:
            held_units = replace(self.units, share=self.held.share)
            held_sample = self._sample(self.held, None)
        by_scipy = recipe.optimizer == "lbfgs" and self.held is None
        self.keeper = Keeper(
            self.network, self.groups, self.targets.n_tasks if self.separate else 1, recipe.tol,
            inf if by_scipy else patience, keep_best=self.held is not None,
        )  # fmt: skip
        self.weighing = self._make_weighing().to(self.device, self.dtype)
        judge = Judge(self.network, held_sample, self.units, held_units, self.keeper, watch)
        optimizer = None
        if recipe.optimizer != "lbfgs":
            optimizer = make_optimizer(self.network, self.weighing, recipe)
            load_state(optimizer, self.optimizer_state)
        self.run = train(
            self.network, self.sample, self.weighing, recipe, judge, self.rng, optimizer
        )
        self.optimizer_state = None if optimizer is None else plain_state(optimizer)
        self.network.load_state_dict(self.keeper.state)
        return self.run

    def _make_weighing(self) -> Weighing:
        recipe = self.recipe
        if recipe.aggregation is not None:
            if recipe.optimizer == "lbfgs":
                raise ValueError(
                    f"{self.owner}: optimizer must be 'adam' or 'sgd' with gradient_aggregation; "
                    "got 'lbfgs'. Aggregated gradients are the gradients of no function."
                )
            aggregator = make_aggregator(self.owner, recipe.aggregation, self.targets.n_tasks)
            return AggregatedGradients(self.units, aggregator)
        if recipe.uncertainty:
            return UncertaintyWeights(self.units, self.sample.mean_losses(self.network))
        return FixedWeights(self.units)

    def objective(self) -> float:
        """R on the training part plus the penalties, in the units of the user."""
        losses = self.sample.mean_losses(self.network)
        with torch.no_grad():
            if not self.separate:
                penalty = float(self.network.penalty()) * self.units.total
                return float(self.units.risk @ losses) + penalty
            body, heads = self.network.body, self.network.heads
            a, total = self.architecture, 0.0
            for group, head in zip(self.groups, heads, strict=True):
                scale = torch.as_tensor(self.units.scale[group.tasks], device=self.device)
                total += a.alpha * float((head.weight.square().sum(dim=(1, 2)) * scale**2).sum())
            total += a.weight_decay * sum(float(w.square().sum()) for w in body.weights)
        return float(self.units.risk @ losses) + total

    def learned_weights(self) -> np.ndarray | None:
        """Learned weight of each task, if weights were learned."""
        learned = isinstance(self.weighing, UncertaintyWeights)
        return self.weighing.weights(self.units) if learned else None  # type: ignore[union-attr]

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights to keep, in the units of the user."""
        return to_arrays(self.keeper.state, self.groups, self.units)


def _batches(n: int, batch_size: int | str | None) -> int:
    if batch_size is None:
        return 1
    size = min(max(32, ceil(n / 20)), 1024) if isinstance(batch_size, str) else batch_size
    return ceil(n / size)
