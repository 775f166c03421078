"""Folds inside a fit depend on what rows hold, not on how the table came."""

from functools import cache

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

import polytask
from polytask.datasets import make_low_rank_tasks
from polytask.tuning.content import content_of, equal_rows
from polytask.tuning.folds import held_out_folds
from tests.solvers.helpers import make_data, random_tasks

MODELS = [
    "LowRankRegressor", "ProjectedMeanRegularizedRegressor", "AutoMultiTaskRegressor",
    "CurvedRegressor", "JointFeaturesRegressor", "SharedTreesRegressor",
]  # fmt: skip


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_low_rank_tasks(8, 5, 12, rank=2, noise=0.5, random_state=3)
    return X, y


def in_other_units(X, features):
    return X.assign(**{name: 1000.0 * X[name] + 7.0 for name in features[:2]})


CHANGES = {
    "the last bit": lambda X, f: X.assign(**{name: np.nextafter(X[name], 9.0) for name in f}),
    "float32": lambda X, f: X.astype(dict.fromkeys(f, np.float32)),
    "the order of columns": lambda X, f: X[[*f[::-1], "task"]],
    "the names of columns": lambda X, f: X.rename(
        columns={name: f"z{9 - k}" for k, name in enumerate(f)}
    ),
    "the names of tasks": lambda X, f: X.assign(task=X["task"].map(lambda i: (5 * i + 3) % 8)),
}


SLOW = ("LowRankRegressor", "AutoMultiTaskRegressor", "SharedTreesRegressor")
OFTEN = ("the last bit", "the order of columns", "the names of tasks")


def rare(name, change=None):
    """Models that take long, and changes that others are like, are tried in the slow suite."""
    return pytest.mark.slow if name in SLOW or change not in (None, *OFTEN) else ()


def predictions(name, X, y):
    model = getattr(polytask, name)(task="task")
    return model.fit(X, y).predict(X)


EVERY = pytest.mark.parametrize("name", [pytest.param(n, marks=rare(n)) for n in MODELS])


@pytest.fixture(scope="module")
def unchanged(table):
    """Predictions of a model by name: one fit serves all changes."""
    return cache(lambda name: predictions(name, *table))


@pytest.fixture(scope="module")
def behind_a_scaler(table):
    X, y = table
    return cache(lambda name: predictions(name, scaled(X), y))


def scaled(X):
    features = [column for column in X if column != "task"]
    scaler = StandardScaler().set_output(transform="pandas")
    return scaler.fit_transform(X[features]).assign(task=X["task"])


@pytest.mark.parametrize(
    ("name", "change"),
    [pytest.param(name, change, marks=rare(name, change)) for name in MODELS for change in CHANGES],
)
def test_predictions_move_by_rounding(name, change, table, unchanged):
    """They moved by up to a third of the target's standard deviation."""
    X, y = table
    features = [column for column in X if column != "task"]
    before = unchanged(name)
    after = predictions(name, CHANGES[change](X, features), y)
    allowed = 1e-4 if change == "float32" else 1e-5
    assert np.abs(after - before).max() < allowed * y.std()


@EVERY
def test_the_order_of_rows_behind_a_scaler(name, table, behind_a_scaler):
    """A scaler sums in the order of the rows, and the last bit follows."""
    X, y = table
    order = np.random.default_rng(0).permutation(len(y))
    after = predictions(name, scaled(X.iloc[order]), y[order])
    assert np.abs(after - behind_a_scaler(name)[order]).max() < 1e-5 * y.std()


@EVERY
def test_units_behind_a_scaler(name, table, behind_a_scaler):
    X, y = table
    features = [column for column in X if column != "task"]
    after = predictions(name, scaled(in_other_units(X, features)), y)
    assert np.abs(after - behind_a_scaler(name)).max() < 1e-5 * y.std()


def test_equal_rows_stay_together_and_weights_are_repetitions():
    rng = np.random.default_rng(0)
    X, y, ids = random_tasks(rng, [9, 14, 6], 3)
    times = rng.integers(1, 4, len(y))
    again = np.repeat(np.arange(len(y)), times)
    weighted = held_out_folds(make_data(X, y, ids, sample_weight=times.astype(float)), 3).fold
    repeated = held_out_folds(make_data(X[again], y[again], ids[again]), 3).fold
    np.testing.assert_array_equal(np.repeat(weighted, times), repeated)


def test_rows_of_two_categories_of_one_size_are_not_equal():
    """The sum over columns of zeros and ones is the same; rows of one category are equal."""
    rng = np.random.default_rng(3)
    category, ids = rng.permutation(np.repeat(np.arange(3), 20)), np.repeat(np.arange(4), 15)
    X, y = np.eye(3)[category], rng.integers(0, 2, 60).astype(float)
    truth = np.unique(np.column_stack([ids, category, y]), axis=0, return_inverse=True)[1].ravel()
    assert len(np.unique(content_of(make_data(X, y, ids)).group)) < len(np.unique(truth))
    for some in (X, X[:, [2, 0, 1]], sparse.csr_array(X)):
        found = equal_rows(make_data(some, y, ids))
        pairs = np.unique(np.column_stack([found, truth]), axis=0)
        assert len(pairs) == len(np.unique(found)) == len(np.unique(truth))
    once = equal_rows(make_data(X, y + 0.01 * rng.normal(size=60), ids))
    np.testing.assert_array_equal(np.sort(once), np.arange(60))


def test_sparse_rows_are_the_dense_ones():
    X, y, ids = random_tasks(np.random.default_rng(1), [9, 14, 6], 4)
    X[np.abs(X) < 0.7] = 0.0
    dense, thin = (make_data(some, y, ids) for some in (X, sparse.csr_array(X)))
    for name in ("group", "task"):
        np.testing.assert_array_equal(
            getattr(content_of(dense), name), getattr(content_of(thin), name)
        )


def test_folds_take_their_share_of_every_task_and_of_the_target():
    X, y, ids = random_tasks(np.random.default_rng(2), [50, 35, 20], 3)
    fold = held_out_folds(make_data(X, y, ids), 5).fold
    counts = np.stack([np.bincount(fold[ids == i], minlength=5) for i in range(3)])
    assert (counts == np.array([[10], [7], [4]])).all()
    means = [y[fold == k].mean() for k in range(5)]
    assert np.std(means) < y.std() / np.sqrt(len(y) / 5)
