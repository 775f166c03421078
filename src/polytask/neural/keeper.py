"""Which weights were best so far, and whether to go on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from polytask.neural.coding import Group
from polytask.neural.network import Network

__all__ = ["Keeper"]


class Keeper:
    """Best weights by a value that is watched: one for the whole network, or one per task.

    Separate networks stop being judged together nowhere: each keeps the weights of its own best
    epoch, and training ends when none has got better for a while.

    Parameters
    ----------
    network : Network
    groups : sequence of Group
    n_values : int
        1, or the number m of separate networks.
    tol : float
        Smallest fall of the value that counts as getting better.
    patience : int or inf
        Epochs without that after which training ends.
    keep_best : bool
        Whether the weights of the best epoch are kept, or those of the last finite one.
    """

    def __init__(
        self, network: Network, groups: Sequence[Group], n_values: int, tol: float, patience: float,
        keep_best: bool,
    ) -> None:  # fmt: skip
        self.network, self.groups = network, groups
        self.tol, self.patience, self.keep_best = tol, patience, keep_best
        self.best = np.full(n_values, np.inf)
        self.mark = np.full(n_values, np.inf)  # last value that was better by tol
        self.waited = np.zeros(n_values, dtype=int)
        self.state: dict[str, Tensor] = _copy(network)

    def update(self, values: np.ndarray) -> bool:
        """Take note of the values after an epoch; True if it is time to stop."""
        better = values < self.best
        self.best = np.where(better, values, self.best)
        clearly = values < self.mark - self.tol
        self.mark = np.where(clearly, values, self.mark)
        self.waited = np.where(clearly, 0, self.waited + 1)
        if not self.keep_best or (len(better) == 1 and better[0]):
            self.state = _copy(self.network)
        elif better.any():
            self._copy_some(better)
        return bool((self.waited >= self.patience).all())

    def _copy_some(self, better: np.ndarray) -> None:
        for name, parameter in self.network.state_dict().items():
            mine = better
            if name.startswith("heads."):
                mine = better[self.groups[int(name.split(".")[1])].tasks]
            chosen = torch.as_tensor(mine, device=parameter.device)
            self.state[name][chosen] = parameter.detach()[chosen]


def _copy(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
