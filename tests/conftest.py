"""Fixtures for all tests: where the shared data lie, and seeds."""

import os
from pathlib import Path

# Before numpy loads BLAS: many small solves are slower, and not repeatable, on many threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests over all formulations are slow for those that have tests of their family.

    What holds of formulations with norms is tried on the lasso and joint features, and for each in
    `tests/models/test_norm_family.py` and `test_norm_doors.py`.
    """
    from tests.models.kin import is_kin

    for item in items:
        found = getattr(item, "callspec", None)
        own = item.path.name in ("test_norm_family.py", "test_norm_doors.py")
        if found and not own and any(is_kin(value) for value in found.params.values()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the repository; none of them may be committed."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("real data sets are not here: no folder ../shared/data beside the repository")
    return folder


@pytest.fixture(params=[0, *(pytest.param(more, marks=pytest.mark.slow) for more in (1, 2))])
def seed(request: pytest.FixtureRequest) -> int:
    """Three seeds: a test that takes this runs under each, under the last two in the slow suite."""
    return request.param


@pytest.fixture
def rng(seed: int) -> np.random.Generator:
    """A generator under each of the seeds."""
    return np.random.default_rng(seed)
