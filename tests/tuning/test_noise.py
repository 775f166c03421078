"""What one strength is to tasks of unlike noise and size."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import RidgeCV

from polytask import MeanRegularizedRegressor, SingleTaskRegressor
from polytask.tuning.noise import _STEP, _likelihoods, shrunk_noise


def table(rows, noise, seed, slopes=None):
    """X with the task last, y, and a function: expected squared error of a model in each task."""
    rng = np.random.default_rng(seed)
    m = len(rows)
    W = rng.normal(size=(m, 4)) if slopes is None else slopes + 0.25 * rng.normal(size=(m, 4))
    task = np.repeat(np.arange(m), rows)
    x = rng.normal(size=(len(task), 4))
    y = (x * W[task]).sum(axis=1) + noise[task] * rng.normal(size=len(task))

    def error(model):
        """Features have unit variance and no mean, so this is exact."""
        return noise**2 + ((model.coef_ - W) ** 2).sum(axis=1) + model.intercept_**2

    return np.column_stack([x, task]), y, error


def test_noise_is_drawn_to_that_of_other_tasks_by_chance_alone():
    rng = np.random.default_rng(0)
    rows = np.repeat([6, 400], 40)
    own = 4.0 * rng.chisquare(rows) / rows
    alike = shrunk_noise(own, rows, np.ones(80, dtype=bool))
    assert np.ptp(np.log(alike)) < 0.2 * np.ptp(np.log(own))
    units = 10.0 ** rng.permutation(np.linspace(-3, 3, 80))
    apart = shrunk_noise(units * own, rows, np.ones(80, dtype=bool))
    np.testing.assert_allclose(apart[40:], (units * own)[40:], rtol=0.1)


@pytest.mark.parametrize("spread", [0.06, 0.6, 4.6])
def test_likelihoods_of_all_means_are_those_of_each(spread):
    """The normal weight of every cell of a path, the first and the last with all beyond them."""
    rng = np.random.default_rng(0)
    shape, start, n = rng.random((7, 12)), rng.normal(size=7), 9
    at = start[:, None] + _STEP * np.arange(12)
    plain = []
    for mean in 2 * _STEP * np.arange(n):
        below = norm.cdf((at[:, 1:] - _STEP / 2 - mean) / spread)
        cells = np.diff(np.c_[np.zeros(7), below, np.ones(7)], axis=1)
        plain.append(np.log((shape * cells).sum(axis=1)).sum())
    np.testing.assert_allclose(_likelihoods(shape, start, n, spread), plain, rtol=1e-10)


def test_an_unknown_noise_is_the_typical_one():
    known = np.array([True, True, False])
    noise = shrunk_noise(np.array([1.0, 1.0, 0.0]), np.full(3, 1000.0), known)
    np.testing.assert_allclose(noise, 1.0, rtol=0.01)


def test_no_task_pays_for_the_noise_of_another():
    """Ridge tuned in each task alone is what the baseline must not be worse than."""
    rows, noise = np.full(20, 20), np.geomspace(0.2, 10.0, 20)
    alone, together = np.zeros((2, 20))
    for seed in range(6):
        X, y, error = table(rows, noise, seed)
        together += error(SingleTaskRegressor(task=4).fit(X, y))
        own = [SingleTaskRegressor().fit(X[X[:, 4] == i, :4], y[X[:, 4] == i]) for i in range(20)]
        joined = SingleTaskRegressor(alpha=0.0, task=4).fit(X, y)
        joined.coef_ = np.vstack([model.coef_ for model in own])
        joined.intercept_ = np.concatenate([model.intercept_ for model in own])
        alone += error(joined)
    assert together.sum() < 1.02 * alone.sum()
    assert np.mean(together / alone) < 1.02


@pytest.mark.parametrize("Model", [SingleTaskRegressor, MeanRegularizedRegressor])
def test_a_big_task_is_not_crippled_by_small_ones(Model):
    rows = np.r_[600, np.full(30, 6)]
    X, y, error = table(rows, np.ones(31), 0, slopes=np.array([1.0, -1.0, 0.5, 0.8]))
    least_squares = SingleTaskRegressor(alpha=0.0).fit(X[:600, :4], y[:600])
    big = SingleTaskRegressor(alpha=0.0, task=4).fit(X, y)
    big.coef_[0], big.intercept_[0] = least_squares.coef_[0], least_squares.intercept_[0]
    assert error(Model(task=4).fit(X, y))[0] < 1.02 * error(big)[0]
    assert error(Model(task=4, task_weight="equal").fit(X, y))[0] > 1.03 * error(big)[0]


def test_tasks_without_noise_or_rows_to_show_it_are_no_obstacle():
    X, y, _ = table(np.array([12, 12, 1, 12]), np.ones(4), 3)
    y[:12] = 5.0
    model = SingleTaskRegressor(task=4).fit(X, y)
    assert np.isfinite(model.coef_).all()
    np.testing.assert_allclose(model.task_share_.sum(), 1.0)
    np.testing.assert_allclose(model.task_share_[0], model.task_share_[1], rtol=3.0)


def loss_alone(seed, decades):
    """Expected loss of twelve tasks of 15 rows by single-task learning, and by ridge in each."""
    rng = np.random.default_rng(seed)
    task, d = np.repeat(np.arange(12), 15), 10
    W = 10 ** rng.uniform(-decades / 2, decades / 2, (12, 1)) * rng.normal(size=(12, d))
    X = rng.normal(size=(180, d))
    y = (X * W[task]).sum(axis=1) + rng.normal(size=180)
    model = SingleTaskRegressor(task=-1).fit(np.column_stack([X, task]), y)
    path = np.geomspace(1e-3, 1e4, 30)
    each = [RidgeCV(path).fit(X[task == i], y[task == i]) for i in range(12)]
    alone = np.stack([ridge.coef_ for ridge in each]), np.stack([r.intercept_ for r in each])
    found = [(model.coef_, model.intercept_), alone]
    return [1 + np.mean(((B - W) ** 2).sum(axis=1) + b**2) for B, b in found]


def test_tasks_whose_slopes_differ_a_hundredfold_have_strengths_of_their_own():
    together, alone = np.mean([loss_alone(seed, 2.0) for seed in range(6)], axis=0)
    assert together < 1.05 * alone  # one strength for all: 1.2 to 1.3


def test_tasks_whose_slopes_are_of_a_like_size_share_a_strength():
    together, alone = np.mean([loss_alone(seed, 0.0) for seed in range(6)], axis=0)
    assert together < alone
