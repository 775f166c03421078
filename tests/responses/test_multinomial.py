"""Any number of classes: optima by other roads, the two-class case, metrics."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from polytask import (
    MeanRegularizedClassifier,
    PooledClassifier,
    SingleTaskClassifier,
    TaskInterceptClassifier,
)
from polytask.data import make_task_data, read_rows
from polytask.model_selection import METRICS
from polytask.responses import Logistic, Multinomial
from polytask.solvers import select
from polytask.tuning import LeaveOneOut

NAMES = np.array(["bus", "car", "walk"])


def classes(n=240, d=3, m=6, seed=0):
    """A long table, task column last, and a class that every task chooses its own way."""
    rng = np.random.default_rng(seed)
    task = np.arange(n) % m
    X = rng.normal(size=(n, d))
    B = rng.normal(size=(3, d)) + 0.5 * rng.normal(size=(m, 3, d))
    g = np.einsum("nkd,nd->nk", B[task], X) + rng.gumbel(size=(n, 3))
    return np.column_stack([X, task]), NAMES[g.argmax(axis=1)]


def test_one_task_is_scikit_learns_multinomial_logistic_regression():
    X, y = classes()
    X = X[:, :3]
    ours = SingleTaskClassifier(0.01, alpha_intercept=0).fit(X, y)
    theirs = LogisticRegression(C=1 / (2 * 0.01 * len(y)), tol=1e-12, max_iter=10_000).fit(X, y)
    np.testing.assert_allclose(ours.coef_[0], theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8)
    assert ours.violation_ < 1e-8
    assert (ours.predict(X) == theirs.predict(X)).all()
    assert ours.score(X, y) == theirs.score(X, y)


def test_mean_regularized_is_the_optimum_of_its_objective():
    X, y = classes()
    a, a0, a1 = 0.03, 0.02, 0.01
    model = MeanRegularizedClassifier(a, alpha_intercept=a1, alpha_common=a0, task=3).fit(X, y)
    Z, task = np.column_stack([X[:, :3], np.ones(len(X))]), X[:, 3].astype(int)
    hot = (y[:, None] == NAMES).astype(float)
    omega = (1 / 6 / np.bincount(task))[task]
    common, own = np.array([a0, a0, a0, 0.0]), np.array([a, a, a, a1])

    def objective(flat):
        W = flat.reshape(7, 3, 4)  # w0 and six deviations, of three classes each
        g = np.einsum("nkp,np->nk", (W[0] + W[1:])[task], Z)
        p = softmax(g, axis=1)
        loss = -omega @ np.log((p * hot).sum(axis=1))
        D = np.einsum("nk,np->nkp", omega[:, None] * (p - hot), Z)
        G = np.stack([D[task == i].sum(axis=0) for i in range(6)])
        slope = np.concatenate([[G.sum(axis=0) + 2 * common * W[0]], G + 2 * own * W[1:]])
        return loss + (common * W[0] ** 2).sum() + (own * W[1:] ** 2).sum(), slope.ravel()

    found = minimize(
        objective, np.zeros(84), jac=True, method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    W = found.x.reshape(7, 3, 4)
    assert model.objective_ == pytest.approx(found.fun, rel=1e-10)
    np.testing.assert_allclose(model.common_coef_, W[0, :, :3], atol=1e-5)
    np.testing.assert_allclose(model.coef_, W[0, :, :3] + W[1:, :, :3], atol=1e-5)
    np.testing.assert_allclose(model.coef_.sum(axis=1), 0.0, atol=1e-12)
    np.testing.assert_allclose(
        model.predict_proba(X), softmax(np.einsum("nkp,np->nk", (W[0] + W[1:])[task], Z), axis=1),
        atol=1e-6,
    )  # fmt: skip


def test_two_classes_are_the_logistic_loss_at_half_the_strength():
    """The class predictors are f/2 and -f/2, whose squares add up to f²/2."""
    rng = np.random.default_rng(1)
    y, f = rng.integers(2, size=9).astype(float), rng.normal(size=9)
    two, one = Multinomial(2), Logistic()
    g = f[:, None] / (two.contrasts[1] - two.contrasts[0])
    np.testing.assert_allclose(two.value(y, g), one.value(y, f), rtol=1e-12)
    np.testing.assert_allclose(two.inverse_link(g)[:, 1], one.inverse_link(f), rtol=1e-12)
    np.testing.assert_allclose((g**2).sum(axis=1), 0.5 * f**2, rtol=1e-12)


def test_slopes_and_curvature_are_those_of_the_value():
    rng = np.random.default_rng(2)
    loss, y, f = Multinomial(4), rng.integers(4, size=50).astype(float), rng.normal(size=(50, 3))
    e, h = loss.directions, 1e-5
    H = np.einsum("nr,ra,rb->nab", loss.curvature(y, f), e, e)
    for c in range(3):
        step = np.zeros(3)
        step[c] = h
        up, down = f + step, f - step
        slope = (loss.value(y, up) - loss.value(y, down)) / (2 * h)
        np.testing.assert_allclose(loss.gradient(y, f)[:, c], slope, atol=1e-8)
        curvature = (loss.gradient(y, up) - loss.gradient(y, down)) / (2 * h)
        np.testing.assert_allclose(H[:, c], curvature, atol=1e-8)


@pytest.mark.parametrize("Model", [SingleTaskClassifier, PooledClassifier, TaskInterceptClassifier])
def test_names_of_classes_and_order_of_rows_do_not_matter(Model):
    X, y = classes()
    before = Model(task=3).fit(X, y)
    order = np.random.default_rng(3).permutation(len(y))
    renamed = np.array(["z", "x", "y"])[np.searchsorted(NAMES, y)]
    after = Model(task=3).fit(X[order], renamed[order])
    np.testing.assert_allclose(
        after.predict_proba(X)[:, [2, 0, 1]], before.predict_proba(X), atol=1e-6
    )


def test_wide_labels_and_unseen_tasks():
    X, y = classes()
    wide = np.stack([y, y[::-1]], axis=1)
    model = MeanRegularizedClassifier(0.1).fit(X[:, :3], wide)
    p = model.predict_proba(X[:, :3])
    assert p.shape == (len(y), 2, 3)
    np.testing.assert_allclose(p.sum(axis=-1), 1.0)
    assert model.predict(X[:, :3]).shape == wide.shape
    long = MeanRegularizedClassifier(0.1, task=3, unseen="common").fit(X, y)
    new = np.column_stack([X[:4, :3], np.full(4, 99)])
    g = X[:4, :3] @ long.common_coef_.T + long.common_intercept_
    np.testing.assert_allclose(long.predict_proba(new), softmax(g, axis=1))


def test_what_is_written_for_two_classes_says_so():
    X, y = classes(n=60)
    with pytest.raises(ValueError, match="alpha='reml' needs numbers or two classes; got 3"):
        MeanRegularizedClassifier("reml", task=3).fit(X, y)
    model = MeanRegularizedClassifier(0.1, task=3).fit(X, y)
    with pytest.raises(ValueError, match="add_task needs numbers or two classes; got classes"):
        model.add_task(np.column_stack([X[:4, :3], np.full(4, 99)]), y[:4])


def test_metrics_of_classes_are_scikit_learns():
    X, y = classes()
    p = SingleTaskClassifier(0.01).fit(X[:, :3], y).predict_proba(X[:, :3])
    code = np.searchsorted(NAMES, y).astype(float)
    auc = roc_auc_score(y, p, multi_class="ovr", average="macro")
    assert METRICS["auc"].pooled(code, p) == pytest.approx(auc)
    assert METRICS["log_loss"].pooled(code, p) == pytest.approx(log_loss(y, p))
    brier = brier_score_loss(y, p, scale_by_half=True, labels=NAMES)
    assert METRICS["brier"].pooled(code, p) == pytest.approx(brier)
    task = X[:, 3].astype(int)
    first = roc_auc_score(y[task == 0], p[task == 0], multi_class="ovr", average="macro")
    assert METRICS["auc"].per_task(code, p, task)[0] == pytest.approx(first)
    losses = Multinomial(3).row_losses
    for name in ("log_loss", "brier"):
        mean = losses[name].of(code, p).mean()
        assert METRICS[name].pooled(code, p) == pytest.approx(mean)
    assert losses["accuracy"].of(code, p).mean() == (NAMES[p.argmax(axis=1)] != y).mean()


@pytest.mark.parametrize(
    ("Model", "strengths"),
    [
        (SingleTaskClassifier, {"alpha": 0.02, "alpha_intercept": 0.001}),
        (PooledClassifier, {"alpha": 0.02}),
        (TaskInterceptClassifier, {"alpha": 0.02, "alpha_intercept": 0.01}),
        (MeanRegularizedClassifier, {"alpha": 0.05, "alpha_intercept": 0.02, "alpha_common": 0.01}),
    ],
)
def test_leave_one_out_is_near_refits(Model, strengths):
    X, y = classes(n=96, m=4)
    model = Model(task=3, **strengths)
    data = make_task_data(model, read_rows(model, X, reset=True), model._encode(y), None, None)
    problem = model._make_problem(data, model._loss(), strengths).lifted()
    near = LeaveOneOut(1e-9).predictions(problem)
    start = select(problem).solve(problem, None, 1e-9, 100).blocks
    exact = np.empty_like(near)
    for j in range(len(y)):
        without = replace(data, sample_weight=data.sample_weight)
        vars(without)["weight"] = data.weight * (np.arange(len(y)) != j)
        part = model._make_problem(without, model._loss(), strengths).lifted()
        exact[j] = part.predict(select(part).solve(part, start, 1e-8, 100).blocks)[j]
    risk, refitted = (problem.loss.value(data.y, f).mean() for f in (near, exact))
    assert risk == pytest.approx(refitted, rel=0.01)
    assert np.median(np.abs(near - exact)) < 2e-3


def test_one_product_serves_where_all_curvatures_are_the_same():
    """As at zero, where a search begins: the Hessian is that of the sum over directions."""
    X, y = classes()
    model = SingleTaskClassifier(task=3)
    data = make_task_data(model, read_rows(model, X, reset=True), (y == "bus") * 1.0, None, None)
    E, v = Multinomial(3).directions, np.repeat(data.weight[None] / 9.0, 3, axis=0)
    found = data.design.grams_of_outputs(E, v)
    nearly = v * (1.0 + 1e-9 * np.arange(3)[:, None])
    np.testing.assert_allclose(found, data.design.grams_of_outputs(E, nearly), atol=1e-8)
