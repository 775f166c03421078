"""Worlds whose truth is known, for the question which model to recommend.

A world draws tables with a column ``task`` and knows the noise-free target of any row, so the
expected loss of a fitted model is computed on fresh rows without noise: mean over tasks of the
squared error plus the variance of the noise, or of the expected log loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

__all__ = ["WORLDS", "Draw", "World", "draw"]

FRESH = 400  # rows of a task on which expected losses are computed


@dataclass(frozen=True)
class Truth:
    """Of the tasks of a draw: the linear predictor of rows (n, d) of tasks (n,), the noise (m,)."""

    f: Callable[[np.ndarray, np.ndarray], np.ndarray]
    noise: np.ndarray


@dataclass(frozen=True)
class World:
    """A kind of table.

    Parameters
    ----------
    rows : callable
        Rows of each task (m,) at one of two sizes, 0 or 1.
    d : int
        Features.
    truth : callable (rng, m, d) -> Truth
    labels : bool
        Whether targets are two classes.
    student : bool
        Whether the noise has heavy tails: Student's t with three degrees of freedom.
    """

    rows: Callable[[int], np.ndarray]
    d: int
    truth: Callable[[np.random.Generator, int, int], Truth]
    labels: bool = False
    student: bool = False


@dataclass(frozen=True)
class Draw:
    """A table, and what a model of it is worth."""

    X: pd.DataFrame
    y: np.ndarray
    fresh: pd.DataFrame
    loss: Callable[[np.ndarray], float]  # of predicted targets, or probabilities, of fresh rows


def draw(world: World, size: int, seed: int) -> Draw:
    """A table of a world."""
    rng = np.random.default_rng([seed, size])
    rows = world.rows(size)
    m, d = len(rows), world.d
    truth = world.truth(rng, m, d)
    task, new = np.repeat(np.arange(m), rows), np.repeat(np.arange(m), FRESH)
    x, z = rng.normal(size=(len(task), d)), rng.normal(size=(len(new), d))
    f, g = truth.f(x, task), truth.f(z, new)
    if world.labels:
        y, p = (rng.random(len(f)) < expit(f)).astype(int), expit(g)

        def loss(q: np.ndarray) -> float:
            q = np.clip(q, 1e-12, 1 - 1e-12)
            return float(-np.mean(p * np.log(q) + (1 - p) * np.log1p(-q)))
    else:
        shape = len(f)
        e = rng.standard_t(3, shape) / np.sqrt(3) if world.student else rng.normal(size=shape)
        y, floor = f + e * truth.noise[task], float(np.mean(truth.noise**2))

        def loss(q: np.ndarray) -> float:
            return float(np.mean((q - g) ** 2)) + floor

    names = [f"x{j}" for j in range(d)]
    X, fresh = (pd.DataFrame(a, columns=names).assign(task=t) for a, t in ((x, task), (z, new)))
    return Draw(X, y, fresh, loss)


def _alike(m: int, small: int, large: int) -> Callable[[int], np.ndarray]:
    return lambda size: np.full(m, (small, large)[size])


def _linear(W: np.ndarray, b: np.ndarray, noise: float | np.ndarray = 1.0) -> Truth:
    return Truth(lambda x, i: (x * W[i]).sum(axis=1) + b[i], np.broadcast_to(noise, len(b)))


def _noise(rng: np.random.Generator, m: int, d: int) -> Truth:
    return _linear(np.zeros((m, d)), np.zeros(m))


def _related(spread: float, level: float = 0.5, noise: float = 1.0, size: float = 1.0):
    def truth(rng: np.random.Generator, m: int, d: int) -> Truth:
        W = size * (rng.normal(size=d) / np.sqrt(d / 2) + spread * rng.normal(size=(m, d)))
        return _linear(W, level * rng.normal(size=m), noise)

    return truth


def _clusters(share: float):
    """Slopes w in some tasks and -w in the others."""

    def truth(rng: np.random.Generator, m: int, d: int) -> Truth:
        w = rng.normal(size=d)
        w *= 1.2 / np.linalg.norm(w)
        sign = np.where(np.arange(m) < round(share * m), -1.0, 1.0)
        return _linear(sign[:, None] * w, 0.3 * rng.normal(size=m))

    return truth


def _curved(spread: float):
    """A curve that all tasks share, beside slopes and levels of their own."""

    def truth(rng: np.random.Generator, m: int, d: int) -> Truth:
        W, b = spread * rng.normal(size=(m, d)), 0.5 * rng.normal(size=m)

        def f(x: np.ndarray, i: np.ndarray) -> np.ndarray:
            curve = 2.0 * np.sin(2.0 * x[:, 0]) + x[:, 1] ** 2 + np.abs(x[:, 2])
            return curve + (x * W[i]).sum(axis=1) + b[i]

        return Truth(f, np.full(m, 0.7))

    return truth


def _independent(rng: np.random.Generator, m: int, d: int) -> Truth:
    return _linear(rng.normal(size=(m, d)), rng.normal(size=m))


def _low_rank(rng: np.random.Generator, m: int, d: int) -> Truth:
    W = rng.normal(size=(m, 2)) @ rng.normal(size=(2, d)) / np.sqrt(2.0)
    return _linear(W, 0.3 * rng.normal(size=m))


def _noisy_tasks(rng: np.random.Generator, m: int, d: int) -> Truth:
    related = _related(0.4)(rng, m, d)
    return Truth(related.f, np.where(np.arange(m) % 4 == 0, 3.0, 0.5))


def _unequal(size: int) -> np.ndarray:
    """One big task beside thirty small ones."""
    return np.r_[600, np.full(30, 6)] if size == 0 else np.r_[1200, np.full(30, 15)]


WORLDS = {
    "pure noise": World(_alike(20, 8, 30), 4, _noise),
    "two related tasks": World(_alike(2, 15, 50), 4, _related(0.3)),
    "noisy labels": World(_alike(20, 15, 50), 4, _related(0.3, 0.3, size=0.5), labels=True),
    "one big task": World(_unequal, 4, _related(0.25)),
    "two clusters": World(_alike(20, 15, 40), 5, _clusters(0.5)),
    "flipped signs": World(_alike(20, 15, 40), 5, _clusters(0.15)),
    "shared curve": World(_alike(15, 30, 80), 4, _curved(0.0)),
    "curve and slopes": World(_alike(15, 30, 80), 4, _curved(0.7)),
    "related": World(_alike(20, 8, 30), 4, _related(0.3)),
    "unrelated": World(_alike(20, 12, 40), 4, _independent),
    "identical": World(_alike(15, 8, 30), 4, _related(0.0, 0.0)),
    "levels": World(_alike(20, 8, 30), 4, _related(0.0, 1.5)),
    "low rank": World(_alike(25, 12, 30), 10, _low_rank),
    "noisy tasks": World(_alike(20, 10, 30), 4, _noisy_tasks),
    "heavy tails": World(_alike(20, 10, 30), 4, _related(0.3), student=True),
    "related labels": World(_alike(15, 20, 60), 4, _related(0.6, 1.0, size=1.5), labels=True),
}
