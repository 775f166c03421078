"""Every linear formulation gives in onnxruntime what it gives in Python."""

import numpy as np
import pandas as pd
import pytest

import polytask
from polytask import AutoMultiTaskRegressor, MeanRegularizedRegressor, to_onnx
from polytask.datasets import make_related_tasks
from polytask.export import ExportError
from polytask.models.registry import estimators, formulations
from tests.export.helpers import EXACT, exported


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_related_tasks(n_tasks=4, n_features=3, n_rows=25, random_state=0)
    X["task"] = "school " + X["task"].astype(str)
    return X, np.asarray(y)


def fitted(name, X, y, **options):
    model = estimators()[name](task="task", **options)
    return model.fit(X, y if name.endswith("Regressor") else np.where(y > 0, "high", "low"))


APART = ("multilevel",)  # its coefficients go by several ids
LINEAR = [
    kind.__name__
    for f in formulations().values()
    if f.linear and f.name not in APART
    for kind in (f.regressor, f.classifier)
    if kind is not None
]


CURVED = ("CurvedRegressor", "CurvedClassifier")


@pytest.mark.parametrize("name", [*sorted(LINEAR), *CURVED])
def test_answers_of_every_formulation(name, table):
    X, y = table
    given = {"alpha": 0.02} if "alpha" in estimators()[name]().get_params() else {}
    model = fitted(name, X, y, unseen="common", **given)
    assert len(np.unique(model.predict(X))) > 1
    new = pd.concat([X, X.iloc[:3].assign(task="a new one")])
    if name in CURVED:  # beyond the knots, too
        new.iloc[:, :3] *= np.linspace(0.0, 3.0, len(new))[:, None]
    found = exported(model, new)
    np.testing.assert_array_equal(found["unseen_task"], [False] * len(X) + [True] * 3)
    if name.endswith("Regressor"):
        np.testing.assert_allclose(found["prediction"], model.predict(new), **EXACT)
    else:
        np.testing.assert_array_equal(found["prediction"], model.predict(new))
        expected = model.predict_proba(new)[:, 1]
        np.testing.assert_allclose(found["probability"], expected, **EXACT)


@pytest.mark.parametrize("name", ["MeanRegularizedRegressor", "MeanRegularizedClassifier"])
def test_unseen_tasks_get_no_answer_unless_asked_for(name, table):
    X, y = table
    model = fitted(name, X, y, alpha=0.1)
    new = X.iloc[:2].assign(task=["school 1", "elsewhere"])
    found = exported(model, new)
    assert found["unseen_task"].tolist() == [False, True]
    number = "probability" if name.endswith("Classifier") else "prediction"
    assert np.isnan(found[number]).tolist() == [False, True]
    assert name.endswith("Regressor") or found["prediction"].tolist()[1] == ""
    answered = exported(model, new, unseen="common")
    assert not np.isnan(answered[number]).any()


def test_weighed_candidates_without_a_common_part_answer_for_new_tasks(table):
    X, y = table
    model = AutoMultiTaskRegressor(["low-rank", "pooled"], task="task", unseen="common").fit(X, y)
    new = X.assign(task="a new one")
    np.testing.assert_allclose(exported(model, new)["prediction"], model.predict(new), **EXACT)


def test_expected_counts(table):
    X, y = table
    model = MeanRegularizedRegressor(task="task", loss="poisson").fit(X, np.exp(y / 3).round())
    np.testing.assert_allclose(exported(model, X)["prediction"], model.predict(X), **EXACT)


def test_arrays_with_whole_numbers_as_ids(table):
    X, y = table
    ids = pd.factorize(X["task"])[0]
    array = np.column_stack([X[["x0", "x1"]], ids, X["x2"]])
    model = MeanRegularizedRegressor(0.1, task=2).fit(array, y)
    found = exported(model, {"X": array[:, [0, 1, 3]], "task": ids})
    np.testing.assert_allclose(found["prediction"], model.predict(array), **EXACT)


def test_a_column_per_task_and_a_single_task(table):
    X, y = table
    X = X.drop(columns="task")
    wide = MeanRegularizedRegressor(0.1).fit(X, np.column_stack([y, -2 * y]))
    found = exported(wide, X)
    assert list(found) == ["prediction"]
    np.testing.assert_allclose(found["prediction"], wide.predict(X), **EXACT)
    single = MeanRegularizedRegressor(0.1).fit(X.to_numpy(), y)
    found = exported(single, {"X": X.to_numpy()})
    np.testing.assert_allclose(found["prediction"], single.predict(X.to_numpy()), **EXACT)


@pytest.mark.parametrize(
    ("labels", "none"), [([True, False], ""), ([3, -1], np.iinfo(np.int64).min), ([2.0, 5.0], None)]
)
def test_labels_of_every_kind(labels, none, table):
    X, y = table
    model = polytask.PooledClassifier(task="task").fit(X, np.where(y > 0, *labels))
    new = pd.concat([X, X.iloc[:1].assign(task="new")])
    found = exported(model, new, unseen="error")["prediction"]
    expected = model.predict(X)
    np.testing.assert_array_equal(
        found[:-1], expected.astype(str if none == "" else expected.dtype)
    )
    assert np.isnan(found[-1]) if none is None else found[-1] == none


def test_a_column_may_bear_the_name_of_an_output(table):
    X, y = table
    X = X.rename(columns={"x0": "prediction"})
    model = MeanRegularizedRegressor(0.1, task="task").fit(X, y)
    np.testing.assert_allclose(exported(model, X)["prediction_2"], model.predict(X), **EXACT)


def test_what_is_kept_in_the_file(table):
    graph = to_onnx(fitted("PooledRegressor", *table), metadata={"owner": "us"})
    assert {p.key: p.value for p in graph.metadata_props} == {"owner": "us"}
    assert graph.producer_name == "polytask"


def test_models_that_are_not_linear_say_so(table):
    from polytask.inspection import BoostedTreesRegressor

    X, y = table
    with pytest.raises(ExportError, match="must be a linear or curved multi-task model"):
        to_onnx(BoostedTreesRegressor(task="task").fit(X, y))
    with pytest.raises(ExportError, match="got SharedTreesRegressor, fitted to what makes no"):
        to_onnx(fitted("SharedTreesRegressor", X, y, max_iter=2))
    with pytest.raises(ExportError, match="unseen must be 'error' or 'common'; got 'mean'"):
        to_onnx(fitted("PooledRegressor", X, y), unseen="mean")
    with (
        pytest.raises(ExportError, match="fractions"),
        pytest.warns(UserWarning, match="continuous"),
    ):
        to_onnx(fitted("PooledRegressor", X.assign(task=np.repeat([0.5, 1.5], 50)), y))


def test_networks_say_so(table):
    pytest.importorskip("torch")
    X, y = table
    model = polytask.SharedHiddenLayerRegressor(task="task", max_iter=2).fit(X, y)
    with pytest.raises(ExportError, match="SharedHiddenLayerRegressor"):
        to_onnx(model)
