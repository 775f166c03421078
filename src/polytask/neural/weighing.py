"""How the losses of the tasks become a step: with fixed weights, or with learned ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from polytask.neural.network import Network
from polytask.neural.units import Units

__all__ = ["FixedWeights", "UncertaintyWeights", "Weighing"]


class Weighing(nn.Module):
    """Turns mean losses (m,) and the penalty into gradients; parameters are trained along."""

    def backward(self, losses: Tensor, network: Network) -> Tensor:
        """Add gradients to all parameters; the objective in the units of training."""
        objective = self(losses) + network.penalty()
        objective.backward()
        return objective.detach()


class FixedWeights(Weighing):
    """sum_i c_i L_i with the weights that R gives to the tasks.

    Parameters
    ----------
    units : Units
    """

    def __init__(self, units: Units) -> None:
        super().__init__()
        self.register_buffer("pull", torch.as_tensor(units.pull))

    def forward(self, losses: Tensor) -> Tensor:
        """The weighted sum."""
        return torch.dot(self.pull, losses)


class UncertaintyWeights(Weighing):
    """sum_i c_i (exp(-s_i) L_i + s_i / 2) with a learned log variance s_i for each task.

    A task that stays badly predicted gets a large s_i and pulls less at what is shared. The
    variances start where the loss of the mean prediction puts them, exp(s_i) = 2 L_i.

    Parameters
    ----------
    units : Units
    start : ndarray of shape (m,)
        Mean losses of the tasks at the start of training.

    References
    ----------
    Kendall, Gal and Cipolla, Multi-task learning using uncertainty to weigh losses for scene
    geometry and semantics, CVPR 2018.
    """

    def __init__(self, units: Units, start: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("share", torch.as_tensor(units.share))
        self.register_buffer("unit", torch.as_tensor(units.scale**2 / units.total))
        variance = 2.0 * torch.as_tensor(start) * self.unit
        self.log_variance = nn.Parameter(variance.clamp(min=1e-12).log())

    def forward(self, losses: Tensor) -> Tensor:
        """The weighted sum with the price of a large variance."""
        s = self.log_variance
        return torch.dot(self.share, (-s).exp() * self.unit * losses + 0.5 * s)

    def weights(self, units: Units) -> np.ndarray:
        """exp(-s_i) in the units of the user, shape (m,)."""
        s = self.log_variance.detach().cpu().numpy().astype(np.float64)
        return np.exp(-s) / units.total
