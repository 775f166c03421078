"""The graph-regularized model: its limits, its optimum, its graphs, its doors."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from polytask import (
    GraphRegularizedClassifier,
    GraphRegularizedRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
)
from polytask.data import TaskMoments
from tests.models.helpers import long_table

MODELS = {"Regressor": GraphRegularizedRegressor, "Classifier": GraphRegularizedClassifier}
MEANS = {"Regressor": MeanRegularizedRegressor, "Classifier": MeanRegularizedClassifier}
CHAIN = {(0, 1): 1.0, (1, 2): 0.5, (2, 3): 2.0}
EXACT = {"tol": 1e-12}


def chain() -> np.ndarray:
    A = np.zeros((4, 4))
    for (a, b), weight in CHAIN.items():
        A[a, b] = A[b, a] = weight
    return A


@pytest.mark.parametrize("role", MODELS)
@pytest.mark.parametrize("alpha", [1e-3, 0.1, 10.0])
def test_a_full_clique_is_mean_regularized(role: str, alpha: float) -> None:
    Z, y = long_table(role)
    options = {"alpha": alpha, "alpha_intercept": 3 * alpha, "task": 0, **EXACT}
    found = MODELS[role](**options).fit(Z, y)
    known = MEANS[role](alpha_common=0.0, **options).fit(Z, y)
    assert_allclose(found.coef_, known.coef_, rtol=1e-8, atol=1e-9)
    assert_allclose(found.intercept_, known.intercept_, rtol=1e-8, atol=1e-9)
    assert found.certificate_ == "global"
    assert found.solver_ == "newton-cg"


@pytest.mark.parametrize("role", MODELS)
def test_optimum_is_that_of_cvxpy(role: str) -> None:
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    Z, y = long_table(role)
    W, b = cp.Variable((4, 4)), cp.Variable(4)
    value = 0.02 * cp.sum_squares(W)
    for (i, j), weight in CHAIN.items():
        value += weight * (0.3 * cp.sum_squares(W[i] - W[j]) + 0.1 * cp.square(b[i] - b[j]))
    for i in range(4):
        rows = Z[:, 0] == i
        f = Z[rows, 1:] @ W[i] + b[i]
        loss = cp.square(y[rows] - f) / 2
        if role == "Classifier":
            loss = cp.logistic(f) - cp.multiply(y[rows], f)
        value += cp.sum(loss) / (4 * rows.sum())
    problem = cp.Problem(cp.Minimize(value))
    problem.solve(solver="CLARABEL", tol_gap_rel=1e-10, tol_gap_abs=1e-10, tol_feas=1e-10)
    model = MODELS[role](0.3, graph=CHAIN, alpha_intercept=0.1, alpha_ridge=0.02, task=0, **EXACT)
    model.fit(Z, y)
    assert model.objective_ == pytest.approx(problem.value, rel=1e-8)
    assert_allclose(model.coef_, W.value, atol=1e-4)


def test_every_way_to_give_a_graph_is_the_same() -> None:
    Z, y = long_table()
    A = chain()
    edges = pd.DataFrame([(a, b, w) for (a, b), w in CHAIN.items()], columns=["a", "b", "weight"])
    order = [3, 0, 2, 1]
    square = pd.DataFrame(A[np.ix_(order, order)], index=order, columns=order)
    graphs = [CHAIN, A, np.diag(A.sum(axis=1)) - A, edges, square]
    fits = [GraphRegularizedRegressor(0.2, graph=g, task=0, **EXACT).fit(Z, y) for g in graphs]
    for fit in fits[1:]:
        assert_allclose(fit.coef_, fits[0].coef_, rtol=1e-9)


def test_parts_of_a_graph_do_not_know_each_other() -> None:
    Z, y = long_table()
    both = GraphRegularizedRegressor(0.2, graph={(0, 1): 1.0, (2, 3): 1.0}, task=0, **EXACT)
    both.fit(Z, y)
    first = Z[:, 0] < 2
    alone = GraphRegularizedRegressor(0.4, graph={(0, 1): 1.0}, task=0, **EXACT)  # R is a mean of 2
    alone.fit(Z[first], y[first])
    assert_allclose(both.coef_[:2], alone.coef_, rtol=1e-8)


def test_a_task_without_rows_connects_its_neighbours_and_is_predicted() -> None:
    Z, y = long_table()
    seen = Z[:, 0] != 1
    model = GraphRegularizedRegressor(0.2, graph=CHAIN, task=0, **EXACT).fit(Z[seen], y[seen])
    assert model.tasks_.tolist() == [0, 2, 3, 1]
    assert_allclose(model.coef_[3], (model.coef_[0] + 0.5 * model.coef_[1]) / 1.5, rtol=1e-12)
    assert np.isfinite(model.predict(Z)).all()
    series = GraphRegularizedRegressor(0.2, graph={(0, 2): 1 / 3, (2, 3): 2.0}, task=0, **EXACT)
    assert_allclose(model.coef_[:3], series.fit(Z[seen], y[seen]).coef_, rtol=1e-9)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        ({(0, 1): 1.0}, "must name every task; no edge has \\[2, 3\\]"),
        ({0: 1.0}, "must have pairs of task ids as keys; got 0"),
        (np.ones((3, 3)), "must be an array of shape \\(4, 4\\)"),
        (np.triu(np.ones((4, 4))), "must be symmetric and finite"),
        (chain() - 0.1, "must hold weights, zero or positive, or be a Laplacian"),
        ({**CHAIN, (8, 9): 1.0}, "must connect every task to one with rows"),
        ({**CHAIN, ("3", "x"): 1.0}, "must name tasks as the task column does"),
        (pd.DataFrame(np.ones((4, 4))).iloc[:, :2], "must be a table of three columns"),
    ],
)
def test_a_graph_that_is_none_is_refused(graph: object, message: str) -> None:
    Z, y = long_table()
    with pytest.raises(ValueError, match=f"GraphRegularizedRegressor: graph {message}"):
        GraphRegularizedRegressor(0.1, graph=graph, task=0).fit(Z, y)


def test_an_unseen_task_is_refused_or_predicted_from_the_mean() -> None:
    Z, y = long_table()
    new = Z[:3].copy()
    new[:, 0] = 9
    model = GraphRegularizedRegressor(0.1, graph=CHAIN, task=0).fit(Z, y)
    with pytest.raises(ValueError, match="unseen"):
        model.predict(new)
    model.set_params(unseen="common").fit(Z, y)
    expected = new[:, 1:] @ model.coef_.mean(axis=0) + model.intercept_.mean()
    assert_allclose(model.predict(new), expected)


def test_moments_give_the_same_answer() -> None:
    Z, y = long_table()
    by_rows = GraphRegularizedRegressor(0.2, graph=CHAIN, task=0, **EXACT).fit(Z, y)
    by_moments = GraphRegularizedRegressor(0.2, graph=CHAIN, task=0, **EXACT).fit_moments(
        TaskMoments.from_rows(Z, y, task=0)
    )
    assert_allclose(by_moments.coef_, by_rows.coef_, rtol=1e-8)


@pytest.mark.parametrize("role", MODELS)
def test_parquet_gives_the_same_answer(role: str, tmp_path) -> None:
    Z, y = long_table(role)
    table = pd.DataFrame(Z, columns=["task", "a", "b", "c", "d"]).assign(target=y)
    table.to_parquet(tmp_path / "rows.parquet")
    options = {"alpha": 0.2, "graph": CHAIN, "task": "task", **EXACT}
    by_rows = MODELS[role](**options).fit(table.drop(columns="target"), y)
    by_file = MODELS[role](**options).fit_parquet(tmp_path / "rows.parquet", target="target")
    assert_allclose(by_file.coef_, by_rows.coef_, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("role", MODELS)
def test_strengths_are_chosen_and_a_good_graph_helps(role: str) -> None:
    """Coefficients walk along a chain of tasks: the chain beats the clique and no graph."""
    rng = np.random.default_rng(0)
    m, n, d = 20, 60, 5
    W = np.cumsum(rng.normal(size=(m, d)), axis=0)
    ids = np.repeat(np.arange(m), n)
    X = rng.normal(size=(len(ids), d))
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=len(ids)) * 2
    y = y if role == "Regressor" else (y > 0).astype(int)
    Z = np.column_stack([ids, X])
    train = np.tile(np.arange(n) < 12, m)
    edges = {(i, i + 1): 1.0 for i in range(m - 1)}

    def score(model) -> float:
        return model.fit(Z[train], y[train]).score(Z[~train], y[~train])

    along, alike = (MODELS[role](graph=g, task=0) for g in (edges, "clique"))
    assert score(along) > score(alike)
    assert len(along.alpha_path_) == len(along.cv_scores_) > 5
    assert along.alpha_ in along.alpha_path_
