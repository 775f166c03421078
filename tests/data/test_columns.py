"""The task column in every kind of table and every kind of id."""

import decimal
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import polytask
from polytask.data import drop_task_column, is_frame, read_task_ids, to_array

FRAMES = {
    "pandas": lambda ids: pd.DataFrame({"x": range(len(ids)), "t": ids}),
    "polars": lambda ids: pl.DataFrame({"x": range(len(ids)), "t": ids}),
    "pyarrow": lambda ids: pa.table({"x": list(range(len(ids))), "t": ids}),
}
BIG = 2**60


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize(
    "ids",
    [["b", "a", "b"], [3, 1, 3], [BIG, BIG + 1, -BIG], ["1", "01", "1.0"]],
    ids=["text", "integers", "large integers", "text that looks like numbers"],
)
def test_ids_of_a_table(kind: str, ids: list) -> None:
    found = read_task_ids(FRAMES[kind](ids), "t")
    assert found.tolist() == ids
    assert found.dtype.kind == ("U" if isinstance(ids[0], str) else "i")
    assert read_task_ids(FRAMES[kind](ids), -1).tolist() == ids, "by position"


@pytest.mark.parametrize("kind", FRAMES)
def test_true_and_false_are_ids_of_their_own(kind: str) -> None:
    truths = FRAMES[kind]([True, False, True])
    assert read_task_ids(truths, "t").tolist() == ["True", "False", "True"]
    assert read_task_ids(np.array([[True, 1], [False, 2]], dtype=object), 0).tolist() == [
        "True", "False"]  # fmt: skip


@pytest.mark.parametrize("kind", FRAMES)
def test_decimals_are_the_numbers_that_they_say(kind: str) -> None:
    whole = [decimal.Decimal("1.00"), decimal.Decimal(2), decimal.Decimal(BIG + 1)]
    found = read_task_ids(FRAMES[kind](whole), "t")
    assert found.tolist() == [1, 2, BIG + 1]
    assert found.dtype == np.int64


@pytest.mark.parametrize("dtype", [pl.Int128, pl.Int8, pl.UInt64])
def test_whole_numbers_of_every_width(dtype: pl.DataType) -> None:
    frame = pl.DataFrame({"t": pl.Series([3, 1, 3], dtype=dtype), "x": [1.0, 2.0, 3.0]})
    assert read_task_ids(frame, "t").tolist() == [3, 1, 3]
    model = polytask.MeanRegularizedRegressor(0.1, task="t").fit(frame, [1.0, 2.0, 3.0])
    assert model.tasks_.tolist() == [1, 3]
    assert np.isfinite(model.predict(frame)).all()


def test_numbers_beyond_what_numpy_holds_stay_whole() -> None:
    far = [10**30, 10**30 + 1]
    frame = pl.DataFrame({"t": pl.Series(far, dtype=pl.Int128), "x": [1.0, 2.0]})
    assert read_task_ids(frame, "t").tolist() == [str(v) for v in far]


def test_categories_and_nullable_columns() -> None:
    for column, expected in (
        (pd.Categorical(["b", "a"]), ["b", "a"]),
        (pd.Categorical([5, 2], categories=[5, 2, 7]), [5, 2]),
        (pd.array([2, 1], dtype="Int64"), [2, 1]),
        (pd.array(["b", "a"], dtype="string"), ["b", "a"]),
        (np.array([2, 1], dtype=np.uint8), [2, 1]),
        (np.array([2.0, 1.0], dtype=np.float32), [2, 1]),
        (np.array(["b", 1], dtype=object), ["b", "1"]),
    ):
        assert read_task_ids(pd.DataFrame({"t": column, "x": 1.0}), "t").tolist() == expected
    enum = pl.DataFrame({"t": pl.Series(["b", "a"], dtype=pl.Enum(["a", "b"])), "x": [1.0, 2.0]})
    assert read_task_ids(enum, "t").tolist() == ["b", "a"]


def test_ids_of_arrays() -> None:
    assert read_task_ids(np.array([[1.0, 5.0], [2.0, 6.0]]), 1).tolist() == [5, 6]
    assert read_task_ids(np.array([[1, 5], [2, 6]], dtype=np.int8), -1).tolist() == [5, 6]
    assert read_task_ids(np.array([["a", 5], ["b", 6]], dtype=object), 0).tolist() == ["a", "b"]
    assert read_task_ids(np.array([["a", "5"], ["b", "6"]]), 0).tolist() == ["a", "b"]
    assert read_task_ids([[1, 5.0], [2, 6.0]], 0).tolist() == [1, 2]
    thin = sparse.csr_matrix(np.array([[0.0, 5.0], [1.0, 0.0]]))
    for matrix in (thin, thin.tocoo(), thin.tocsc(), sparse.csr_array(thin)):
        assert read_task_ids(matrix, 0).tolist() == [0, 1]


def test_very_large_ids_do_not_meet() -> None:
    """2^60 and 2^60 + 1 are the same float, and may not become the same task."""
    ids = np.array([BIG, BIG + 1])
    for column in (ids, ids.astype(object), ids.astype(np.uint64), pd.array(ids, dtype="Int64")):
        found = read_task_ids(pd.DataFrame({"t": column, "x": [1.0, 2.0]}), "t")
        assert found.tolist() == ids.tolist()
    beyond = np.array([2**63 + 1, 2**63 + 2], dtype=np.uint64)
    found = read_task_ids(pd.DataFrame({"t": beyond, "x": [1.0, 2.0]}), "t")
    assert found.tolist() == [str(2**63 + 1), str(2**63 + 2)]
    assert read_task_ids(beyond[:, None], 0).tolist() == found.tolist()


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"t": ["a", None], "x": [1, 2]}),
        pd.DataFrame({"t": [1.0, np.nan], "x": [1, 2]}),
        pd.DataFrame({"t": pd.array([1, None], dtype="Int64"), "x": [1, 2]}),
        pl.DataFrame({"t": ["a", None], "x": [1, 2]}),
        pl.DataFrame({"t": [1.0, float("nan")], "x": [1, 2]}),
        pa.table({"t": ["a", None], "x": [1, 2]}),
    ],
)
def test_missing_ids_of_tables(X: object) -> None:
    with pytest.raises(ValueError, match=r"missing; column 't' contains .* in 1 row.*Drop"):
        read_task_ids(X, "t")


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT])
def test_missing_ids_of_arrays(missing: object) -> None:
    with pytest.raises(ValueError, match="must not be missing"):
        read_task_ids(np.array([[missing, 1], ["a", 2]], dtype=object), 0)
    if missing is np.nan:
        with pytest.raises(ValueError, match="must not be missing"):
            read_task_ids(np.array([[missing, 1], [2.0, 2]]), 0)


def test_other_ids_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="must be finite"):
        read_task_ids(np.array([[np.inf, 1], [2.0, 2]]), 0)
    for odd in [(1, 2), {"a": 1}, [1], 1j, b"a"]:
        column = np.empty(2, dtype=object)
        column[:] = [odd, odd]
        with pytest.raises(TypeError, match="must be a string or a number"):
            read_task_ids(pd.DataFrame({"t": column, "x": [1, 2]}), "t")
    with pytest.raises(TypeError, match="must be a string or a number"):
        read_task_ids(np.array([[1j, 2], [3, 4]]), 0)


def test_continuous_ids_warn() -> None:
    with pytest.warns(UserWarning, match="looks continuous"):
        found = read_task_ids(np.array([[0.5, 1], [1.25, 2]]), 0)
    assert found.tolist() == [0.5, 1.25]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_task_ids(np.array([[1.0, 1], [-3.0, 2]]), 0)


@pytest.mark.parametrize(("dtype", "limit"), [(np.float64, 2**53), (np.float32, 2**24)])
def test_floats_that_cannot_hold_the_ids_warn_of_that(dtype: type, limit: int) -> None:
    with pytest.warns(UserWarning, match="cannot tell neighbours of that size apart"):
        read_task_ids(np.array([[float(limit), 1], [2.0, 2]], dtype=dtype), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_task_ids(np.array([[float(limit - 1), 1], [2.0, 2]], dtype=dtype), 0)
    assert found.tolist() == [limit - 1, 2]


def test_a_column_that_is_not_there() -> None:
    frame = pd.DataFrame({"school": [1], "x": [2]})
    with pytest.raises(ValueError, match=r"got 'scool'.*Did you mean 'school'"):
        read_task_ids(frame, "scool")
    with pytest.raises(ValueError, match=r"Columns are \['school', 'x'\]"):
        read_task_ids(frame, "zzz")
    with pytest.raises(ValueError, match="position when X has no column names; got 'school'"):
        read_task_ids(np.ones((2, 2)), "school")
    for position in (2, -3):
        with pytest.raises(ValueError, match="but X has 2 columns"):
            read_task_ids(np.ones((2, 2)), position)
        with pytest.raises(ValueError, match="but X has 2 columns"):
            read_task_ids(frame, position)


def test_integer_column_names_come_before_positions() -> None:
    frame = pd.DataFrame([[7, 8], [9, 10]], columns=[1, 0])
    assert read_task_ids(frame, 1).tolist() == [7, 9]
    assert list(drop_task_column(frame, 1).columns) == [0]


@pytest.mark.parametrize("kind", FRAMES)
def test_the_rest_of_a_table(kind: str) -> None:
    X = FRAMES[kind](["a", "b"])
    rest = drop_task_column(X, "t")
    assert type(rest) is type(X)
    assert is_frame(rest)
    np.testing.assert_array_equal(to_array(rest), [[0], [1]])
    assert X.shape[1] == 2, "the table is left alone"


def test_the_rest_of_arrays() -> None:
    X = np.arange(6.0).reshape(2, 3)
    for task, expected in ((0, X[:, 1:]), (-1, X[:, :2]), (1, X[:, [0, 2]])):
        np.testing.assert_array_equal(drop_task_column(X, task), expected)
        thin = drop_task_column(sparse.csr_matrix(X), task)
        assert thin.format == "csr"
        np.testing.assert_array_equal(thin.toarray(), expected)
