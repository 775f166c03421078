"""Products by blocks: those of numpy."""

import numpy as np
import pytest

pytest.importorskip("numba")
from polytask.compiled.products import add_gram, add_grams, forms, halve, times

SHAPES = [(4, 8, 8), (8, 8, 40), (28, 32, 112), (52, 56, 72)]


def _symmetric(lower):
    return np.tril(lower) + np.tril(lower, -1).T


@pytest.mark.parametrize("shape", SHAPES)
def test_products(shape, rng):
    r, k, n = shape
    X, Y, C = rng.normal(size=(r, k)), rng.normal(size=(k, n)), np.empty((r, n))
    times(C, X, Y, False)
    np.testing.assert_allclose(C, X @ Y, rtol=1e-12, atol=1e-12)
    X = np.tril(X)
    times(C, X, Y, True)
    np.testing.assert_allclose(C, X @ Y, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_forms_of_a_gram_matrix(shape, rng):
    _, k, n = shape
    Y, V, C, out = (
        rng.normal(size=(9, k)),
        rng.normal(size=(k, n)),
        np.zeros((k, k)),
        np.ones((1, n)),
    )
    add_gram(C, Y, 7)
    gram = Y[:7].T @ Y[:7]
    np.testing.assert_allclose(_symmetric(C), gram, rtol=1e-12, atol=1e-12)
    halve(C)
    forms(out, C, V)
    np.testing.assert_allclose(out[0], np.einsum("kn,kl,ln->n", V, gram, V), rtol=1e-11)


@pytest.mark.parametrize("rows", [1, 64, 130])
def test_sums_of_weighted_grams(rows, rng):
    Y, roots, found = rng.normal(size=(rows, 11)), rng.uniform(size=(3, rows)), np.ones((3, 16, 16))
    add_grams(Y, roots, found)
    scaled = roots[:, :, None] * Y
    gram = np.tril(scaled.transpose(0, 2, 1) @ scaled + 1.0)
    np.testing.assert_allclose(np.tril(found[:, :11, :11]), gram, rtol=1e-12, atol=1e-12)
