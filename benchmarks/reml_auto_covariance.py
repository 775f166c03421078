"""Which covariance of the deviations Akaike's criterion chooses, and what that costs.

    python benchmarks/reml_auto_covariance.py [FIRST_SEED] [DRAWS]

Per cent of squared error (noise included) above the best of the four covariances, a mean over
simulated tasks: equal, of unrelated deviations, of a level against a slope, along one direction.
"""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pandas as pd

from polytask import MeanRegularizedRegressor

NAMES = ("scalar", "diagonal", "factor", "full")


def deviations(world: str, m: int, p: int, rng: np.random.Generator) -> np.ndarray:
    """Deviations (m, p) of a kind of tasks, the level last."""
    if world == "equal":
        return np.zeros((m, p))
    if world == "unrelated":
        return rng.normal(size=(m, p)) * 0.5
    if world == "level against a slope":
        S = np.eye(p) * 0.25
        S[0, -1] = S[-1, 0] = -0.2
        return rng.multivariate_normal(np.zeros(p), S, size=m)
    return 0.5 * rng.normal(size=(m, 1)) + 0.15 * rng.normal(size=(m, p))


def rows(W: np.ndarray, n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows of every task, and their expected targets."""
    m, d = len(W), W.shape[1] - 1
    g, X = np.repeat(np.arange(m), n), rng.normal(size=(m * n, d))
    frame = pd.DataFrame(X).rename(columns=str).assign(task=g)
    return frame, (X * W[g, :d]).sum(axis=1) + W[g, d]


def main() -> None:
    """Print the table."""
    first, draws = (int(a) for a in (sys.argv[1:] + ["0", "4"][len(sys.argv) - 1 :])[:2])
    worlds = ("equal", "unrelated", "level against a slope", "one direction")
    found = []
    for d, m, n, world, s in product((1, 3, 6), (12, 40), (8, 25), worlds, range(draws)):
        rng = np.random.default_rng(first + s + 1000 * d)
        W = 1 + deviations(world, m, d + 1, rng)
        X, f = rows(W, n, rng)
        y = f + rng.normal(size=len(f))
        new, truth = rows(W, 40, rng)
        aic, error = {}, {}
        for name in NAMES:
            model = MeanRegularizedRegressor(
                "reml", covariance=name, task="task", noise="common"
            ).fit(X, y)
            aic[name] = model.aic_
            error[name] = 1 + np.mean((model.predict(new) - truth) ** 2)
        rule = {"of two": min(NAMES[:2], key=aic.get), "of four": min(NAMES, key=aic.get)}
        error |= {name: error[chosen] for name, chosen in rule.items()}
        best = min(error.values())
        found.append({"world": world} | {k: 100 * (v / best - 1) for k, v in error.items()})
    table = pd.DataFrame(found).groupby("world", sort=False).mean()
    table.loc["all"] = table.mean()
    print(table.round(2).to_string())


if __name__ == "__main__":
    main()
