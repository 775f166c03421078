"""Kinds of task: how a head's output is judged, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional

from polytask.responses import (
    Binomial,
    Gamma,
    Huber,
    Logistic,
    Poisson,
    Response,
    Squared,
    Tweedie,
)

__all__ = ["KINDS", "Kind"]

_TWEEDIE = Tweedie()
_LEAST = 1e-3  # distance of a level from the ends of what targets may be


@dataclass(frozen=True)
class Kind:
    """One kind of task.

    Parameters
    ----------
    name : str
    loss : callable (z (n, q), y (n,), delta) -> (n,)
        Loss of each observation; delta is where Huber's loss turns linear, other kinds ignore it.
    response : Response or None
        What else there is to know of it; None of more than two labels.
    location : bool
        Whether the loss depends on y - z alone, so that a change of units leaves the model alone.
    """

    name: str
    loss: Callable[[Tensor, Tensor, Tensor | float], Tensor]
    response: Response | None
    location: bool = False

    @property
    def classes(self) -> bool:
        """Whether targets are labels."""
        return self.response is None or self.response.has_labels

    def mean(self, z: np.ndarray) -> np.ndarray:
        """What outputs (n, q) mean: an expected value (n,), or a probability of each label."""
        if self.response is None:
            return np.asarray(softmax(z, axis=-1))
        mean = self.response.inverse_link(z[..., 0])
        return np.stack([1.0 - mean, mean], axis=-1) if self.classes else mean

    def level(self, average: float) -> float:
        """The output whose mean is a given average target, where training starts."""
        if self.response is None:
            return 0.0
        low, high = self.response.targets.low + _LEAST, self.response.targets.high - _LEAST
        return float(self.response.link(np.clip(np.asarray(average), low, high)))


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


def _gamma(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    return z[..., 0] + y * (-z[..., 0]).exp()


def _tweedie(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    a, b = _TWEEDIE.power - 1.0, 2.0 - _TWEEDIE.power
    return (b * z[..., 0]).exp() / b + y * (-a * z[..., 0]).exp() / a


def _multinomial(z: Tensor, y: Tensor, delta: Tensor | float) -> Tensor:
    own = z.gather(-1, y.long().unsqueeze(-1)).squeeze(-1)
    return z.logsumexp(dim=-1) - own


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("squared", _squared, Squared(), location=True),
        Kind("huber", _huber, Huber(), location=True),
        Kind("logistic", _logistic, Logistic()),
        Kind("poisson", _poisson, Poisson()),
        Kind("gamma", _gamma, Gamma()),
        Kind("tweedie", _tweedie, _TWEEDIE),
        Kind("binomial", _logistic, Binomial()),
        Kind("multinomial", _multinomial, None),
    )
}
