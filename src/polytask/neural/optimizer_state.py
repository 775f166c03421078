"""An optimizer's moments as plain arrays, so that `partial_fit` goes on where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

__all__ = ["load_state", "plain_state"]


def plain_state(optimizer: torch.optim.Optimizer) -> dict[str, dict[str, np.ndarray]]:
    """Moments of each parameter, by its number as text."""
    state = optimizer.state_dict()["state"]
    return {
        str(number): {
            name: value.detach().cpu().numpy().copy()
            for name, value in moments.items()
            if isinstance(value, torch.Tensor)
        }
        for number, moments in state.items()
    }


def load_state(optimizer: torch.optim.Optimizer, state: Mapping[str, Any] | None) -> None:
    """Put moments back; None leaves a fresh start."""
    if not state:
        return
    current = optimizer.state_dict()
    current["state"] = {
        int(number): {name: torch.as_tensor(value) for name, value in moments.items()}
        for number, moments in state.items()
    }
    optimizer.load_state_dict(current)
