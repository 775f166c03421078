"""Small problems that the tests of this folder share."""

import numpy as np

from polytask.data import TaskData, make_design
from polytask.penalties import Orthonormal, Penalty, Ridge
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.structures import CommonDeviation, Projected, SlopesPlus

LOSSES = {"squared": Squared(), "logistic": Logistic()}


def make_data(rng, loss: Loss, m=6, d=5, n=20, rank=2, shared=False) -> TaskData:
    """Tasks of different size (or the same rows in all), coefficients of a given rank."""
    W = rng.normal(size=(m, rank)) @ rng.normal(size=(rank, d)) / np.sqrt(rank)
    sizes = np.full(m, n) if shared else rng.integers(n - 5, n + 6, size=m)
    start = np.concatenate([[0], np.cumsum(sizes)])
    X = rng.normal(size=(n if shared else start[-1], d)) + 0.3
    index = np.tile(np.arange(n), m) if shared else None
    code = np.repeat(np.arange(m), sizes)
    rows = X if index is None else X[index]
    y = (rows * W[code]).sum(axis=1) + 0.5 * rng.normal(size=m)[code]
    y = y + 0.5 * rng.normal(size=len(y))
    y = y if loss.is_quadratic else (y > 0).astype(float)
    design = make_design(X, index, start, True)
    weight, share = np.ones(len(y)), np.full(m, 1 / m)
    return TaskData(design, y, weight, share, np.arange(m), True, np.arange(len(y)))


def low_rank(data: TaskData, loss: Loss, penalty: Penalty, level=0.0, common=False) -> Problem:
    """The problem of LowRank."""
    d = data.n_features
    shared, own = np.zeros(d + 1, dtype=bool), np.zeros(d + 1, dtype=bool)
    shared[:d], shared[d], own[d] = common, True, True
    penalties = {
        "low_rank": penalty,
        "common": Ridge(np.zeros(int(shared.sum()))),
        "deviation": Ridge(np.array([level])),
    }
    return Problem(data, loss, SlopesPlus(CommonDeviation(shared, own), d), penalties)


def projected(data: TaskData, loss: Loss, k: int, alpha=0.01, common=1e-3, level=0.01) -> Problem:
    """The problem of ProjectedMeanRegularized."""
    penalties = {
        "projection": Orthonormal(),
        "common": Ridge(np.append(np.full(k, common), 0.0)),
        "deviation": Ridge(np.append(np.full(k, alpha), level)),
    }
    return Problem(data, loss, Projected(data.n_features, k, True), penalties)
