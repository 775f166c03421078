"""Parameters of the likelihood beside the variances: two roads, and no lower deviance nearby."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor, MultilevelRegressor


def table(loss, rng, m=12, n=20):
    task, x = np.repeat(np.arange(m), n), rng.normal(size=m * n)
    f = 0.4 * x + 0.6 * rng.normal(size=m)[task]
    y = {
        "gamma": rng.gamma(2.0, np.exp(f) / 2.0),
        "negative_binomial": rng.poisson(np.exp(f) * rng.gamma(1.5, 1 / 1.5, m * n)),
        "poisson": rng.poisson(np.exp(f)),
        "ordinal": np.digitize(f + rng.logistic(size=m * n), [-1.0, 0.0, 1.0]),
    }[loss]
    return pd.DataFrame({"x": x, "task": task}), y.astype(float)


@pytest.mark.parametrize("loss", ["gamma", "negative_binomial", "ordinal", "poisson"])
def test_two_roads_to_one_likelihood(loss, rng, monkeypatch):
    """By tasks, in turn, and by groupings, together; without the prior of the former."""
    monkeypatch.setattr("polytask.mixed.laplace._LOG_ODDS", np.inf)
    X, y = table(loss, rng)
    how = {"alpha_common": 0, "covariance": "diagonal", "loss": loss, "task": "task"}
    one = MeanRegularizedRegressor("reml", **how).fit(X, y)
    other = MultilevelRegressor("reml", varying="all", **how).fit(X, y)
    assert one.deviance_ == pytest.approx(other.deviance_, abs=1e-6)
    found = np.diag(one.deviation_covariance_)
    np.testing.assert_allclose(found, other.variances_["task"], rtol=1e-3, atol=1e-6)
    ours, theirs = one.response_.parameters, other.response_.parameters
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("loss", ["gamma", "negative_binomial", "ordinal"])
def test_others_nearby_have_a_higher_deviance(loss, rng):
    X, y = table(loss, rng)
    how = {"alpha_common": 0, "covariance": "scalar", "task": "task"}
    model = MeanRegularizedRegressor("reml", loss=loss, **how).fit(X, y)
    best = model.response_.parameters
    for step in (0.05, -0.05):
        other = model.response_.with_parameters(best + step * np.eye(len(best))[-1])
        assert MeanRegularizedRegressor("reml", loss=other, **how).fit(X, y).deviance_ > (
            model.deviance_ + 1e-4
        )
