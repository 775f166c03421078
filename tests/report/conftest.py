"""One report of the made-up comparison, written once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from polytask.inspection.displays import ShrinkageDisplay
from polytask.report import write_report
from tests.inspection.example import example_comparison

N_TASKS = 65
NASTY = "<img src=x onerror=alert(1)>"


def example_shrinkage(n_tasks: int = N_TASKS, n_features: int = 10) -> ShrinkageDisplay:
    rng = np.random.default_rng(0)
    common = rng.normal(size=n_features)
    single = common + rng.normal(size=(n_tasks, n_features))
    names = [NASTY, *(f"feature {i}" for i in range(1, n_features))]
    return ShrinkageDisplay(single, common + 0.3 * (single - common), common, names)


@pytest.fixture(scope="package")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    comparison = example_comparison(N_TASKS)
    return write_report(
        comparison, path, shrinkage=example_shrinkage(), tasks_csv="tasks & more.csv"
    )


@pytest.fixture(scope="package")
def html(report: Path) -> str:
    return report.read_text(encoding="utf-8")
