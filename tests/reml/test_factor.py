"""A diagonal plus factors: between the diagonal and the full covariance, in the deviance too."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor
from polytask.mixed import correlated
from polytask.mixed.reml import MixedModel
from polytask.mixed.root import Root
from tests.reml.worlds import draw, task_data


def reml(covariance, **kwargs):
    return MeanRegularizedRegressor("reml", covariance=covariance, task="task", **kwargs)


@pytest.fixture
def sample(rng):
    """Slopes that differ between tasks along one direction."""
    X, y, _ = draw(rng, [15] * 30, np.array([0.3, 0.3, 0.0, 0.5]), np.ones(4))
    score = rng.normal(size=30)[X["task"]]
    return X, y + score * (0.8 * X["x0"] - 0.8 * X["x2"]).to_numpy()


def test_no_factor_is_the_diagonal(sample):
    none, diagonal = reml("factor", n_factors=0).fit(*sample), reml("diagonal").fit(*sample)
    assert none.deviance_ == pytest.approx(diagonal.deviance_, abs=1e-5)
    np.testing.assert_allclose(none.coef_, diagonal.coef_, atol=1e-3)


def test_a_factor_per_coefficient_is_the_full_covariance(sample):
    most, full = reml("factor", n_factors=4).fit(*sample), reml("full").fit(*sample)
    assert most.deviance_ == pytest.approx(full.deviance_, abs=1e-4)
    np.testing.assert_allclose(
        most.deviation_covariance_, full.deviation_covariance_, rtol=0.02, atol=2e-3
    )


def test_every_factor_lowers_the_deviance(sample):
    found = [reml("factor", n_factors=r).fit(*sample).deviance_ for r in range(4)]
    assert (np.diff(found) < 1e-4).all()
    assert found[0] - found[1] > 20.0  # this world has one


def test_the_factor_is_found(sample):
    covariance = reml("factor").fit(*sample).deviation_covariance_
    correlation = covariance[0, 2] / np.sqrt(covariance[0, 0] * covariance[2, 2])
    assert correlation < -0.6


def test_strengths_are_those_of_the_penalized_problem(sample):
    model = reml("factor").fit(*sample)
    assert model.alpha_.shape == (3, 3)
    assert model.violation_ < 1e-8


@pytest.mark.parametrize("kind", ["diagonal", "full", "factor"])
def test_slopes_and_bends_of_a_root(sample, kind, rng):
    model = MixedModel.from_data(task_data(*sample))
    varies = np.array([True, True, False, True])
    root = {
        "diagonal": Root.diagonal(np.array([0, 0, -1, 1])),
        "full": Root.full(varies),
        "factor": Root.factor(varies, 1),
    }[kind]
    t, v = rng.normal(size=(2, root.size))
    V, step = v[:, None], 1e-4
    gamma = [root.at(t + s * v) @ root.at(t + s * v).T for s in (-step, 0.0, step)]
    np.testing.assert_allclose(
        root.turned(root.at(t), V)[0], (gamma[2] - gamma[0]) / (2 * step), atol=1e-6
    )
    bent = (gamma[2] - 2 * gamma[1] + gamma[0]) / (2 * step**2)
    np.testing.assert_allclose(root.bent(V)[0], bent, atol=1e-6)
    M = rng.normal(size=(4, 4))
    M = M + M.T
    assert v @ root.bending(M) @ v == pytest.approx((M * bent).sum(), rel=1e-5)
    up, down = (model.at(root.at(t + s * step * v)).deviance for s in (1, -1))
    slope = root.slope(model.at(root.at(t))) @ v
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-5)
    np.testing.assert_array_equal(root.read(root.at(t)), t)


def test_auto_finds_correlated_deviations(rng):
    """Level and slope that move against each other; of deviations alike none is made up."""
    m, n = 40, 12
    g, x = np.repeat(np.arange(m), n), rng.normal(size=m * n)
    D = rng.multivariate_normal(np.zeros(2), [[0.25, -0.22], [-0.22, 0.25]], size=m)
    X, noise = pd.DataFrame({"x": x, "task": g}), rng.normal(size=m * n)
    y = (1 + D[g, 0]) * x + D[g, 1] + noise
    found = MeanRegularizedRegressor("reml", task="task").fit(X, y)
    assert found.covariance_ in ("factor", "full")
    assert found.deviation_covariance_[0, 1] < -0.08
    alike = MeanRegularizedRegressor("reml", task="task").fit(X, x + noise)
    assert alike.covariance_ == "scalar"


def two_minima(seed):
    """Tasks of unlike size whose deviations lie in a plane; the first has large features."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(30), rng.integers(5, 20, size=30))
    X = rng.normal(size=(len(code), 3))
    X[code == 0] *= 1000.0
    U = rng.normal(size=(30, 2)) @ rng.normal(size=(2, 4)) * 5.0
    y = X.sum(1) + U[code, 3] + (X * U[code, :3]).sum(1) + rng.normal(size=len(code))
    return pd.DataFrame(X).add_prefix("x").assign(task=code), y


@pytest.mark.parametrize("better", [0, 1])
def test_the_lower_of_two_minima_is_taken(better, monkeypatch):
    """Each of the two starts is misled somewhere."""
    data, ends, estimate = two_minima([42, 15][better]), [], correlated._estimate
    monkeypatch.setattr(
        correlated, "_estimate", lambda *a: (ends.append(estimate(*a)), ends[-1])[1]
    )
    found = reml("factor", noise="common").fit(*data).deviance_
    alone = []
    for end in tuple(ends):
        monkeypatch.setattr(correlated, "_estimate", lambda *_, end=end: end)
        alone.append(reml("factor", noise="common").fit(*data).deviance_)
    assert found == pytest.approx(alone[better], abs=1e-6)
    assert found < alone[1 - better] - 1.0
