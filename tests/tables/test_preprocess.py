"""Preprocessing is learned from the training rows alone and leaves the task column as it is."""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression

from polytask.tables import make_task_pipeline


@pytest.fixture
def fitted():
    X = pd.DataFrame(
        {
            "a": [1.0, np.nan, 3.0, 100.0],
            "b": [5.0, 5.0, 5.0, 5.0],
            "c": np.array(["u", "v", np.nan, "u"], dtype=object),
            "task": [7, 8, 7, 8],
        }
    )
    pipeline = make_task_pipeline(DummyRegressor(), "task", ["a", "b"], ["c"])
    return pipeline.fit(X, [0.0, 1, 2, 3])[:-1], X


def test_columns(fitted):
    prepare, X = fitted
    made = prepare.transform(X)
    names = ["a", "missingindicator_a", "b", "c=u", "c=v", "c=(missing)", "task"]
    assert made.columns.tolist() == names
    assert made["task"].tolist() == [7, 8, 7, 8]
    assert made["task"].dtype == X["task"].dtype
    np.testing.assert_allclose(made[["a", "b"]].mean(), 0, atol=1e-12)
    np.testing.assert_allclose(made["a"][X["a"].notna()].std(ddof=0), 1)  # of what is known
    assert made["c=(missing)"].tolist() == [0, 0, 1, 0]


def test_missing_numbers_take_the_mean_of_training(fitted):
    prepare, X = fitted
    new = X.iloc[[0, 1]].assign(a=[X["a"].mean(), np.nan])
    made = prepare.transform(new)
    np.testing.assert_allclose(made["a"], 0.0, atol=1e-12)


@pytest.mark.parametrize("value", [-3.0, 0.0, 50.0])
def test_beside_its_indicator_the_value_of_a_gap_changes_no_prediction(value):
    """So a mean, which sums give exactly, does for the gaps what a median would."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": np.exp(rng.normal(size=60)), "b": rng.normal(size=60), "task": 1})
    y = X["a"] + X["b"] + rng.normal(size=60)
    X.loc[::4, "a"] = np.nan
    filled = X.assign(a=X["a"].fillna(value), gap=X["a"].isna().astype(float))
    one = make_task_pipeline(LinearRegression(), "task", ["a", "b"], []).fit(X, y)
    np.testing.assert_allclose(
        one.predict(X), LinearRegression().fit(filled, y).predict(filled), rtol=1e-9
    )


def test_it_names_its_columns_whatever_output_is_configured(fitted):
    prepare, X = fitted
    made = prepare.transform(X)
    assert made.columns.tolist() == prepare[0].get_feature_names_out().tolist()
    with config_context(transform_output="pandas"):
        pd.testing.assert_frame_equal(prepare.transform(X), made)


def test_new_categories_are_all_zeros(fitted):
    prepare, X = fitted
    made = prepare.transform(X.assign(c="new", task=99))
    assert made[["c=u", "c=v", "c=(missing)"]].to_numpy().sum() == 0
    assert made["task"].tolist() == [99] * 4


def test_a_column_that_is_empty_in_training(fitted):
    _, X = fitted
    X = X.assign(a=np.nan)
    made = make_task_pipeline(DummyRegressor(), "task", ["a"], []).fit(X, X["b"])[:-1].transform(X)
    assert np.isfinite(made.to_numpy(float)).all()


def test_rare_categories_share_a_column():
    X = pd.DataFrame({"c": [f"c{i // 2}" for i in range(200)], "task": 1})
    made = make_task_pipeline(DummyRegressor(), "task", [], ["c"]).fit(X, np.zeros(200))[:-1]
    assert made.transform(X).shape[1] == 51
