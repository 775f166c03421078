"""Columns of categories that are kept sparse: the same numbers, whoever reads them."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor, StreamPreparer
from polytask.data import split_rows
from polytask.data.split_rows import SplitRows

RNG = np.random.default_rng(0)
ROWS = 120
DENSE = np.where(RNG.random((ROWS, 5)) < 0.3, RNG.normal(size=(ROWS, 5)), 0.0)
FEW = [1, 2, 4]


@pytest.fixture
def split() -> SplitRows:
    full = (DENSE[:, 0], DENSE[:, 3])
    return SplitRows(full, np.array([0, 3]), sparse.csr_matrix(DENSE[:, FEW]), np.array(FEW))


@pytest.fixture
def table() -> pd.DataFrame:
    city = RNG.choice(list("abcdefgh"), ROWS)
    return pd.DataFrame(
        {
            "age": 40 + RNG.normal(size=ROWS),
            "city": np.where(city == "h", None, city),
            "rare": np.where(np.arange(ROWS) % 20 == 3, "x", "y"),  # its mean is far from zero
            "dose": np.where(RNG.random(ROWS) < 0.1, np.nan, RNG.normal(size=ROWS)),
            "task": RNG.choice(["s", "t", "u"], ROWS),
        }
    )


@pytest.mark.parametrize(
    "key",
    [
        slice(10, 30), np.array([3, 3, 110]), np.arange(ROWS) % 3 == 0, np.array([[1, 2], [4, 1]]),
        (slice(None), slice(None, 2)), (slice(5, 9), slice(-1, None)), (np.array([7, 2]), 4),
    ],
    ids=str,
)  # fmt: skip
def test_it_is_indexed_like_an_array(split: SplitRows, key) -> None:
    np.testing.assert_array_equal(split[key], DENSE[key])


def test_it_is_multiplied_and_read_like_an_array(split: SplitRows) -> None:
    V = RNG.normal(size=(5, 3))
    assert (len(split), split.shape, split.size) == (ROWS, DENSE.shape, DENSE.size)
    np.testing.assert_allclose(split @ V, DENSE @ V, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(split @ V[:, 0], DENSE @ V[:, 0], rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(np.asarray(split), DENSE)
    np.testing.assert_array_equal(np.ones((ROWS, 1)) * split, DENSE)


def test_rows_are_taken_and_moved(split: SplitRows) -> None:
    order, shift = RNG.permutation(ROWS), np.array([0.5, 0.0, 0.25, -1.0, 0.0])
    with_ones = np.column_stack([DENSE[order], np.ones(ROWS)])
    np.testing.assert_array_equal(split.taken(order, ones=True)[:], with_ones)
    moved, left = split.less(shift, 1e-14)
    assert left is not None
    np.testing.assert_array_equal(moved[:] - left, DENSE - shift)
    assert split.less(np.array([0.5, 0, 0, 0, 0]), 1e-14)[1] is None


def test_large_tables_are_prepared_alike(table: pd.DataFrame, monkeypatch) -> None:
    prepare = StreamPreparer("task", categorical=("city", "rare")).fit(table)
    dense = prepare.transform(table)
    monkeypatch.setattr(split_rows, "MANY_CELLS", 1)
    kept = prepare.transform(table)
    assert isinstance(kept["city=a"].dtype, pd.SparseDtype)
    assert list(kept) == list(dense)
    for name in dense:
        np.testing.assert_array_equal(np.asarray(kept[name]), dense[name].to_numpy())


@pytest.mark.parametrize("Model", [MeanRegularizedRegressor, MeanRegularizedClassifier])
def test_models_answer_alike(Model, table: pd.DataFrame, monkeypatch) -> None:
    prepare = StreamPreparer("task", categorical=("city", "rare")).fit(table)
    y = table["age"].to_numpy() + (table["city"] == "a") + RNG.normal(size=ROWS)
    y = y if Model is MeanRegularizedRegressor else np.where(y > np.median(y), "yes", "no")
    dense = prepare.transform(table)
    model = Model(task="task").fit(dense, y)
    monkeypatch.setattr(split_rows, "MANY_CELLS", 1)
    kept = prepare.transform(table)
    found = Model(task="task").fit(kept, y)
    np.testing.assert_allclose(found.coef_, model.coef_, rtol=1e-9, atol=1e-11)
    np.testing.assert_array_equal(found.predict(kept), found.predict(dense))
