"""A feature whose task means go with the levels of the tasks has two slopes."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from polytask.tables import make_task_table
from polytask.tables.levels import level_slopes


def draw(rng, m, n, between, d=4):
    """Slope 1 of x0 inside tasks, 1 + between among their means; x1, ... are noise."""
    task = np.repeat(np.arange(m), n)
    centre = rng.normal(size=(m, d))
    X = pd.DataFrame(centre[task] + rng.normal(size=(m * n, d))).add_prefix("x")
    level = between * centre[:, 0] + 0.7 * rng.normal(size=m)
    return X, X["x0"] + level[task] + rng.normal(size=m * n), task


def test_both_slopes_are_told():
    X, y, task = draw(np.random.default_rng(0), 60, 30, 2.0)
    ((name, inside, between),) = level_slopes(X, y, task)
    assert name == "x0"
    assert (inside, between) == (pytest.approx(1, abs=0.1), pytest.approx(3, abs=0.3))


@pytest.mark.parametrize(("m", "n"), [(12, 5), (30, 8), (60, 30)])
def test_levels_that_go_with_nothing_are_left_alone(m, n):
    rng = np.random.default_rng(1)
    told = sum(len(list(level_slopes(*draw(rng, m, n, 0.0)))) > 0 for _ in range(200))
    assert told <= 8  # 1 % of 200, and three standard errors


def places(rng, m=60, n=9):
    """Persons in three cities: a place that hardly moves inside one, and kinds that go with it."""
    task, city = np.repeat(np.arange(m), n), rng.integers(0, 3, m)
    place = city[task] + 0.01 * rng.normal(size=m * n)
    kinds = (rng.random((m * n, 4)) < 0.2 + 0.2 * city[task][:, None]) * 1.0
    y = rng.normal(size=m)[task] + 0.3 * kinds[:, 0] + rng.normal(size=m * n)
    return pd.DataFrame(np.column_stack([place, kinds])).add_prefix("x"), y, task


def test_the_error_of_one_slope_makes_no_level_of_another():
    rng = np.random.default_rng(0)
    told = sum(len(list(level_slopes(*places(rng)))) > 0 for _ in range(200))
    assert told <= 8


def test_the_split_that_is_offered_settles_it():
    X, y, task = draw(np.random.default_rng(2), 40, 12, 2.0)
    table = X.assign(school=[f"s{k:02d}" for k in task], y=y)
    (told,) = [w for w in make_task_table(table, "school", "y").warnings if "goes with" in w]
    assert "'x0' goes with the level of the tasks: 'y' changes by" in told
    assert "--within-between" in told
    split = table.assign(x0_mean=table.groupby("school")["x0"].transform("mean"))
    assert not any("'x0' goes with" in w for w in make_task_table(split, "school", "y").warnings)


def test_a_large_table_is_not_held_once_more():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({f"x{j}": rng.normal(size=100_000) for j in range(20)})
    y, ids = rng.normal(size=len(X)), rng.integers(0, 20, len(X))
    tracemalloc.start()
    assert list(level_slopes(X, y, ids)) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.7 * X.memory_usage().sum()
