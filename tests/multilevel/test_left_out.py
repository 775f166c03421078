"""Rows and levels left out of several groupings: the factors of one fit against refits."""

import numpy as np
import pytest

from polytask import MultilevelClassifier, MultilevelRegressor
from polytask.datasets import make_crossed_rows

N = 90
STRENGTHS = {"user": np.array([0.05, 0.1, 0.02]), "item": np.array([0.2, 0.3, 0.05])}


def rows():
    X, y, _ = make_crossed_rows(N, {"user": 8, "item": 5}, random_state=0)
    return X, y, np.random.default_rng(0).uniform(0.5, 2.0, N)


def refit(made, X, y, weight, keep, **more):
    """Of the rows that are kept, at the penalty of all."""
    share = weight.sum() / weight[keep].sum()
    given = {name: share * alpha for name, alpha in STRENGTHS.items()}
    model = made(given, task=["user", "item"], unseen="common", **more)
    return model.fit(X[keep], y[keep], weight[keep])


@pytest.mark.parametrize("groups", [None, "user", "item", "pairs"])
def test_the_squared_loss_is_exact(groups):
    X, y, weight = rows()
    who = {None: np.arange(N), "pairs": np.arange(N) // 2}.get(groups)
    who = X[groups].to_numpy() if who is None else who
    whole = refit(MultilevelRegressor, X, y, weight, np.ones(N, dtype=bool))
    told = {} if groups is None else {"groups": who}
    found = whole.left_out(X, y, weight, **told)
    for each in np.unique(who)[:4]:
        held = who == each
        expected = refit(MultilevelRegressor, X, y, weight, ~held).predict(X[held])
        np.testing.assert_allclose(found[held], expected, atol=1e-10)


def test_labels_take_one_step():
    X, y, weight = rows()
    y, weight = (y > np.median(y)).astype(int), np.ones(N)
    whole = refit(MultilevelClassifier, X, y, weight, np.ones(N, dtype=bool), tol=1e-10)
    found, fitted = whole.left_out(X, y), whole.decision_function(X)
    exact = np.array([
        refit(MultilevelClassifier, X, y, weight, np.arange(N) != i, tol=1e-10).decision_function(
            X.iloc[[i]]
        )[0]
        for i in range(12)
    ])  # fmt: skip
    moved = np.abs(exact - fitted[:12])
    assert np.abs(found[:12] - exact).max() < 0.1 * moved.max()


def test_estimated_variances_and_other_covariances():
    X, y, _ = rows()
    model = MultilevelRegressor(covariance="full", varying="all", task=["user", "item"]).fit(X, y)
    left = y - model.left_out(X, y)
    inside = y - model.predict(X)
    assert (np.abs(left) >= np.abs(inside) - 1e-9).all()  # leverages are between zero and one
    new = y - model.left_out(X, y, groups=X["user"])
    assert (new**2).mean() > (left**2).mean()
    shuffled = np.random.default_rng(1).permutation(N)
    again = model.left_out(X.iloc[shuffled], y[shuffled])
    np.testing.assert_allclose(again, (y - left)[shuffled], rtol=1e-6, atol=1e-8)


def test_other_rows_are_refused():
    X, y, weight = rows()
    model = MultilevelRegressor(task=["user", "item"]).fit(X, y)
    with pytest.raises(ValueError, match="must be the rows of the fit; got 80 rows for 90"):
        model.left_out(X[:80], y[:80])
    weight[3] = 0.0
    model.fit(X, y, weight)
    with pytest.raises(ValueError, match="rows of weight above zero; 1 have weight zero"):
        model.left_out(X, y, weight)
