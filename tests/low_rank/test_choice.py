"""How strengths are chosen: folds that depend on content only, ranges of alpha for each rank."""

import numpy as np
import pytest

from polytask import LowRankClassifier, LowRankRegressor
from polytask.datasets import make_low_rank_tasks
from polytask.penalties import Rank
from polytask.responses import Squared
from polytask.tuning import rank_grid, rank_strengths
from tests.low_rank.problems import low_rank, make_data


@pytest.mark.parametrize("model", [LowRankRegressor, LowRankClassifier])
def test_choice_does_not_depend_on_the_order_of_rows(model):
    classes = model is LowRankClassifier
    X, y, _ = make_low_rank_tasks(5, 3, 20, classification=classes, random_state=0)
    order = np.random.default_rng(0).permutation(len(y))
    one = model(task="task").fit(X, y)
    two = model(task="task").fit(X.iloc[order], y[order])
    assert one.alpha_ == pytest.approx(two.alpha_)
    np.testing.assert_allclose(one.cv_scores_, two.cv_scores_, rtol=1e-6)
    np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-6)


def test_weight_two_is_the_row_twice():
    X, y, _ = make_low_rank_tasks(4, 3, 15, random_state=0)
    weight = np.random.default_rng(0).integers(0, 3, size=len(y))
    twice = np.repeat(np.arange(len(y)), weight)
    one = LowRankRegressor(task="task").fit(X, y, sample_weight=weight)
    two = LowRankRegressor(task="task").fit(X.iloc[twice], y[twice])
    assert one.alpha_ == pytest.approx(two.alpha_)
    np.testing.assert_allclose(one.coef_, two.coef_, atol=1e-7)


def test_tasks_of_one_row_are_held_out_whole():
    X, y, _ = make_low_rank_tasks(8, 3, 1, random_state=0)
    model = LowRankRegressor(task="task").fit(X, y)
    assert np.isfinite(model.cv_scores_).all()
    with pytest.raises(ValueError, match="Give the strengths numbers"):
        LowRankRegressor(task="task").fit(X[:1], y[:1])


def test_each_rank_is_the_optimum_inside_its_interval(rng):
    data = make_data(rng, Squared(), m=7, d=5, n=40, rank=3, shared=True)
    intervals = rank_strengths(low_rank(data, Squared(), Rank(0.0)), 5, 1e-8, 500)
    assert set(intervals) >= {0, 3}
    for rank, (low, high) in intervals.items():
        alpha = 1.01 * low if np.isinf(high) else 0.5 * (low + high)
        from polytask.solvers.low_rank.reduced_rank import ReducedRank

        solution = ReducedRank().solve(low_rank(data, Squared(), Rank(alpha)), None, 1e-8, 1)
        if alpha > max(low, 1e-9) and rank < max(intervals):
            assert np.linalg.matrix_rank(solution.blocks["low_rank"]) == rank


def test_ranks_to_try_end_at_the_smaller_side(rng):
    data = make_data(rng, Squared(), m=4, d=9)
    assert rank_grid(data).tolist() == [1, 2, 3, 4]
