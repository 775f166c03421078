"""Quantiles under norms end within their gap: fits with a wider band, to targets that move."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import polytask
from polytask.responses import Quantile


def heavy_rows(m: int = 5, d: int = 6, n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Tasks with noise of heavy tails, column 0 the task."""
    rng = np.random.default_rng(0)
    x, task = rng.normal(size=(m * n, d)), np.repeat(np.arange(m), n)
    W = rng.normal(size=d) * (rng.random(d) < 0.4) + 0.3 * rng.normal(size=(m, d))
    return np.column_stack([task, x]), (x * W[task]).sum(axis=1) + rng.standard_t(3, size=m * n)


def least_pinball(Z: np.ndarray, y: np.ndarray, q: float, alpha: float) -> float:
    """min R + alpha ‖W‖_1 of the pinball loss as a linear program: w = a - b, y - f = u - v."""
    tasks, total = np.unique(Z[:, 0]), 0.0
    for i in tasks:
        x, z = Z[Z[:, 0] == i, 1:], y[Z[:, 0] == i]
        n, d = x.shape
        share = 1.0 / (len(tasks) * n)
        cost = np.r_[np.full(2 * d, alpha), 0.0, np.full(n, q * share), np.full(n, (1 - q) * share)]
        equal = np.hstack([x, -x, np.ones((n, 1)), np.eye(n), -np.eye(n)])
        bounds = [(0, None)] * (2 * d) + [(None, None)] + [(0, None)] * (2 * n)
        total += linprog(cost, A_eq=equal, b_eq=z, bounds=bounds, method="highs").fun
    return total


@pytest.mark.parametrize(("q", "alpha"), [(0.5, 1e-2), (0.9, 1e-3), (0.9, 1e-4)])
def test_a_lasso_of_next_to_no_band_is_a_linear_program(q: float, alpha: float) -> None:
    Z, y = heavy_rows()
    width = 1e-5
    model = polytask.LassoTasksRegressor(
        alpha, loss=Quantile(q, width), task=0, alpha_intercept=0.0
    )
    model.fit(Z, y)
    assert model.gap_ <= model.tol
    least = least_pinball(Z, y, q, alpha)
    assert least * (1 - 1e-9) <= model.objective_ <= least + width / 4 + 2e-7


@pytest.mark.parametrize(
    ("stem", "options"),
    [
        ("LassoTasks", {"alpha": 1e-4}),
        ("JointFeatures", {"alpha": 1e-2}),
        ("DirtyTasks", {"alpha": 1e-2}),
        ("RobustLowRank", {"alpha": 1e-3}),
        ("TaskCovariance", {"alpha": 1e-3}),
    ],
)
def test_every_kind_of_norm_ends_within_its_gap(stem: str, options: dict[str, Any]) -> None:
    """Parts, singular values, squares of norms; a warning that it did not is an error."""
    Z, y = heavy_rows()
    model = getattr(polytask, f"{stem}Regressor")(**options, loss=Quantile(0.9, 0.03), task=0)
    assert model.fit(Z, y).gap_ <= model.tol


def test_fewer_rows_than_features_end_within_their_gap() -> None:
    Z, y = heavy_rows(m=4, d=15, n=10)
    model = polytask.LassoTasksRegressor(1e-3, loss=Quantile(0.9, 0.02), task=0).fit(Z, y)
    assert model.gap_ <= model.tol


def test_the_place_in_a_band_moves_the_target_of_a_wider_one() -> None:
    rng = np.random.default_rng(1)
    y, f = rng.normal(size=200), rng.normal(size=200)
    narrow, wide = Quantile(0.8, 0.1), Quantile(0.8, 0.7)
    moved = y + (wide.band - narrow.band) * narrow.across(y, f)
    np.testing.assert_allclose(wide.gradient(moved, f), narrow.gradient(y, f), atol=1e-12)


def test_what_still_ends_above_its_gap_says_so() -> None:
    Z, y = heavy_rows()
    model = polytask.LassoTasksRegressor(1e-4, loss="quantile(0.9)", task=0, max_iter=40)
    with pytest.warns(match=r"relative duality gap .*, above tol=1.0e-07.*max_iter"):
        model.fit(Z, y)
