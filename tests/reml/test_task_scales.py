"""A feature whose scale differs between tasks never makes joint learning much worse than alone."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor, SingleTaskRegressor


def of_unlike_scales(ratio, seed):
    """Training rows, new rows and their means; one task's feature is ``ratio`` times larger."""
    rng = np.random.default_rng(seed)
    size = np.where(np.arange(15) == 0, float(ratio), 1.0)
    task, z = np.repeat(np.arange(15), 40), rng.normal(size=600)
    slope = 5 + 0.5 * rng.normal(size=15)
    y = slope[task] * z + rng.normal(size=600)
    x = z * size[task]
    new, fresh = np.repeat(np.arange(15), 200), rng.normal(size=3000)
    X = np.column_stack([task, (x - x.mean()) / x.std()])
    Z = np.column_stack([new, (fresh * size[new] - x.mean()) / x.std()])
    return X, y, Z, slope[new] * fresh


def risk(model, X, y, Z, truth):
    """Mean over tasks of the expected squared error, noise of variance 1 among it."""
    error = (truth - model.fit(X, y).predict(Z)) ** 2
    return pd.Series(error).groupby(Z[:, 0]).mean().mean() + 1.0


# Next to the largest variance that is looked at, the deviance has no digits for a smaller slope.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("ratio", [100, 1000])
@pytest.mark.parametrize("seed", range(3))
def test_joint_learning_is_never_much_worse_than_alone(ratio, seed):
    data = of_unlike_scales(ratio, seed)
    alone = risk(SingleTaskRegressor(task=0), *data)
    assert risk(MeanRegularizedRegressor(task=0), *data) < 1.03 * alone
    assert risk(MeanRegularizedRegressor("reml", task=0), *data) < 1.03 * alone
