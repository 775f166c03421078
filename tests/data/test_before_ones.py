"""Rows before a column of ones: a design with an intercept is where they are."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask import MeanRegularizedRegressor
from polytask.data import make_task_data, read_rows
from polytask.data.before_ones import before_ones, with_ones
from polytask.data.design import make_design
from polytask.sources.prepare import StreamPreparer

START = np.array([0, 2, 5])


def _rows() -> np.ndarray:
    X = before_ones(5, 3)
    X[:] = np.random.default_rng(0).normal(size=X.shape)
    return X


def test_only_whole_rows_before_ones_have_them() -> None:
    X = _rows()
    whole = with_ones(X)
    assert whole is not None
    assert np.shares_memory(whole, X)
    np.testing.assert_array_equal(whole, np.column_stack([X, np.ones(5)]))
    for other in (X.copy(), X[1:], X[:, :2], X[:, ::-1], X.T, whole, X.astype(np.float32)):
        assert with_ones(other) is None
    whole[2, -1] = 2.0
    assert with_ones(X) is None


def test_a_design_stands_where_they_are_unless_it_moves_them() -> None:
    X = _rows()
    before = X.copy()
    assert np.shares_memory(make_design(X, None, START, intercept=True).X, X)
    order = np.array([0, 2, 1, 3, 4])
    for index, center in ((order, None), (None, np.array([0.5, 0.0, 0.0]))):
        moved = make_design(X, index, START, intercept=True, center=center)
        plain = make_design(before, index, START, intercept=True, center=center)
        assert not np.shares_memory(moved.X, X)
        np.testing.assert_array_equal(moved.X, plain.X)
    np.testing.assert_array_equal(X, before)


def test_prepared_rows_in_the_order_of_tasks_are_the_design() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame(rng.normal(size=(40, 3)), columns=list("abc"))
    table["task"] = np.repeat(np.arange(4), 10)
    model = MeanRegularizedRegressor(task="task")
    X = StreamPreparer("task").fit_transform(table)
    rows = read_rows(model, X, reset=True)
    data = make_task_data(model, rows, rng.normal(size=40), None, None, center=True)
    assert np.shares_memory(data.design.X, rows.X)
    assert np.shares_memory(data.design.X, X.iloc[:, :3].to_numpy())
