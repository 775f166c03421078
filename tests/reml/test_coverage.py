"""Intervals hold what they promise, on average over data drawn from the model."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor
from tests.reml.worlds import draw

DEVIATION = np.array([0.8, 0.3, 0.0, 0.6])
COMMON = np.array([1.0, -2.0, 0.5, 3.0])


def covered(rng, n_tasks, n_rows, covariance="diagonal"):
    """Shares of covered new rows of seen tasks, of unseen tasks, and of coefficients."""
    X, y, theta = draw(rng, [n_rows + 20] * n_tasks, DEVIATION, COMMON)
    turn = X.groupby("task").cumcount().to_numpy()
    train = turn < n_rows
    model = MeanRegularizedRegressor(
        "reml", covariance=covariance, task="task", unseen="common"
    ).fit(X[train], y[train])
    fresh_X, fresh_y, _ = draw(rng, [1] * 300, DEVIATION, COMMON)
    shares = []
    for table, target in [
        (X[~train], y[~train]), (fresh_X.assign(task=fresh_X["task"] + 10_000), fresh_y)
    ]:  # fmt: skip
        mean, std = model.predict(table, return_std=True)
        shares.append(np.mean(np.abs(target - mean) < 1.96 * std))
    low, high = model.coef_interval(0.95)
    inside = (low <= theta[:, :3]) & (theta[:, :3] <= high)
    return [*shares, inside.mean()]


def test_intervals_cover():
    rng = np.random.default_rng(0)
    seen, unseen, coef = np.mean([covered(rng, 60, 8) for _ in range(6)], axis=0)
    assert seen == pytest.approx(0.95, abs=0.02)
    assert unseen == pytest.approx(0.95, abs=0.02)
    assert 0.88 < coef < 0.99


@pytest.mark.slow
@pytest.mark.parametrize("covariance", ["diagonal", "full"])
@pytest.mark.parametrize(("n_tasks", "n_rows"), [(20, 6), (60, 6), (60, 30)])
def test_coverage_by_simulation(covariance, n_tasks, n_rows):
    rng = np.random.default_rng(1)
    shares = np.mean([covered(rng, n_tasks, n_rows, covariance) for _ in range(60)], axis=0)
    # the error of ten variances and covariances from 120 rows is not in the intervals
    lack = 0.04 if covariance == "full" and n_tasks == 20 else 0.02
    assert shares[:2] == pytest.approx([0.95, 0.95], abs=lack)
    assert 0.91 - 2 * lack < shares[2] < 0.99


def test_an_unseen_task_is_less_certain_than_a_seen_one():
    rng = np.random.default_rng(0)
    X, y, _ = draw(rng, [30] * 20, DEVIATION, COMMON)
    model = MeanRegularizedRegressor("reml", task="task", unseen="common").fit(X, y)
    row = pd.DataFrame({"x0": [1.0, 1.0], "x1": 0.0, "x2": 0.0, "task": [0, 999]})
    _, (seen, unseen) = model.predict(row, return_std=True)
    assert unseen > 1.1 * seen
    assert seen > np.sqrt(model.noise_variance_)
