"""What every response says of itself, against differences and searches."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar

from polytask.responses import Response
from tests.responses.helpers import every_response, targets_of

N = 40
pytestmark = pytest.mark.parametrize("response", every_response(), ids=lambda r: r.name)


@pytest.fixture
def y(response: Response) -> np.ndarray:
    return targets_of(response, N, np.random.default_rng(0))


F = np.linspace(-1.5, 1.7, N)
STEP = 1e-5


def slope_of(function, y: np.ndarray) -> np.ndarray:
    return (function(y, F + STEP) - function(y, F - STEP)) / (2 * STEP)


def test_derivatives_are_those_of_the_value(response: Response, y: np.ndarray) -> None:
    smooth = response.curvature(y, F + STEP) - response.curvature(y, F - STEP) < 0.5  # no kink
    for derivative, of in (
        (response.gradient, response.value),
        (response.curvature, response.gradient),
        (response.third, response.curvature),
    ):
        np.testing.assert_allclose(
            derivative(y, F)[smooth], slope_of(of, y)[smooth], rtol=1e-6, atol=1e-8
        )
    assert smooth.mean() > 0.9


def test_it_is_convex_and_zero_at_best(response: Response, y: np.ndarray) -> None:
    assert (response.curvature(y, F) >= 0).all()
    assert (response.value(y, F) >= 0).all()


def test_the_conjugate_is_the_largest_difference(response: Response, y: np.ndarray) -> None:
    u = 0.7 * response.gradient(y, F)  # inside the domain, with its maximizer not far
    grid = np.linspace(-40, 40, 400_001)
    for j in range(0, N, 4):
        values = u[j] * grid - response.value(np.full_like(grid, y[j]), grid)
        found = float(response.conjugate(y[j : j + 1], u[j : j + 1])[0])
        assert found == pytest.approx(values.max(), abs=2e-6)
        assert found >= values.max() - 1e-12


def test_the_link_is_the_inverse_of_its_inverse(response: Response, y: np.ndarray) -> None:
    np.testing.assert_allclose(response.link(response.inverse_link(F)), F, atol=1e-12)


def test_the_null_fit_is_the_best_level(response: Response, y: np.ndarray) -> None:
    weight = np.random.default_rng(1).random(N)
    f = response.null_fit(y, weight)
    best = minimize_scalar(lambda level: weight @ response.value(y, np.full(N, level)), tol=1e-12)
    assert weight @ response.value(y, np.full(N, f)) <= best.fun * (1 + 1e-12)
    assert abs(weight @ response.gradient(y, np.full(N, f))) < 1e-8 * weight.sum()
    assert 0 < response.null_curvature(y, weight) < np.inf


def test_the_majorizer_lies_above(response: Response, y: np.ndarray) -> None:
    if not response.has_kinks:
        np.testing.assert_array_equal(response.majorizer(y, F), response.curvature(y, F))
        return
    g, h = response.gradient(y, F), response.majorizer(y, F)
    for away in (-2.0, -0.3, 0.1, 4.0):
        above = response.value(y, F) + g * away + 0.5 * h * away**2
        assert (above >= response.value(y, F + away) - 1e-12).all()
    assert (h > 0).all()


def test_the_deviance_is_zero_where_the_prediction_is_perfect(
    response: Response, y: np.ndarray
) -> None:
    if hasattr(response, "levels") or hasattr(response, "pinball"):
        pytest.skip("an expected level is none of them; a quantile is judged without its band")
    mean = response.inverse_link(F)
    perfect = response.value(mean, F) + response.conjugate(mean, np.zeros(N))
    np.testing.assert_allclose(response.deviance(mean, mean), 2 * perfect, atol=1e-12)
    np.testing.assert_allclose(response.deviance(mean, mean), 0.0, atol=1e-9)
    assert (response.deviance(y, mean) >= -1e-12).all()


def test_a_better_fit_has_a_better_score(response: Response, y: np.ndarray) -> None:
    weight = np.ones(N)
    null = np.full(N, response.inverse_link(np.asarray(response.null_fit(y, weight))))
    assert response.score(y, null) == pytest.approx(0.0, abs=0.2)  # R² of Huber: not at its mean
    assert response.score(y, 0.5 * (null + np.clip(y, 0.01, None) * (y > 0) + y * (y <= 0))) > 0.3


def test_metrics_and_row_losses_are_named(response: Response, y: np.ndarray) -> None:
    assert response.metrics[0] in response.row_losses
    answers = response.probabilities(F) if response.levels else response.inverse_link(F)
    for name in response.metrics:
        assert response.row_loss(name).of(y, answers).shape == y.shape


WEIGHT = np.random.default_rng(2).integers(1, 5, N).astype(float)


def log_likelihood(response: Response, y: np.ndarray) -> np.ndarray:
    """Of each row, by scipy."""
    mean = response.inverse_link(F)
    if response.name == "poisson":
        return stats.poisson.logpmf(y, mean)
    if response.name == "negative_binomial":
        return stats.nbinom.logpmf(y, response.theta, response.theta / (response.theta + mean))
    if response.name == "logistic":
        return stats.bernoulli.logpmf(y, mean)
    return np.log(response.probabilities(F)[np.arange(N), np.searchsorted(response.levels, y)])


def test_likelihoods_have_all_their_terms(response: Response, y: np.ndarray) -> None:
    if response.name not in ("poisson", "negative_binomial", "logistic", "ordinal", "binomial"):
        pytest.skip("its density is not known here")
    if response.name == "binomial":
        weight = 8.0 * WEIGHT  # trials
        known = stats.binom.logpmf(np.round(weight * y), weight, response.inverse_link(F)).sum()
        assert response.constants(y, WEIGHT / 7) == 0.0  # shares of nothing that counts
        assert response.n_observations(y, weight) == N
    else:
        known, weight = WEIGHT @ log_likelihood(response, y), WEIGHT
    found = -response.constants(y, weight) - weight @ response.value(y, F)
    assert found == pytest.approx(known, rel=1e-12)
    if response.name == "poisson":
        time = np.pi * WEIGHT
        assert response.n_observations(y / time, time) == N
        found = -response.constants(y / time, time) - time @ response.value(y / time, F)
        assert found == pytest.approx(stats.poisson.logpmf(y, time * np.exp(F)).sum(), rel=1e-12)
