"""The same answer through every door, to the last digits."""

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import polytask
from polytask import stack_tasks
from tests.solvers.helpers import random_tasks

MODELS = ["SingleTask", "Pooled", "TaskIntercept", "MeanRegularized"]
SIZES, D = [6, 9, 4], 3
COLUMNS = ["u", "v", "w"]


@pytest.fixture
def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows in no order."""
    rng = np.random.default_rng(0)
    X, y, ids = random_tasks(rng, SIZES, D)
    order = rng.permutation(len(y))
    return X[order], y[order], ids[order]


def doors(X: np.ndarray, ids: np.ndarray) -> dict[str, tuple[Any, Any]]:
    """The table in every container, with the parameter that names the task column."""
    frame = pd.DataFrame(X, columns=COLUMNS)
    text = np.array([f"t{i}" for i in ids])
    return {
        "numpy, first": (np.column_stack([ids, X]), 0),
        "numpy, last": (np.column_stack([X, ids]), -1),
        "numpy, middle": (np.column_stack([X[:, :1], ids, X[:, 1:]]), 1),
        "numpy, Fortran order": (np.asfortranarray(np.column_stack([ids, X])), 0),
        "numpy objects": (np.column_stack([text.astype(object), X.astype(object)]), 0),
        "lists": (np.column_stack([ids, X]).tolist(), 0),
        "csr": (sparse.csr_matrix(np.column_stack([ids, X])), 0),
        "csc": (sparse.csc_matrix(np.column_stack([ids, X])), 0),
        "csr array": (sparse.csr_array(np.column_stack([X, ids])), 3),
        "pandas integers": (frame.assign(task=ids), "task"),
        "pandas text": (frame.assign(task=text), "task"),
        "pandas category": (frame.assign(task=pd.Categorical(text)), "task"),
        "pandas object": (frame.assign(task=text.astype(object)), "task"),
        "pandas nullable": (frame.convert_dtypes().assign(task=pd.array(ids, "Int64")), "task"),
        "pandas odd index": (frame.assign(task=ids).set_index(np.full(len(ids), 7)), "task"),
        "pandas task first": (pd.DataFrame({"task": text}).join(frame), "task"),
        "pandas by position": (pd.DataFrame({"task": text}).join(frame), 0),
        "polars": (pl.DataFrame(frame).with_columns(task=text), "task"),
        "polars category": (
            pl.DataFrame(frame).with_columns(task=pl.Series(text, dtype=pl.Categorical)), "task",
        ),
        "pyarrow": (pa.table({**{c: frame[c] for c in COLUMNS}, "task": text}), "task"),
    }  # fmt: skip


NAMES = list(doors(np.zeros((1, D)), np.zeros(1, dtype=int)))


@pytest.mark.parametrize("door", NAMES)
@pytest.mark.parametrize("stem", MODELS)
@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
def test_every_container(door: str, stem: str, role: str, table: tuple) -> None:
    X, y, ids = table
    y = y if role == "Regressor" else np.where(y > 0, "yes", "no")
    Model = getattr(polytask, stem + role)
    plain = Model(0.1, task=0).fit(np.column_stack([ids, X]), y)
    data, task = doors(X, ids)[door]
    model = Model(0.1, task=task).fit(data, y)
    thin = door.startswith("cs")  # sums of products are taken in another order there
    tolerance = {"rtol": 1e-9, "atol": 1e-12} if thin else {"rtol": 1e-14, "atol": 0}
    np.testing.assert_allclose(model.coef_, plain.coef_, **tolerance)
    np.testing.assert_allclose(model.intercept_, plain.intercept_, **tolerance)
    assert [str(t)[-1] for t in model.tasks_] == ["0", "1", "2"]
    predicted, expected = model.predict(data), plain.predict(np.column_stack([ids, X]))
    if role == "Regressor":
        np.testing.assert_allclose(predicted, expected, **tolerance)
    else:
        np.testing.assert_array_equal(predicted, expected)
        probability = plain.predict_proba(np.column_stack([ids, X]))
        np.testing.assert_allclose(model.predict_proba(data), probability, **tolerance)


@pytest.mark.parametrize("stem", MODELS)
def test_stacked_dicts_and_lists(stem: str, table: tuple) -> None:
    X, y, ids = table
    Model = getattr(polytask, stem + "Regressor")
    plain = Model(0.1, task=0).fit(np.column_stack([ids, X]), y)
    parts = [(X[ids == i], y[ids == i]) for i in range(3)]
    frames = {
        f"t{i}": (pd.DataFrame(X_i, columns=COLUMNS), y_i) for i, (X_i, y_i) in enumerate(parts)
    }
    thin = [(sparse.csr_matrix(X_i), y_i) for X_i, y_i in parts]
    for tasks, task, rtol in (
        (parts, -1, 1e-14), (dict(zip("abc", parts, strict=True)), -1, 1e-14),
        (frames, "task", 1e-14), (thin, -1, 1e-9),
    ):  # fmt: skip
        model = Model(0.1, task=task).fit(*stack_tasks(tasks))
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=rtol)


@pytest.mark.parametrize("stem", MODELS)
@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
@pytest.mark.parametrize("weighted", [False, True])
def test_wide_target_is_the_long_table_of_its_entries(stem: str, role: str, weighted: bool) -> None:
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(20, D)), rng.normal(size=(20, 4))
    Y[rng.random(Y.shape) < 0.4] = np.nan
    if role == "Classifier":
        Y = np.where(np.isnan(Y), np.nan, (Y > 0).astype(float))
    row, task = np.nonzero(~np.isnan(Y))
    w = rng.uniform(0.5, 2.0, Y.shape) if weighted else None
    Model = getattr(polytask, stem + role)
    wide = Model(0.1).fit(X, Y, sample_weight=w)
    long = Model(0.1, task=0).fit(
        np.column_stack([task, X[row]]),
        Y[row, task],
        sample_weight=w[row, task] if weighted else None,
    )
    np.testing.assert_allclose(wide.coef_, long.coef_, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(wide.intercept_, long.intercept_, rtol=1e-11, atol=1e-14)
    assert wide.predict(X).shape == Y.shape
    np.testing.assert_allclose(
        np.asarray(wide.predict(X), dtype=float)[row, task],
        np.asarray(long.predict(np.column_stack([task, X[row]])), dtype=float), rtol=1e-11,
    )  # fmt: skip
    named = Model(0.1).fit(X, pd.DataFrame(Y, columns=list("abcd")), sample_weight=w)
    np.testing.assert_array_equal(named.coef_, wide.coef_)
    assert named.tasks_.tolist() == list("abcd")
    in_polars = Model(0.1).fit(X, pl.DataFrame(Y, schema=list("abcd")), sample_weight=w)
    np.testing.assert_array_equal(in_polars.coef_, wide.coef_)


def test_wide_target_without_gaps_is_scikit_learns_ridge() -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(2)
    X, Y = rng.normal(size=(20, D)), rng.normal(size=(20, 4))
    model = polytask.SingleTaskRegressor(0.1).fit(X, Y)
    ridge = Ridge(alpha=2 * 0.1 * 4 * 20).fit(X, Y)
    np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-10)
    np.testing.assert_allclose(model.predict(X), ridge.predict(X), rtol=1e-10)


@pytest.mark.parametrize(
    "y",
    [
        np.array([["a", None, "b"], ["b", "a", np.nan], ["a", "b", "a"]], dtype=object),
        np.array([[1, None, 2], [2, 1, np.nan], [1, 2, 1]], dtype=object),
        pd.DataFrame([["a", None, "b"], ["b", "a", None], ["a", "b", "a"]]),
        pd.DataFrame([[1, None, 0], [0, 1, None], [1, 0, 1]]).astype("Int64"),
        pd.DataFrame([[True, None], [False, True], [True, False]]).astype("boolean"),
        pl.DataFrame({"a": ["n", "y", "n"], "b": [None, "n", "y"], "c": ["y", None, "y"]}),
    ],
    ids=["objects", "numbers in objects", "pandas text", "nullable", "booleans", "polars text"],
)  # fmt: skip
def test_wide_labels_of_any_kind_with_gaps(y: Any) -> None:
    X = np.arange(3.0)[:, None]
    model = polytask.PooledClassifier(0.1).fit(X, y)
    assert model.classes_.shape == (2,)
    assert set(np.unique(model.predict(X)).tolist()) <= set(model.classes_.tolist())
    assert 0.0 <= model.score(X, y) <= 1.0


@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
def test_one_dimensional_weights(role: str, table: tuple) -> None:
    """Zero leaves a row out, a whole number repeats it, and a common factor does not matter."""
    X, y, ids = table
    y = y if role == "Regressor" else (y > 0).astype(int)
    Model = getattr(polytask, "MeanRegularized" + role)
    rng = np.random.default_rng(3)
    w = rng.integers(0, 4, len(y))
    again = np.repeat(np.arange(len(y)), w)
    Z = np.column_stack([ids, X])
    weighted = Model(0.1, task=0, tol=1e-11).fit(Z, y, sample_weight=w)
    for other in (
        Model(0.1, task=0, tol=1e-11).fit(Z[again], y[again]),
        Model(0.1, task=0, tol=1e-11).fit(Z, y, sample_weight=2.5 * w),
        Model(0.1, task=0, tol=1e-11).fit(Z, y, sample_weight=w.tolist()),
        Model(0.1, task=0, tol=1e-11).fit(Z, y, sample_weight=pd.Series(w)),
    ):
        np.testing.assert_allclose(weighted.coef_, other.coef_, rtol=1e-8, atol=1e-11)


def test_weights_of_a_wide_target() -> None:
    rng = np.random.default_rng(4)
    X, Y = rng.normal(size=(12, D)), rng.normal(size=(12, 3))
    w = rng.integers(1, 3, 12).astype(float)
    a = polytask.MeanRegularizedRegressor(0.1).fit(X, Y, sample_weight=w)
    b = polytask.MeanRegularizedRegressor(0.1).fit(X, Y, sample_weight=np.repeat(w[:, None], 3, 1))
    np.testing.assert_array_equal(a.coef_, b.coef_)
    gaps = Y.copy()
    gaps[:4, 0] = np.nan
    weight = np.ones_like(Y)
    weight[:4, 0] = 0.0
    c = polytask.MeanRegularizedRegressor(0.1).fit(X, gaps)
    d = polytask.MeanRegularizedRegressor(0.1).fit(X, Y, sample_weight=weight)
    np.testing.assert_allclose(c.coef_, d.coef_, rtol=1e-13)
    weight[:4, 0] = np.nan
    e = polytask.MeanRegularizedRegressor(0.1).fit(X, gaps, sample_weight=weight)
    np.testing.assert_array_equal(c.coef_, e.coef_)


def test_a_task_of_zero_weight_is_not_there(table: tuple) -> None:
    X, y, ids = table
    model = polytask.MeanRegularizedRegressor(0.1, task=0, unseen="common")
    model.fit(np.column_stack([ids, X]), y, sample_weight=(ids != 1).astype(float))
    assert model.tasks_.tolist() == [0, 2]
    expected = X[:1] @ model.common_coef_ + model.common_intercept_
    np.testing.assert_allclose(model.predict(np.column_stack([[1], X[:1]])), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.int16, bool, object])
def test_features_of_other_types(dtype: Any, table: tuple) -> None:
    X, y, ids = table
    X = X > 0 if dtype is bool else np.round(10 * X)
    plain = polytask.MeanRegularizedRegressor(0.1, task=0).fit(np.column_stack([ids, X]), y)
    frame = pd.DataFrame(X.astype(dtype), columns=COLUMNS).assign(task=ids)
    model = polytask.MeanRegularizedRegressor(0.1, task="task").fit(frame, y)
    np.testing.assert_allclose(
        model.coef_, plain.coef_, rtol=1e-5 if dtype is np.float32 else 1e-14
    )
    assert model.coef_.dtype == np.float64


def test_targets_of_other_kinds(table: tuple) -> None:
    X, y, ids = table
    y = np.round(10 * y)
    Z = np.column_stack([ids, X])
    plain = polytask.MeanRegularizedRegressor(0.1, task=0).fit(Z, y)
    for target in (
        y.tolist(), y.astype(int), pd.Series(y, index=range(5, 5 + len(y))), pl.Series(y),
        pa.chunked_array([y]), y.astype(object), pd.Series(y).astype("Int64"),
    ):  # fmt: skip
        model = polytask.MeanRegularizedRegressor(0.1, task=0).fit(Z, target)
        np.testing.assert_array_equal(model.coef_, plain.coef_)
