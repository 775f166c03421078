"""skops is imported without what it does not need, and trusts what it would have."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from polytask.models.without_frameworks import without_frameworks
with without_frameworks():
    from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES as found
assert not {"torch", "dask", "cupy"} & set(sys.modules)
from sklearn.utils import all_estimators
every = (f"{c.__module__}.{c.__name__}" for _, c in all_estimators())
print(sorted(found) == sorted(name for name in every if name.startswith("sklearn.")))
"""
WRITE = """
import sys
from polytask.models.without_frameworks import to_write
from sklearn.preprocessing import StandardScaler
kept = to_write("skops.io").dumps(StandardScaler())
print(to_write("skops.card").Card.__name__, "skops" in sys.modules)
print("sklearn.gaussian_process" in sys.modules)
import skops.io
print(type(skops.io.loads(kept)).__name__, to_write("skops.io") is skops.io)
"""
MORE = """
import sys
from polytask.models import without_frameworks
del without_frameworks._NoNames.__getattr__
print("loads" in vars(without_frameworks.to_write("skops.io")), "skops" in sys.modules)
"""


def _said(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert not done.returncode, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_skops_trusts_the_same_without_torch() -> None:
    assert _said(SCRIPT) == ["True"]


def test_what_writes_has_no_lists_and_what_reads_has_them() -> None:
    assert _said(WRITE) == ["Card False", "False", "StandardScaler True"]


def test_a_skops_whose_lists_are_more_than_names_is_imported_whole() -> None:
    assert _said(MORE) == ["True False"]
