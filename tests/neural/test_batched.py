"""All tasks in one program give what a plain loop over tasks gives."""

import numpy as np
import pytest
import torch

from polytask import SharedHiddenLayerRegressor, SingleTaskNetworkRegressor
from polytask.neural import MeanRegularizedHeads
from tests.neural.worlds import UNFINISHED, long_table, wide_table

ADAM = {
    "batch_size": None, "dtype": "float64", "early_stopping": False, "tol": 0.0,
    "n_iter_no_change": 1000, "random_state": 0,
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings(UNFINISHED)


def test_a_network_per_task_equals_training_each_alone():
    """The batched program against a plain module per task, from the same weights."""
    X, y = long_table()
    ids, features = X["task"].to_numpy(), torch.tensor(X.drop(columns="task").to_numpy())
    kwargs = {"task": "task", "hidden_layer_sizes": (5,), "activation": "tanh", **ADAM}
    start = SingleTaskNetworkRegressor(max_iter=1, learning_rate=1e-12, **kwargs).fit(X, y)
    batched = SingleTaskNetworkRegressor(max_iter=30, learning_rate=0.01, **kwargs).fit(X, y)
    predicted = batched.predict(X)
    for i, task in enumerate(start.tasks_):
        mine = ids == task
        net = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1))
        net = net.double()
        scale, offset = start.scale_[i], start.offset_[i]
        with torch.no_grad():
            net[0].weight.copy_(torch.as_tensor(start.weights_["body.weights.0"][i].T))
            net[0].bias.copy_(torch.as_tensor(start.weights_["body.biases.0"][i]))
            net[2].weight.copy_(torch.as_tensor(start.weights_["heads.0.weight"][i].T / scale))
            bias = (start.weights_["heads.0.bias"][i] - offset) / scale
            net[2].bias.copy_(torch.as_tensor(bias))
        optimizer = torch.optim.Adam(net.parameters(), 0.01)
        target = torch.as_tensor((y[mine] - offset) / scale)
        for _ in range(30):
            optimizer.zero_grad()
            (0.5 * (net(features[mine])[:, 0] - target).square().mean()).backward()
            optimizer.step()
        alone = net(features[mine])[:, 0].detach().numpy() * scale + offset
        np.testing.assert_allclose(predicted[mine], alone, atol=1e-8)


def test_heads_in_a_table_equal_a_loop_over_linear_layers():
    """Five steps on heads in one table, against a layer per task and a plain loop."""
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(60, 3, dtype=torch.float64, generator=generator)
    y = torch.randn(60, 1, dtype=torch.float64, generator=generator)
    task = torch.arange(60) % 7
    heads = MeanRegularizedHeads(3, 7, alpha=0.1, alpha_common=0.05).double()
    common = torch.nn.Linear(3, 1).double()
    common.load_state_dict(heads.common.state_dict())
    loop = torch.nn.ModuleList(torch.nn.Linear(3, 1) for _ in range(7)).double()
    for layer in loop:
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    for _ in range(5):
        by_table = (heads(X, task) - y).square().mean() + heads.penalty()
        by_loop = 0.05 * common.weight.square().sum()
        for i, layer in enumerate(loop):
            mine = task == i
            error = common(X[mine]) + layer(X[mine]) - y[mine]
            pull = layer.weight.square().sum() + layer.bias.square().sum()
            by_loop = by_loop + error.square().sum() / 60 + 0.1 * pull
        torch.testing.assert_close(by_table, by_loop)
        for module, value in ((heads, by_table), (torch.nn.ModuleList([common, *loop]), by_loop)):
            gradients = torch.autograd.grad(value, list(module.parameters()))
            with torch.no_grad():
                for parameter, gradient in zip(module.parameters(), gradients, strict=True):
                    parameter -= 0.1 * gradient


@pytest.mark.parametrize("cls", [SharedHiddenLayerRegressor, SingleTaskNetworkRegressor])
def test_two_thousand_tasks_train_at_once(cls):
    X, y = long_table(n_tasks=2000, rows=(4, 6))
    X["task"] = np.repeat(np.arange(2000), np.tile([4, 6], 1000))
    model = cls((4,), task="task", max_iter=15, random_state=0, learning_rate=0.02).fit(X, y)
    assert len(model.tasks_) == 2000
    assert model.history_["train_loss"][-1] < 0.8 * model.history_["train_loss"][0]
    assert np.isfinite(model.predict(X)).all()


def test_mini_batches_reach_the_optimum_of_unequal_tasks():
    """Small steps on small batches end near the optimum of the full objective, not of rows."""
    X, y = long_table(n_tasks=3, rows=(4, 60, 200))
    y = y + 3.0 * (X["task"] == "t00")
    kwargs = {"task": "task", "alpha": 0.1, "early_stopping": False, "random_state": 0}
    exact = SharedHiddenLayerRegressor(
        (), optimizer="lbfgs", batch_size=None, dtype="float64", tol=1e-8, **kwargs
    ).fit(X, y)
    by_batch = SharedHiddenLayerRegressor(
        (), optimizer="sgd", learning_rate=0.005, batch_size=64, max_iter=120, tol=0.0,
        n_iter_no_change=500, **kwargs,
    ).fit(X, y)  # fmt: skip
    assert by_batch.objective_ == pytest.approx(exact.objective_, rel=1e-3)
    by_rows = SharedHiddenLayerRegressor(
        (), optimizer="lbfgs", batch_size=None, dtype="float64", task_weight="size", **kwargs
    ).fit(X, y)
    distance = np.abs(by_batch.common_head_coef_ - exact.common_head_coef_).max()
    assert distance < 0.2 * np.abs(by_rows.common_head_coef_ - exact.common_head_coef_).max()


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("cls", [SharedHiddenLayerRegressor, SingleTaskNetworkRegressor])
def test_losses_judged_in_pieces_are_losses_judged_at_once(cls, wide, monkeypatch):
    X, y = wide_table() if wide else long_table()
    model = cls((4,), task=None if wide else "task", max_iter=5, random_state=0)
    at_once = model.fit(X, y).history_["validation_loss"], model.objective_
    monkeypatch.setattr("polytask.neural.samples._PIECE", 7)
    model.fit(X, y)
    np.testing.assert_allclose(model.history_["validation_loss"], at_once[0], rtol=1e-5)
    assert model.objective_ == pytest.approx(at_once[1], rel=1e-5)
