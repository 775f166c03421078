"""As many columns as rows: they explain any targets, and the likelihood says what is noise."""

import numpy as np
import pytest
from scipy.optimize import minimize

from polytask import CurvedRegressor, MeanRegularizedRegressor
from tests.reml.worlds import draw


def best_likelihood(X, y):
    """The largest restricted likelihood with slopes random, by N x N matrices from six starts."""
    x = X.drop(columns="task").to_numpy()
    slopes = (x - x.mean(axis=0)) / x.std(axis=0)
    same = X["task"].to_numpy()[:, None] == X["task"].to_numpy()
    n = len(y)
    contrasts = np.linalg.qr(np.ones((n, 1)), mode="complete")[0][:, 1:]
    gram = slopes @ slopes.T
    parts = [contrasts.T @ K @ contrasts for K in (np.eye(n), gram, same * gram, 1.0 * same)]
    z = contrasts.T @ y

    def minus(logs):
        V = sum(v * K for v, K in zip(np.exp(logs), parts, strict=True))
        return 0.5 * (np.linalg.slogdet(V)[1] + z @ np.linalg.solve(V, z))

    starts = [[0, 0, 0, 0], [0, -6, -6, -6], [0, -3, -9, -9], [0, -9, -3, -3], [0, -9, -9, -1]]
    found = [minimize(minus, s, method="L-BFGS-B", bounds=[(-14, 8)] * 4) for s in starts]
    constant = 0.5 * ((n - 1) * np.log(2.0 * np.pi) + np.log(n))
    return -min(each.fun for each in found) - constant


@pytest.mark.filterwarnings("ignore::polytask.mixed.doubts.DoubtWarning")
@pytest.mark.parametrize("seed", [2, 3, 4, 7])
def test_the_likelihood_is_the_largest(seed):
    rng = np.random.default_rng(seed)
    X, y, _ = draw(rng, [8] * 3, np.full(31, 0.02), np.full(31, 0.05))
    model = MeanRegularizedRegressor("reml", covariance="scalar", task="task").fit(X, y)
    assert model.log_likelihood_ > best_likelihood(X, y) - 0.02
    assert 0.3 < model.noise_variance_ < 1.2  # of 1


@pytest.mark.filterwarnings("ignore::polytask.mixed.doubts.DoubtWarning")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_curves_of_few_rows_do_not_run_through_the_noise(seed):
    """Two tasks of 15 rows on lines: ten knots a feature are more columns than rows."""
    rng = np.random.default_rng(seed)
    X, y, _ = draw(rng, [15, 15], np.full(5, 0.2), np.full(5, 0.7))
    curved = CurvedRegressor(task="task").fit(X, y)
    straight = MeanRegularizedRegressor("reml", task="task").fit(X, y)
    far = X.assign(x0=4.0)
    assert curved.model_.noise_variance_ > 0.5 * straight.noise_variance_
    spread = np.abs(curved.predict(far) - straight.predict(far))
    assert spread.max() < 3.0 * np.std(y)


def test_copies_of_rows_say_that_there_is_no_noise(rng):
    """More rows than distinct ones, as a pooled fit explains all: weights and copies agree."""
    X, y, s = rng.uniform(size=(12, 20)), rng.integers(0, 3, 12).astype(float), np.arange(12) % 3
    new = rng.uniform(size=(5, 20))
    copies = CurvedRegressor().fit(np.repeat(X, s, axis=0), np.repeat(y, s))
    weighted = CurvedRegressor().fit(X[::-1], y[::-1], sample_weight=s[::-1])
    np.testing.assert_allclose(weighted.predict(new), copies.predict(new), rtol=1e-6, atol=1e-8)
