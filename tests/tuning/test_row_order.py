"""The order in which comparisons deal rows is that of what the rows hold."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from polytask.tuning.row_order import row_order


def hostile_table(rng, n=300):
    """Few values, text, dates, gaps, a constant, a year: many rows are nearly alike."""
    X = pd.DataFrame({
        "left": np.arange(n) % 2, "right": np.arange(n) // 2 % 2, "one": 1.0,
        "year": 1950 + rng.integers(0, 70, n), "town": rng.choice(["Ulm", "Bonn", "Kiel"], n),
        "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D"),
        "gaps": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        "task": rng.choice(["a", "b", "c", "d"], n),
    })  # fmt: skip
    return X, (X["left"] + X["year"] / 40 + rng.normal(size=n)).to_numpy()


def in_order(X, y):
    order = row_order(X, y, pd.factorize(X["task"], sort=True)[0], "task")
    assert np.array_equal(np.sort(order), np.arange(len(y)))
    return X.iloc[order].reset_index(drop=True), y[order]


CHANGES = {
    "columns": lambda X: X[X.columns[::-1]],
    "names": lambda X: X.rename(columns={"left": "z", "year": "a"}),
    "units": lambda X: X.assign(year=4.0 * X["year"] - 273.15),
    "bits": lambda X: X.assign(gaps=np.nextafter(X["gaps"], 9.0)),
    "types": lambda X: X.assign(town=X["town"].astype("category"), left=X["left"] == 1),
    "texts": lambda X: X.assign(town=X["town"].map({"Ulm": "z", "Bonn": "b", "Kiel": "f"})),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_same_rows_in_the_same_order(change):
    rng = np.random.default_rng(0)
    X, y = hostile_table(rng)
    one, at = in_order(X.assign(nr=np.arange(len(y)) * 0.0), y)
    X2 = CHANGES[change](X).assign(nr=np.arange(len(y)) * 0.0)
    new = dict(zip("abcd", rng.permutation(list("abcd")), strict=True))
    shuffled = rng.permutation(len(y))
    X2 = X2.assign(task=X2["task"].map(new)).iloc[shuffled].reset_index(drop=True)
    two, again = in_order(X2, y[shuffled])
    np.testing.assert_array_equal(at, again)
    assert one["task"].map(new).tolist() == two["task"].tolist()


def test_equal_targets_and_exchanged_values_are_told_apart():
    """(0, 1) and (1, 0) of a balanced design, of which labels say little."""
    rng = np.random.default_rng(1)
    X = pd.DataFrame({"u": np.arange(80) % 2, "v": np.arange(80) // 2 % 2, "task": "a"})
    y = (rng.random(80) < 0.3 + 0.4 * X["u"]).astype(float).to_numpy()
    shuffled = rng.permutation(80)
    one, _ = in_order(X, y)
    two, _ = in_order(X.iloc[shuffled].reset_index(drop=True), y[shuffled])
    pd.testing.assert_frame_equal(one, two)


def test_sparse_rows_and_arrays_of_objects():
    rng = np.random.default_rng(2)
    Z = np.where(rng.random((60, 4)) < 0.5, 0.0, rng.normal(size=(60, 4)))
    y, codes, shuffled = rng.normal(size=60), np.arange(60) % 3, rng.permutation(60)
    table = np.column_stack([codes, Z])
    for kind in (sparse.csr_array, lambda A: A.astype(object)):
        one = row_order(kind(table), y, codes, 0)
        two = row_order(kind(table[shuffled]), y[shuffled], codes[shuffled], 0)
        np.testing.assert_array_equal(one, shuffled[two])
