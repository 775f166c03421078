"""Groupings too large for a dense system: conjugate gradients against the factors."""

import numpy as np
import pytest

from polytask import MultilevelClassifier, MultilevelRegressor
from polytask.datasets import make_crossed_rows
from polytask.mixed.crossed import fit, sparse

TASK = ["user", "item", "day"]
STRENGTHS = {
    "user": np.array([0.001, 0.002, 0.0005]), "item": np.array([0.003, 0.001, 0.0002]),
    "day": 0.004,
}  # fmt: skip


def rows(classification=False):
    X, y, _ = make_crossed_rows(400, {"user": 60, "item": 25, "day": 9}, level=(1.0, 0.7, 0.4),
                                slope=(0.3, 0.2, 0.0), classification=classification,
                                random_state=0)  # fmt: skip
    return X, y, np.random.default_rng(0).uniform(0.5, 2.0, len(y))


def nothing_but_gradients(monkeypatch):
    """No dense system, and no sparse factor."""
    monkeypatch.setattr(fit, "MOST_DENSE", 20)
    monkeypatch.setattr(sparse, "_MOST_NUMBERS", 0)


@pytest.mark.parametrize("varying", ["all", [], {"user": ["x0"], "item": ["x1"]}])
def test_coefficients_are_those_of_the_dense_system(varying, monkeypatch):
    X, y, weight = rows()
    dense, large = (MultilevelRegressor(STRENGTHS, varying=varying, task=TASK) for _ in range(2))
    dense.fit(X, y, weight)
    nothing_but_gradients(monkeypatch)
    large.fit(X, y, weight)
    np.testing.assert_allclose(large.predict(X), dense.predict(X), atol=1e-10)
    np.testing.assert_allclose(large.common_covariance_, dense.common_covariance_, atol=1e-12)
    for name in TASK:
        np.testing.assert_allclose(large.deviations_[name], dense.deviations_[name], atol=1e-10)
    assert large.violation_ < 1e-12
    assert np.isnan(large.deviance_)  # a determinant needs the factors
    if not varying:  # a group of rows takes as many solutions
        found, expected = (m.left_out(X, y, weight, groups=X["day"]) for m in (large, dense))
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_what_needs_determinants_is_refused(monkeypatch):
    X, y, _ = rows()
    nothing_but_gradients(monkeypatch)
    with pytest.raises(ValueError, match=r"have 20 deviations at most.*give alpha numbers"):
        MultilevelRegressor(task=TASK, varying=[]).fit(X, y)
    model = MultilevelRegressor(STRENGTHS, varying=[], task=TASK).fit(X, y)
    with pytest.raises(ValueError, match="rows left out need the dense system"):
        model.left_out(X, y)
    X, labels, _ = rows(classification=True)
    with pytest.raises(ValueError, match="with the squared loss"):
        MultilevelClassifier(STRENGTHS, varying=[], task=TASK).fit(X, labels)
