"""Tasks with hardly more rows than coefficients say little of themselves, and are not believed."""

import numpy as np
import pandas as pd
import pytest

from polytask import AutoMultiTaskRegressor

CANDIDATES = ["single-task", "pooled", "mean-regularized"]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("sizes", [[600, *[6] * 30], [6] * 30])
def test_single_task_errors_of_one_spare_row_are_not_believed(seed, sizes):
    """Six rows, five coefficients: errors left out are one number, near zero in a third of tasks.

    Taken for the noise of their tasks they gave those tasks most of the weight, and single-task
    learning most of theirs.
    """
    rng = np.random.default_rng(seed)
    task = np.repeat(np.arange(len(sizes)), sizes)
    W = np.array([1.0, -1.0, 0.5, 0.8]) + 0.25 * rng.normal(size=(len(sizes), 4))
    x, z = rng.normal(size=(len(task), 4)), rng.normal(size=(200 * len(sizes), 4))
    new = np.repeat(np.arange(len(sizes)), 200)
    X, fresh = (
        pd.DataFrame(a, columns=list("abcd")).assign(task=t) for a, t in ((x, task), (z, new))
    )
    y = (x * W[task]).sum(axis=1) + rng.normal(size=len(task))
    model = AutoMultiTaskRegressor(CANDIDATES, task="task").fit(X, y)
    truth = (z * W[new]).sum(axis=1)
    losses = [
        1.0 + np.mean((each.predict(fresh) - truth) ** 2)
        for each in (model, *model.estimators_.values())
    ]
    assert losses[0] < 1.1 * min(losses[1:])
