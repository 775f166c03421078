"""Strengths that are chosen together: askew valleys, several valleys, bounds, real risks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from polytask import MeanRegularizedRegressor
from polytask.data import Rows, make_task_data
from polytask.responses import Squared
from polytask.tuning import LeaveOneOut
from polytask.tuning.joint import choose_jointly
from polytask.tuning.search import Strengths

GRIDS = {name: np.logspace(3, -3, 25) for name in ("a", "b")}


def askew(point: Strengths) -> float:
    """A narrow valley along log a + log b = 1, lowest at log a = 2."""
    a, b = np.log(point["a"]), np.log(point["b"])
    return float(1.0 + 0.01 * (a - 2.0) ** 2 + 0.5 * (a + b - 1.0) ** 2)


def two_valleys(point: Strengths) -> float:
    """The wider valley is not the lower one."""
    a, b = np.log(point["a"]), np.log(point["b"])
    wide = 0.3 * np.exp(-0.05 * ((a - 4.0) ** 2 + (b - 4.0) ** 2))
    return float(2.0 - wide - 0.4 * np.exp(-0.3 * ((a + 4.0) ** 2 + (b + 3.0) ** 2)))


def falling(point: Strengths) -> float:
    """Lowest at the strong end of a, where b has its minimum elsewhere than in the middle."""
    a, b = np.log(point["a"]), np.log(point["b"])
    return float(2.0 - 0.01 * a + 0.1 * (b - 0.5 * a) ** 2)


@pytest.mark.parametrize(
    ("risk", "at", "dense"),
    [
        (askew, {"a": np.exp(2.0), "b": np.exp(-1.0)}, True),
        (askew, {"a": np.exp(2.0), "b": np.exp(-1.0)}, False),
        (two_valleys, {"a": np.exp(-4.0), "b": np.exp(-3.0)}, True),
        (falling, {"a": 1e3, "b": 1e3**0.5}, True),
        (falling, {"a": 1e3, "b": 1e3**0.5}, False),
    ],
)
def test_the_bottom_of_the_lowest_valley_is_found(
    risk: object, at: dict[str, float], dense: bool
) -> None:
    asked = 0

    def risks(points: Sequence[Strengths], _: Strengths) -> np.ndarray:
        nonlocal asked
        asked += len(points)
        return np.array([risk(point) for point in points])  # type: ignore[operator]

    found = choose_jointly(risks, GRIDS, {"c": 7.0}, dense)
    assert found.strengths["c"] == 7.0
    assert found.risk <= risk(at) * (1.0 + 2e-4)  # type: ignore[operator]
    assert found.risk == pytest.approx(risk(found.strengths))  # type: ignore[operator]
    assert (np.diff(found.path) < 0).all()
    assert found.strengths["a"] in found.path
    assert asked < (400 if dense else 120)


def test_a_risk_that_is_infinite_everywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="no value of a and b"):
        choose_jointly(lambda points, _: np.full(len(points), np.inf), GRIDS, {}, False)


def problem(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A few tasks of unlike size, noise, scales of features, and distance from one another."""
    rng = np.random.default_rng(seed)
    m, d = int(rng.integers(2, 13)), int(rng.integers(1, 9))
    code = np.repeat(np.arange(m), rng.integers(2, 25, m))
    X = rng.normal(size=(len(code), d)) * 10 ** rng.uniform(-1, 1, d)
    X = X + rng.normal(size=d) * rng.integers(0, 2)
    X[:, 1:] += X[:, :-1] * rng.uniform(0, 2) * rng.integers(0, 2)
    W = rng.normal(size=d) * rng.integers(0, 2) + rng.normal(size=(m, d)) * 10 ** rng.uniform(-2, 0)
    y = np.einsum("nd,nd->n", X, W[code]) + (rng.normal(size=m) * 10 ** rng.uniform(-1, 1))[code]
    return X, y + rng.normal(size=len(y)) * y.std() * 10 ** rng.uniform(-1, 1), code


@pytest.mark.slow
def test_a_dense_grid_seldom_finds_a_risk_that_is_clearly_less() -> None:
    """Of 300 problems: at most in three."""
    above = []
    for seed in range(1000, 1300):
        X, y, code = problem(seed)
        model = MeanRegularizedRegressor("cv", task=0).fit(np.column_stack([code, X]), y)
        settings = SimpleNamespace(fit_intercept=True, task_weight="size")
        data = make_task_data(settings, Rows(X, code), y, None, None, center=True)
        grids = model._grids(data, Squared())
        names = list(grids)
        some = product(grids["alpha"][::2], grids["alpha_intercept"][::2], grids["alpha_common"])
        points = [dict(zip(names, map(float, values), strict=True)) for values in some]
        points.append({name: getattr(model, f"{name}_") for name in names})
        problems = [model._make_problem(data, Squared(), point) for point in points]
        *dense, chosen = LeaveOneOut().risks(problems)
        above += [seed] if chosen > min(dense) * (1.0 + 1e-3) else []
    assert len(above) <= 3, above
