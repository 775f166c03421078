"""Rows that are grossly wrong are found, and heavy tails are not taken for them."""

import numpy as np
import pandas as pd
import pytest

from polytask import AutoMultiTaskRegressor, MeanRegularizedRegressor
from polytask.data.gross_rows import gross_cells, gross_targets
from polytask.data.task_medians import task_medians

TASK = np.repeat(np.arange(20), 25)


@pytest.mark.parametrize("draw", ["normal", "t", "lognormal", "counts", "units"])
def test_hardly_a_row_of_sound_data_is_gross(draw):
    rng = np.random.default_rng(0)
    called = 0
    for _ in range(40):
        y = {
            "normal": lambda: rng.normal(size=500),
            "t": lambda: rng.standard_t(3, 500),
            "lognormal": lambda: np.exp(rng.normal(size=500)),
            "counts": lambda: rng.poisson(2.0, 500).astype(float),
            "units": lambda: rng.normal(size=500) * 10.0 ** (TASK % 4) + 100 * TASK,
        }[draw]()
        called += gross_targets(y, TASK).sum() + gross_cells(y[:, None]).sum()
    assert called <= {"t": 20, "lognormal": 20}.get(draw, 0)  # of 40 000; of t 14


def test_gross_rows_are_found_and_too_many_are_no_errors():
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(500, 3)), rng.normal(size=500) + TASK
    X[[3, 40], 1], y[77] = 900.0, -800.0
    assert np.flatnonzero(gross_cells(X)).tolist() == [3, 40]
    assert np.flatnonzero(gross_targets(y, TASK)).tolist() == [77]
    X[:30, 1] = 900.0
    assert not gross_cells(X).any()


def test_slopes_in_common_show_a_gap_that_targets_do_not():
    rng = np.random.default_rng(5)
    X, bad = rng.normal(size=(500, 4)), np.array([7, 300])
    y = X @ [3.0, -2.0, 1.0, 2.0] + TASK + rng.normal(size=500)
    y[bad] += [35.0, -35.0]
    X[9, 1] = 900.0  # slopes are of the other rows
    X[11, 2] = np.nan
    assert not gross_targets(y, TASK).any()
    assert np.flatnonzero(gross_targets(y, TASK, X)).tolist() == bad.tolist()
    wide = rng.normal(size=(500, 300))  # slopes that fit noise show nothing
    assert not gross_targets(y, TASK, wide).any()
    assert not gross_targets(rng.standard_t(5, 500), TASK, X).any()


@pytest.mark.parametrize("where", ["y", "X"])
def test_auto_with_gross_outliers_is_as_good_as_without_them(where):
    rng = np.random.default_rng(2)
    W, level = np.array([1.0, -1, 0.5]) + 0.4 * rng.normal(size=(20, 3)), rng.normal(size=20)

    def target(X, task):
        return (X * W[task]).sum(axis=1) + level[task]

    X = rng.normal(size=(500, 3))
    y = target(X, TASK) + rng.normal(size=500)
    bad = rng.choice(500, 10, replace=False)
    sound = np.setdiff1d(np.arange(500), bad)
    best = MeanRegularizedRegressor(task=3).fit(np.column_stack([X, TASK])[sound], y[sound])
    if where == "y":
        y[bad] += 300
    else:
        X[bad, 1] *= 1000
    new = rng.normal(size=(4000, 3))
    task = np.repeat(np.arange(20), 200)

    def risk(model):
        found = model.predict(np.column_stack([new, task]))
        return 1 + np.mean((found - target(new, task)) ** 2)

    names = ["single-task", "pooled", "mean-regularized"]
    model = AutoMultiTaskRegressor(names, task=3).fit(np.column_stack([X, TASK]), y)
    assert "10 of 500 rows" in model.notes_[0]
    assert risk(model) < 1.05 * risk(best)
    learned = AutoMultiTaskRegressor(names, task=3, gross_rows="learn")
    assert risk(learned.fit(np.column_stack([X, TASK]), y)) > 1.3 * risk(best)
    assert learned.notes_ == ()


@pytest.mark.parametrize("holes", [0, 5])
def test_medians_of_large_tasks_are_those_of_pandas(holes):
    """Tasks of many rows are sorted one by one; a number is nobody's, and a task has one row."""
    rng = np.random.default_rng(0)
    code = np.append(rng.choice([0, 1, 2, 4, 5], 1001), 6)
    values = rng.normal(size=len(code)).round(2)
    values[:holes] = np.nan
    expected = pd.Series(values).groupby(code).median().reindex(range(7))
    assert np.array_equal(task_medians(values, code), expected, equal_nan=True)
