"""Full-batch training by scipy's L-BFGS, for small and for convex problems."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.optimize import OptimizeResult
from scipy.optimize import minimize as scipy_minimize

from polytask.neural.judge import Judge
from polytask.neural.network import Network
from polytask.neural.samples import Sample
from polytask.neural.weighing import Weighing

__all__ = ["minimize"]


def minimize(
    network: Network, sample: Sample, weighing: Weighing, max_iter: int, tol: float, judge: Judge
) -> None:
    """Minimize the objective over all parameters; an iteration is an epoch.

    ``tol`` bounds the largest partial derivative, in the units of training.
    """
    parameters = [*network.parameters(), *weighing.parameters()]
    last: dict[str, np.ndarray] = {}

    def load(theta: np.ndarray) -> None:
        parts = torch.as_tensor(theta).split([p.numel() for p in parameters])
        with torch.no_grad():
            for parameter, part in zip(parameters, parts, strict=True):
                parameter.copy_(part.view_as(parameter))

    def value_and_gradient(theta: np.ndarray) -> tuple[float, np.ndarray]:
        load(theta)
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
        losses = sample.task_losses(network, None)
        objective = weighing.backward(losses, network)
        last["losses"] = losses.detach().cpu().double().numpy()
        return float(objective), _flat([p.grad for p in parameters])

    def after(intermediate_result: OptimizeResult) -> None:
        load(intermediate_result.x)
        if judge.epoch(last["losses"], None):
            raise StopIteration

    single = parameters[0].dtype == torch.float32
    done = scipy_minimize(
        value_and_gradient, _flat(parameters), jac=True, method="L-BFGS-B", callback=after,
        options={
            "maxiter": max_iter, "maxfun": 20 * max_iter, "maxcor": 30, "gtol": tol,
            "ftol": 1e-9 if single else 1e-15,
        },
    )  # fmt: skip
    if done.success:
        judge.run.status = "converged"
    elif done.status == 2 and judge.run.status == "max_iter":
        judge.run.status = "no progress within rounding errors"
    if not judge.run.history:  # the start is the answer, or no finite loss was found
        judge.epoch(last["losses"], None)


def _flat(tensors: list[Any]) -> np.ndarray:
    return np.concatenate([t.detach().cpu().double().numpy().ravel() for t in tensors])
