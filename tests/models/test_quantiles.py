"""Several quantiles as one model: an interval."""

import numpy as np
import pytest
from scipy.stats import norm

from polytask import PooledRegressor, QuantilesRegressor, TaskInterceptRegressor
from polytask.inspection import compare_tasks
from polytask.models.boosted_trees import BoostedTreesRegressor
from polytask.responses import Quantile, Quantiles

EACH = (0.1, 0.5, 0.9)


def world(n=400, seed=0):
    rng = np.random.default_rng(seed)
    task = np.arange(n) % 8
    x = rng.uniform(0, 1, n)
    y = 0.3 * task + x + (0.2 + x) * rng.normal(size=n)
    return np.column_stack([x, task]), y


def model(**given):
    return QuantilesRegressor(PooledRegressor(0.0, task=1, **given), EACH)


def test_each_is_the_model_of_that_quantile():
    X, y = world()
    found = model().fit(X, y)
    for k, q in enumerate(EACH):
        alone = PooledRegressor(0.0, task=1, loss=Quantile(q)).fit(X, y)
        np.testing.assert_array_equal(found.estimators_[k].coef_, alone.coef_)
    np.testing.assert_array_equal(found.predict(X), found.predict_quantiles(X)[:, 1])
    truth = (X[:, :1] + (0.2 + X[:, :1]) * norm.ppf(EACH)) - X[:, :1]
    width = found.predict_quantiles(X) @ [-1, 0, 1]
    assert np.corrcoef(width, truth @ [-1, 0, 1])[0, 1] > 0.99


def test_answers_do_not_cross_and_lose_nothing_by_it():
    X, y = world(24)
    far = np.column_stack([np.linspace(-3, 4, 200), np.zeros(200)])
    found = model().fit(X, y)
    raw = np.column_stack([m.predict(far) for m in found.estimators_])
    assert (np.diff(raw) < 0).any()  # outside the data they cross
    answers = found.predict_quantiles(far)
    assert (np.diff(answers) >= 0).all()
    loss, truth = Quantiles(each=EACH).mean_pinball, far[:, 0]
    assert (loss(truth, answers) <= loss(truth, raw) + 1e-12).all()


def test_a_comparison_judges_all_quantiles_together():
    X, y = world(160)
    lines = QuantilesRegressor(TaskInterceptRegressor(0.0, task=1), EACH)
    trees = QuantilesRegressor(BoostedTreesRegressor(task=1, max_iter=20), EACH)
    found = compare_tasks({"single-task": lines, "trees": trees}, X, y, task=1, cv=3)
    assert found.metric == "pinball_tasks"
    assert found.loss_title == "mean pinball loss at 0.1, 0.5, 0.9"
    frame = found.models.set_index("name")
    assert (frame["status"] == "ok").all()
    assert frame.loc["single-task", "pinball_rows"] < frame.loc["task-means", "pinball_rows"]
    assert any("0.1 and 0.9 (80 % wanted)" in note for note in found.notes)


@pytest.mark.parametrize("each", [(0.5,), (0.9, 0.1), (0.0, 0.5)])
def test_no_quantiles(each):
    X, y = world(40)
    with pytest.raises(ValueError, match="quantiles must be two or more numbers between 0 and 1"):
        QuantilesRegressor(PooledRegressor(0.0, task=1), each).fit(X, y)
