"""Hidden layers: shared by all tasks, or a stack of them for every task."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ACTIVATIONS", "HiddenLayers", "StackedHiddenLayers"]

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "elu": functional.elu,
    "gelu": functional.gelu,
    "identity": lambda z: z,
    "logistic": torch.sigmoid,
    "relu": torch.relu,
    "silu": functional.silu,
    "tanh": torch.tanh,
}


class HiddenLayers(nn.Module):
    """h(x): hidden layers that all tasks share, with the penalty weight_decay sum ‖V_l‖².

    Parameters
    ----------
    in_features : int
    widths : sequence of int
        Width of each hidden layer; none leaves h(x) = x.
    activation : str
        A key of `ACTIVATIONS`.
    weight_decay : float
    """

    def __init__(
        self, in_features: int, widths: Sequence[int], activation: str, weight_decay: float
    ) -> None:
        super().__init__()
        sizes = [in_features, *widths]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, widths, strict=False))
        self.out_features = sizes[-1]
        self.activation, self.weight_decay = ACTIVATIONS[activation], weight_decay

    def forward(self, x: Tensor) -> Tensor:
        """Features (n, k) of rows (n, d)."""
        for layer in self.layers:
            x = self.activation(layer(x))
        return x

    def penalty(self) -> Tensor | float:
        """weight_decay sum_l ‖V_l‖², intercepts left out."""
        if not self.weight_decay:
            return 0.0
        total = sum((layer.weight.square().sum() for layer in self.layers), torch.zeros(()))
        return self.weight_decay * total


class StackedHiddenLayers(nn.Module):
    """Hidden layers of m separate networks, as stacked weights that one batched product uses.

    Parameters
    ----------
    in_features : int
    widths : sequence of int
    activation : str
    weight_decay : Tensor of shape (m,)
        The penalty is sum_i weight_decay_i sum_l ‖V_il‖².
    """

    def __init__(
        self, in_features: int, widths: Sequence[int], activation: str, weight_decay: Tensor
    ) -> None:
        super().__init__()
        m, sizes = len(weight_decay), [in_features, *widths]
        pairs = list(zip(sizes, widths, strict=False))
        self.weights = nn.ParameterList(torch.zeros(m, a, b) for a, b in pairs)
        self.biases = nn.ParameterList(torch.zeros(m, b) for _, b in pairs)
        self.out_features, self.activation = sizes[-1], ACTIVATIONS[activation]
        self.register_buffer("weight_decay", weight_decay, persistent=False)

    def forward(self, x: Tensor, task: Tensor | None = None) -> Tensor:
        """Features (t, n, k) of rows (t, n, d): block j goes through the network of task[j]."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            if task is not None:
                weight, bias = weight[task], bias[task]
            x = self.activation(torch.baddbmm(bias.unsqueeze(1), x, weight))
        return x

    def penalty(self) -> Tensor | float:
        """sum_i weight_decay_i sum_l ‖V_il‖², intercepts left out."""
        decay: Tensor = self.weight_decay
        if not decay.any():
            return 0.0
        squares = [weight.square().sum(dim=(1, 2)) for weight in self.weights]
        return (sum(squares, torch.zeros_like(decay)) * decay).sum()
