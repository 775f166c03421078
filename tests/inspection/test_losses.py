"""Comparisons of counts, amounts and shares: judged by the loss that the models are fitted with."""

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor, PooledRegressor, SingleTaskRegressor
from polytask.inspection import compare_tasks, default_estimators
from polytask.model_selection import METRICS
from polytask.responses import Huber, Poisson, Response, find_response
from tests.responses.helpers import draw


def table(loss: str | Response) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(12), 12)
    X = pd.DataFrame(rng.normal(size=(144, 2)), columns=["a", "b"])
    X["task"] = ids
    f = 0.4 + X["a"] * 0.5 - X["b"] * 0.3 + 0.3 * rng.normal(size=12)[ids]
    response = find_response("table", loss, has_labels=False)
    return X, draw(response, response.inverse_link(f.to_numpy()), rng)


@pytest.mark.parametrize(
    ("loss", "column"),
    [
        ("poisson", "poisson_deviance_tasks"),
        ("negative_binomial(0.5)", "poisson_deviance_tasks"),
        ("gamma", "gamma_deviance_tasks"),
        ("tweedie", "tweedie_deviance_tasks"),
        ("binomial", "binomial_deviance_tasks"),
        (Huber(1.345, 0.5), "mae_tasks"),
    ],
)
def test_models_are_ranked_by_their_loss(loss: str | Response, column: str) -> None:
    X, y = table(loss)
    models = {
        "single-task": SingleTaskRegressor(0.1, loss=loss, task="task"),
        "pooled": PooledRegressor(0.01, loss=loss, task="task"),
        "gradient-boosting": None,
    }
    found = compare_tasks(models, X, y, task="task", cv=3)
    assert found.metrics["column"].iloc[0] == column
    assert (found.models["status"] == "ok").all()
    assert np.isfinite(found.models[column]).all()


def test_the_deviance_is_that_of_the_metric() -> None:
    X, y = table("poisson")
    models = {
        "single-task": SingleTaskRegressor(0.1, loss="poisson", task="task"),
        "mean-regularized": MeanRegularizedRegressor(0.1, loss="poisson", task="task"),
    }
    found = compare_tasks(models, X, y, task="task", cv=3)
    value = found.models.set_index("name").loc["single-task"]
    metric = METRICS["poisson_deviance"]
    assert metric.pooled([0.0, 2.0], [1.0, 2.0]) == pytest.approx(1.0)  # (2 + 0) / 2
    assert 0 < value["poisson_deviance_rows"] < 5


def test_default_models_take_the_loss() -> None:
    X, y = table("gamma")
    found = default_estimators("regression", "task", "gamma")
    assert all(model.loss == "gamma" for model in found.values())
    trees = found["gradient-boosting"].fit(X, y)
    assert (trees.predict(X) > 0).all()
    assert trees.model_.loss == "gamma"


def test_a_negative_count_is_refused() -> None:
    X, y = table("poisson")
    y[5] = -1
    with pytest.raises(ValueError, match=r"zero or positive with loss='poisson'.*row 5"):
        compare_tasks({"single-task": SingleTaskRegressor(loss="poisson", task="task"),
                       "pooled": None}, X, y, task="task")  # fmt: skip


def test_other_metrics_are_refused() -> None:
    X, y = table("poisson")
    with pytest.raises(ValueError, match=r"metric must be one of rmse, mae, poisson_deviance"):
        compare_tasks({"single-task": SingleTaskRegressor(loss="poisson", task="task"),
                       "pooled": None}, X, y, task="task", metric="nmse")  # fmt: skip


def test_the_deviance_explained_counts_rows_by_their_weights() -> None:
    y, f, w = np.array([1.0, 2.0, 5.0]), np.array([1.5, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    left = Poisson().row_loss("poisson_deviance_explained")
    again = np.repeat(np.arange(3), w.astype(int))
    np.testing.assert_allclose(left.values(y, f, w)[again], left.values(y[again], f[again]))
