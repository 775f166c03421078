"""From tasks in a dict or a list to the long table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from polytask import stack_tasks

A, B = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])


def test_dict_and_list_of_arrays() -> None:
    X, y = stack_tasks({"b": (A, [1, 2]), "a": (B, [3])})
    assert X.dtype == object
    assert X[:, -1].tolist() == ["b", "b", "a"]
    assert y.tolist() == [1, 2, 3]
    X, y = stack_tasks([(A, [1, 2]), (B, [3])])
    assert X.dtype == float
    np.testing.assert_array_equal(X, [[1, 2, 0], [3, 4, 0], [5, 6, 1]])
    again, _ = stack_tasks(pair for pair in [(A, [1, 2]), (B, [3])])
    np.testing.assert_array_equal(again, X)


def test_nested_lists() -> None:
    X, y = stack_tasks([([[1, 2], [3, 4]], [1, 2]), ([[5, 6]], [3])])
    np.testing.assert_array_equal(X, [[1, 2, 0], [3, 4, 0], [5, 6, 1]])
    assert y.tolist() == [1, 2, 3]


def test_integer_keys_keep_float_features() -> None:
    X, _ = stack_tasks({7: (A.astype(np.float32), [1, 2]), 3: (B.astype(np.float32), [3])})
    assert X.dtype.kind == "f"
    assert X[:, -1].tolist() == [7, 7, 3]


def test_tables_are_joined_by_name() -> None:
    one = pd.DataFrame({"u": [1.0, 2.0], "v": [3.0, 4.0]}, index=[5, 5])
    other = pd.DataFrame({"v": [6.0], "u": [5.0]})
    X, _ = stack_tasks({"p": (one, [1, 2]), "q": (other, [3])}, task="site")
    assert list(X.columns) == ["u", "v", "site"]
    assert X.index.tolist() == [0, 1, 2]
    assert X.loc[2].tolist() == [5.0, 6.0, "q"]
    from_polars, _ = stack_tasks({"p": (pl.DataFrame({"u": [1.0]}), [1])})
    assert isinstance(from_polars, pd.DataFrame)


def test_sparse() -> None:
    X, _ = stack_tasks([(sparse.csr_matrix(A), [1, 2]), (B, [3])])
    assert sparse.issparse(X)
    np.testing.assert_array_equal(X.toarray(), [[1, 2, 0], [3, 4, 0], [5, 6, 1]])
    with pytest.raises(ValueError, match="ids must be numbers where an X_i is sparse"):
        stack_tasks({"a": (sparse.csr_matrix(A), [1, 2])})


@pytest.mark.parametrize(
    ("tasks", "error", "message"),
    [
        ([], ValueError, "at least one"),
        ([A, B], ValueError, r"task 0 must be a pair"),
        ({"a": (A, [1])}, ValueError, "task 'a' must have the same number of rows; got 2 and 1"),
        ([(A, [1, 2]), (B[:, :1], [3])], ValueError, "same features; got 2 for task 0 and 1"),
        ([(A, 1)], ValueError, r"y_i one; got shapes \(2, 2\) and \(\)"),
        ([(A, np.ones((2, 1)))], ValueError, "y_i one"),
        ([(A[0], [1, 2])], ValueError, "X_i of task 0 must have two dimensions"),
        ({("a", 1): (A, [1, 2])}, TypeError, r"strings or numbers; got \('a', 1\), a tuple"),
        ([(pd.DataFrame({"u": [1]}), [1]), (B, [3])], ValueError, "all tables or all arrays"),
        (
            [(pd.DataFrame({"u": [1]}), [1]), (pd.DataFrame({"v": [1]}), [1])],
            ValueError,
            "same fea",
        ),
        ([(pd.DataFrame({"task": [1]}), [1])], ValueError, "task must be a new column name"),
    ],
)
def test_mistakes(tasks: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        stack_tasks(tasks)  # type: ignore[arg-type]
