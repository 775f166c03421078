"""Principal directions of tasks' coefficients, from the smaller of the two Gram matrices."""

import tracemalloc

import numpy as np
import pytest

from polytask.penalties.spectral import canonical_svd
from polytask.solvers.low_rank.starts import principal


@pytest.mark.parametrize(("m", "d"), [(30, 6), (6, 30), (6, 6)])
def test_they_are_those_of_the_singular_value_decomposition(m, d):
    L = np.random.default_rng(m).normal(size=(m, d))
    for k in (1, 3, 6):
        found, known = principal(L, k), canonical_svd(L, k)[2]
        assert found.shape == (k, d)
        np.testing.assert_allclose(found @ found.T, np.eye(k), atol=1e-12)
        np.testing.assert_allclose(found.T @ found, known.T @ known, atol=1e-10)


def test_few_tasks_of_many_features_need_no_matrix_of_features():
    """Fifty thousand words were 20 GB."""
    L = np.random.default_rng(0).normal(size=(5, 5_000))
    tracemalloc.start()
    principal(L, 3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * L.nbytes
