"""Responses with every parameter set, and targets of each."""

import numpy as np

from polytask.responses import Huber, Response, responses

LEARNED = {"huber": Huber(1.345, 0.7)}  # those that learn a parameter, with one


def every_response() -> list[Response]:
    return [LEARNED.get(name) or made() for name, made in responses().items()]


def targets_of(response: Response, n: int, rng: np.random.Generator) -> np.ndarray:
    """Targets around the response's own mean of a predictor that varies."""
    mean = response.inverse_link(0.5 + 0.5 * rng.normal(size=n))
    return draw(response, mean, rng)


def draw(response: Response, mean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if response.has_labels:
        return (rng.random(len(mean)) < mean).astype(float)
    if response.name == "poisson":
        return rng.poisson(mean).astype(float)
    return mean + 0.5 * rng.standard_t(3, size=len(mean))
