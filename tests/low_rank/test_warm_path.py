"""A path that goes on from its last optimum takes no more than the same fits from nothing."""

import pytest

from polytask import LowRankRegressor, low_rank_path
from polytask.datasets import make_low_rank_tasks
from tests.effort import calls


@pytest.mark.slow
def test_a_warm_path_of_many_joining_directions_is_no_more_than_cold_fits() -> None:
    X, y, _ = make_low_rank_tasks(300, 60, 100, rank=3, random_state=0)
    model = LowRankRegressor(task="task", alpha_intercept=0.01)
    top = low_rank_path(model, X, y, n_alphas=2).alphas[0]
    alphas = [share * top for share in (0.12, 0.08, 0.0534)]
    cold = [LowRankRegressor(alpha, task="task", alpha_intercept=0.01) for alpha in alphas]
    warmly = calls(lambda: low_rank_path(model, X, y, alphas=alphas))
    assert warmly < 2.0 * calls(lambda: [each.fit(X, y) for each in cold])  # it was eight times
    assert (low_rank_path(model, X, y, alphas=alphas).gaps <= 1e-7).all()
