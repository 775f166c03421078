"""The statements of a comparison hold where the truth is known (a small part of the benchmark)."""

import importlib.util
from pathlib import Path

import pytest

from polytask.models.mean_regularized import MeanRegularizedRegressor
from polytask.models.single_task import SingleTaskRegressor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def calibration():
    spec = importlib.util.spec_from_file_location("calibration", ROOT / "benchmarks/calibration.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fixed_models(alpha):
    """Models of fixed strength: a hundred times faster than those that choose it."""
    return {
        "single-task": SingleTaskRegressor(task="task", alpha=1e-3),
        "mean-regularized": MeanRegularizedRegressor(
            task="task", alpha=alpha, alpha_common=0.01, alpha_intercept=alpha
        ),
    }


@pytest.mark.parametrize(
    ("world", "alpha"),
    [("independent", 2e-3), pytest.param("related", 2e-2, marks=pytest.mark.slow)],
)
def test_intervals_and_labels_hold(calibration, world, alpha):
    size = {"truths": 8, "draws": 2, "m": 16, "cv": 4, "fresh": 20}
    found = list(calibration.simulate(world, 20, models=fixed_models(alpha), **size))
    measured = calibration.measure(found)
    assert measured["false"] <= 0.05
    assert measured["task"] >= 0.90
    assert measured["shrunken"] >= 0.88
    assert measured["overall"] >= 0.85
    assert measured["error shrunken"] < measured["error"]
    if world == "independent":
        assert measured["gains"] <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 20, 80])
@pytest.mark.parametrize("world", ["independent", "related", "partly related"])
def test_calibration_with_chosen_strengths(calibration, world, n):
    found = list(calibration.simulate(world, n, truths=20, draws=2, m=20, cv=5))
    measured = calibration.measure(found)
    verdicts = [c.verdict.label for draws in found for c in draws.comparisons]
    assert measured["false"] <= 0.05
    assert measured["task"] >= (0.87 if n == 5 else 0.93)  # 4 rows train 6 parameters: skew
    assert measured["shrunken"] >= (0.86 if n == 5 else 0.93)
    if world == "independent":
        assert measured["gains"] <= 0.05
        assert verdicts.count("pooling-suffices") == 0
    if world == "related" and n <= 20:  # since claims must stand without any one row or task
        spoken = verdicts.count("joint-helps") + verdicts.count("pooling-suffices")
        assert spoken >= (30 if n == 5 else 25)
