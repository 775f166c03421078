"""Kinds of task: how a head's output is judged, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import expit, softmax
from torch import Tensor
from torch.nn import functional

__all__ = ["KINDS", "Kind"]


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    Parameters
    ----------
    name : str
    loss : callable (z (n, q), y (n,), delta) -> (n,)
        Loss of each observation; delta is where Huber's loss turns linear, other kinds ignore it.
    mean : callable (z (n, q)) -> (n,) or (n, q)
        What the output means: an expected value, or a probability of each class.
    level : callable (float) -> float
        The output whose mean is a given average target, where training starts.
    classes : bool
        Whether targets are labels.
    location : bool
        Whether the loss depends on y - z alone, so that a change of units leaves the model alone.
    """

    name: str
    loss: Callable[[Tensor, Tensor, Tensor | float], Tensor]
    mean: Callable[[np.ndarray], np.ndarray]
    level: Callable[[float], float]
    classes: bool = False
    location: bool = False


def _squared(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    return 0.5 * (y - z[..., 0]).square()


def _huber(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    size = (y - z[..., 0]).abs()
    delta = torch.as_tensor(delta, dtype=size.dtype, device=size.device)
    inner = torch.minimum(size, delta)
    return inner * (size - 0.5 * inner)


def _logistic(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    return functional.softplus(z[..., 0]) - y * z[..., 0]


def _poisson(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    return z[..., 0].exp() - y * z[..., 0]


def _multinomial(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    own = z.gather(-1, y.long().unsqueeze(-1)).squeeze(-1)
    return z.logsumexp(dim=-1) - own


def _first(z: np.ndarray) -> np.ndarray:
    return z[..., 0]


def _two(z: np.ndarray) -> np.ndarray:
    p = expit(z[..., 0])
    return np.stack([1.0 - p, p], axis=-1)


def _logit(average: float) -> float:
    p = min(max(average, 1e-3), 1 - 1e-3)
    return float(np.log(p / (1 - p)))


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("squared", _squared, _first, float, location=True),
        Kind("huber", _huber, _first, float, location=True),
        Kind("logistic", _logistic, _two, _logit, classes=True),
        Kind(
            "poisson", _poisson, lambda z: np.exp(z[..., 0]), lambda a: float(np.log(max(a, 1e-3)))
        ),
        Kind("multinomial", _multinomial, lambda z: softmax(z, axis=-1), lambda a: 0.0, True),
    )
}
