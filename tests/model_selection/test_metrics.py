"""Metrics: scikit-learn's answer in each task, NaN and one-class tasks left out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from polytask.model_selection import METRICS, get_metric
from tests.effort import calls
from tests.model_selection.helpers import few

REGRESSION = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "explained_variance_within": sk.r2_score,
    "nmse": lambda y, p, sample_weight: 1 - sk.r2_score(y, p, sample_weight=sample_weight),
}
PROBABILITY = {
    "log_loss": lambda y, p, sample_weight: sk.log_loss(
        y, p, sample_weight=sample_weight, labels=[0, 1]
    ),
    "brier": sk.brier_score_loss,
    "auc": sk.roc_auc_score,
    "average_precision": sk.average_precision_score,
}


def sample(seed, n_tasks=6, binary=False):
    rng = np.random.default_rng(seed)
    codes = np.concatenate([np.arange(n_tasks), np.arange(n_tasks), rng.integers(n_tasks, size=60)])
    y = rng.normal(size=codes.size) + codes
    pred = np.round(y + rng.normal(size=codes.size), 1)
    if binary:
        y, pred = (y > 3).astype(float), rng.integers(0, 11, size=codes.size) / 10
        y[: 2 * n_tasks] = np.repeat([0.0, 1.0], n_tasks)
    return y, pred, codes, rng.uniform(0.1, 3, size=codes.size)


def suited(name, y, pred):
    """Targets and predictions that every deviance takes, where the metric is one."""
    if name == "concordance":  # half the rows have an event, and are the earlier
        return np.where(np.isnan(y), np.nan, np.where(y > 0.5, 1.0, -1.5)), pred
    if "_deviance" not in name:
        return y, pred
    return np.where(np.isnan(y), np.nan, 0.25 + 0.5 * (y > 0.5)), np.clip(pred, 0.1, 0.9)


@pytest.mark.parametrize("weighted", [False, True])
@few
@given(seed=st.integers(0, 500))
def test_each_task_gets_scikit_learns_answer(weighted, seed):
    for table, binary in ((REGRESSION, False), (PROBABILITY, True)):
        y, pred, codes, weight = sample(seed, binary=binary)
        weight = weight if weighted else np.ones_like(y)
        for name, reference in table.items():
            expected = [
                reference(y[codes == i], pred[codes == i], sample_weight=weight[codes == i])
                for i in range(6)
            ]
            got = METRICS[name].per_task(y, pred, codes, weight if weighted else None)
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-12, err_msg=name)


@few
@given(seed=st.integers(0, 500))
def test_pooled_is_scikit_learns_answer_over_all_rows(seed):
    for table, binary in ((REGRESSION, False), (PROBABILITY, True)):
        y, pred, codes, weight = sample(seed, binary=binary)
        for name in set(table) - {"explained_variance_within"}:
            got = METRICS[name].pooled(y, pred, codes, weight)
            assert got == pytest.approx(table[name](y, pred, sample_weight=weight)), name


def test_explained_variance_is_named_precisely():
    y, pred, codes, _ = sample(0)
    pooled, within = METRICS["explained_variance"], METRICS["explained_variance_within"]
    sse = ((y - pred) ** 2).sum()
    inside = sum(((y[codes == i] - y[codes == i].mean()) ** 2).sum() for i in range(6))
    assert pooled.pooled(y, pred, codes) == pytest.approx(sk.r2_score(y, pred))
    assert within.pooled(y, pred, codes) == pytest.approx(1 - sse / inside)
    assert pooled.pooled(y, pred) > within.pooled(y, pred, codes)
    shares = np.bincount(codes) / codes.size
    assert pooled.per_task(y, pred, codes) @ shares == pytest.approx(sk.r2_score(y, pred))


def test_accuracy():
    metric = METRICS["accuracy"]
    assert metric.per_task([0, 1, 2, 2], [0, 1, 1, 2], [0, 0, 1, 1]).tolist() == [1.0, 0.5]
    assert metric.pooled([0, 1, 2, 2], [0, 1, 1, 2]) == 0.75


@pytest.mark.parametrize("name", ["auc", "average_precision"])
def test_one_class_tasks_are_left_out_and_counted(name):
    metric = METRICS[name]
    values = metric.per_task([0, 1, 1, 1, 0, 0], [0.2, 0.9, 0.5, 0.5, 0.1, 0.3], [0, 0, 1, 1, 2, 2])
    assert values[0] == 1.0
    assert np.isnan(values[1:]).all()
    assert metric.summary(values) == (1.0, 1.0, 1, 2)


@pytest.mark.parametrize("constant", [0.1, 1e9 + 0.3, 0.0])
def test_a_constant_target_has_no_explained_variance(constant):
    y = np.array([constant] * 7 + [1.0, 2.0])
    codes = np.array([0] * 7 + [1, 1])
    for name in ("explained_variance_within", "nmse"):
        values = METRICS[name].per_task(y, y + 0.5, codes)
        assert np.isnan(values[0])
    only = y[:7]
    assert np.isnan(METRICS["explained_variance"].pooled(only, only, codes[:7]))
    assert np.isnan(METRICS["explained_variance_within"].pooled(only, only, codes[:7]))


@pytest.mark.parametrize("name", METRICS)
def test_wide_labels_equal_long_ones_and_nan_is_left_out(name):
    rng = np.random.default_rng(0)
    Y = rng.integers(0, 2, size=(40, 3)).astype(float)
    pred, weight = rng.uniform(size=(40, 3)), rng.uniform(1, 2, size=(40, 3))
    Y[rng.uniform(size=Y.shape) < 0.3] = np.nan
    Y, pred = suited(name, Y, pred)
    rows, columns = np.nonzero(~np.isnan(Y))
    pred[np.isnan(Y)] = np.nan
    metric = METRICS[name]
    long = Y[rows, columns], pred[rows, columns], columns, weight[rows, columns]
    np.testing.assert_allclose(metric.per_task(Y, pred, weight=weight), metric.per_task(*long))
    assert metric.pooled(Y, pred, weight=weight) == pytest.approx(metric.pooled(*long))
    by_row = metric.per_task(Y, pred, weight=weight[:, 0])
    np.testing.assert_allclose(by_row, metric.per_task(*long[:3], weight[rows, 0]))


@pytest.mark.parametrize("name", METRICS)
def test_weights_are_duplicated_rows(name):
    y, pred, codes, _ = sample(1, binary=METRICS[name].kind == "classification")
    y, pred = suited(name, y, pred)
    times = np.random.default_rng(0).integers(0, 4, size=y.size)
    metric = METRICS[name]
    doubled = [np.repeat(a, times) for a in (y, pred, codes)]
    np.testing.assert_allclose(
        metric.per_task(y, pred, codes, times), metric.per_task(*doubled, n_tasks=6)
    )
    assert metric.pooled(y, pred, codes, times) == pytest.approx(metric.pooled(*doubled))


def test_tasks_without_rows_and_the_summary():
    metric = METRICS["rmse"]
    values = metric.per_task([1.0, 5.0], [0.0, 3.0], [0, 2], n_tasks=5)
    np.testing.assert_array_equal(values, [1, np.nan, 2, np.nan, np.nan])
    assert metric.summary(values) == (1.5, 2.0, 2, 3)
    assert METRICS["accuracy"].summary([0.2, 0.8]).worst == 0.2
    nothing = metric.summary([np.nan])
    assert np.isnan(nothing.mean)
    assert (nothing.n_tasks, nothing.n_left_out) == (0, 1)


def test_certain_and_wrong_is_finite():
    assert np.isfinite(METRICS["log_loss"].pooled([1.0, 0.0], [0.0, 1.0]))


@pytest.mark.parametrize("name", METRICS)
def test_ten_thousand_tasks_cost_nothing(name):
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(10_000), 10)
    y, pred = suited(name, rng.integers(0, 2, codes.size), rng.uniform(size=codes.size))
    assert METRICS[name].per_task(y, pred, codes).shape == (10_000,)
    assert calls(lambda: METRICS[name].per_task(y, pred, codes)) < 5_000  # not one a task


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: METRICS["mae"].per_task([1.0], [1.0]), "'mae': codes must be given for 1-D y"),
        (lambda: METRICS["mae"].pooled([1.0, 2.0], [1.0]), "pred must have y's shape"),
        (lambda: METRICS["mae"].pooled([1.0], [np.nan]), "pred must be finite where y is"),
        (lambda: METRICS["mae"].pooled([1.0], [1.0], weight=[-1]), "weight must be 0 or more"),
        (lambda: METRICS["mae"].per_task([1.0], [1.0], [3], n_tasks=2), "n_tasks must be at least"),
        (lambda: METRICS["auc"].pooled([2.0], [0.5]), "y must be 0, 1 or NaN"),
        (lambda: METRICS["brier"].pooled([1.0], [1.5]), "pred must be probabilities; got 1.5"),
        (lambda: METRICS["explained_variance_within"].pooled([1.0], [1.0]), "codes must be given"),
        (
            lambda: METRICS["gamma_deviance"].pooled([1.0, 0.0], [1.0, 1.0]),
            "y must be positive for",
        ),
        (lambda: get_metric("r2"), "metric must be one of rmse, mae, .*; got 'r2'"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_table_is_complete():
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.title
        assert metric.text
        assert metric.needs in ("predict", "predict_proba", "training rows")
        assert metric.greater_is_better == (
            name not in ("rmse", "mae", "nmse", "pinball", "log_loss", "brier")
            and not name.endswith(("_deviance", "_brier"))
        )


def _binomial(y, p):
    return 2 * (y * np.log(y / p) + (1 - y) * np.log((1 - y) / (1 - p))).mean()


@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("poisson_deviance", sk.mean_poisson_deviance),
        ("gamma_deviance", sk.mean_gamma_deviance),
        ("tweedie_deviance", lambda y, f: sk.mean_tweedie_deviance(y, f, power=1.5)),
        ("binomial_deviance", _binomial),
    ],
)
def test_deviances_are_those_of_scikit_learn(name, peer):
    rng = np.random.default_rng(0)
    y, pred = rng.uniform(0.1, 0.9, 30), rng.uniform(0.1, 0.9, 30)
    assert METRICS[name].pooled(y, pred) == pytest.approx(peer(y, pred))
    whole = peer(y, np.full(30, y.mean()))
    assert METRICS[f"{name}_explained"].pooled(y, pred) == pytest.approx(1 - peer(y, pred) / whole)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_log_loss_explained_is_beside_the_shares_of_the_classes(n_classes):
    rng = np.random.default_rng(0)
    y, codes, weight = rng.integers(0, n_classes, 60), np.arange(60) % 3, rng.uniform(1, 2, 60)
    p = rng.dirichlet(np.ones(n_classes), 60)
    share = np.bincount(y, weight) / weight.sum()
    labels = list(range(n_classes))
    null = sk.log_loss(y, np.tile(share, (60, 1)), sample_weight=weight, labels=labels)
    metric, asked = get_metric("log_loss_explained"), p if n_classes > 2 else p[:, 1]
    left = sk.log_loss(y, p, sample_weight=weight, labels=labels) / null
    assert metric.pooled(y, asked, weight=weight) == pytest.approx(1 - left)
    first = codes == 0
    left = sk.log_loss(y[first], p[first], sample_weight=weight[first], labels=labels) / null
    assert metric.per_task(y, asked, codes, weight)[0] == pytest.approx(1 - left)
    assert np.isnan(metric.pooled(np.ones(5), np.full(5, 0.5)))
