"""Which rule chooses the covariance of the deviations: scalar or diagonal?

Worlds: tasks equal; different by level only; by one slope more; by all slopes alike; by slopes of
very different variances (log-uniform standard deviations). Rows are normal, or every second feature
is a rare binary one. The exact excess risk of the tasks in training is known. Printed for each
rule: how much more risk it has than the better of scalar and diagonal in that cell, in per cent of
all of the error, by world, number of tasks and rows a task. The rules, from one fit of each:

- scalar, diagonal: always;
- aic: deviance plus twice the number of variances (what "auto" does);
- aic, positive: a variance that is estimated as zero does not count;
- bic: log of the number of tasks for each of those;
- leave-one-out: exact, of squared error, at the estimated variances;
- best: the better of the two in each draw.

Usage: OMP_NUM_THREADS=1 python benchmarks/reml_covariance.py [--repeats 20] [--first-seed 0]
       [--features 8] [--tasks 10 30 65 139] [--rows 5 10 20 40]
"""

from __future__ import annotations

import argparse
import itertools
import warnings

import numpy as np
import pandas as pd

from polytask import MeanRegularizedRegressor

WORLDS = ("none", "level", "one", "equal", "spread")


def deviations(world: str, d: int, rng: np.random.Generator) -> np.ndarray:
    """Standard deviations between tasks, the level's last."""
    s = np.append(np.zeros(d), 0.0 if world == "none" else 0.5)
    if world == "one":
        s[rng.integers(d)] = 0.5
    elif world == "equal":
        s[:d] = 0.6 / np.sqrt(d)
    elif world == "spread":
        s[:d] = np.exp(rng.uniform(np.log(0.02), np.log(0.5), d))
    return s


def draw(
    world: str, m: int, n: int, d: int, binary: bool, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """X, y, true coefficients (m, d + 1) and second moments of a row (d + 1, d + 1)."""
    W = 0.5 * rng.normal(size=d + 1) + deviations(world, d, rng) * rng.normal(size=(m, d + 1))
    task = np.repeat(np.arange(m), np.maximum(1, rng.poisson(n, m)))
    x, far = rng.normal(size=(2, len(task), d)), np.zeros(d)
    rows, mean, variance = x[0], far, np.ones(d)
    if binary:
        share = 0.2
        rows[:, ::2] = rng.random(rows[:, ::2].shape) < share
        mean[::2], variance[::2] = share, share * (1 - share)
    moments = np.outer(np.append(mean, 1.0), np.append(mean, 1.0)) + np.diag(np.append(variance, 0))
    y = (rows * W[task, :d]).sum(axis=1) + W[task, d] + rng.normal(size=len(task))
    return pd.DataFrame(rows).rename(columns=str).assign(task=task), y, W, moments


def facts(model: MeanRegularizedRegressor, X: pd.DataFrame, y: np.ndarray) -> tuple[float, ...]:
    """Deviance, number of positive variances, leave-one-out squared error."""
    rows = np.column_stack([X.drop(columns="task"), np.ones(len(y))])
    V = model.coef_covariance_[X["task"]] / model.noise_variance_
    leverage = np.minimum(np.einsum("nk,nkl,nl->n", rows, V, rows), 1 - 1e-6)
    loo = np.sum(((y - model.predict(X)) / (1 - leverage)) ** 2)
    variances = np.diag(model.deviation_covariance_)
    if model.covariance == "scalar":  # in scaled columns one for all slopes
        return model.deviance_, float((variances[[0, -1]] > 0).sum()), loo
    return model.deviance_, float((variances > 0).sum()), loo


def risks(world: str, m: int, n: int, d: int, binary: bool, seed: int) -> dict[str, float]:
    """Excess risk by rule."""
    X, y, W, moments = draw(world, m, n, d, binary, np.random.default_rng([seed, m, n, d, binary]))
    found, known = [], []
    for covariance in ("scalar", "diagonal", "auto"):
        model = MeanRegularizedRegressor("reml", covariance=covariance, task="task").fit(X, y)
        E = np.column_stack([model.coef_, model.intercept_]) - W
        found.append(float(np.einsum("mk,kl,ml->", E, moments, E)) / m)
        known.append(facts(model, X, y))
    (dev, count, loo), (dev2, count2, loo2) = known[:2]
    scalar, diagonal, auto = found
    return {
        "scalar": scalar, "diagonal": diagonal, "aic": auto,
        "aic, positive": found[int(dev - dev2 > 2 * (count2 - count))],
        "bic": found[int(dev - dev2 > np.log(m) * (count2 - count))],
        "leave-one-out": found[int(loo2 < loo)], "best": min(scalar, diagonal),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--features", type=int, default=8)
    parser.add_argument("--tasks", type=int, nargs="*", default=[10, 30, 65, 139])
    parser.add_argument("--rows", type=int, nargs="*", default=[5, 10, 20, 40])
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    cells = []
    for world, m, n in itertools.product(WORLDS, given.tasks, given.rows):
        for binary in (False, True):
            seeds = range(given.first_seed, given.first_seed + given.repeats)
            mean = pd.DataFrame(
                [risks(world, m, n, given.features, binary, seed) for seed in seeds]
            ).mean()
            least = min(mean["scalar"], mean["diagonal"])
            more = 100.0 * (mean - least) / (1.0 + least)  # the noise has variance one
            cells.append({"world": world, "tasks": m, "rows": n, **more})
    table = pd.DataFrame(cells)
    rules = [*table.columns[3:]]
    for by in ("world", "tasks", "rows"):
        print(table.groupby(by, sort=False)[rules].mean().round(2).to_string())
    print(table[rules].mean().round(2).to_frame("all").T.to_string())


if __name__ == "__main__":
    main()
