"""The preprocessing inside the graph: gaps, rare and unknown categories, scales."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from polytask import MeanRegularizedRegressor, StreamPreparer, to_onnx
from polytask.export import ExportError
from polytask.tables import make_task_pipeline
from tests.export.helpers import EXACT, exported


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 400
    X = pd.DataFrame({
        "dose": 1e6 + rng.normal(size=n),
        "age": rng.integers(20, 70, n).astype(float),
        "arm": rng.choice(["a", "b", "c", None], n),
        "ward": [f"w{k}" for k in rng.geometric(0.04, n)],  # more than 50, most of them rare
        "site": rng.choice(["north", "south", "east"], n),
    })  # fmt: skip
    X.loc[::7, "dose"] = np.nan
    X["arm"] = X["arm"].astype(object).where(X["arm"].notna(), np.nan)
    y = X["age"] / 50 + (X["arm"] == "a") + X["dose"].isna() + rng.normal(size=n)
    return X, y.to_numpy()


def model():
    return MeanRegularizedRegressor(0.1, task="site")


def check(pipeline, X, y, new=None):
    pipeline.fit(X, y)
    new = X if new is None else new
    np.testing.assert_allclose(
        exported(pipeline, new)["prediction"], pipeline.predict(new), **EXACT
    )


def on(transformer, columns, task=("site",)):
    keep = ("task", "passthrough", list(task))
    parts = ColumnTransformer(
        [("made", transformer, columns), keep], verbose_feature_names_out=False
    )
    return make_pipeline(parts.set_output(transform="pandas"), model())


def test_the_commands_preprocessing(table):
    X, y = table
    assert X["ward"].nunique() > 50
    new = pd.concat([X, X.iloc[:4].assign(ward="never seen", arm=[np.nan, "new", "a", "b"])])
    check(make_task_pipeline(model(), "site", ["dose", "age"], ["arm", "ward"]), X, y, new)


def test_the_preprocessing_of_streamed_tables(table):
    X, y = table
    new = pd.concat([X, X.iloc[:3].assign(ward="never seen", arm=[np.nan, "new", "a"])])
    check(make_pipeline(StreamPreparer(task="site", max_categories=20), model()), X, y, new)


@pytest.mark.parametrize(
    "scaler",
    [StandardScaler(), StandardScaler(with_mean=False), StandardScaler(with_std=False),
     RobustScaler(), RobustScaler(with_centering=False), MaxAbsScaler(), MinMaxScaler(),
     MinMaxScaler((-1, 2), clip=True), FunctionTransformer(), "passthrough",
     FeatureUnion([("a", StandardScaler()), ("b", MaxAbsScaler())])],
    ids=lambda s: repr(s)[:40],
)  # fmt: skip
def test_scales(scaler, table):
    X, y = table
    check(on(scaler, ["age"]), X, y, X.assign(age=X["age"] * 1.3 - 10))


@pytest.mark.filterwarnings("ignore:Skipping features without any observed values")
@pytest.mark.parametrize(
    "imputer",
    [SimpleImputer(), SimpleImputer(strategy="median", add_indicator=True),
     SimpleImputer(keep_empty_features=True), SimpleImputer(strategy="constant", fill_value=3.0)],
)  # fmt: skip
def test_gaps(imputer, table):
    X, y = table
    X = X.assign(empty=np.nan)
    check(on(make_pipeline(imputer, StandardScaler()), ["age", "empty", "dose"]), X, y)


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize(
    "encoder",
    [OneHotEncoder(sparse_output=False, handle_unknown="ignore", drop="first"),
     OneHotEncoder(sparse_output=False, handle_unknown="infrequent_if_exist", min_frequency=20),
     OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-5, encoded_missing_value=9)],
)  # fmt: skip
def test_categories(encoder, table):
    X, y = table
    check(on(encoder, ["arm", "ward"]), X, y, X.assign(ward=["never seen", *X["ward"][1:]]))


def test_categories_that_are_whole_numbers(table):
    X, y = table
    X = X.assign(level=X["age"].astype(int) // 10)
    check(on(OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["level"]), X, y,
          X.assign(level=[99, *X["level"][1:]]))  # fmt: skip


def test_an_encoder_that_refuses_unknown_categories_gives_no_answer(table):
    X, y = table
    pipeline = on(OneHotEncoder(sparse_output=False), ["ward"]).fit(X, y)
    found = exported(pipeline, X.assign(ward=["never seen", *X["ward"][1:]]))["prediction"]
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], pipeline.predict(X)[1:], **EXACT)


def test_the_best_of_a_search_with_the_task_by_position(table):
    X, y = table
    prepare = ColumnTransformer([("z", StandardScaler(), [1]), ("task", "passthrough", [4])])
    ids = X.assign(site=X["site"].factorize()[0])
    inner = make_pipeline(prepare, MeanRegularizedRegressor(task=-1))
    search = GridSearchCV(inner, {"meanregularizedregressor__alpha": [0.1, 1.0]}, cv=3)
    check(search, ids, y)


@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        (on(PCA(1), ["age"]), "PCA has no ONNX form here. Known steps are ColumnTransformer"),
        (on(FunctionTransformer(np.sqrt), ["age"]), "calls a Python function"),
        (on(OneHotEncoder(sparse_output=False), ["age"]), "neither text nor whole numbers"),
        (on(make_pipeline(SimpleImputer(strategy="most_frequent"),
                          OneHotEncoder(sparse_output=False)), ["arm"]), "gaps in numbers"),
        (on(OneHotEncoder(sparse_output=False), ["site"]), None),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_says_so(pipeline, told, table):
    X, y = table
    pipeline.fit(X, y)
    if told is None:  # the task column may also be a feature
        np.testing.assert_allclose(
            exported(pipeline, X)["prediction"], pipeline.predict(X), **EXACT
        )
        return
    with pytest.raises(ExportError, match=told):
        to_onnx(pipeline)


def test_a_pipeline_fitted_to_an_array_says_so(table):
    X, y = table
    array = np.column_stack([X["age"], X["site"].factorize()[0]])
    prepare = ColumnTransformer([("z", StandardScaler(), [0]), ("task", "passthrough", [1])])
    fitted = make_pipeline(prepare, MeanRegularizedRegressor(0.1, task=1)).fit(array, y)
    with pytest.raises(ExportError, match="table with column names"):
        to_onnx(fitted)
