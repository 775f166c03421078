"""The preparer in batches is the preparer on the whole table, and agrees with scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor, StreamPreparer


@pytest.fixture
def table(rng):
    n = 400
    X = pd.DataFrame(
        {
            "age": 40 + 10 * rng.normal(size=n),
            "hours": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "sex": rng.choice(["F", "M"], size=n),
            "town": pd.Series(rng.choice(["a", "b", "c"], size=n)).where(rng.random(n) < 0.9),
            "old": rng.random(n) < 0.3,
            "school": rng.integers(8, size=n),
        }
    )
    y = 0.1 * X["age"] + X["hours"].fillna(0) + (X["sex"] == "F") + rng.normal(size=n)
    return X, y


def test_columns(table):
    X, _ = table
    made = StreamPreparer(task="school").fit_transform(X)
    assert list(made) == [
        "age", "hours", "missingindicator_hours", "sex=F", "sex=M", "town=a", "town=b", "town=c",
        "town=(missing)", "old", "school",
    ]  # fmt: skip
    assert_array_equal(made["school"], X["school"])
    assert_array_equal(made["sex=F"], X["sex"] == "F")
    assert_array_equal(made["town=(missing)"], X["town"].isna())
    assert_allclose(made["age"], StandardScaler().fit_transform(X[["age"]])[:, 0])
    assert_allclose(made.drop(columns="school")["hours"].std(ddof=0), 1.0, rtol=0.1)
    missing = StandardScaler().fit_transform(X[["hours"]].isna().astype(float))[:, 0]
    assert_allclose(made["missingindicator_hours"], missing)
    assert not made.isna().any().any()


def test_unseen_categories_and_rare_ones():
    X = pd.DataFrame({"c": [*"aaabbcd"], "t": 1})
    few = StreamPreparer(task="t", max_categories=3).fit(X)
    assert few.features_made() == ["c=a", "c=b", "c=(rest)"]
    new = few.transform(pd.DataFrame({"c": ["c", "z", "a"], "t": 1}))
    assert_array_equal(new["c=(rest)"], [1, 1, 0])
    every = StreamPreparer(task="t").fit(X)
    assert every.transform(pd.DataFrame({"c": ["z"], "t": 1})).drop(columns="t").sum().sum() == 0


def test_numbers_may_be_labels():
    X = pd.DataFrame({"code": [1, 2, 1], "t": [0, 0, 1]})
    made = StreamPreparer(task="t", categorical=["code"]).fit_transform(X)
    assert list(made) == ["code=1", "code=2", "t"]


def test_constant_and_empty_columns():
    X = pd.DataFrame({"one": 1e8, "none": [np.nan] * 3, "t": 1})
    made = StreamPreparer(task="t").fit_transform(X)
    assert_array_equal(made["one"], 0.0)
    assert_array_equal(made["none"], 0.0)


@pytest.mark.parametrize("role", ["regressor", "classifier"])
def test_fit_parquet_equals_a_pipeline(table, tmp_path, role):
    X, y = table
    model = MeanRegularizedRegressor(0.1, task="school")
    if role == "classifier":
        y = (y > y.median()).astype(int)
        model = MeanRegularizedClassifier(0.1, task="school")
    X.assign(y=y).to_parquet(tmp_path / "rows.parquet", row_group_size=90)
    pipeline = make_pipeline(StreamPreparer(task="school"), model).fit(X, y)
    here = pipeline.predict(X)
    coef = model.coef_
    prepare = StreamPreparer(task="school")
    model = type(model)(0.1, task="school")
    model.fit_parquet(tmp_path, target="y", prepare=prepare, batch_rows=64)
    assert_allclose(model.coef_, coef, rtol=1e-6, atol=1e-9)
    assert_allclose(model.predict(prepare.transform(X)), here, rtol=1e-6)


def test_errors(table):
    X, _ = table
    prepare = StreamPreparer(task="school").fit(X)
    with pytest.raises(ValueError, match=r"columns of training; it lacks \['age'\]"):
        prepare.transform(X.drop(columns="age"))
    with pytest.raises(ValueError, match="'age' must be finite"):
        StreamPreparer(task="school").fit(X.assign(age=np.inf))
