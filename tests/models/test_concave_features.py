"""Concave features: the price, one coefficient by brute force, what stages reach."""

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from polytask import ConcaveFeaturesRegressor, JointFeaturesRegressor
from polytask.datasets import make_sparse_tasks
from polytask.penalties import ConcaveFeatures
from tests.models.helpers import long_table

KINDS = pytest.mark.parametrize("kind", ["mcp", "scad", "capped"])


@KINDS
def test_the_slope_is_the_derivative_and_the_norm_touches_from_above(kind: str) -> None:
    penalty = ConcaveFeatures(0.3, kind, 3.0, 2.0)
    t = np.linspace(0.01, 3.0, 400)[None, :]
    step = 1e-6
    rise = (penalty.per_feature(t + step) - penalty.per_feature(t - step)) / (2 * step)
    smooth = np.abs(t[0] - 1.8) > 1e-2  # away from the cap
    np.testing.assert_allclose(rise[smooth], penalty.slope(t[0])[smooth], rtol=1e-6)
    above = penalty.above(t)
    for factor in (0.5, 2.0):
        change = penalty.per_feature(factor * t) - penalty.per_feature(t)
        assert (above.per_feature(factor * t) - above.per_feature(t) >= change - 1e-12).all()


@KINDS
@pytest.mark.parametrize("size", [0.25, 0.6, 2.0])
def test_one_coefficient_by_brute_force(kind: str, size: float) -> None:
    x = np.tile([1.0, -1.0], 20)
    y = size * x
    model = ConcaveFeaturesRegressor(0.3, penalty=kind, fit_intercept=False, tol=1e-12)
    found = model.fit(x[:, None], y)
    price = ConcaveFeatures(0.3, kind, 3.0, 1.0)

    def objective(w: float) -> float:
        return 0.5 * (w - size) ** 2 + price.value(np.array([[w]]))

    best = min(objective(w) for w in np.linspace(0, 3, 30_001))
    refined = minimize_scalar(objective, bounds=(0, 3), method="bounded").fun
    assert found.objective_ == pytest.approx(min(best, refined), rel=1e-6)


@KINDS
def test_no_search_from_its_answer_finds_better(kind: str) -> None:
    Z, y = long_table()
    model = ConcaveFeaturesRegressor(0.03, penalty=kind, fit_intercept=False, task=0, tol=1e-12)
    model.fit(Z, y)
    assert model.certificate_ == "stationary"
    assert model.violation_ < 1e-5
    price, ids = ConcaveFeatures(0.03, kind, 3.0, 4.0), Z[:, 0].astype(int)
    weight = 1.0 / (4 * np.bincount(ids)[ids])

    def objective(w: np.ndarray) -> float:
        W = w.reshape(4, 4)
        left = y - (Z[:, 1:] * W[ids]).sum(axis=1)
        return float(0.5 * weight @ left**2) + price.value(W)

    assert objective(model.coef_.ravel()) == pytest.approx(model.objective_)
    near = minimize(objective, model.coef_.ravel(), method="Powell", options={"maxfev": 4000})
    assert near.fun >= model.objective_ * (1 - 1e-6)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_kept_is_not_shrunk(seed: int) -> None:
    X, y, truth = make_sparse_tasks(10, 12, 60, n_shared=3, random_state=seed)
    concave = ConcaveFeaturesRegressor(0.03, task="task").fit(X, y)
    joint = JointFeaturesRegressor(0.03, task="task").fit(X, y)
    errors = [((model.coef_ - truth.coef) ** 2).sum() for model in (concave, joint)]
    assert errors[0] < 0.6 * errors[1]
    np.testing.assert_array_equal(concave.support_, (truth.coef != 0).all(axis=0))
