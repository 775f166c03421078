"""Wide tasks of many rows: products with the rows lead to what their kernel says."""

import numpy as np
import pytest

from polytask.algebra import kernel_products
from polytask.algebra.kernel_products import KernelProducts, NotNearError
from polytask.solvers import select
from tests.solvers.helpers import make_data, mean_regularized, random_tasks

SIZES = [9, 14, 6, 11]


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(kernel_products, "_ROWS_A_STEP", 1)


def kernel(Z: np.ndarray, inverse_D: np.ndarray, roots: list[np.ndarray]) -> np.ndarray:
    Q, at = np.zeros((len(Z), len(Z))), 0
    for root in roots:
        Q[at : at + len(root), at : at + len(root)] = root
        at += len(root)
    return np.eye(len(Z)) + Q @ (Z * inverse_D) @ Z.T @ Q


def system(rng, alike: float = 0.0):
    Z = rng.normal(size=(sum(SIZES), 300)) + alike * rng.normal(size=300)
    inverse_D = rng.uniform(0.5, 2.0, 300)
    halves = [rng.normal(size=(n, n)) / n for n in SIZES]
    roots = [np.eye(n) + half @ half.T for n, half in zip(SIZES, halves, strict=True)]
    return Z, inverse_D, roots


def test_the_inverse_of_the_kernel(rng):
    parts = system(rng)
    rhs = rng.normal(size=(sum(SIZES), 2))
    expected = np.linalg.solve(kernel(*parts), rhs)
    found = KernelProducts(*parts)
    np.testing.assert_allclose(found.solve(rhs), expected, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(found.solve(rhs[:, 0]), expected[:, 0], rtol=1e-10, atol=1e-13)
    assert not found.solve(np.zeros(sum(SIZES))).any()


def test_rows_that_are_too_much_alike_are_given_up(rng, monkeypatch):
    monkeypatch.setattr(kernel_products, "_ROWS_A_STEP", 4)
    monkeypatch.setattr(kernel_products, "_LOOK", 2)
    parts = system(rng, alike=1e-2)
    with pytest.raises(NotNearError):
        KernelProducts(*parts).solve(rng.normal(size=sum(SIZES)))


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("strengths", [(0.1, 0.1), (0.01, 1.0), (1.0, 1e-3)])
def test_a_fit_is_the_one_of_the_kernel(rng, monkeypatch, strengths, intercept):
    X, y, ids = random_tasks(rng, SIZES, 120)
    data = make_data(X, y, ids, intercept=intercept, sample_weight=rng.uniform(0.5, 2.0, len(y)))
    alpha, common = strengths
    problem = mean_regularized(data, alpha, common)
    solver, steps, solve = select(problem), [], KernelProducts.solve

    def counted(self, rhs):
        steps.append(rhs.shape)
        return solve(self, rhs)

    monkeypatch.setattr(KernelProducts, "solve", counted)
    by_products = solver.solve(problem, None, 1e-10, 100)
    assert steps
    monkeypatch.setattr(KernelProducts, "serves", staticmethod(lambda Z: False))
    by_kernel = solver.solve(problem, None, 1e-10, 100)
    assert by_products.violation < 1e-11
    np.testing.assert_allclose(by_products.coefs, by_kernel.coefs, rtol=1e-9, atol=1e-11)
