"""skops is imported without the frameworks beside scikit-learn, and trusts what it would have."""

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


@pytest.mark.slow
def test_skops_trusts_the_same_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "True", done.stderr
