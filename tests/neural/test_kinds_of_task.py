"""Tasks of several kinds in one model, and how their gradients are weighed."""

import numpy as np
import pandas as pd
import pytest

from polytask import (
    PooledNetworkRegressor,
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
    SingleTaskNetworkRegressor,
    SingleTaskRegressor,
)
from polytask.neural.gradients import at_one_length, make_aggregator
from tests.neural.worlds import EXACT, FEW, UNFINISHED, wide_table

KINDS = {
    "assay": "logistic", "dose": "squared", "robust": "huber", "visits": "poisson",
    "stage": "multinomial", "colour": "multinomial",
}  # fmt: skip


@pytest.fixture(scope="module")
def mixed():
    """A long table with tasks of five kinds, labels as text."""
    rng = np.random.default_rng(0)
    n = 420
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))
    X["task"] = np.resize(list(KINDS), n)
    z = (X["a"] + X["b"]).to_numpy()
    answers = {
        "assay": lambda v: "active" if v > 0 else "inactive",
        "dose": lambda v: 5 + v,
        "robust": lambda v: v + 20 * (abs(v) > 2.5),
        "visits": lambda v: float(rng.poisson(np.exp(0.5 * v))),
        "stage": lambda v: ["I", "II", "III"][int(np.clip(v + 1.5, 0, 2))],
        "colour": lambda v: ["b", "g", "r", "y"][int(np.clip(v + 2, 0, 3))],
    }
    y = np.array(
        [answers[task](value) for task, value in zip(X["task"], z, strict=True)], dtype=object
    )
    return X, y


@pytest.fixture(scope="module", params=[SharedHiddenLayerRegressor, SingleTaskNetworkRegressor])
def model(request, mixed):
    X, y = mixed
    return request.param(
        (16,), task="task", loss=KINDS, max_iter=60, learning_rate=0.01, random_state=0
    ).fit(X, y)


def test_answers_are_of_the_kind_of_the_task(model, mixed):
    X, _ = mixed
    answer = model.predict(X)
    task = X["task"].to_numpy()
    assert set(answer[task == "assay"]) == {"active", "inactive"}
    assert set(answer[task == "colour"]) <= {"b", "g", "r", "y"}
    assert (answer[task == "visits"].astype(float) > 0).all()
    assert 4 < answer[task == "dose"].astype(float).mean() < 6


def test_probabilities_have_the_width_of_the_task(model, mixed):
    X, _ = mixed
    p, task = model.predict_proba(X), X["task"].to_numpy()
    assert p.shape == (len(X), 4)
    assert np.isnan(p[task == "dose"]).all()
    for name, width in {"assay": 2, "stage": 3, "colour": 4}.items():
        mine = p[task == name]
        np.testing.assert_allclose(np.nansum(mine, axis=1), 1)
        assert np.isnan(mine[:, width:]).all()
        assert not np.isnan(mine[:, :width]).any()


def test_scores_are_of_the_kind_of_the_task(model, mixed):
    X, y = mixed
    table = model.score_tasks(X, y).set_index("task")
    assert table["metric"].to_dict() == {
        "assay": "AUC", "dose": "R2", "robust": "R2", "visits": "D2", "stage": "accuracy",
        "colour": "accuracy",
    }  # fmt: skip
    assert (table.loc[["assay", "dose", "stage", "colour"], "score"] > 0.8).all()
    assert model.score(X, y) == pytest.approx(table["score"].mean())


def test_wide_targets_of_several_kinds_with_holes():
    X, Y = wide_table(n=90, missing=0.2)
    Y[:, 1] = np.where(np.isnan(Y[:, 1]), np.nan, Y[:, 1] > 0)
    Y[:, 2] = np.where(np.isnan(Y[:, 2]), np.nan, np.clip(np.round(2 * Y[:, 2]) + 5, 4, 6))
    table = pd.DataFrame(Y, columns=["s", "l", "m"])
    kinds = {"s": "squared", "l": "logistic", "m": "multinomial"}
    model = SharedHiddenLayerRegressor((8,), loss=kinds, max_iter=60, random_state=0)
    model.fit(X, table)
    assert [p.shape[1] for p in model.predict_proba(X)] == [0, 2, 3]
    assert set(model.predict(X)[:, 2]) <= {4.0, 5.0, 6.0}
    assert (model.score_tasks(X, table)["score"] > 0.5).all()
    assert model.score_tasks(X, table)["rows"].tolist() == (~np.isnan(Y)).sum(axis=0).tolist()


@pytest.mark.filterwarnings(UNFINISHED)
def test_several_kinds_are_the_sum_of_each():
    """Long and wide roads to the same objective, with heads of several kinds."""
    X, Y = wide_table(n=60, missing=0.2)
    Y[:, 1] = np.where(np.isnan(Y[:, 1]), np.nan, Y[:, 1] > 0)
    row, task = np.nonzero(~np.isnan(Y))
    kinds = {0: "squared", 1: "logistic", 2: "huber"}
    same = {"loss": kinds, "alpha": 0.01, **FEW}
    wide = SharedHiddenLayerRegressor((4,), "tanh", **same).fit(X, Y)
    pairs = np.column_stack([X[row], task])
    long = SharedHiddenLayerRegressor((4,), "tanh", task=-1, **same).fit(pairs, Y[row, task])
    assert wide.objective_ == pytest.approx(long.objective_, rel=1e-6)
    np.testing.assert_allclose(wide.predict(X)[row, task], long.predict(pairs), atol=1e-5)


def test_a_poisson_model_without_hidden_layers_is_scikit_learns():
    from sklearn.linear_model import PoissonRegressor

    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    y = rng.poisson(np.exp(0.3 * X[:, 0] + 0.5)).astype(float)
    ours = PooledNetworkRegressor((), loss="poisson", alpha=0.05, **EXACT).fit(X, y)
    theirs = PoissonRegressor(alpha=0.1, tol=1e-9, max_iter=1000).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4)


@pytest.mark.parametrize("loss", ["gamma", "tweedie", "binomial"])
def test_other_numbers_have_the_optimum_of_the_linear_model(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3))
    f = 0.3 * X[:, 0] + 0.5
    y = {"gamma": rng.gamma(2.0, np.exp(f)), "binomial": 1 / (1 + np.exp(-f - rng.normal(size=80))),
         "tweedie": np.exp(f) * rng.poisson(1.0, 80)}[loss]  # fmt: skip
    ours = PooledNetworkRegressor((), loss=loss, alpha=0.05, **EXACT).fit(X, y)
    theirs = SingleTaskRegressor(0.05, loss=loss).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-4)


def test_more_than_two_classes_are_multinomial():
    X, Y = wide_table(n=80, m=1, missing=0.0)
    y = np.digitize(Y[:, 0], [-0.5, 0.5])
    model = SharedHiddenLayerClassifier((8,), max_iter=60, random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (80, 3)
    assert model.score(X, y) > 0.7
    assert model.kinds_.tolist() == ["multinomial"]


@pytest.fixture(scope="module")
def loud():
    """Three tasks of one function, of which one is noise of ten times the size."""
    X, Y = wide_table(n=200, missing=0.0)
    noise = np.random.default_rng(1).normal(size=200)
    return X, np.column_stack([Y[:, 0], -Y[:, 0], 10 * noise])


def test_uncertainty_weighs_a_noisy_task_down(loud):
    X, Y = loud
    model = SharedHiddenLayerRegressor((8,), max_iter=40, random_state=0, learning_rate=0.01)
    equal = model.fit(X, Y).score_tasks(X, Y)["score"]
    model.set_params(task_weight="uncertainty").fit(X, Y)
    assert model.task_weights_[:2].min() > 5 * model.task_weights_[2]
    assert (model.score_tasks(X, Y)["score"][:2] > equal[:2]).all()


def test_fixed_weights_are_shares_of_the_risk(loud):
    X, Y = loud
    ignored = {0: 1.0, 1: 1.0, 2: 1e-9}
    same = {"alpha": 1e-4, **EXACT}
    weighed = SharedHiddenLayerRegressor((), task_weight=ignored, **same).fit(X, Y)
    alone = SharedHiddenLayerRegressor((), **same).fit(X, Y[:, :2])
    assert weighed.objective_ == pytest.approx(alone.objective_, rel=1e-4)


def test_conflicts_of_gradients_are_kept_for_whoever_asks(loud):
    X, Y = loud
    opposed = np.column_stack([Y[:, 0], -Y[:, 0]])
    kwargs = {"max_iter": 4, "random_state": 0, "track_conflicts": True}
    model = SharedHiddenLayerRegressor((8,), alpha=1e3, **kwargs).fit(X, opposed)
    assert model.history_["gradient_conflict"][-3:].tolist() == [1.0] * 3
    same = np.column_stack([Y[:, 0], Y[:, 0]])
    assert model.fit(X, same).history_["gradient_conflict"].tolist() == [0.0] * 4


@pytest.mark.parametrize(
    "name", ["upgrad", "pcgrad", "mgda", "cagrad", "imtl_g", "aligned_mtl", "Mean"]
)
def test_aggregators_of_torchjd_by_name(loud, name):
    pytest.importorskip("torchjd", reason="torchjd is in the extra `gradients`")
    X, Y = loud
    Y = Y / Y.std(axis=0)
    model = SharedHiddenLayerRegressor(
        (8,), gradient_aggregation=name, max_iter=5, learning_rate=0.03, random_state=0
    ).fit(X, Y)
    assert model.history_["train_loss"][-1] < model.history_["train_loss"][0]


@pytest.mark.parametrize("size", [1.0, 1e-4])
@pytest.mark.parametrize("shorter", [1.0, 0.01])
def test_projections_on_the_cone_do_not_ask_for_lengths(size, shorter):
    """g1 = (1, 0) and g2 = shorter (-.8, .6) end at (.36, .48) and shorter (0, .6)."""
    aggregation = pytest.importorskip("torchjd.aggregation", reason="in the extra `gradients`")
    torch = pytest.importorskip("torch")
    shared = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    shared.jac = size * torch.tensor([[1.0, 0.0], [-0.8 * shorter, 0.6 * shorter]]).double()
    aggregator = aggregation.UPGrad()
    with at_one_length([shared], aggregator):
        jac_to_grad = pytest.importorskip("torchjd.autojac").jac_to_grad
        jac_to_grad([shared], aggregator)
    wanted = [0.18, 0.24 + 0.3 * shorter]
    np.testing.assert_allclose(shared.grad.numpy() / size, wanted, atol=3e-4)
    assert aggregator.pref_vector is None


@pytest.mark.filterwarnings(UNFINISHED)
def test_the_mean_of_gradients_is_the_plain_gradient(loud):
    pytest.importorskip("torchjd", reason="torchjd is in the extra `gradients`")
    X, Y = loud
    kwargs = {"max_iter": 10, "random_state": 0, "early_stopping": False, "dtype": "float64"}
    plain = SharedHiddenLayerRegressor((8,), alpha=0.01, alpha_common=0.1, **kwargs).fit(X, Y)
    mean = SharedHiddenLayerRegressor(
        (8,), alpha=0.01, alpha_common=0.1, gradient_aggregation="mean", **kwargs
    ).fit(X, Y)
    np.testing.assert_allclose(plain.predict(X), mean.predict(X), atol=1e-6)


def test_aggregation_is_refused_with_the_reason_and_the_alternative():
    with pytest.raises(ValueError, match=r"more than 50 tasks; got 51 tasks.*'uncertainty'"):
        make_aggregator("Shared", "upgrad", 51)
    pytest.importorskip("torchjd", reason="torchjd is in the extra `gradients`")
    with pytest.raises(ValueError, match=r"must name an aggregator.*There are .*pcgrad"):
        make_aggregator("Shared", "best", 3)
    with pytest.raises(ValueError, match="must be passed as an object, because it needs n_byz"):
        make_aggregator("Shared", "krum", 3)


def test_a_loss_that_networks_do_not_have_names_who_has_it():
    X, y = np.column_stack([np.arange(8) % 2, np.linspace(0, 1, 8)]), np.linspace(0, 1, 8)
    for loss, remedy in (("ordinal", "Linear models take this one"), ("logistic", "classifier")):
        with pytest.raises(ValueError, match=remedy):
            SharedHiddenLayerRegressor(loss=loss, task=0).fit(X, y)
