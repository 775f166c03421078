"""Wide tasks: products with the rows, in single precision, lead to what their kernel says."""

import numpy as np
import pytest

from polytask.algebra import kernel_products
from polytask.algebra.kernel_products import Border, KernelProducts, NotNearError
from polytask.data import Design
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import Squared
from polytask.solvers import select
from polytask.solvers.orthogonal import solve_orthogonal
from polytask.structures import CommonDeviation
from tests.solvers.helpers import make_data, random_tasks

SIZES = [9, 14, 6, 11]
START = np.cumsum([0, *SIZES])


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(kernel_products, "_FEWEST", 1)


def system(rng, border: str = "none", alike: float = 0.0):
    X = rng.normal(size=(sum(SIZES), 300)) + alike * rng.normal(size=300)
    root = rng.uniform(0.5, 2.0, len(X))
    common, own = rng.uniform(0.5, 2.0, (2, 300)) / 100
    column = np.zeros(len(X)) if border == "none" else root
    A = Border(column, START, border == "each")
    return (Design(X, None, START), root, common, own, A), kernel(X * root[:, None], common, own)


def kernel(Z: np.ndarray, common: np.ndarray, own: np.ndarray) -> np.ndarray:
    code = np.repeat(np.arange(len(SIZES)), SIZES)
    same = code[:, None] == code
    return np.eye(len(Z)) + (Z * common) @ Z.T + same * ((Z * own) @ Z.T)


def columns(border: str, column: np.ndarray) -> np.ndarray:
    if border == "each":
        return column[:, None] * np.repeat(np.eye(len(SIZES)), SIZES, axis=0)
    return column[:, None][:, : int(border == "all")]


@pytest.mark.parametrize("border", ["none", "all", "each"])
@pytest.mark.parametrize("unit", [1.0, 1e-20])
def test_the_inverse_of_the_kernel(rng, border, unit):
    parts, K = system(rng, border)
    A, rhs = columns(border, parts[-1].column), unit * rng.normal(size=len(K))
    both = np.block([[K, A], [A.T, np.zeros((A.shape[1],) * 2)]])
    expected = np.linalg.solve(both, np.append(rhs, np.zeros(A.shape[1])))
    a, b = KernelProducts(*parts).solve(rhs)
    np.testing.assert_allclose(a, expected[: len(K)], atol=1e-5 * abs(expected).max())
    if border != "none":
        np.testing.assert_allclose(b, expected[len(K) :], atol=1e-5 * abs(expected).max())


def test_nothing_leads_to_nothing(rng):
    parts, K = system(rng, "all")
    a, b = KernelProducts(*parts).solve(np.zeros(len(K)))
    assert not a.any()
    assert not b.any()


def test_rows_that_are_too_much_alike_are_given_up(rng, monkeypatch):
    monkeypatch.setattr(kernel_products, "_STEPS", 4)
    monkeypatch.setattr(kernel_products, "_LOOK", 2)
    parts, K = system(rng, alike=1.0)
    with pytest.raises(NotNearError):
        KernelProducts(*parts).solve(rng.normal(size=len(K)))


def problem(data, common, deviation, varying=1.0, level=(0.0, 0.1)):
    """Strengths of slopes, and with an intercept its own two."""
    masks = np.ones((2, data.n_coefs), dtype=bool)
    masks[1, : data.n_features] = np.arange(data.n_features) < varying * data.n_features
    strengths = np.repeat([[common], [deviation]], data.n_coefs, axis=1)
    strengths[1] *= np.linspace(0.5, 2.0, data.n_coefs)
    if data.intercept:
        strengths[:, -1] = level
    penalties = {
        block: Ridge(strength[mask])
        for block, strength, mask in zip(("common", "deviation"), strengths, masks, strict=True)
    }
    return Problem(data, Squared(), CommonDeviation(*masks), penalties)


def solved(asked, monkeypatch):
    """Solution, and how many systems were solved by products."""
    found, solve = [], KernelProducts.solve

    def counted(self, rhs):
        found.append(solve(self, rhs))
        return found[-1]

    monkeypatch.setattr(KernelProducts, "solve", counted)
    return select(asked).solve(asked, None, 1e-10, 100), len(found)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("strengths", [(0.1, 0.1), (1.0, 0.01), (1e-3, 1.0), (1e-9, 1e-9)])
@pytest.mark.parametrize("more", [{}, {"level": (0.0, 0.0)}, {"varying": 0.7}, {"varying": 0.0}])
def test_a_fit_is_that_of_orthogonal_transformations(rng, monkeypatch, strengths, intercept, more):
    X, y, ids = random_tasks(rng, SIZES, 120)
    data = make_data(X, y, ids, intercept=intercept, sample_weight=rng.uniform(0.5, 2.0, len(y)))
    asked = problem(data, *strengths, **more)
    solution, systems = solved(asked, monkeypatch)
    assert solution.n_iter == systems > 0
    assert solution.violation < 1e-12
    expected = asked.structure.assemble(solve_orthogonal(asked))
    np.testing.assert_allclose(solution.coefs, expected, atol=1e-12 * abs(expected).max())


@pytest.mark.parametrize("unit", [1e-30, 1e25])
def test_numbers_that_are_none_in_single_precision(rng, monkeypatch, unit):
    X, y, ids = random_tasks(rng, SIZES, 120)
    asked = problem(make_data(unit * X, y, ids), 0.1 * unit**2, 0.1 * unit**2)
    solution, _ = solved(asked, monkeypatch)
    assert solution.violation < 1e-12
    expected = asked.structure.assemble(solve_orthogonal(asked))
    np.testing.assert_allclose(solution.coefs, expected, atol=1e-10 * abs(expected).max())
