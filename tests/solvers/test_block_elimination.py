"""The closed form against a second road: SVD of the expanded design, on designs that hurt."""

from collections.abc import Callable, Iterator

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from polytask.problem import Problem
from polytask.solvers import Solution, Status, select
from polytask.solvers.arrow_problem import arrow_problem
from polytask.solvers.newton import _without_effect
from polytask.solvers.orthogonal import solve_orthogonal
from polytask.structures import Blocks
from tests.solvers.helpers import (
    as_vector,
    dense_rows,
    expanded,
    least_squares,
    make_data,
    mean_regularized,
    objective_at,
    pooled,
    random_tasks,
    rounding_at,
    single_task,
    task_intercept,
)

Table = tuple[np.ndarray, np.ndarray, np.ndarray]
ALPHAS = (1e-12, 1e-6, 1e-2, 1e2, 1e8)
SHAPES = {
    "plain": ([40] * 10, 5),
    "one row to more than d": ([1, 2, 3, 7, 8, 9, 20], 8),
    "fewer rows than features everywhere": ([1, 1, 2], 3),
    "some tasks wide": ([50, 4, 30], 20),
    "all tasks wide": ([5, 9, 3], 40),
    "all rows together wide": ([3, 2], 100),
    "one task": ([12], 4),
}


def solve(problem: Problem) -> Solution:
    return select(problem).solve(problem, None, 1e-8, 100)


def assert_optimal(problem: Problem, label: str = "") -> Solution:
    """Solved, and no objective is lower by more than 1e-8 of it (1e-17 of the one at zero)."""
    solution = solve(problem)
    b = as_vector(solution.blocks)
    best, found, zero = (
        least_squares(problem), objective_at(problem, b), objective_at(problem, 0.0 * b),
    )  # fmt: skip
    slack = 1e-8 * best + 1e-17 * zero
    assert found <= best + slack, f"{label}: {found} against {best}"
    sums = max(1e-15 * zero, rounding_at(problem, b))
    assert solution.objective == pytest.approx(found, rel=1e-9, abs=sums)
    assert solution.violation <= 1e-8, label
    assert solution.status is Status.SOLVED, label
    return solution


def problems(table: Table, **options: object) -> Iterator[tuple[str, Problem]]:
    """Every formulation at strengths from far below the data to far above them."""
    X, y, ids = table
    data = make_data(X, y, ids, **options)  # type: ignore[arg-type]
    for alpha in ALPHAS:
        yield f"mean-regularized {alpha}", mean_regularized(data, alpha, 0.0, alpha)
        yield f"with alpha_common {alpha}", mean_regularized(data, alpha, 1e-3, 0.1 * alpha)
        yield f"single-task {alpha}", single_task(data, alpha)
        yield f"pooled {alpha}", pooled(data, alpha)
        if data.intercept:
            yield f"free intercepts {alpha}", mean_regularized(data, alpha, 1e-3, 0.0)
            yield f"task-intercept {alpha}", task_intercept(data, alpha, alpha)


@pytest.mark.parametrize("shape", SHAPES, ids=list(SHAPES))
@pytest.mark.parametrize("options", [{}, {"intercept": False, "task_weight": "size"}], ids=str)
def test_shapes(shape: str, options: dict[str, object]) -> None:
    table = random_tasks(np.random.default_rng(0), *SHAPES[shape])
    for label, problem in problems(table, **options):
        assert_optimal(problem, label)


def duplicated(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.column_stack([X, X[:, 0]])


def collinear(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.column_stack([X, X[:, 0] + X[:, 1]])


def zero(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.column_stack([X, np.zeros(len(X))])


def constant(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.column_stack([X, np.full(len(X), 3.0)])


def zero_in_one_task(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where((np.arange(len(X)) < 5)[:, None] & (np.arange(X.shape[1]) == 1), 0.0, X)


def scales(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return X * np.logspace(-6, 6, X.shape[1])


def mean_1e3(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return X + 1e3


def mean_1e6(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return X + 1e6


def condition_1e6(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return with_condition(X, 1e6)


def condition_1e8(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return with_condition(X, 1e8)


def with_condition(X: np.ndarray, number: float) -> np.ndarray:
    U, s, Vt = np.linalg.svd(X, full_matrices=False)
    return (U * np.geomspace(10.0, 10.0 / number, len(s))) @ Vt


def one_task_in_other_units(X: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where((np.arange(len(X)) < 5)[:, None], 1e5 * X, X)


HARD = [
    duplicated, collinear, zero, constant, zero_in_one_task, scales, mean_1e3, mean_1e6,
    condition_1e6, condition_1e8, one_task_in_other_units,
]  # fmt: skip


@pytest.mark.parametrize("sizes_d", [([30, 12, 9], 6), ([5, 9, 3], 40)], ids=["narrow", "wide"])
@pytest.mark.parametrize("spoil", HARD)
def test_hard_features(
    spoil: Callable[[np.ndarray, np.random.Generator], np.ndarray], sizes_d: tuple[list[int], int]
) -> None:
    rng = np.random.default_rng(1)
    X, y, ids = random_tasks(rng, *sizes_d)
    for label, problem in problems((spoil(X, rng), y, ids)):
        assert_optimal(problem, label)


def test_target_far_from_zero() -> None:
    X, y, ids = random_tasks(np.random.default_rng(0), [30, 12, 4], 6)
    for label, problem in problems((X, y + 1e6, ids)):
        assert_optimal(problem, label)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """1 to 5 tasks of 1 to 12 rows, 1 to 9 features, some of them copies or zero."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=1, max_size=5))
    d = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    X, y, ids = random_tasks(rng, sizes, d)
    for j in range(draw(st.integers(0, 2))):
        X[:, j % d] = X[:, -1] if draw(st.booleans()) else 0.0
    return X * 10.0 ** draw(st.integers(-4, 4)), y * 10.0 ** draw(st.integers(-4, 4)), ids


@settings(max_examples=60, deadline=None)
@given(tables(), st.sampled_from([1e-8, 1e-3, 1.0, 1e4]), st.sampled_from([0.0, 1e-4, 10.0]))
def test_random_shapes(table: Table, alpha: float, alpha_common: float) -> None:
    X, y, ids = table
    data = make_data(X, y, ids)
    alpha, alpha_common = alpha * float((X**2).mean() or 1), alpha_common * float((X**2).mean())
    assert_optimal(mean_regularized(data, alpha, alpha_common, 0.3), "mean-regularized")
    assert_optimal(single_task(data, alpha), "single-task")
    assert_optimal(task_intercept(data, alpha, 0.3), "task-intercept")


def test_strength_per_coefficient() -> None:
    X, y, ids = random_tasks(np.random.default_rng(0), [9, 20, 2], 4)
    data = make_data(X, y, ids)
    problem = mean_regularized(data, np.array([0.0, 1e-3, 1.0, 1e6]), 0.01, 0.1)
    deviation = assert_optimal(problem).blocks["deviation"]
    assert np.abs(deviation[:, 3]).max() < 1e-5 < np.abs(deviation[:, 1]).max()


def test_no_penalty_on_slopes_leaves_w0_alone() -> None:
    """With free deviations the split is not unique; the coefficients of every task are."""
    X, y, ids = random_tasks(np.random.default_rng(0), [30, 20], 3)
    data = make_data(X, y, ids)
    theta = solve(mean_regularized(data, 0.0, 0.0, 0.0)).coefs
    for i in range(2):
        rows, target, _ = data.block(i)
        np.testing.assert_allclose(theta[i], np.linalg.lstsq(rows, target)[0], rtol=1e-9)


def test_against_cvxpy() -> None:
    X, y, ids = random_tasks(np.random.default_rng(2), [9, 30, 2, 1], 5)
    data = make_data(X, y, ids)
    for problem in (
        mean_regularized(data, 0.05, 0.01, 0.2), single_task(data, 0.1), pooled(data, 0.1),
        task_intercept(data, 0.1, 0.3),
    ):  # fmt: skip
        A, strength = expanded(problem)
        b = cp.Variable(A.shape[1])
        risk = cp.sum_squares(cp.multiply(np.sqrt(data.weight), A @ b - data.y)) / 2
        cvx = cp.Problem(cp.Minimize(risk + cp.sum(cp.multiply(strength, cp.square(b)))))
        best = cvx.solve(solver=cp.CLARABEL, tol_gap_rel=1e-13, tol_gap_abs=1e-13, tol_feas=1e-12)
        assert solve(problem).objective == pytest.approx(best, rel=1e-8)


def test_pooled_is_ridge_of_scikit_learn() -> None:
    from sklearn.linear_model import Ridge

    X, y, ids = random_tasks(np.random.default_rng(3), [9, 30, 2], 5)
    data = make_data(X, y, ids, task_weight="size")
    theta = solve(pooled(data, 0.7)).coefs[0]
    ridge = Ridge(alpha=2 * 0.7 * len(y), tol=1e-12).fit(X, y)
    np.testing.assert_allclose(theta, [*ridge.coef_, ridge.intercept_], rtol=1e-10)


def test_sparse_is_dense() -> None:
    rng = np.random.default_rng(4)
    for sizes, d in (([9, 30, 2], 5), ([5, 9, 3], 40)):
        X, y, ids = random_tasks(rng, sizes, d)
        X[rng.random(X.shape) < 0.7] = 0.0
        for (label, dense), (_, thin) in zip(
            problems((X, y, ids)), problems((sparse.csr_matrix(X), y, ids)), strict=True
        ):
            a, b = assert_optimal(dense, label), assert_optimal(thin, label)
            if "1e-12" not in label:
                np.testing.assert_allclose(a.coefs, b.coefs, rtol=1e-6, atol=1e-9, err_msg=label)


def test_float32_is_close_to_float64() -> None:
    X, y, ids = random_tasks(np.random.default_rng(5), [9, 30, 2], 5)
    a = solve(mean_regularized(make_data(X, y, ids), 0.01, 0.0, 0.1))
    b = solve(mean_regularized(make_data(X.astype(np.float32), y, ids), 0.01, 0.0, 0.1))
    assert b.coefs.dtype == np.float64
    assert b.violation <= 1e-12, "the solve itself is in float64"
    np.testing.assert_allclose(a.coefs, b.coefs, rtol=1e-5, atol=1e-6)


def test_float32_far_from_zero_is_accumulated_safely() -> None:
    """A float32 sum of squares of these would hold no digit of the variance."""
    X, y, ids = random_tasks(np.random.default_rng(5), [200, 300], 3)
    X = (X + 1e4).astype(np.float32)
    assert_optimal(mean_regularized(make_data(X, y, ids), 0.01, 0.0, 0.1))


def test_tasks_without_rows() -> None:
    """A subset of the rows may hold no row of a task: it is answered by the common part."""
    X, y, ids = random_tasks(np.random.default_rng(6), [9, 30, 5, 4], 5)
    data = make_data(X, y, ids)
    for gone in (0, 2, 3):
        part = data.subset(data.code != gone)
        assert part.n_tasks == 4
        assert part.share.sum() == pytest.approx(1)
        solution = assert_optimal(mean_regularized(part, 0.01, 0.0, 0.1))
        np.testing.assert_allclose(solution.blocks["deviation"][gone], 0, atol=1e-12)
        other = solve(
            mean_regularized(
                make_data(X[ids != gone], y[ids != gone], ids[ids != gone]), 0.01, 0.0, 0.1
            )
        )
        np.testing.assert_allclose(np.delete(solution.coefs, gone, axis=0), other.coefs, rtol=1e-9)
        for problem in (single_task(part, 0.1), task_intercept(part, 0.1, 0.1), pooled(part, 0.1)):
            assert_optimal(problem)


def test_shared_rows_of_a_wide_target() -> None:
    from types import SimpleNamespace

    from polytask.data import make_task_data
    from polytask.data.parse import Rows

    rng = np.random.default_rng(7)
    X, Y = rng.normal(size=(15, 4)), rng.normal(size=(15, 3))
    options = SimpleNamespace(fit_intercept=True, task_weight="equal")
    data = make_task_data(options, Rows(X, None), Y, None, None)  # type: ignore[arg-type]
    assert data.design.shared
    assert data.design.X.shape == (15, 5), "the rows are kept once"
    long = make_data(np.vstack([X] * 3), Y.T.ravel(), np.repeat([0, 1, 2], 15))
    np.testing.assert_array_equal(dense_rows(data), dense_rows(long))
    for a, b in ((data, long),):
        one, other = mean_regularized(a, 0.05, 0.01, 0.1), mean_regularized(b, 0.05, 0.01, 0.1)
        np.testing.assert_allclose(assert_optimal(one).coefs, solve(other).coefs, rtol=1e-11)


def test_target_at_rest_in_one_task_does_not_warn() -> None:
    X, y, ids = random_tasks(np.random.default_rng(0), [20, 20, 20], 5)
    y[ids == 1] = 0.0
    data = make_data(X, y, ids)
    assert_optimal(mean_regularized(data, 0.01, 0.0, 0.01))
    assert_optimal(task_intercept(data, 0.01, 0.01))


@pytest.mark.parametrize("column", ["zero", "twice", "nearly twice"])
def test_rows_replace_gram_matrices_only_where_digits_were_lost(
    column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A direction that no row sees is left out; one that rows see by a little is not."""
    X, y, ids = random_tasks(np.random.default_rng(5), [30, 12, 9], 6)
    extra = np.zeros(len(X)) if column == "zero" else X[:, 0].copy()
    if column == "nearly twice":
        extra += 1e-8 * X[:, 1] ** 2
    asked = []

    def spied(problem: Problem) -> Blocks:
        asked.append(problem)
        return solve_orthogonal(problem)

    monkeypatch.setattr("polytask.solvers.newton.solve_orthogonal", spied)
    problem = mean_regularized(make_data(np.column_stack([X, extra]), y, ids), 0.1, 0.0)
    solution = assert_optimal(problem)
    assert bool(asked) == (column == "nearly twice")
    shortest = solve_orthogonal(problem)["common"]
    if column != "nearly twice":
        np.testing.assert_allclose(solution.blocks["common"], shortest, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(("beside", "alone"), [(1e-17, True), (1e-6, False)])
def test_a_column_of_zeros_has_rounding_beside_it(beside: float, alone: bool) -> None:
    X, y, ids = random_tasks(np.random.default_rng(5), [30, 12, 9], 6)
    problem = mean_regularized(make_data(np.column_stack([X, np.zeros(len(X))]), y, ids))
    null = np.full((8, 1), beside)
    null[6] = 1.0
    assert _without_effect(problem, null) == alone


def test_directions_that_no_row_sees_are_found_once() -> None:
    """Those that S loses are those of all tasks' Gram matrices, where they have more digits."""
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(100), 60)
    some = [np.eye(k)[rng.integers(k, size=len(ids))] for k in (2, 3, 11)]
    X = np.hstack([*some, np.eye(3)[rng.integers(3, size=100)][ids]])
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    data = make_data(X, rng.normal(size=len(ids)), ids)
    null = arrow_problem(mean_regularized(data, 1e-4, 0.0)).factor_squares().null[:-1]
    assert null.shape[1] == X.shape[1] - np.linalg.matrix_rank(X) == 4
    assert np.linalg.norm(X @ null, axis=0).max() < 1e-12 * np.linalg.norm(X)


def test_float32_features_of_condition_1e4() -> None:
    """A Gram matrix summed in float32 would have no digit left of the smallest direction."""
    X, y, ids = random_tasks(np.random.default_rng(7), [60, 40, 50], 6)
    thin = with_condition(X, 1e4).astype(np.float32)
    problem = mean_regularized(make_data(thin, y, ids), 1e-9)
    wide = mean_regularized(make_data(thin.astype(float), y, ids), 1e-9)
    best = solve(wide).objective
    assert objective_at(wide, as_vector(solve(problem).blocks)) <= best * (1.0 + 1e-8)


def test_objective_where_targets_are_fitted_nearly_exactly() -> None:
    """From Gram matrices, y'y - b'w would be rounding of y'y: 1e8 times the objective."""
    X, _, ids = random_tasks(np.random.default_rng(8), [60, 40, 50], 6)
    rng = np.random.default_rng(9)
    y = X @ rng.normal(size=6) * 1e3 + 1e-6 * rng.normal(size=len(X))
    problem = mean_regularized(make_data(X, y, ids), 1e-14)
    assert solve(problem).objective == pytest.approx(least_squares(problem), rel=1e-6)
