"""Fits to the same rows share their data inside `read_once`, and nowhere else."""

import numpy as np
import pandas as pd
import pytest

from polytask import SingleTaskRegressor
from polytask.data import make_task_data, read_rows
from polytask.data.read_once import read_once

RNG = np.random.default_rng(0)
VALUES, Y, TASK = RNG.normal(size=(60, 4)), RNG.normal(size=60), np.repeat([0, 1, 2], [10, 20, 30])


def table(values):
    """A table whose numbers are in one stretch of memory, as those that are prepared are."""
    return pd.DataFrame(values).add_prefix("x").assign(task=TASK)


X = table(VALUES)


def read(y=Y, X=X, **given):
    model = SingleTaskRegressor(task="task", **given)
    return make_task_data(model, read_rows(model, X, reset=True), y, None, None, center=True)


def test_data_are_made_once_inside():
    with read_once():
        assert read() is read()
    assert read() is not read()


@pytest.mark.parametrize("other", ["target", "rows", "intercept", "weighting"])
def test_other_data_are_made_anew(other):
    given = {
        "target": {"y": Y + 1.0},
        "rows": {"X": table(VALUES + 1.0)},
        "intercept": {"fit_intercept": False},
        "weighting": {"task_weight": "equal"},
    }[other]
    alone = read(**given)
    with read_once():
        first, second = read(), read(**given)
        assert second is not first
        assert read(**given) is second
    np.testing.assert_array_equal(second.design.X, alone.design.X)
    np.testing.assert_array_equal(second.y, alone.y)
    np.testing.assert_array_equal(second.share, alone.share)
