"""Trees of small tables have one OpenMP thread, those of large ones what the process has."""

import numpy as np
import pytest
import sklearn.ensemble  # noqa: F401  which loads OpenMP
from threadpoolctl import ThreadpoolController

from polytask.data.threads import with_trees


@pytest.mark.parametrize(("rows", "expected"), [(1_000, 1), (1_000_000, 2)])
def test_threads_of_trees(rows, expected):
    pools = ThreadpoolController().select(user_api="openmp")

    def seen(X, more):
        assert X.shape == (rows, 1)
        return more, {pool["num_threads"] for pool in pools.info()}

    with pools.limit(limits=2):
        assert with_trees(seen, np.zeros((rows, 1)), more="kept") == ("kept", {expected})
        assert {pool["num_threads"] for pool in pools.info()} == {2}
