"""Responses with every parameter set, and targets of each."""

import numpy as np

from polytask.responses import Huber, NegativeBinomial, Ordinal, Quantile, Response, responses

LEARNED: dict[str, Response] = {
    "quantile": Quantile(0.8, 0.3, 0.6),
    "ordinal": Ordinal((1, 2, 4), (-0.5, 1.0)),
    "huber": Huber(1.345, 0.7),
    "negative_binomial": NegativeBinomial(0.5),
}  # those that learn a parameter, with one


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
    if response.name == "negative_binomial":
        return rng.poisson(mean * rng.gamma(2.0, 0.5, len(mean))).astype(float)
    if response.name == "gamma":
        return mean * rng.gamma(3.0, 1 / 3, len(mean))
    if response.name == "tweedie":
        return np.array([rng.gamma(1.0, 0.5, k).sum() for k in rng.poisson(2 * mean)])
    if response.name == "binomial":
        return rng.binomial(8, mean) / 8
    if response.name == "ordinal":
        p = response.probabilities(response.link(mean))
        at = (rng.random((len(mean), 1)) > p.cumsum(axis=1)).sum(axis=1)
        return np.asarray(response.levels)[np.minimum(at, p.shape[1] - 1)]
    return mean + 0.5 * rng.standard_t(3, size=len(mean))
