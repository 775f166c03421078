"""One report of the made-up comparison, written once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from polytask import SingleTaskRegressor
from polytask.datasets import make_related_tasks
from polytask.inspection.displays import ShrinkageDisplay
from polytask.report import write_report
from tests.inspection.example import (
    example_comparison,
    example_curve,
    example_new_tasks,
    example_related,
)

N_TASKS = 65
NASTY = "<img src=x onerror=alert(1)>"


def example_shrinkage(n_tasks: int = N_TASKS, n_features: int = 10) -> ShrinkageDisplay:
    rng = np.random.default_rng(0)
    common = rng.normal(size=n_features)
    single = common + rng.normal(size=(n_tasks, n_features))
    names = [NASTY, *(f"feature {i}" for i in range(1, n_features))]
    return ShrinkageDisplay(single, common + 0.3 * (single - common), common, names)


def example_parts() -> dict[str, Any]:
    """Every part that a report may have."""
    return {
        "shrinkage": example_shrinkage(),
        "relatedness": example_related(),
        "learning_curve": example_curve(),
        "new_tasks": example_new_tasks(),
        "fitted": {"single-task": example_fit()},
        "tasks_csv": "tasks & more.csv",
    }


def example_fit() -> SingleTaskRegressor:
    X, y, _ = make_related_tasks(3, 2, 6, random_state=0)
    return SingleTaskRegressor(task="task").fit(X, y)


@pytest.fixture(scope="package")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    comparison = example_comparison(N_TASKS)
    return write_report(comparison, path, **example_parts())


@pytest.fixture(scope="package")
def html(report: Path) -> str:
    return report.read_text(encoding="utf-8")
