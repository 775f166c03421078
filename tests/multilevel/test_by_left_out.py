"""Strengths of several groupings by leave-one-out, against refits without each row."""

import numpy as np
import pytest

from polytask import MultilevelClassifier, MultilevelRegressor, TaskMoments
from polytask.datasets import make_crossed_rows
from polytask.inspection import likelihood_ratio_test
from polytask.mixed.crossed import fit, sparse

TASK = ["user", "item"]


def rows(n=60, classification=False):
    return make_crossed_rows(
        n, {"user": 10, "item": 5}, level=(1.0, 0.7), slope=(0.5, 0.0),
        classification=classification, random_state=0,
    )[:2]  # fmt: skip


def risk_of_refits(strengths, X, y):
    """Of every row by a fit to the others, whose share of R is larger by one row."""
    n, f = len(y), np.empty(len(y))
    for i in range(n):
        kept = np.arange(n) != i
        given = {name: value * n / (n - 1) for name, value in strengths.items()}
        model = MultilevelRegressor(given, task=TASK, varying=[], unseen="common")
        f[i] = model.fit(X[kept], y[kept]).predict(X[i : i + 1])[0]
    return np.mean((y - f) ** 2), f


def test_it_has_the_least_risk_of_refits():
    X, y = rows()
    model = MultilevelRegressor("cv", task=TASK, varying=[]).fit(X, y)
    strengths = {name: alpha[-1] for name, alpha in model.alpha_.items()}
    least, f = risk_of_refits(strengths, X, y)
    np.testing.assert_allclose(model.left_out(X, y), f, atol=1e-9)
    for name in TASK:
        for other in (0.6, 1.6):
            changed = {**strengths, name: strengths[name] * other}
            assert risk_of_refits(changed, X, y)[0] > least


@pytest.mark.parametrize("Model", [MultilevelRegressor, MultilevelClassifier])
def test_likelihoods_strengths_have_no_less_risk(Model):
    X, y = rows(200, Model is MultilevelClassifier)
    options = {"task": TASK, "varying": {"user": ["x0"]}, "alpha_common": 0}
    by_rows, by_likelihood = (Model(rule, **options).fit(X, y) for rule in ("cv", "reml"))
    loss = by_rows.response_
    risks = [loss.value(y, m.left_out(X, y)).mean() for m in (by_rows, by_likelihood)]
    assert risks[0] < risks[1]
    assert by_rows.violation_ < 1e-6


def test_folds_where_nothing_is_factored(monkeypatch):
    X, y = rows(300)
    exact = MultilevelRegressor("cv", task=TASK, varying=[]).fit(X, y)
    monkeypatch.setattr(fit, "MOST_DENSE", 3)
    monkeypatch.setattr(sparse, "_MOST_NUMBERS", 0)
    found = MultilevelRegressor("cv", task=TASK, varying=[]).fit(X, y)
    assert np.isnan(found.deviance_)
    assert np.corrcoef(found.predict(X), exact.predict(X))[0, 1] > 0.99


def test_what_it_does_not_know_is_refused():
    X, y = rows()
    with pytest.raises(ValueError, match=r"covariance must be .* with alpha='cv'; got 'full'"):
        MultilevelRegressor("cv", covariance="full", task=TASK).fit(X, y)
    model = MultilevelRegressor("cv", task=TASK, varying=[]).fit(X, y)
    with pytest.raises(ValueError, match="intervals of variances need alpha='reml'"):
        model.summary(X=X, y=y)
    with pytest.raises(ValueError, match="needs alpha='ml' or 'reml'"):
        likelihood_ratio_test(model, model)
    with pytest.raises(ValueError, match="moments, which know no single rows"):
        model.fit_moments(TaskMoments.from_rows(X, y, task=TASK))
