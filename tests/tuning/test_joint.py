"""Strengths that are chosen together: askew valleys, several valleys, bounds, real risks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from polytask.tuning.joint import choose_jointly
from polytask.tuning.search import Strengths

GRIDS = {name: np.logspace(3, -3, 25) for name in ("a", "b")}


def askew(point: Strengths) -> float:
    """A narrow valley along log a + log b = 1, lowest at log a = 2."""
    a, b = np.log(point["a"]), np.log(point["b"])
    return float(1.0 + 0.01 * (a - 2.0) ** 2 + 0.5 * (a + b - 1.0) ** 2)


def falling(point: Strengths) -> float:
    """Lowest at the strong end of a, where b has its minimum elsewhere than in the middle."""
    a, b = np.log(point["a"]), np.log(point["b"])
    return float(2.0 - 0.01 * a + 0.1 * (b - 0.5 * a) ** 2)


@pytest.mark.parametrize(
    ("risk", "at"),
    [
        (askew, {"a": np.exp(2.0), "b": np.exp(-1.0)}),
        (falling, {"a": 1e3, "b": 1e3**0.5}),
    ],
)
def test_the_bottom_of_a_valley_is_found(risk: object, at: dict[str, float]) -> None:
    asked = 0

    def risks(points: Sequence[Strengths], _: Strengths) -> np.ndarray:
        nonlocal asked
        asked += len(points)
        return np.array([risk(point) for point in points])  # type: ignore[operator]

    found = choose_jointly(risks, GRIDS, {"c": 7.0})
    assert found.strengths["c"] == 7.0
    assert found.risk <= risk(at) * (1.0 + 2e-4)  # type: ignore[operator]
    assert found.risk == pytest.approx(risk(found.strengths))  # type: ignore[operator]
    assert (np.diff(found.path) < 0).all()
    assert found.strengths["a"] in found.path
    assert asked < 120


def test_a_risk_that_is_infinite_everywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="no value of a and b"):
        choose_jointly(lambda points, _: np.full(len(points), np.inf), GRIDS, {})
