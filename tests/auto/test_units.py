"""Tasks in units of their own: no task pays for the unit of another."""

import numpy as np
import pandas as pd

from polytask import AutoMultiTaskRegressor, SingleTaskRegressor

QUICK = ["single-task", "pooled", "mean-regularized", "mean-regularized-reml"]


def test_assays_in_units_from_one_to_a_thousand_keep_their_single_task_error():
    rng = np.random.default_rng(1)
    assay, unit = np.repeat(np.arange(20), 15), 10 ** np.linspace(0, 3, 20)
    W = np.array([1, -1, 0.5, 0.8]) + 0.25 * rng.normal(size=(20, 4))
    x = rng.normal(size=(300, 4))
    y = unit[assay] * ((x * W[assay]).sum(axis=1) + rng.normal(size=300))
    X = pd.DataFrame(x, columns=list("abcd")).assign(assay=assay)
    new, z = np.repeat(np.arange(20), 300), rng.normal(size=(6000, 4))
    fresh = pd.DataFrame(z, columns=list("abcd")).assign(assay=new)

    def loss(model):  # of each assay, in units of its noise
        error = model.fit(X, y).predict(fresh) / unit[new] - (z * W[new]).sum(axis=1)
        return 1 + np.bincount(new, error**2) / 300

    alone = loss(SingleTaskRegressor(task="assay"))
    together = loss(AutoMultiTaskRegressor(QUICK, task="assay"))
    assert (together / alone).max() < 1.02
