"""Losses, structures and penalties against their definitions, and Problem against differences."""

import numpy as np
import pytest
from scipy import optimize

from polytask.algebra.linalg import largest_eigenvalue, symmetric_eigen
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.solvers.norms.calibrated import _Ahead
from polytask.structures import CommonDeviation
from tests.solvers.helpers import (
    as_vector,
    dense_rows,
    make_data,
    mean_regularized,
    objective_at,
    random_tasks,
    single_task,
    task_intercept,
)

LOSSES = [Squared(), Logistic()]
FAR = np.array([-800.0, -40.0, -3.0, -1e-8, 0.0, 0.3, 2.0, 40.0, 800.0])


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_derivatives_are_those_of_the_value(loss: Loss, y: float) -> None:
    f, h = np.linspace(-4, 4, 17), 1e-5
    target = np.full_like(f, y)
    slope = (loss.value(target, f + h) - loss.value(target, f - h)) / (2 * h)
    bend = (loss.gradient(target, f + h) - loss.gradient(target, f - h)) / (2 * h)
    np.testing.assert_allclose(loss.gradient(target, f), slope, atol=1e-9)
    np.testing.assert_allclose(loss.curvature(target, f), bend, atol=1e-9)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_logistic_far_out(y: float) -> None:
    loss, target = Logistic(), np.full_like(FAR, y)
    with np.errstate(all="raise", under="ignore"):
        value = loss.value(target, FAR)
        assert np.isfinite(value).all()
        assert (value >= 0).all()
        assert (np.abs(loss.gradient(target, FAR)) <= 1).all()
        assert (loss.curvature(target, FAR) >= 0).all()
    exact = {0.0: np.log(2), 800.0: 800.0 * (1 - y), -800.0: 800.0 * y}
    for f, expected in exact.items():
        assert value[f == FAR] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_conjugate_is_a_supremum(loss: Loss, y: float) -> None:
    for q in (0.1, 0.5, 0.9):
        u = np.array([q - y])
        found = optimize.minimize_scalar(
            lambda f, u=u: float(loss.value(np.array([y]), np.array([f]))[0] - u[0] * f)
        )
        assert loss.conjugate(np.array([y]), u)[0] == pytest.approx(-found.fun, abs=1e-7)


def test_logistic_conjugate_outside_its_domain() -> None:
    y = np.array([0.0, 0.0, 1.0, 1.0, 0.0])
    u = np.array([-0.1, 1.1, 0.1, -1.1, 0.0])
    value = Logistic().conjugate(y, u)
    assert np.isinf(value[:4]).all()
    assert value[4] == 0.0


def test_links() -> None:
    f = np.array([-1e4, 0.0, 1e4])
    np.testing.assert_array_equal(Squared().inverse_link(f), f)
    np.testing.assert_allclose(Logistic().inverse_link(f), [0.0, 0.5, 1.0])


@pytest.mark.parametrize("p", [1, 4])
def test_adjoint_of_a_structure(p: int, rng: np.random.Generator) -> None:
    """<assemble(b), G> = <b, adjoint(G)> for every mask."""
    for _ in range(20):
        common, deviation = rng.random(p) < 0.5, rng.random(p) < 0.5
        structure = CommonDeviation(common, deviation)
        blocks = {name: rng.normal(size=s) for name, s in structure.shapes(3).items()}
        G = rng.normal(size=(3, p))
        theta, back = structure.assemble(blocks), structure.adjoint(G, blocks)
        assert theta.shape == (3, p)
        there = (theta * G).sum()
        here = sum((blocks[b] * back[b]).sum() for b in blocks)
        assert there == pytest.approx(here, abs=1e-12)
        assert (theta[:, ~common & ~deviation] == 0).all()


def test_ridge_and_its_gradient(rng: np.random.Generator) -> None:
    ridge, B, G = Ridge(np.array([0.0, 0.5, 3.0])), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    assert ridge.value(B) == pytest.approx(0.5 * (B[:, 1] ** 2).sum() + 3 * (B[:, 2] ** 2).sum())
    for i, k in np.ndindex(2, 3):
        h = np.zeros((2, 3))
        h[i, k] = 1e-6
        slope = (ridge.value(B + h) - ridge.value(B - h)) / 2e-6
        assert ridge.residual(B, G)[i, k] == pytest.approx(G[i, k] + slope, abs=1e-8)


def problems(loss: Loss) -> list[Problem]:
    X, y, ids = random_tasks(np.random.default_rng(0), [5, 9, 1], 3)
    y = y if loss.is_quadratic else (y > 0).astype(float)
    data = make_data(X, y, ids, sample_weight=np.linspace(0.5, 2, 15))
    return [
        mean_regularized(data, np.array([0.1, 0.0, 2.0]), 0.3, 0.2, loss),
        single_task(data, 0.1, 0.3, loss),
        task_intercept(data, 0.1, 0.3, loss),
    ]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_residual_of_a_problem_is_its_gradient(loss: Loss, rng: np.random.Generator) -> None:
    for problem in problems(loss):
        blocks = {b: rng.normal(size=B.shape) for b, B in problem.zeros().items()}
        assert problem.objective(blocks) == pytest.approx(objective_at(problem, as_vector(blocks)))
        residual = problem.residual(blocks)
        for name, B in blocks.items():
            for at in np.ndindex(B.shape):
                h = np.zeros_like(B)
                h[at] = 1e-6
                up = problem.objective({**blocks, name: B + h})
                down = problem.objective({**blocks, name: B - h})
                assert residual[name][at] == pytest.approx((up - down) / 2e-6, abs=1e-7)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_violation_ignores_units(loss: Loss, rng: np.random.Generator) -> None:
    X, y, ids = random_tasks(np.random.default_rng(0), [5, 9, 2], 3)
    squared = loss.is_quadratic
    y = y if squared else (y > 0).astype(float)
    unit, size = np.array([1e-3, 1.0, 1e4]), 1e3 if squared else 1.0
    a = single_task(make_data(X, y, ids, intercept=False), 0.0, loss=loss)
    b = single_task(make_data(X * unit, y * size, ids, intercept=False), 0.0, loss=loss)
    blocks = {n: rng.normal(size=B.shape) for n, B in a.zeros().items()}
    scaled = {"common": blocks["common"], "deviation": blocks["deviation"] * size / unit}
    assert a.violation(blocks) == pytest.approx(b.violation(scaled), rel=1e-10)
    assert a.violation(a.zeros()) <= 1.0


def test_batches_of_a_design_are_its_rows(rng: np.random.Generator) -> None:
    """predict, adjoint, grams, total_gram, column_norms on padded batches, against loops."""
    sizes = [1, 30, 7, 8, 9, 2, 2, 50, 1]
    X, y, ids = random_tasks(rng, sizes, 4)
    shuffled = rng.permutation(len(y))
    data = make_data(X[shuffled], y[shuffled], ids[shuffled], sample_weight=rng.random(len(y)))
    rows, v, theta = dense_rows(data), rng.random(len(y)), rng.normal(size=(9, 5))
    design = data.design
    assert data.weight.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(design.predict(theta), (rows * theta[data.code]).sum(axis=1))
    for i in range(9):
        mine = data.code == i
        gram = (rows[mine] * v[mine, None]).T @ rows[mine]
        np.testing.assert_allclose(design.adjoint(v)[i], v[mine] @ rows[mine], atol=1e-14)
        np.testing.assert_allclose(design.grams(v)[i], gram, atol=1e-13)
        np.testing.assert_allclose(design.column_norms(v)[i] ** 2, gram.diagonal(), atol=1e-13)
    np.testing.assert_allclose(design.total_gram(v), (rows * v[:, None]).T @ rows, atol=1e-13)
    np.testing.assert_allclose(design.grams(v, np.array([3]))[3], design.grams(v)[3])


def test_turns_that_are_linear_in_log_noise_are_seen_through() -> None:
    """A turn that leaves shares 0.9 and 0.5 of two tasks' errors ends in three."""
    best, ahead = np.log([0.3, 2.0]), _Ahead()
    sigma = np.array([0.5, 1.5])
    for _ in range(3):
        turned = np.exp(best + np.array([0.9, 0.5]) * (np.log(sigma) - best))
        sigma = ahead(sigma, turned, falls=True)
    np.testing.assert_allclose(sigma, np.exp(best), rtol=1e-9)
    np.testing.assert_array_equal(ahead(sigma, turned, falls=False), turned)


@pytest.mark.parametrize("shape", [(4, 4), (3, 4, 4), (2, 3, 4, 4), (0, 4, 4)])
def test_eigenvalues_where_divide_and_conquer_finds_no_end(
    shape: tuple[int, ...], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which matrices those are depends on the processor: any may be one."""
    A = rng.normal(size=shape)
    A = A + np.swapaxes(A, -1, -2)
    expected = np.linalg.eigvalsh(A)

    def endless(A: np.ndarray) -> None:
        raise np.linalg.LinAlgError("Eigenvalues did not converge")

    if A.size:
        monkeypatch.setattr(np.linalg, "eigh", endless)
    values, vectors = symmetric_eigen(A)
    np.testing.assert_allclose(values, expected, atol=1e-12)
    again = (vectors * values[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    np.testing.assert_allclose(again, A, atol=1e-12)
    if A.size:
        A[..., 0, 0] = np.nan
        with pytest.raises(np.linalg.LinAlgError):
            symmetric_eigen(A)


@pytest.mark.parametrize("shape", [(40, 3), (7, 30), (3, 0), (1, 1)])
def test_the_largest_eigenvalue_of_many_matrices(shape: tuple[int, int]) -> None:
    """Below what is known nothing is decomposed, and what is known is the answer."""
    m, p = shape
    Z = np.random.default_rng(m).normal(size=(m, p, p // 2 + 1)) * np.arange(m)[:, None, None]
    A = Z @ Z.transpose(0, 2, 1)
    whole = np.linalg.eigvalsh(A).max(initial=0.0)
    assert largest_eigenvalue(A) == pytest.approx(whole, rel=1e-13)
    assert largest_eigenvalue(A, 2.0 * whole) == 2.0 * whole
