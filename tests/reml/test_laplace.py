"""Mixed models of labels: the deviance by quadrature, its slopes by differences."""

import copy
import pickle

import numpy as np
import pytest
from scipy.special import expit, logsumexp

from polytask import MeanRegularizedClassifier
from polytask.data import make_task_data, read_rows, read_target
from polytask.datasets import make_related_tasks
from polytask.mixed.laplace import LaplaceModel
from polytask.mixed.search import Variances, estimate_diagonal
from polytask.responses import Logistic
from tests.reml.worlds import draw, on_slopes

COMMON = np.array([1.0, -0.5, 0.3])


def labels(rng, sizes, deviation):
    X, f, theta = draw(rng, sizes, np.array(deviation), COMMON, noise=0.0)
    return X, (rng.random(len(f)) < expit(f)).astype(float), theta


def laplace(X, y):
    estimator = MeanRegularizedClassifier("reml", task="task")
    target, names = read_target(estimator, y)
    rows = read_rows(estimator, X, reset=True)
    return LaplaceModel(
        make_task_data(estimator, rows, estimator._encode(target), names, None), Logistic()
    )


@pytest.mark.parametrize("kappa", [None, 0.3])
def test_gradient_is_the_slope_of_the_deviance(rng, kappa):
    model = laplace(*labels(rng, [8] * 20, [0.7, 0.5, 1.0])[:2])
    L, E = rng.normal(size=(2, 3, 3))
    step = 1e-4
    up, down = (model.at(L + s * step * E, on_slopes(kappa)).deviance for s in (1, -1))
    slope = 2.0 * (model.at(L, on_slopes(kappa)).gradient @ L * E).sum()
    assert slope == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-5)
    if kappa is not None:
        up, down = (model.at(L, on_slopes(kappa + s * step)).deviance for s in (1, -1))
        slope = model.at(L, on_slopes(kappa)).kappa_gradient.sum()
        assert slope == pytest.approx((up - down) / (2 * step), rel=1e-4)


def test_a_curvature_nearby_leads_to_the_same_mode(rng):
    """Steps by the curvature of the last variances end where Newton's do."""
    X, y, _ = labels(rng, [8] * 20, [0.7, 0.5, 1.0])
    used = laplace(X, y)
    for factor in (1.0, 1.3, 4.0, 0.01, 100.0):
        L = factor * np.eye(3)
        found, alone = used.at(L), laplace(X, y).at(L)
        assert found.deviance == pytest.approx(alone.deviance, rel=1e-9)
        np.testing.assert_allclose(found.q, alone.q, atol=1e-6)
        np.testing.assert_allclose(found.gradient, alone.gradient, rtol=1e-5, atol=1e-6)


def integral(X, y, common, sd):
    """Log likelihood of tasks with a random level, on a dense grid of each task's level."""
    z = np.linspace(-8.0, 8.0, 2001)
    f = X[["x0", "x1"]].to_numpy() @ common[:2] + common[2]
    f = f[:, None] + sd * z
    each = y[:, None] * f - np.logaddexp(0.0, f)
    code = X["task"].to_numpy()
    total = np.zeros((code.max() + 1, len(z)))
    np.add.at(total, code, each)
    log_prior = -0.5 * z**2
    return float((logsumexp(total + log_prior, axis=1) - logsumexp(log_prior)).sum())


def test_deviance_is_near_the_integral(rng):
    """Each task's integral over its level, at the w0 of the mode: Laplace errs by O(1 / rows)."""
    errors = []
    for n_rows in (20, 80):
        X, y, _ = labels(rng, [n_rows] * 60, [0.0, 0.0, 1.0])
        model = laplace(X, y)
        point = model.at(np.array([[0.0], [0.0], [1.0]]))
        common = point.common / model.scale
        ours = point.objective + 0.5 * np.log(1.0 + point.grams[:, 2, 2]).sum()
        errors.append(abs(ours + integral(X, y, common, 1.0)) / 60)
    assert errors[0] < 0.02
    assert errors[1] < 0.5 * errors[0]


def test_the_variance_is_found(rng):
    X, y, _ = labels(rng, [30] * 80, [0.0, 0.0, 1.0])
    found = estimate_diagonal(Variances(laplace(X, y), np.array([-1, -1, 0])))
    assert found.converged
    assert (found.point.L**2).sum() == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize("covariance", ["scalar", "diagonal", "factor", "full"])
def test_the_answer_is_an_optimum(rng, covariance):
    X, y, _ = labels(rng, [1, 3, 8, 8, 15, 15, 20, 20, 20, 20, 20], [0.7, 0.5, 1.0])
    times = rng.integers(1, 3, len(y))
    model = MeanRegularizedClassifier("reml", covariance=covariance, weights="count", task="task")
    weighted = model.fit(X, y, sample_weight=times)
    assert weighted.violation_ < 1e-8
    f = weighted.decision_function(X)
    low, high = weighted.coef_interval()
    assert (low < high).all()
    again = np.repeat(np.arange(len(y)), times)
    repeated = model.fit(X.iloc[again], y[again]).decision_function(X)
    np.testing.assert_allclose(f, repeated, rtol=1e-3, atol=1e-3)


def test_given_strengths_are_the_same_fit(rng):
    X, y, _ = labels(rng, [15] * 12, [0.7, 0.5, 1.0])
    found = MeanRegularizedClassifier("reml", covariance="scalar", alpha_common=0, task="task")
    found.fit(X, y)
    given = MeanRegularizedClassifier(
        np.minimum(found.alpha_, 1e6), alpha_intercept=min(found.alpha_intercept_, 1e6),
        task="task", task_weight="size",
    ).fit(X, y)  # fmt: skip
    np.testing.assert_allclose(given.coef_, found.coef_, atol=1e-5)


def test_an_added_task_has_intervals(rng):
    X, y, _ = labels(rng, [15] * 12, [0.7, 0.5, 1.0])
    old = X["task"] < 11
    model = MeanRegularizedClassifier("reml", task="task").fit(X[old], y[old])
    model.add_task(X[~old], y[~old])
    low, high = model.coef_interval()
    assert low.shape == (12, 2)
    assert (low <= model.coef_).all()
    assert (model.coef_ <= high).all()


@pytest.mark.slow
def test_intervals_cover_with_many_rows():
    """With 60 labels a task; with 20 they hold 91 %, which the docs say."""
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(30):
        X, y, theta = labels(rng, [60] * 40, [0.7, 0.5, 1.0])
        model = MeanRegularizedClassifier("reml", covariance="diagonal", task="task").fit(X, y)
        low, high = model.coef_interval()
        inside.append(((low <= theta[:, :2]) & (theta[:, :2] <= high)).mean())
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize("covariance", ["scalar", "diagonal", "full"])
def test_separated_labels_do_not_run_away(rng, covariance):
    """Every row on its side of x0 = t_i: the likelihood alone grows with the variances for ever."""
    X, _, theta = labels(rng, [10] * 20, [0.0, 0.0, 1.0])
    y = (X["x0"] > 0.5 * theta[X["task"], 2]).to_numpy(float)
    model = MeanRegularizedClassifier(
        "reml", covariance=covariance, weights="count", task="task"
    ).fit(X, y)
    assert model.status_ == "solved"
    spread = np.sqrt(np.trace(model.deviation_covariance_))
    assert spread < 8.0  # log odds, prior scale 2.5
    f = model.decision_function(X)
    assert np.abs(f).max() < 50.0
    order = rng.permutation(len(y))
    turned = MeanRegularizedClassifier("reml", covariance=covariance, task="task")
    turned.fit(X.iloc[np.append(order, order)], np.append(y[order], y[order]))
    doubled = model.fit(X, y, sample_weight=np.full(len(y), 2.0)).decision_function(X)
    np.testing.assert_allclose(turned.decision_function(X), doubled, rtol=1e-3, atol=1e-3)


def test_covariance_of_the_common_part_is_made_when_it_is_asked_for():
    X, y, _ = make_related_tasks(n_tasks=12, n_features=2, classification=True, random_state=0)
    model = MeanRegularizedClassifier("reml", covariance="diagonal", task="task", alpha_common=0)
    model.fit(X, y)
    assert "common_covariance_" not in vars(model)
    other = copy.copy(model)
    assert "common_covariance_" not in vars(model)
    assert "common_covariance_" not in vars(other)
    read = pickle.loads(pickle.dumps(model))
    assert "_ask_common_" not in vars(read)
    np.testing.assert_array_equal(read.common_covariance_, model.common_covariance_)
    np.testing.assert_allclose(other.common_covariance_, model.common_covariance_, rtol=1e-9)
    assert (np.linalg.eigvalsh(model.common_covariance_) > 0).all()
    with pytest.raises(AttributeError, match="common_covariance_"):
        _ = MeanRegularizedClassifier("cv", task="task").fit(X, y).common_covariance_
