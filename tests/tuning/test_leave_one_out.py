"""Leave-one-out against refits, one observation at a time."""

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from scipy import sparse

from polytask.algebra.spectra import numbers_in_spectra
from polytask.data import TaskData
from polytask.problem import Problem
from polytask.responses import Logistic
from polytask.solvers import select
from polytask.solvers.arrow_problem import arrow_problem
from polytask.tuning import LeaveOneOut, leave_one_out
from polytask.tuning.spectral import serves
from tests.solvers.helpers import (
    expanded,
    make_data,
    mean_regularized,
    pooled,
    random_tasks,
    single_task,
    task_intercept,
)

SHAPES = {
    "narrow": ([5, 9, 3, 20], 6),
    "all wide": ([5, 9, 3], 40),
    "some wide": ([40, 4, 25], 20),
    "all rows together wide": ([3, 2], 60),
    "one row": ([1, 2, 6], 3),
}


def without(data: TaskData, j: int) -> TaskData:
    """The data with observation j at weight 0; all other weights stay as they are."""
    weight = data.weight.copy()
    weight[j] = 0.0
    held = dataclasses.replace(data)
    held.__dict__["weight"] = weight
    return held


def refitted(make: Callable[[TaskData], Problem], data: TaskData, j: int) -> float:
    problem = make(without(data, j))
    solution = select(problem).solve(problem, None, 1e-11, 200)
    return float(data.design.predict(solution.coefs)[j])


def formulations(loss: object = None) -> dict[str, Callable[[TaskData], Problem]]:
    return {
        "mean-regularized": lambda d: mean_regularized(d, 0.01, 0.003, 0.02, loss),  # type: ignore[arg-type]
        "free w0": lambda d: mean_regularized(d, 0.01, 0.0, 0.02, loss),  # type: ignore[arg-type]
        "single-task": lambda d: single_task(d, 0.02, 0.05, loss),  # type: ignore[arg-type]
        "pooled": lambda d: pooled(d, 0.02, loss),  # type: ignore[arg-type]
        "task-intercept": lambda d: task_intercept(d, 0.01, 0.1, loss),  # type: ignore[arg-type]
    }


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", formulations())
def test_exact_for_the_squared_loss(shape: str, name: str) -> None:
    sizes, d = SHAPES[shape]
    if name == "free w0" and sum(sizes) <= d:
        pytest.skip("w0 interpolates: nothing is left out")
    rng = np.random.default_rng(0)
    X, y, ids = random_tasks(rng, sizes, d)
    data = make_data(X, y, ids, sample_weight=rng.uniform(0.5, 1.5, len(y)))
    make = formulations()[name]
    f = leave_one_out(make(data))
    for j in range(0, len(y), max(1, len(y) // 12)):
        assert f[j] == pytest.approx(refitted(make, data, j), rel=1e-7, abs=1e-8), j


WEIGHTS = {"none": None, "fractions": (0.5, 1.5), "repetitions": (1, 4)}


def weights(kind: str, n: int) -> np.ndarray | None:
    rng = np.random.default_rng(6)
    if kind == "none":
        return None
    return rng.uniform(0.5, 1.5, n) if kind == "fractions" else rng.integers(1, 4, n).astype(float)


def on_rows(make: Callable[[TaskData], Problem], data: TaskData) -> float:
    """Risk from refits on the expanded design by orthogonal transformations, a row at a time."""
    A, strength = expanded(make(data))
    f = np.empty(len(data.y))
    for j in range(len(f)):
        weight = data.weight.copy()
        weight[j] = 0.0  # all of a row, whole numbers or not: its copies would tell its target
        rows = np.vstack([A * np.sqrt(weight)[:, None], np.diag(np.sqrt(2.0 * strength))])
        target = np.append(data.y * np.sqrt(weight), np.zeros(len(strength)))
        f[j] = A[j] @ np.linalg.lstsq(rows, target, rcond=1e-13)[0]
    return float(data.weight @ (0.5 * (data.y - f) ** 2) / data.weight.sum())


@pytest.mark.parametrize("weighted", WEIGHTS)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("shape", ["narrow", "some wide", "one row"])
def test_many_strengths_at_once_are_exact_at_each(
    shape: str, intercept: bool, weighted: str
) -> None:
    sizes, d = SHAPES[shape]
    X, y, ids = random_tasks(np.random.default_rng(0), sizes, d)
    data = make_data(X, y, ids, intercept=intercept, sample_weight=weights(weighted, len(y)))
    level = 0.0 if min(sizes) > 1 else 0.5
    points = [(100.0, 0.003, 0.02), (1.0, 0.01, level), (0.01, 0.003, 1.0), (1e-4, 0.1, 0.02)]
    makes = [lambda d, a=a, g=g, e=e: mean_regularized(d, a, g, e) for a, g, e in points]
    risks = LeaveOneOut().risks([make(data) for make in makes])
    np.testing.assert_allclose(risks, [on_rows(make, data) for make in makes], rtol=1e-8)


def test_many_strengths_at_once_where_nothing_is_shared() -> None:
    """The only row of a task counts where its level has a penalty, and only there."""
    X, y, ids = random_tasks(np.random.default_rng(1), [5, 9, 1, 20], 6)
    data = make_data(X, y, ids)
    problems = [single_task(data, a, e) for a in (10.0, 0.1, 1e-3) for e in (0.0, 0.1)]
    alone = [LeaveOneOut()(problem) for problem in problems]
    np.testing.assert_allclose(LeaveOneOut().risks(problems), alone, rtol=1e-9)


@pytest.mark.parametrize("column", ["zero", "twice"])
def test_many_strengths_at_once_with_a_singular_common_part(column: str) -> None:
    X, y, ids = random_tasks(np.random.default_rng(2), [5, 9, 20], 4)
    X = np.column_stack([X, np.zeros(len(X)) if column == "zero" else X[:, 0]])
    data = make_data(X, y, ids)
    makes = [lambda d, a=a: mean_regularized(d, a, 0.0, 0.1) for a in (10.0, 0.3, 0.01, 1e-3)]
    risks = LeaveOneOut().risks([make(data) for make in makes])
    np.testing.assert_allclose(risks, [on_rows(make, data) for make in makes], rtol=1e-8)


def test_strengths_that_gram_matrices_would_lose_are_left_to_the_other_road() -> None:
    X, y, ids = random_tasks(np.random.default_rng(3), [5, 9, 20], 4)
    data = make_data(X + 1e4, y, ids)
    problems = [mean_regularized(data, a, 0.1, 0.1) for a in (1e8, 1.0, 0.1)]
    assert serves([arrow_problem(problem) for problem in problems]).tolist() == [True, False, False]


@pytest.mark.parametrize("vectors", [False, True])
def test_spectra_that_are_not_kept_are_made_again(
    vectors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y, ids = random_tasks(np.random.default_rng(4), [5, 9, 20], 4)
    data = make_data(X, y, ids)
    problems = [mean_regularized(data, a, 0.0, 0.1) for a in (10.0, 0.3, 0.01, 1e-3)]
    kept = LeaveOneOut().risks(problems)
    numbers = numbers_in_spectra(data)[0] if vectors else 0
    monkeypatch.setattr("polytask.tuning.spectral._KEPT", numbers)
    monkeypatch.setattr("polytask.tuning.leverages._CHUNK", 1)
    monkeypatch.setattr("polytask.tuning.spectral._SYSTEMS", 1)
    np.testing.assert_allclose(LeaveOneOut().risks(problems), kept, rtol=1e-13)


@pytest.mark.parametrize("intercept", [True, False])
def test_exact_on_sparse_rows_and_on_a_path(intercept: bool) -> None:
    X, y, ids = random_tasks(np.random.default_rng(1), [5, 9, 20], 6)
    X[np.abs(X) < 0.7] = 0.0
    dense = make_data(X, y, ids, intercept=intercept)
    thin = make_data(sparse.csr_matrix(X), y, ids, intercept=intercept)
    on_path, on_thin_path = LeaveOneOut(), LeaveOneOut()
    for alpha in (100.0, 1.0, 0.01, 1e-4):

        def make(data: TaskData, alpha: float = alpha) -> Problem:
            return mean_regularized(data, alpha, 1e-3, 0.1)

        f = leave_one_out(make(dense))
        np.testing.assert_allclose(on_path.predictions(make(dense)), f, rtol=1e-10)
        np.testing.assert_allclose(on_thin_path.predictions(make(thin)), f, rtol=1e-8)
        assert f[7] == pytest.approx(refitted(make, dense, 7), rel=1e-8)


def test_far_from_zero_and_other_units() -> None:
    X, y, ids = random_tasks(np.random.default_rng(2), [8, 12, 20], 4)
    for features, alpha in ((X + 1e3, 0.01), (X * np.logspace(-4, 4, 4), 1e-6)):
        data = make_data(features, y, ids)

        def make(data: TaskData, alpha: float = alpha) -> Problem:
            return mean_regularized(data, alpha, alpha, 0.1)

        f = leave_one_out(make(data))
        for j in range(0, 40, 7):
            assert f[j] == pytest.approx(refitted(make, data, j), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("shape", ["narrow", "all wide"])
@pytest.mark.parametrize("name", formulations())
def test_close_in_risk_for_the_logistic_loss(shape: str, name: str) -> None:
    sizes, d = SHAPES[shape]
    rng = np.random.default_rng(3)
    X, y, ids = random_tasks(rng, [2 * n for n in sizes], d)
    y = (y + rng.normal(size=len(y)) > 0).astype(float)
    data, loss = make_data(X, y, ids), Logistic()
    makes = {
        "mean-regularized": lambda d: mean_regularized(d, 0.05, 0.02, 0.05, loss),
        "free w0": lambda d: mean_regularized(d, 0.1, 0.02, 0.1, loss),
        "single-task": lambda d: single_task(d, 0.05, 0.05, loss),
        "pooled": lambda d: pooled(d, 0.1, loss),
        "task-intercept": lambda d: task_intercept(d, 0.1, 0.05, loss),
    }
    make = makes[name]
    refits = np.array([refitted(make, data, j) for j in range(len(y))])
    exact = float(data.weight @ loss.value(y[data.row], refits))
    assert LeaveOneOut(1e-10)(make(data)) == pytest.approx(exact, rel=0.05)


@pytest.mark.parametrize("name", formulations())
def test_whole_weights_are_repetitions(name: str) -> None:
    """A row of weight 3 is the row three times, of which one is left out at a time."""
    rng = np.random.default_rng(4)
    X, y, ids = random_tasks(rng, [6, 9, 4], 3)
    times = rng.integers(1, 4, len(y))
    make = formulations()[name]
    weighted = make(make_data(X, y, ids, sample_weight=times.astype(float)))
    again = np.repeat(np.arange(len(y)), times)
    repeated = make(make_data(X[again], y[again], ids[again]))
    np.testing.assert_allclose(
        np.repeat(leave_one_out(weighted), times), leave_one_out(repeated), rtol=1e-9
    )
    assert LeaveOneOut()(weighted) == pytest.approx(LeaveOneOut()(repeated), rel=1e-10)


def test_common_factor_of_fractional_weights_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    X, y, ids = random_tasks(rng, [6, 9, 4], 3)
    w = rng.uniform(0.5, 1.5, len(y))
    a = LeaveOneOut()(mean_regularized(make_data(X, y, ids, sample_weight=w)))
    b = LeaveOneOut()(mean_regularized(make_data(X, y, ids, sample_weight=3.7 * w)))
    assert a == pytest.approx(b, rel=1e-12)


def test_interpolation_is_never_a_finite_risk() -> None:
    """Where a row is fitted exactly whatever its target, nothing else predicts it."""
    X, y, ids = random_tasks(np.random.default_rng(6), [3, 4, 2], 6)
    data = make_data(X, y, ids)
    assert LeaveOneOut()(single_task(data, 0.0)) == np.inf
    assert LeaveOneOut()(pooled(make_data(X[:5], y[:5], ids[:5]), 0.0)) == np.inf
    assert np.isfinite(LeaveOneOut()(single_task(data, 1e-3, 1e-3)))


def test_a_task_of_one_row_does_not_forbid_free_intercepts() -> None:
    """No strength predicts it, so it says nothing about which strength is best."""
    X, y, ids = random_tasks(np.random.default_rng(7), [1, 12, 9], 2)
    data = make_data(X, y, ids)
    assert np.isfinite(LeaveOneOut()(single_task(data, 0.1)))
    assert np.isnan(leave_one_out(single_task(data, 0.1))[0])


def test_an_exact_relation_has_a_risk_of_zero() -> None:
    X, _, ids = random_tasks(np.random.default_rng(8), [12, 9], 2)
    data = make_data(X, X @ [1.0, -2.0] + 3.0, ids)
    assert LeaveOneOut()(pooled(data, 0.0)) < 1e-20


@pytest.mark.parametrize("alpha", [1e-4, 1e-6])  # k copies leave 1 - k h, digits below 1e-7
def test_next_to_interpolation(alpha: float) -> None:
    """Residuals and 1 - h are then both tiny, and only their ratio matters."""
    rng = np.random.default_rng(9)
    X, y, times = rng.random((15, 30)), rng.integers(0, 3, 15).astype(float), rng.integers(1, 4, 15)
    again = np.repeat(np.arange(15), times)
    for make in (pooled, task_intercept, single_task, mean_regularized):
        weighted = make(make_data(X, y, sample_weight=times.astype(float)), alpha)
        repeated = make(make_data(X[again], y[again]), alpha)
        a, b = LeaveOneOut()(weighted), LeaveOneOut()(repeated)
        assert a == pytest.approx(b, rel=1e-5 + 1e-10 / alpha)
    f = leave_one_out(pooled(make_data(X, y), alpha))
    for j in range(0, 15, 4):
        held = np.arange(15) != j
        data = make_data(X[held], y[held])  # 14 rows of weight 1/14: as strong a penalty as 1/15
        problem = pooled(data, alpha * 15 / 14)
        theta = select(problem).solve(problem, None, 1e-10, 100).coefs[0]
        assert f[j] == pytest.approx(X[j] @ theta[:-1] + theta[-1], rel=1e-5 + 1e-10 / alpha)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("name", ["alpha", "alpha_intercept", "alpha_common"])
def test_a_long_path_is_exact(name: str, intercept: bool) -> None:
    """Tasks differ in size, scale and correlation."""
    rng = np.random.default_rng(11)
    X, y, ids = random_tasks(rng, [3, 40, 9, 25, 8, 60, 12, 30], 6)
    X = X * np.array([0.1, 1.0, 30.0])[ids % 3][:, None]
    X[ids > 4, 1] = X[ids > 4, 0] + 1e-3 * X[ids > 4, 1]
    data = make_data(X, y, ids, intercept=intercept)
    strengths = {"alpha": 0.3, "alpha_common": 0.01, "alpha_intercept": 0.2}
    problems = [
        mean_regularized(data, *{**strengths, name: value}.values())
        for value in np.geomspace(1e3, 1e-3, 40)
    ]
    alone = [LeaveOneOut()(problem) for problem in problems]
    np.testing.assert_allclose(LeaveOneOut().risks(problems), alone, rtol=1e-9)


def test_digits_of_nearly_collinear_features_next_to_interpolation() -> None:
    """Products of rows would leave a fifth of the risk wrong here."""
    X, y, ids = random_tasks(np.random.default_rng(0), [12, 11, 14], 10)
    X[:, 1] = X[:, 0] + 1e-5 * X[:, 1]
    data = make_data(X, y + np.random.default_rng(1).normal(size=len(y)), ids)
    largest = (data.column_norms**2).sum(axis=1).max()
    problems = [single_task(data, largest * a, largest * a) for a in np.geomspace(1e-3, 6e-8, 12)]
    alone = [LeaveOneOut()(problem) for problem in problems]
    np.testing.assert_allclose(LeaveOneOut().risks(problems), alone, rtol=1e-8)


def test_a_path_where_tasks_have_one_row() -> None:
    X, y, ids = random_tasks(np.random.default_rng(13), [1, 1, 6, 9], 3)
    data = make_data(X, y, ids)
    problems = [mean_regularized(data, a, 0.01, 0.5) for a in np.geomspace(10.0, 1e-3, 12)]
    alone = [LeaveOneOut()(problem) for problem in problems]
    np.testing.assert_allclose(LeaveOneOut().risks(problems), alone, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_rows_that_a_free_w0_interpolates_have_no_prediction(seed: int) -> None:
    """Its system is singular, and what rounding leaves there is no information."""
    rng = np.random.default_rng(seed)
    X, y = rng.random((15, 30)), rng.integers(0, 3, 15).astype(float)
    times = np.arange(15) % 3 + 1
    data = make_data(sparse.csr_array(X.repeat(times, axis=0)), y.repeat(times), np.zeros(30))
    risks = [LeaveOneOut()(mean_regularized(data, a, 0.0, a)) for a in np.geomspace(1e4, 1e-5, 28)]
    assert np.isinf(risks).all()
