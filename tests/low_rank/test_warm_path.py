"""A path that goes on from its last optimum takes no longer than the same fits from nothing."""

import time

import pytest

from polytask import LowRankRegressor, low_rank_path
from polytask.datasets import make_low_rank_tasks


@pytest.mark.slow
def test_a_warm_path_of_many_joining_directions_is_no_slower_than_cold_fits() -> None:
    X, y, _ = make_low_rank_tasks(300, 60, 100, rank=3, random_state=0)
    model = LowRankRegressor(task="task", alpha_intercept=0.01)
    top = low_rank_path(model, X, y, n_alphas=2).alphas[0]
    alphas = [share * top for share in (0.12, 0.08, 0.0534)]
    began = time.process_time()
    path = low_rank_path(model, X, y, alphas=alphas)
    warm, began = time.process_time() - began, time.process_time()
    for alpha in alphas:
        LowRankRegressor(alpha, task="task", alpha_intercept=0.01).fit(X, y)
    cold = time.process_time() - began
    assert (path.gaps <= 1e-7).all()
    assert warm < 2.0 * cold  # it was eight times as long
