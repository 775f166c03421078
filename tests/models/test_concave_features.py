"""Concave features: the price, one coefficient by brute force, what stages reach."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize, minimize_scalar

from polytask import (
    ConcaveFeaturesRegressor,
    ConcaveFusedRegressor,
    FusedTasksRegressor,
    JointFeaturesRegressor,
)
from polytask.datasets import make_sparse_tasks
from polytask.models.paths import _prepared
from polytask.penalties import ConcaveFeatures, Fusion, JointFeatures, Lasso, Price
from polytask.solvers.norms.working_set import solve_wide
from tests.models.helpers import long_table

LENGTHS = {"l2": (JointFeatures(1.0),), "l1": (Lasso(1.0),)}


def priced(alpha: float, kind: str, gamma: float, unit: float, norm: str = "l2") -> ConcaveFeatures:
    """The penalty whose slope is zero from the length gamma alpha unit on."""
    return ConcaveFeatures(alpha, Price(kind, alpha * unit, gamma * alpha * unit), LENGTHS[norm])


KINDS = pytest.mark.parametrize("kind", ["mcp", "scad", "capped"])


@KINDS
def test_the_slope_is_the_derivative_and_the_norm_touches_from_above(kind: str) -> None:
    penalty = priced(0.3, kind, 3.0, 2.0)
    t = np.linspace(0.01, 3.0, 400)[None, :]
    step = 1e-6
    rise = (penalty.per_feature(t + step) - penalty.per_feature(t - step)) / (2 * step)
    smooth = np.abs(t[0] - 1.8) > 1e-2  # away from the cap
    np.testing.assert_allclose(rise[smooth], 0.3 * penalty.price.slope(t[0])[smooth], rtol=1e-6)
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
    price = priced(0.3, kind, 3.0, 1.0)

    def objective(w: float) -> float:
        return 0.5 * (w - size) ** 2 + price.value(np.array([[w]]))

    w = np.linspace(0, 3, 30_001)
    best = (0.5 * (w - size) ** 2 + price.per_feature(w[None, :])).min()
    refined = minimize_scalar(objective, bounds=(0, 3), method="bounded").fun
    assert found.objective_ == pytest.approx(min(best, refined), rel=1e-6)


@KINDS
def test_no_search_from_its_answer_finds_better(kind: str) -> None:
    Z, y = long_table()
    model = ConcaveFeaturesRegressor(0.03, penalty=kind, fit_intercept=False, task=0, tol=1e-12)
    model.fit(Z, y)
    assert model.certificate_ == "stationary"
    assert model.violation_ < 1e-5
    price, ids = priced(0.03, kind, 3.0, 4.0), Z[:, 0].astype(int)
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


@pytest.mark.parametrize(
    ("model", "length", "beside"),
    [
        (ConcaveFeaturesRegressor(0.02, penalty="capped", norm="l1"), (Lasso(1.0),), ()),
        (ConcaveFusedRegressor(0.02, alpha_difference=0.01), (Lasso(1.0),), (Fusion(0.01),)),
        (
            ConcaveFusedRegressor(0.02, alpha_difference=0.01, inside="differences"),
            (Fusion(0.5), Lasso(1.0)), (),
        ),
    ],
    ids=["capped l1", "coefficients inside", "differences inside"],
)  # fmt: skip
def test_lengths_that_drop_coefficients_and_changes(model: Any, length: Any, beside: Any) -> None:
    """The objective as written; no search finds better; every stage brings it down."""
    Z, y = long_table()
    model.set_params(fit_intercept=False, task=0, tol=1e-12).fit(Z, y)
    unit = 0.02 * 16
    kind, end = ("capped", 3.0) if not hasattr(model, "knee") else ("root", 0.1)
    price, ids = (
        ConcaveFeatures(0.02, Price(kind, unit, end * unit), length, beside),
        Z[:, 0].astype(int),
    )
    weight = 1.0 / (4 * np.bincount(ids)[ids])

    def objective(W: np.ndarray) -> float:
        left = y - (Z[:, 1:] * W.reshape(4, 4)[ids]).sum(axis=1)
        return float(0.5 * weight @ left**2) + price.value(W.reshape(4, 4))

    assert model.certificate_ == "stationary"
    assert objective(model.coef_) == pytest.approx(model.objective_)
    near = minimize(objective, model.coef_.ravel(), method="Powell", options={"maxfev": 4000})
    assert near.fun >= model.objective_ * (1 - 1e-6)
    _, data, loss = _prepared(model, Z, y, None)
    problem = model._make_problem(data, loss, {"alpha": 0.02, "alpha_difference": 0.01,
                                               "alpha_intercept": 0.0})  # fmt: skip
    at, values = problem.zeros(), []
    for _ in range(6):
        stage = {**problem.penalties, "slopes": problem.penalties["slopes"].above(at["slopes"])}
        at = solve_wide(replace(problem, penalties=stage), None, 1e-10, 10_000).blocks
        values.append(problem.objective(at))
    assert (np.diff(values) <= 1e-9).all()
    assert values[-1] < values[0]


def test_a_blunt_root_is_the_fused_model() -> None:
    Z, y = long_table()
    options = {"alpha_difference": 0.02, "task": 0, "tol": 1e-11}
    blunt = ConcaveFusedRegressor(0.02, knee=1e9, **options).fit(Z, y)
    fused = FusedTasksRegressor(0.02, l1_ratio=1.0, **options).fit(Z, y)
    np.testing.assert_allclose(blunt.coef_, fused.coef_, atol=1e-5)
