"""Epochs, early stopping, continuing, failing: what training keeps and says."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from polytask import (
    PooledNetworkRegressor,
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
    SingleTaskNetworkRegressor,
)
from polytask.neural.keeper import Keeper
from tests.neural.worlds import UNFINISHED, long_table, wide_table

ALL = [SharedHiddenLayerRegressor, PooledNetworkRegressor, SingleTaskNetworkRegressor]


@pytest.mark.parametrize("cls", ALL)
def test_the_same_seed_gives_the_same_numbers(cls):
    X, y = long_table()
    model = cls((8,), task="task", max_iter=8, batch_size=8, random_state=3)
    a, b = model.fit(X, y).predict(X), clone(model).fit(X, y).predict(X)
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, clone(model).set_params(random_state=4).fit(X, y).predict(X))


def test_a_fit_leaves_the_random_state_and_threads_of_pytorch_alone():
    X, y = long_table()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    SharedHiddenLayerRegressor((8,), task="task", max_iter=2, random_state=0).fit(X, y).predict(X)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_the_best_weights_on_the_validation_part_are_kept():
    X, y = long_table(n_tasks=6, rows=(10, 14))
    model = SharedHiddenLayerRegressor(
        (32,), task="task", learning_rate=0.05, n_iter_no_change=10, random_state=0,
        validation_fraction=0.2,
    ).fit(X, y)  # fmt: skip
    history = model.history_["validation_loss"]
    best = int(history.argmin())
    assert best < len(history) - 1 < 199
    assert model.status_ == "converged"
    # As many epochs as the best one took, and no more, end with the same weights.
    again = clone(model).set_params(max_iter=best + 1).fit(X, y)
    for name, value in model.weights_.items():
        np.testing.assert_array_equal(value, again.weights_[name])


def test_every_separate_network_keeps_its_own_best_epoch():
    network = torch.nn.Module()
    network.body = torch.nn.Linear(1, 2, bias=False)
    keeper = Keeper(network, [], 2, 0.0, 10, keep_best=True)
    for epoch, values in enumerate([[3.0, 3.0], [1.0, 4.0], [2.0, 1.0]]):
        torch.nn.init.constant_(network.body.weight, epoch)
        keeper.update(np.array(values))
    assert keeper.state["body.weight"][:, 0].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("cls", ALL)
def test_a_loss_that_is_not_finite_stops_with_a_remedy(cls):
    X, y = long_table()
    model = cls((8,), task="task", optimizer="sgd", learning_rate=1e6, random_state=0)
    with pytest.raises(FloatingPointError, match=r"epoch 1 with learning_rate=1e\+06. Scale"):
        model.set_params(batch_size=2).fit(X, y)


def test_the_weights_before_a_loss_that_is_not_finite_are_kept():
    X, y = long_table()
    model = SharedHiddenLayerRegressor(
        (), task="task", optimizer="sgd", learning_rate=30.0, random_state=0, batch_size=None,
        early_stopping=False, n_iter_no_change=500, max_iter=500,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match="the best weights before it are kept"):
        model.fit(X, y)
    assert model.status_ == "non-finite loss"
    assert model.n_iter_ > 1
    assert np.isfinite(model.predict(X)).all()
    assert not np.isfinite(model.history_["train_loss"][-1])


@pytest.mark.filterwarnings(UNFINISHED)
def test_warm_start_goes_on():
    X, y = long_table()
    model = SharedHiddenLayerRegressor(
        (8,), task="task", max_iter=20, warm_start=True, early_stopping=False, random_state=0
    )
    first = model.fit(X, y).history_["train_loss"]
    second = model.fit(X, y).history_["train_loss"]
    assert second[0] < 0.5 * first[0]
    assert second[-1] < first[-1]


def test_partial_fit_is_training_one_epoch_at_a_time():
    X, y = long_table()
    model = SharedHiddenLayerRegressor((8,), task="task", early_stopping=False, random_state=0)
    for _ in range(15):
        model.partial_fit(X, y)
    assert model.n_iter_ == len(model.history_["train_loss"]) == 15
    with pytest.warns(ConvergenceWarning):
        whole = clone(model).set_params(max_iter=15).fit(X, y)
    np.testing.assert_allclose(model.predict(X), whole.predict(X), atol=1e-4)
    some = X["task"] == "t01"
    before = model.predict(X)
    model.partial_fit(X[some], y[some])
    assert not np.array_equal(model.predict(X), before)
    with pytest.raises(ValueError, match="every task must have been in the first call; got"):
        model.partial_fit(X.assign(task="new"), y)


def test_partial_fit_of_a_classifier_may_name_the_classes_first():
    X, y = long_table(classes=True)
    model = SharedHiddenLayerClassifier((4,), task="task", random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y + 1)
    assert model.predict_proba(X).shape == (len(y), 3)
    with pytest.raises(ValueError, match="y must hold the classes"):
        model.partial_fit(X, y + 7)


def test_callbacks_hear_of_every_epoch_and_may_stop():
    pytest.importorskip("sklearn.callback")

    class Listener:
        def __init__(self):
            self.epochs, self.predictions = 0, None

        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context, *, X, fitted_estimator):
            if context.task_name == "epoch":
                self.epochs += 1
                self.predictions = fitted_estimator.predict(X)
                return self.epochs == 4
            return False

    X, y = long_table()
    listener = Listener()
    model = SharedHiddenLayerRegressor((8,), task="task", random_state=0, early_stopping=False)
    model.set_callbacks(listener).fit(X, y)
    assert listener.epochs == model.n_iter_ == 4
    assert model.status_ == "stopped by a callback"
    np.testing.assert_allclose(model.predict(X), listener.predictions)


def test_sparse_features_are_made_dense_batch_by_batch():
    from scipy import sparse

    X, Y = wide_table()
    X[np.abs(X) < 0.5] = 0.0
    for cls in (SharedHiddenLayerRegressor, SingleTaskNetworkRegressor):
        model = cls((8,), max_iter=6, batch_size=16, random_state=0)
        dense = model.fit(X, Y).predict(X)
        thin = model.fit(sparse.csr_array(X), Y).predict(sparse.csr_array(X))
        np.testing.assert_allclose(thin, dense, atol=1e-5)


@pytest.mark.parametrize("cls", ALL)
def test_unseen_tasks(cls):
    X, y = long_table()
    model = cls((8,), task="task", max_iter=5, random_state=0, unseen="error").fit(X, y)
    new = X.assign(task="other")
    with pytest.raises(ValueError, match="got task 'other'"):
        model.predict(new)
    model.set_params(unseen="common")
    z = model.predict(new)
    if cls is SharedHiddenLayerRegressor:
        w0, b0 = model.common_head_coef_, model.weights_["heads.0.common.bias"][0]
        np.testing.assert_allclose(z, model.hidden_features(X) @ w0 + b0)
    else:
        each = [model.predict(X.assign(task=task)) for task in model.tasks_]
        np.testing.assert_allclose(z, np.mean(each, axis=0))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hidden_layer_sizes": (8, 0)}, "hidden_layer_sizes must be positive whole numbers"),
        ({"device": "abacus"}, "device must be 'auto' or a device that PyTorch has here"),
        ({"loss": "hinge"}, "loss must be 'auto'"),
        ({"loss": {"t00": "squared"}}, "a kind for every task; got none for"),
        ({"loss": {"t00": "cubic"}}, "got cubic"),
        ({"task_weight": {"t00": 1.0}}, "a positive number for every task; got None"),
        ({"optimizer": "newton"}, "'optimizer' parameter"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    X, y = long_table()
    with pytest.raises(ValueError, match=message):
        SharedHiddenLayerRegressor(task="task", **parameters).fit(X, y)


def test_a_column_without_labels_is_named():
    X, Y = wide_table()
    Y[:, 1] = np.nan
    with pytest.raises(ValueError, match=r"column\(s\) \[1\] contain NaN only"):
        SharedHiddenLayerRegressor().fit(X, Y)
