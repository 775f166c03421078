"""Gradients of single tasks: how often they conflict, and their aggregation by torchjd."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from polytask.neural.network import Network
from polytask.neural.units import Units
from polytask.neural.weighing import FixedWeights

__all__ = [
    "MOST_TASKS",
    "AggregatedGradients",
    "at_one_length",
    "conflict_share",
    "make_aggregator",
]

MOST_TASKS = 50
_DEFAULTS = {"c": 0.5, "alpha": 1.0}  # what the papers of CAGrad and FairGrad take first


class AggregatedGradients(FixedWeights):
    """Steps of what all tasks share along an aggregate of the tasks' gradients.

    The gradients are of m c_i L_i, so that their mean is the gradient of R. A task's own
    deviation of the head is moved by its own loss, and the penalty is added as it is.

    Parameters
    ----------
    units : Units
    aggregator : torchjd.aggregation.Aggregator
    """

    def __init__(self, units: Units, aggregator: Any) -> None:
        super().__init__(units)
        self.aggregator = aggregator

    def backward(self, losses: Tensor, network: Network) -> Tensor:
        """Add gradients to all parameters; the objective in the units of training."""
        from torchjd.autojac import backward, jac_to_grad

        penalty = network.penalty()
        if isinstance(penalty, Tensor) and penalty.requires_grad:
            penalty.backward()
        shared = network.shared_parameters()
        own = [p for p in network.parameters() if all(p is not q for q in shared)]
        total = self(losses)
        if own:
            total.backward(inputs=own, retain_graph=True)
        # A task without rows in this batch has no direction, not the direction zero.
        present = (losses.detach() != 0).nonzero()[:, 0]
        scaled = len(losses) * self.pull * losses
        backward(scaled[present], inputs=shared)
        with at_one_length(shared, self.aggregator):
            jac_to_grad(shared, self.aggregator)
        value = penalty.detach() if isinstance(penalty, Tensor) else penalty
        return total.detach() + value


@contextmanager
def at_one_length(shared: Sequence[Any], aggregator: Any) -> Iterator[None]:
    """Gradients of length one, their lengths as preferences, for methods that project on the cone.

    A projection on the cone of all gradients does not ask for their lengths, so the answer is the
    method's own. torchjd computes it in units of all gradients together: a stack shorter than .01
    is taken for zero, and a gradient a hundredth of the others' vanishes in a term of 1e-4.
    """
    if getattr(aggregator, "pref_vector", 0) is not None or not hasattr(aggregator, "projector"):
        yield
        return
    squares = [p.jac.flatten(1).square().sum(1) for p in shared]
    length = torch.stack(squares).sum(0).sqrt()
    for p in shared:
        p.jac /= length.clamp(min=torch.finfo(length.dtype).tiny).reshape(-1, *[1] * (p.dim()))
    aggregator.pref_vector = length / len(length)
    try:
        yield
    finally:
        aggregator.pref_vector = None


def make_aggregator(owner: str, name: Any, n_tasks: int) -> Any:
    """The aggregator of torchjd with this name, however it is spelled there."""
    if n_tasks > MOST_TASKS:
        raise ValueError(
            f"{owner}: gradient_aggregation must be None with more than {MOST_TASKS} tasks; got "
            f"{n_tasks} tasks. Every step would take a backward pass and a gradient of the whole "
            "network for each of them (about 20 times the time at 100 tasks). Take "
            "task_weight='uncertainty', or group the tasks."
        )
    if not isinstance(name, str):
        return name
    try:
        from torchjd import aggregation
    except ImportError as error:
        raise ImportError(
            f"{owner}: gradient_aggregation needs torchjd, which is not installed: "
            'pip install "polytask[gradients]"'
        ) from error
    if not version("torchjd").startswith("0.18."):
        raise ImportError(
            f"{owner}: gradient_aggregation needs torchjd 0.18, whose interface moves between "
            f'versions; {version("torchjd")} is installed: pip install "polytask[gradients]"'
        )
    found = {
        key.lower(): value
        for key, value in vars(aggregation).items()
        if inspect.isclass(value) and issubclass(value, aggregation.Aggregator)
    }
    wanted = name.replace("_", "").replace("-", "").lower()
    if wanted not in found or inspect.isabstract(found[wanted]):
        raise ValueError(
            f"{owner}: gradient_aggregation must name an aggregator of torchjd; got {name!r}. "
            f"There are {', '.join(sorted(found))}."
        )
    return _construct(owner, found[wanted], n_tasks)


def _construct(owner: str, cls: Any, n_tasks: int) -> Any:
    given = {"n_tasks": n_tasks, **_DEFAULTS}
    required = [
        key
        for key, parameter in inspect.signature(cls).parameters.items()
        if parameter.default is parameter.empty
    ]
    unknown = [key for key in required if key not in given]
    if unknown:
        raise ValueError(
            f"{owner}: gradient_aggregation={cls.__name__.lower()!r} must be passed as an object, "
            f"because it needs {', '.join(unknown)}: torchjd.aggregation.{cls.__name__}(...)."
        )
    return cls(**{key: given[key] for key in required})


def conflict_share(network: Network, losses: Tensor) -> float:
    """Share of pairs of tasks whose gradients in what is shared have a negative cosine.

    At most 50 tasks with rows in the batch are looked at; NaN where fewer than two have any.
    """
    shared = network.shared_parameters()
    present = (losses.detach() != 0).nonzero()[:MOST_TASKS, 0].tolist()
    if len(present) < 2:
        return float("nan")
    gradients = [
        torch.cat([g.ravel() for g in torch.autograd.grad(losses[i], shared, retain_graph=True)])
        for i in present
    ]
    products = torch.stack(gradients) @ torch.stack(gradients).T
    pairs = torch.triu_indices(len(present), len(present), offset=1)
    return float((products[pairs[0], pairs[1]] < 0).double().mean())
