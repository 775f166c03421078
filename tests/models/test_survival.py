"""Cox models of many tasks: other packages, the definition, curves, what is refused."""

import pickle

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy.optimize import minimize
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from statsmodels.duration.hazard_regression import PHReg

import polytask
from polytask import MeanRegularizedSurvival, PooledSurvival, SingleTaskSurvival
from polytask.data import make_task_data, read_rows
from polytask.data.strata import StrataData
from polytask.model_selection import TaskKFold, concordance, integrated_brier_score

MODELS = [SingleTaskSurvival, PooledSurvival, MeanRegularizedSurvival]

# R 4.2.2, survival 3.5-3: coxph(Surv(t, e) ~ a + b + strata(g), ties = ..., control =
# coxph.control(eps = 1e-12)): coefficients, log likelihood without and with weights, and of
# basehaz(fit, centered = FALSE) the last value up to time 1 and the last of all, by stratum
R = {
    "efron": (
        [0.695689771998, -0.598341180189], -247.904610112,
        [0.682404464957, -0.565164908056], -663.881185392,
        [1.06840483346, 0.305570736454, 0.237850461501, 0.324422317613],
        [4.04816707058, 3.42001362736, 1.80367048523, 2.82329896529],
    ),
    "breslow": (
        [0.676626266550, -0.566243315566], -251.775961329,
        [0.659401869771, -0.530465398370], -672.464275902,
        [1.01048453795, 0.30358071115, 0.229224041367, 0.314617855331],
        [3.91190385188, 3.31330021538, 1.77244420562, 2.77986355632],
    ),
}  # fmt: skip


def clinics(n=160, m=4, seed=0):
    """A long table, task column last; (time, event) with ties; weights."""
    rng = np.random.default_rng(seed)
    clinic, X = np.arange(n) % m, rng.normal(size=(n, 2))
    event = rng.exponential(np.exp(-X @ [0.8, -0.4]) * (1 + clinic))
    censored = rng.exponential(4.0, size=n)
    time = np.ceil(10 * np.minimum(event, censored)) / 10
    y = np.column_stack([time, event <= censored])
    return np.column_stack([X, clinic]), y, rng.integers(1, 4, size=n)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_pooled_is_the_stratified_model_of_r(ties):
    X, y, w = clinics()
    coef, loglik, coef_w, loglik_w, at_one, at_end = R[ties]
    model = PooledSurvival(0, ties=ties, task=2, task_weight="size").fit(X, y)
    np.testing.assert_allclose(model.common_coef_, coef, rtol=1e-8)
    assert model.objective_ * len(y) == pytest.approx(-loglik, rel=1e-10)
    at = np.column_stack([np.zeros((4, 2)), np.arange(4)])
    curve = model.predict_cumulative_hazard(at, [1.0, 1e9])
    np.testing.assert_allclose(curve, np.column_stack([at_one, at_end]), rtol=1e-8)
    np.testing.assert_allclose(model.predict_survival(at, [1.0, 1e9]), np.exp(-curve))
    assert (model.predict_survival(at, [0.01]) == 1.0).all()
    weighted = clone(model).fit(X, y, sample_weight=w)
    np.testing.assert_allclose(weighted.common_coef_, coef_w, rtol=1e-8)
    assert weighted.objective_ * w.sum() == pytest.approx(-loglik_w, rel=1e-10)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_one_task_is_statsmodels(ties):
    X, y, _ = clinics()
    ours = SingleTaskSurvival(0, ties=ties).fit(X[:, :2], y)
    theirs = PHReg(y[:, 0], X[:, :2], status=y[:, 1], ties=ties).fit(disp=0)
    np.testing.assert_allclose(ours.coef_[0], theirs.params, rtol=1e-6)
    assert ours.objective_ * len(y) == pytest.approx(-theirs.llf, rel=1e-12)
    assert ours.violation_ < 1e-8


def partial_loss(time, event, f):
    """Minus Breslow's log partial likelihood, by its definition."""
    return sum(np.log(np.exp(f[time >= time[j]]).sum()) - f[j] for j in np.flatnonzero(event))


def test_mean_regularized_is_the_optimum_of_its_objective():
    X, y, _ = clinics(n=80)
    task, (time, event) = X[:, 2].astype(int), y.T

    def objective(flat):
        W = flat.reshape(5, 2)
        f = ((W[0] + W[1:])[task] * X[:, :2]).sum(axis=1)
        loss = sum(
            partial_loss(time[task == i], event[task == i], f[task == i]) / (task == i).sum()
            for i in range(4)
        )
        return loss / 4 + 0.02 * (W[1:] ** 2).sum() + 0.01 * (W[0] ** 2).sum()

    found = minimize(objective, np.zeros(10), method="BFGS", options={"gtol": 1e-8})
    model = MeanRegularizedSurvival(0.02, alpha_common=0.01, ties="breslow", task=2).fit(X, y)
    assert model.objective_ == pytest.approx(found.fun, rel=1e-10)
    W = found.x.reshape(5, 2)
    np.testing.assert_allclose(model.coef_, W[0] + W[1:], atol=1e-5)
    np.testing.assert_allclose(model.deviation_coef_, W[1:], atol=1e-5)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_slopes_and_hessian_are_those_of_the_value(ties):
    X, y, w = clinics(n=60)
    model = MeanRegularizedSurvival(task=2)
    signed = np.where(y[:, 1] == 1, y[:, 0], -y[:, 0])
    data = StrataData(make_task_data(model, read_rows(model, X, reset=True), signed, None, w), ties)
    theta, h = np.random.default_rng(0).normal(size=(4, 2)), 1e-5
    at = data.at(None, theta)
    for i in range(4):
        for k in range(2):
            step = np.zeros((4, 2))
            step[i, k] = h
            up, down = data.at(None, theta + step), data.at(None, theta - step)
            slope = (up.total - down.total) / (2 * h)
            assert at.gradient[i, k] == pytest.approx(slope, abs=1e-9)
            bend = (up.gradient - down.gradient) / (2 * h)
            np.testing.assert_allclose(at.gram[i, k], bend[i], atol=1e-8)
            np.testing.assert_allclose(np.delete(bend, i, axis=0), 0.0, atol=1e-10)


def test_held_out_partial_likelihood_is_its_definition():
    X, y, _ = clinics(n=60)
    model = PooledSurvival(task=2)
    signed = np.where(y[:, 1] == 1, y[:, 0], -y[:, 0])
    whole = make_task_data(model, read_rows(model, X, reset=True), signed, None, None)
    keep = np.arange(60) % 3 > 0
    theta = np.tile([0.5, -0.2], (4, 1))
    part = StrataData(whole.subset(keep), "breslow").held_out(whole, theta)
    expected = 0.0
    for i in range(4):
        of_task = whole.code == i
        for rows, sign in ((of_task, 1.0), (of_task & keep, -1.0)):
            time, event = np.abs(whole.y[rows]), whole.y[rows] > 0
            f = whole.design.predict(theta)[rows]
            expected += sign * partial_loss(time, event, f) / of_task.sum() / 4
    assert part == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("Model", MODELS)
def test_whole_weights_are_repeated_rows_and_order_is_no_matter(Model):
    X, y, w = clinics(n=80)
    weighted = Model(0.02, ties="breslow", task=2, task_weight="size")
    repeated = clone(weighted)
    weighted.fit(X, y, sample_weight=w)
    order = np.random.default_rng(0).permutation(w.sum())
    repeated.fit(np.repeat(X, w, axis=0)[order], np.repeat(y, w, axis=0)[order])
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-8)
    curves = (m.predict_survival(X[:9], [0.3, 1.0]) for m in (weighted, repeated))
    np.testing.assert_allclose(*curves, atol=1e-8)


@pytest.mark.parametrize("Model", MODELS)
def test_levels_of_features_belong_to_the_baseline(Model):
    X, y, _ = clinics()
    far = X + np.array([2000.0, -50.0, 0.0])
    near, moved = (Model(0.01, task=2).fit(Z, y) for Z in (X, far))
    np.testing.assert_allclose(near.coef_, moved.coef_, atol=1e-9)
    curves = (m.predict_survival(Z[:9], [0.5, 2.0]) for m, Z in ((near, X), (moved, far)))
    np.testing.assert_allclose(*curves, atol=1e-7)


def test_related_tasks_gain_and_strengths_are_limits():
    X, y, _ = clinics(n=120, m=6)
    test_X, test_y, _ = clinics(n=1200, m=6, seed=1)
    alone = SingleTaskSurvival(task=2).fit(X, y)
    joint = MeanRegularizedSurvival(task=2).fit(X, y)
    assert joint.score(test_X, test_y) > alone.score(test_X, test_y)
    assert len(joint.alpha_path_) == len(joint.cv_scores_)
    pooled = PooledSurvival(0.0, task=2).fit(X, y)
    tied = MeanRegularizedSurvival(1e6, task=2).fit(X, y)
    np.testing.assert_allclose(tied.coef_, pooled.coef_, atol=1e-5)


def test_unseen_tasks_have_the_baseline_of_all():
    X, y, _ = clinics()
    new = np.column_stack([X[:3, :2], np.full(3, 9)])
    with pytest.raises(ValueError, match="9"):
        MeanRegularizedSurvival(0.1, task=2).fit(X, y).predict_survival(new, [1.0])
    model = PooledSurvival(0.1, task=2).fit(X, y)
    one = SingleTaskSurvival(0.1).fit(X[:, :2], y)
    one.coef_ = model.common_coef_[None]
    S = model.predict_survival(new, [0.2, 1.0, 3.0])
    assert (np.diff(S, axis=1) < 0).all()
    between = model.predict_survival(
        np.tile(new[0], (4, 1)) * [1, 1, 0] + np.outer(range(4), [0, 0, 1]), [1.0]
    )
    assert between.min() < S[0, 1] < between.max()


@pytest.mark.parametrize("Model", MODELS)
def test_unseen_tasks_at_chosen_strengths_and_groups_in_one_fold(Model):
    X, y, _ = clinics(n=80)
    new = np.column_stack([X[:3, :2], np.full(3, 9)])
    model = Model(task=2, unseen="common").fit(X, y, groups=np.arange(80) // 2)
    np.testing.assert_allclose(model.predict(new), X[:3, :2] @ model.common_coef_)


def test_every_form_of_the_target_is_the_same():
    X, y, _ = clinics(n=40)
    expected = PooledSurvival(0.1, task=2).fit(X, y).coef_
    time, event = y.T
    forms = (
        pd.DataFrame({"event": event.astype(bool), "time": time}),
        pd.DataFrame({"weeks": time, "died": event}),
        np.array(list(zip(event == 1, time, strict=True)), dtype=[("e", bool), ("t", float)]),
        np.array(list(zip(time, event, strict=True)), dtype=[("t", float), ("event", int)]),
        y.tolist(),
    )
    for form in forms:
        np.testing.assert_array_equal(PooledSurvival(0.1, task=2).fit(X, form).coef_, expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda y: np.where(np.arange(40)[:, None] == 3, [0.0, 1.0], y),
            "positive.*got 0 in row 3",
        ),
        (lambda y: np.where(np.arange(40)[:, None] == 2, [np.nan, 1.0], y), "got nan in row 2"),
        (lambda y: y[:, ::-1] + 0.5, r"1 \(it came\) or 0 \(censored\); got"),
        (lambda y: np.add(y, [0, 1]), r"got 2 in row .* status of 1 and 2, as in R, subtract 1"),
        (lambda y: y[:, 0], r"two columns.*got shape \(40,\)"),
        (
            lambda y: np.where((np.arange(40) % 4 == 1)[:, None], y * [1, 0], y),
            r"an event in every task; all rows are censored in \[1\]",
        ),
    ],
)
def test_bad_targets_are_one_sentence(change, message):
    X, y, _ = clinics(n=40)
    with pytest.raises(ValueError, match=message):
        PooledSurvival(0.1, task=2).fit(X, change(y))


def test_scikit_learns_tools_and_files(tmp_path):
    X, y, _ = clinics()
    search = GridSearchCV(
        MeanRegularizedSurvival(task=2), {"alpha": [0.01, 1.0]}, cv=TaskKFold(3, task=2)
    )
    model = search.fit(X, y).best_estimator_
    skops.io.dump(model, tmp_path / "m.skops")
    read = skops.io.load(tmp_path / "m.skops", trusted=polytask.TRUSTED_TYPES)
    for other in (read, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(
            other.predict_survival(X, [1.0]), model.predict_survival(X, [1.0])
        )
    with pytest.raises(ValueError, match="add_task needs numbers"):
        model.add_task(X[:3] + np.array([0, 0, 9]), y[:3, 0])


def test_concordance_and_brier_score_are_scikit_survivals():
    """scikit-survival 0.28.0: concordance_index_censored, integrated_brier_score."""
    X, y, _ = clinics()
    time, event = y[:, 0], y[:, 1] == 1
    risk = np.round(X[:, 0], 1)
    assert concordance(time, event, risk) == pytest.approx(0.6625362669245648, rel=1e-14)
    by_task = [0.6469265367316341, 0.7075949367088608, 0.6563218390804598, 0.6085011185682326]
    found = concordance(time, event, risk, X[:, 2].astype(int))
    np.testing.assert_allclose(found, by_task, rtol=1e-14)
    train, test = np.arange(160) < 80, np.arange(160) >= 80
    times = np.array([0.3, 0.7, 1.0, 1.5, 2.2])
    survival = np.exp(-0.5 * times * np.exp(X[test, :1]))
    score = integrated_brier_score(
        time[train], event[train], time[test], event[test], survival, times
    )
    assert score == pytest.approx(0.22170841477350334, rel=1e-12)
    assert np.isnan(concordance([1.0, 2.0], [False, False], [0.0, 1.0]))
    with pytest.raises(ValueError, match="inside the range"):
        integrated_brier_score(time, event, time, event, survival, [1.0, 1e6])
