"""The restricted deviance: its value by dense matrices, its slopes by differences."""

import numpy as np
import pandas as pd
import pytest

from polytask.mixed.reml import MixedModel
from tests.reml.worlds import dense_deviance, draw, on_slopes, task_data

SIZES = [1, 2, 3, 5, 8, 12]


@pytest.fixture
def sample(rng):
    X, y, _ = draw(rng, SIZES, np.array([0.5, 0.0, 1.0]), np.array([2.0, -1.0, 3.0]))
    X["x0"] *= 40.0
    return X, y


@pytest.fixture
def model(sample):
    return MixedModel.from_data(task_data(*sample))


@pytest.mark.parametrize("kappa", [None, 0.03, 5.0])
def test_deviance_is_that_of_dense_matrices(sample, model, rng, kappa):
    X, y = sample
    rows = np.column_stack([X[["x0", "x1"]], np.ones(len(y))])
    for rank in (0, 1, 3):
        L = rng.normal(size=(3, rank))
        C = L / model.scale[:, None]
        expected = dense_deviance(model, rows, y, X["task"].to_numpy(), C @ C.T, kappa)
        assert model.at(L, on_slopes(kappa)).deviance == pytest.approx(
            expected, rel=1e-10, abs=1e-8
        )


@pytest.mark.parametrize("kappa", [None, 0.3])
def test_gradient_is_the_slope_of_the_deviance(model, rng, kappa):
    L = rng.normal(size=(3, 3))
    E = rng.normal(size=(3, 3))
    step = 1e-6
    up, down = (model.at(L + sign * step * E, on_slopes(kappa)).deviance for sign in (1, -1))
    slope = 2.0 * (model.at(L, on_slopes(kappa)).gradient @ L * E).sum()
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kappa", [None, 0.3])
@pytest.mark.parametrize("alike", [False, True])
def test_curvature_is_the_slope_of_the_gradient(sample, rng, kappa, alike):
    X, y = sample
    if alike:  # a few tasks stand for all
        X = pd.concat([X[X["task"] == 5].assign(task=i) for i in range(8)])
        y = np.tile(y[-12:], 8) + rng.normal(size=96)
    model, kappa = MixedModel.from_data(task_data(X, y)), on_slopes(kappa)
    assert model.is_one_design == alike
    half = rng.normal(size=(3, 3))
    base = half @ half.T + 0.3 * np.eye(3)
    U = rng.normal(size=(4, 3, 3))
    U += U.transpose(0, 2, 1)
    step = 1e-4
    ends = [
        [model.at(np.linalg.cholesky(base + s * step * u), kappa).gradient for u in U]
        for s in (1, -1)
    ]
    by_differences = np.tensordot(np.subtract(*ends), U, axes=((1, 2), (1, 2))) / (2 * step)
    found = model.at(np.linalg.cholesky(base), kappa).curvature_along(U)
    np.testing.assert_allclose(found, by_differences, rtol=1e-5, atol=1e-5 * np.abs(found).max())


def test_gradient_at_zero_variance_is_one_sided(model):
    step = 1e-7
    for k in range(3):
        L = np.zeros((3, 1))
        L[k] = np.sqrt(step)
        rise = (model.at(L).deviance - model.at(np.zeros((3, 0))).deviance) / step
        assert model.at(np.zeros((3, 0))).gradient[k, k] == pytest.approx(rise, rel=1e-3, abs=1e-2)


def test_slope_in_kappa(model, rng):
    L = rng.normal(size=(3, 2))
    step = 1e-5
    up, down = (model.at(L, on_slopes(0.2 + sign * step)).deviance for sign in (1, -1))
    slope = model.at(L, on_slopes(0.2)).kappa_gradient.sum()
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-6)


def test_a_large_kappa_is_a_free_common_part(model, rng):
    L = rng.normal(size=(3, 2))
    free, loose = model.at(L), model.at(L, on_slopes(1e7))
    np.testing.assert_allclose(loose.common, free.common, atol=1e-5)
    np.testing.assert_allclose(loose.deviations, free.deviations, atol=1e-5)


def test_average_information_is_near_the_hessian_on_average(rng):
    sizes = [6] * 60
    sd = np.array([0.7, 0.4, 0.5])
    exact, average = np.zeros((4, 4)), np.zeros((4, 4))
    for _ in range(5):
        X, y, _ = draw(rng, sizes, sd, np.array([1.0, -1.0, 0.0]))
        model = MixedModel.from_data(task_data(X, y))
        gamma = np.append((sd * model.scale) ** 2, 1.0)
        point = model.at(np.diag(np.sqrt(gamma[:3])), on_slopes(gamma[3]))
        average += point.information(np.eye(3), np.array([[1.0], [1.0], [0.0]]))
        for k in range(4):
            step = 1e-4 * np.eye(4)[k]
            slopes = []
            for g in (gamma + step, gamma - step):
                point = model.at(np.diag(np.sqrt(g[:3])), on_slopes(g[3]))
                slopes.append(np.append(np.diag(point.gradient), point.kappa_gradient.sum()))
            exact[k] += (slopes[0] - slopes[1]) / 2e-4
    assert np.linalg.eigvalsh(average).min() > -1e-8
    np.testing.assert_allclose(np.diag(average)[:3], np.diag(exact)[:3], rtol=0.5)
