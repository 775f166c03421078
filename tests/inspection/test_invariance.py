"""The last bit of X and the order of columns move no verdict and no gain."""

import numpy as np
import pandas as pd
import pytest

from polytask import (
    LowRankRegressor,
    MeanRegularizedRegressor,
    PooledRegressor,
    SingleTaskRegressor,
)
from polytask.inspection import compare_tasks


@pytest.mark.slow
def test_rounding_and_order_move_no_verdict():
    rng = np.random.default_rng(5)
    X = pd.DataFrame(rng.gamma(2, 1.5, size=(200, 3)) - 1, columns=list("abc"))
    X["site"] = rng.choice(list("pqrst"), 200)
    W = rng.normal(size=(5, 3)) * [0.6, 0.3, 0.2] + [1, -1, 0]
    y = (X[list("abc")] * W[pd.factorize(X["site"], sort=True)[0]]).sum(axis=1).to_numpy()
    y = y + rng.normal(size=200)
    bits = X.copy()
    bits[list("abc")] *= 1 + 2e-16 * np.sign(rng.normal(size=(200, 3)))
    models = {"single-task": SingleTaskRegressor(task="site"),
              "pooled": PooledRegressor(task="site"), "low-rank": LowRankRegressor(task="site"),
              "mean-regularized": MeanRegularizedRegressor(task="site")}  # fmt: skip

    def judged(table):
        found = compare_tasks(models, table, y, task="site", cv=3)
        gains = found.gains.select_dtypes("float").to_numpy()
        return found.verdict.label, found.recommended.model, np.sort(gains, axis=None)

    label, recommended, gains = judged(X)
    for table in (bits, X[["c", "site", "b", "a"]]):
        again = judged(table)
        assert again[:2] == (label, recommended)
        np.testing.assert_allclose(again[2], gains, atol=1e-6)
