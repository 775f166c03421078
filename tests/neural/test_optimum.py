"""Without hidden layers the networks are the linear models, and the limits of their strengths."""

import numpy as np
import pytest

from polytask import (
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    PooledNetworkRegressor,
    PooledRegressor,
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
    SingleTaskNetworkRegressor,
    SingleTaskRegressor,
)
from tests.neural.worlds import EXACT, FEW, UNFINISHED, long_table, wide_table

STRENGTHS = {"alpha": 0.05, "alpha_common": 0.01, "alpha_intercept": 0.02}


@pytest.mark.parametrize("task_weight", ["equal", "size"])
@pytest.mark.parametrize(
    ("network", "linear", "classes"),
    [
        (SharedHiddenLayerRegressor, MeanRegularizedRegressor, False),
        (SharedHiddenLayerClassifier, MeanRegularizedClassifier, True),
    ],
)
def test_without_hidden_layers_it_is_mean_regularized(network, linear, classes, task_weight):
    X, y = long_table(classes=classes)
    same = {**STRENGTHS, "task": "task", "task_weight": task_weight}
    ours = network((), **same, **EXACT).fit(X, y)
    exact = linear(**same).fit(X, y)
    assert ours.objective_ == pytest.approx(exact.objective_, rel=1e-7)
    np.testing.assert_allclose(ours.head_coef_, exact.coef_, atol=1e-5)
    np.testing.assert_allclose(ours.common_head_coef_, exact.common_coef_, atol=1e-5)
    assert ours.status_ == "converged"


def test_adam_in_single_precision_comes_close_to_the_same_optimum():
    X, y = long_table()
    adam = {"optimizer": "adam", "batch_size": None, "early_stopping": False, "random_state": 0}
    ours = SharedHiddenLayerRegressor(
        (), task="task", **STRENGTHS, **adam, max_iter=800, learning_rate=0.02, tol=0.0,
        n_iter_no_change=5000,
    )  # fmt: skip
    with pytest.warns(match="still fell"):
        ours.fit(X, y)
    exact = MeanRegularizedRegressor(task="task", **STRENGTHS).fit(X, y)
    assert ours.objective_ == pytest.approx(exact.objective_, rel=1e-5)


def test_a_hidden_layer_of_the_identity_is_still_a_linear_model():
    X, y = long_table()
    a = SharedHiddenLayerRegressor(
        (3,), "identity", task="task", alpha=0.0, alpha_intercept=0.0, **EXACT
    ).fit(X, y)
    b = SingleTaskRegressor(alpha=0.0, task="task").fit(X, y)
    assert a.objective_ == pytest.approx(b.objective_, rel=1e-5)


def test_large_alpha_pools_the_heads():
    X, y = long_table()
    tied = SharedHiddenLayerRegressor((), task="task", **{**EXACT, "tol": 1e-7}, alpha=1e5)
    pooled = PooledRegressor(alpha=0.0, task="task").fit(X, y)
    tied.fit(X, y)
    np.testing.assert_allclose(tied.head_coef_, pooled.coef_, atol=1e-4)
    network = PooledNetworkRegressor((), task="task", **EXACT).fit(X, y)
    np.testing.assert_allclose(network.predict(X), pooled.predict(X), atol=1e-6)


def test_large_alpha_common_leaves_heads_with_a_plain_ridge():
    X, y = long_table()
    ridge = SingleTaskRegressor(alpha=0.05, task="task").fit(X, y)
    free = SharedHiddenLayerRegressor(
        (), task="task", alpha=0.05, alpha_common=1e6, alpha_intercept=0.0,
        **{**EXACT, "tol": 1e-7},
    ).fit(X, y)  # fmt: skip
    np.testing.assert_allclose(free.head_coef_, ridge.coef_, atol=1e-4)
    alone = SingleTaskNetworkRegressor((), alpha=0.05, task="task", **EXACT).fit(X, y)
    assert alone.objective_ == pytest.approx(ridge.objective_, rel=1e-7)
    np.testing.assert_allclose(alone.predict(X), ridge.predict(X), atol=1e-6)


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_units_of_the_target_do_not_matter(factor):
    X, y = long_table()
    kwargs = {"task": "task", "max_iter": 20, "random_state": 0}
    a = SharedHiddenLayerRegressor((8,), **kwargs).fit(X, y)
    b = SharedHiddenLayerRegressor((8,), **kwargs).fit(X, factor * y + 7 * factor)
    np.testing.assert_allclose(b.predict(X) / factor - 7, a.predict(X), atol=1e-4)


@pytest.mark.filterwarnings(UNFINISHED)
def test_labels_that_are_missing_are_pairs_that_are_not_there():
    X, Y = wide_table()
    measured = ~np.isnan(Y)
    row, task = np.nonzero(measured)
    strengths = {"alpha": 0.01, "weight_decay": 1e-3}
    wide = SharedHiddenLayerRegressor((4,), "tanh", **strengths, **FEW).fit(X, Y)
    long = SharedHiddenLayerRegressor((4,), "tanh", task=-1, **strengths, **FEW)
    long.fit(np.column_stack([X[row], task]), Y[row, task])
    assert wide.objective_ == pytest.approx(long.objective_, rel=1e-8)
    pairs = long.predict(np.column_stack([X[row], task]))
    np.testing.assert_allclose(wide.predict(X)[row, task], pairs, atol=1e-6)


@pytest.mark.filterwarnings(UNFINISHED)
def test_order_of_tasks_and_rows_does_not_matter():
    X, y = long_table()
    shuffled = np.random.default_rng(1).permutation(len(y))
    kwargs = {"task": "task", "alpha": 0.01, **FEW}
    a = SharedHiddenLayerRegressor((4,), "tanh", **kwargs).fit(X, y)
    b = SharedHiddenLayerRegressor((4,), "tanh", **kwargs).fit(X.iloc[shuffled], y[shuffled])
    np.testing.assert_allclose(a.predict(X), b.predict(X), atol=1e-4)
    # Other names put the tasks in another order.
    renamed = X.assign(task=X["task"].map(lambda name: f"t{99 - int(name[1:])}"))
    c = SharedHiddenLayerRegressor((4,), "tanh", **kwargs).fit(renamed, y)
    np.testing.assert_allclose(a.predict(X), c.predict(renamed), atol=1e-4)


@pytest.mark.filterwarnings(UNFINISHED)
def test_repeated_rows_are_weights():
    X, y = long_table()
    twice = np.repeat(np.arange(len(y)), np.where(np.arange(len(y)) % 3 == 0, 2, 1))
    weight = np.bincount(twice).astype(float)
    kwargs = {"task": "task", **FEW}
    a = SharedHiddenLayerRegressor((4,), "tanh", **kwargs).fit(X, y, weight)
    b = SharedHiddenLayerRegressor((4,), "tanh", **kwargs).fit(X.iloc[twice], y[twice])
    np.testing.assert_allclose(a.predict(X), b.predict(X), atol=1e-4)
