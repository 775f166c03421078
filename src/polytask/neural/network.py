"""Body and heads of all tasks; from and to the plain arrays that an estimator keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from polytask.neural.body import HiddenLayers, StackedHiddenLayers
from polytask.neural.coding import Group
from polytask.neural.heads import CommonHead, MeanRegularizedHeads, SeparateHeads
from polytask.neural.units import Units

__all__ = ["Architecture", "Network", "build_network", "from_arrays", "start_at", "to_arrays"]


@dataclass(frozen=True)
class Architecture:
    """What a formulation's network looks like, and the strengths of its penalties."""

    tying: str  # "tied" heads, one "common" head, or "separate" networks
    widths: tuple[int, ...]
    activation: str
    alpha: float = 0.0
    alpha_common: float = 0.0
    alpha_intercept: float = 0.0
    weight_decay: float = 0.0


class Network(nn.Module):
    """Hidden layers and the heads of each group of tasks."""

    def __init__(self, body: nn.Module, heads: Sequence[nn.Module]) -> None:
        super().__init__()
        self.body, self.heads = body, nn.ModuleList(heads)

    def penalty(self) -> Tensor | float:
        """Sum of all penalties, in the units of training."""
        return self.body.penalty() + sum(head.penalty() for head in self.heads)

    def shared_parameters(self) -> list[nn.Parameter]:
        """Parameters that every task moves: the hidden layers and the common heads."""
        common = [p for n, p in self.heads.named_parameters() if ".common." in n]
        return [*self.body.parameters(), *common]


def build_network(
    architecture: Architecture, groups: Sequence[Group], n_features: int, units: Units
) -> Network:
    """A network with all penalties in the units of training, at weights that mean nothing yet."""
    with torch.random.fork_rng(devices=[]):  # layers draw weights; the user's generator stays
        return _build(architecture, groups, n_features, units)


def _build(a: Architecture, groups: Sequence[Group], n_features: int, units: Units) -> Network:
    factor = units.penalty_factor()
    body: nn.Module
    if a.tying == "separate":
        decay = torch.as_tensor(a.weight_decay * factor)
        body = StackedHiddenLayers(n_features, a.widths, a.activation, decay)
    else:
        body = HiddenLayers(n_features, a.widths, a.activation, a.weight_decay * factor[0])
    heads = [_make_heads(a, group, body.out_features, units, factor) for group in groups]
    return Network(body, heads)


def _make_heads(
    a: Architecture, group: Group, k: int, units: Units, factor: np.ndarray
) -> nn.Module:
    scaled = factor[group.tasks] * units.scale[group.tasks] ** 2
    size = (k, len(group.tasks), group.width)
    if a.tying == "separate":
        return SeparateHeads(*size, alpha=torch.as_tensor(a.alpha * scaled))
    one = float(scaled[0])  # tasks that learn together have one scale
    if a.tying == "common":
        return CommonHead(*size, alpha=a.alpha * one)
    return MeanRegularizedHeads(
        *size, alpha=a.alpha * one, alpha_common=a.alpha_common * one,
        alpha_intercept=a.alpha_intercept * one,
    )  # fmt: skip


def start_at(
    network: Network, groups: Sequence[Group], units: Units, rng: np.random.RandomState
) -> None:
    """Random weights of variance 1 / inputs from numpy's generator, so that a seed is enough.

    Intercepts start where the mean prediction is the mean target; deviations start at zero.
    """
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            weight = "weight" in name
            stacked = "body.weights" in name or (name.endswith("weight") and parameter.ndim == 3)
            if weight or stacked:
                inputs = parameter.shape[-2] if parameter.ndim == 3 else parameter.shape[-1]
                gain = 3.0 if "heads" in name else 6.0
                bound = np.sqrt(gain / max(inputs, 1))
                values = rng.uniform(-bound, bound, size=tuple(parameter.shape))
                parameter.copy_(torch.as_tensor(values))
            else:
                parameter.zero_()
        for head, group in zip(network.heads, groups, strict=True):
            level = torch.as_tensor(units.level[group.tasks])
            if isinstance(head, SeparateHeads):
                head.bias += level[:, None]
            else:
                head.common.bias += level[0]


def to_arrays(
    state: Mapping[str, Tensor], groups: Sequence[Group], units: Units
) -> dict[str, np.ndarray]:
    """Weights in the user's units, as float64 arrays by name."""
    arrays = {}
    for name, tensor in state.items():
        value = tensor.detach().cpu().numpy().astype(np.float64)
        scale, offset = _in_units(name, value.ndim, groups, units)
        arrays[name] = value * scale + offset
    return arrays


def from_arrays(
    network: Network, arrays: Mapping[str, np.ndarray], groups: Sequence[Group], units: Units
) -> None:
    """Load weights that are in the user's units; raises if a shape differs."""
    state = {}
    for name, value in arrays.items():
        scale, offset = _in_units(name, value.ndim, groups, units)
        state[name] = torch.as_tensor((value - offset) / scale)
    network.load_state_dict(state)


def _in_units(
    name: str, ndim: int, groups: Sequence[Group], units: Units
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Scale and offset of a head's parameter; hidden layers have none."""
    room, number, rest = (*name.split(".", 2), "")[:3]
    if room != "heads":
        return 1.0, 0.0
    tasks = groups[int(number)].tasks
    scale, offset = units.scale[tasks], units.offset[tasks]
    if rest.startswith("common"):
        return scale[0], offset[0] if rest.endswith("bias") else 0.0
    shape = (-1,) + (1,) * (ndim - 1)
    return scale.reshape(shape), offset.reshape(shape) if rest == "bias" else 0.0
