"""Rows left out of a mixed model, against generalized least squares without them."""

import numpy as np
import pandas as pd
import pytest

from polytask import CurvedRegressor, MeanRegularizedRegressor
from polytask.data import parse
from polytask.mixed.left_out import common_without_tasks


def table(n=90, m=6):
    rng = np.random.default_rng(0)
    task, x = np.arange(n) % m, 5.0 + rng.normal(size=(n, 2))
    W = rng.normal(size=(m, 2)) * [1.0, 0.3]
    y = (x * W[task]).sum(axis=1) + rng.normal(size=n)
    return pd.DataFrame(x, columns=["a", "b"]).assign(t=task), y


@pytest.mark.parametrize("covariance", ["full", "diagonal"])
def test_left_out_rows_are_predicted_without_them(covariance):
    X, y = table()
    options = {"alpha_common": 0, "noise": "common", "covariance": covariance}
    model = MeanRegularizedRegressor("reml", task="t", **options).fit(X, y)
    found = model.left_out(X, y)
    Z = np.column_stack([X[["a", "b"]] - (0.0 if covariance == "full" else model._center), y**0])
    between = model.deviation_covariance_
    if covariance == "diagonal":  # about the center, where it is diagonal
        turn = np.eye(3)
        turn[2, :2] = model._center
        between = turn @ between @ turn.T
    task = X["t"].to_numpy()
    V = model.noise_variance_ * np.eye(len(y))
    V += np.where(task[:, None] == task, Z @ between @ Z.T, 0.0)
    for place, j in enumerate(np.argsort(task, kind="stable")):
        rest = np.arange(len(y)) != j
        inverse = np.linalg.inv(V[np.ix_(rest, rest)])
        b = np.linalg.solve(Z[rest].T @ inverse @ Z[rest], Z[rest].T @ inverse @ y[rest])
        expected = Z[j] @ b + V[j, rest] @ inverse @ (y[rest] - Z[rest] @ b)
        assert found[place] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("alpha_common", [0, "reml"])
def test_the_common_part_without_a_task_is_that_of_the_others(alpha_common, monkeypatch):
    told = []

    def spy(*given):
        told.append((given, common_without_tasks(*given)))
        return told[-1][1]

    monkeypatch.setattr("polytask.models.mixed.common_without_tasks", spy)
    X, y = table()
    options = {"alpha_common": alpha_common, "noise": "common", "covariance": "full"}
    model = MeanRegularizedRegressor("reml", task="t", unseen="common", **options).fit(X, y)
    ((data, between, noise, strength), found) = told[0]
    np.testing.assert_allclose(model.tasks_left_out(X, y), data.design.predict(found), rtol=1e-6)
    Z = data.design.distinct_rows()
    precision = np.append(2.0 * len(y) * np.broadcast_to(strength, 2) / noise, 0.0)
    for i in range(6):
        A, a = np.diag(precision), np.zeros(3)
        for j in set(range(6)) - {i}:
            rows = Z[data.code == j]
            V = rows @ between @ rows.T + noise * np.eye(len(rows))
            A = A + rows.T @ np.linalg.solve(V, rows)
            a = a + rows.T @ np.linalg.solve(V, data.y[data.code == j])
        np.testing.assert_allclose(found[i], np.linalg.solve(A, a), rtol=1e-8, atol=1e-9)


def test_curves_leave_rows_out_too():
    X, y = table()
    order = np.argsort(X["t"], kind="stable")
    model = CurvedRegressor(task="t").fit(X, y)
    held = np.mean((model.left_out(X, y) - y[order]) ** 2)
    assert np.mean((model.predict(X) - y) ** 2) < held < np.var(y)


def test_rows_are_read_once_for_both_rules(monkeypatch):
    """A design is a copy of the table: one serves two fits and the risks that judge them."""
    made = []
    make = parse.make_design
    monkeypatch.setattr(parse, "make_design", lambda *args: made.append(args) or make(*args))
    MeanRegularizedRegressor("auto", task="t").fit(*table())
    assert len(made) == 1
