"""Features whose scale differs between tasks cost a tuned joint model next to nothing."""

import numpy as np
import pytest

from polytask import LowRankRegressor, MeanRegularizedRegressor, SingleTaskRegressor

TASKS, ROWS, MOST = 15, 40, 1.03  # the bound on the risk over that of single-task learning
JOINT = {
    "leave-one-out": lambda: MeanRegularizedRegressor(task=0),
    "reml": lambda: MeanRegularizedRegressor("reml", task=0),
    "low rank": lambda: LowRankRegressor(task=0),
}


def world(ratio: float, seed: int):
    """Rows in which one task has its feature in a unit of its own, and new rows without noise."""
    rng = np.random.default_rng(seed)
    unit = np.where(np.arange(TASKS) == seed % TASKS, ratio, 1.0)
    b = 4 + 0.6 * rng.normal(size=(TASKS, 2))

    def rows(n: int, mean: float, deviation: float):
        c, z = np.repeat(np.arange(TASKS), n), rng.normal(size=(TASKS * n, 2))
        x = z[:, 0] * unit[c]
        mean, deviation = (x.mean(), x.std()) if deviation == 0 else (mean, deviation)
        X = np.column_stack([c, (x - mean) / deviation, z[:, 1]])
        return X, (b[c] * z).sum(axis=1), mean, deviation

    X, f, mean, deviation = rows(ROWS, 0.0, 0.0)
    X_new, f_new, *_ = rows(200, mean, deviation)
    return X, f + rng.normal(size=len(f)), X_new, f_new


def risk(model, X, y, X_new, f_new) -> float:
    """Expected squared error of new rows, whose noise has variance one."""
    return float(np.mean((f_new - model.fit(X, y).predict(X_new)) ** 2)) + 1.0


@pytest.mark.slow
@pytest.mark.parametrize("ratio", [3, 30, 100, 1000])
@pytest.mark.parametrize("rule", JOINT)
def test_a_unit_of_its_own_in_a_task_costs_little(ratio: float, rule: str) -> None:
    worlds = [world(ratio, seed) for seed in range(20, 25)]
    joint, alone = (
        [risk(make(), *each) for each in worlds]
        for make in (JOINT[rule], lambda: SingleTaskRegressor(task=0))
    )
    assert np.mean(np.divide(joint, alone)) <= MOST
