"""Inverses of many small matrices and their roots, with and without numba."""

import numpy as np
import pytest

from polytask import compiled
from polytask.algebra import linalg
from polytask.algebra.linalg import clear_inverses, psd_inverse_roots


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def road(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(linalg, "loops", lambda *_: None)
    else:
        pytest.importorskip("numba")


@pytest.mark.parametrize("p", [0, 1, 2, 5, 16])
def test_of_positive_definite_matrices_in_any_units(p, rng) -> None:
    X = rng.normal(size=(20, 2 * p + 3, p)) * np.logspace(-8, 8, p)
    A = X.transpose(0, 2, 1) @ X
    found = clear_inverses(A)
    assert found is not None
    scale = np.sqrt(np.einsum("ijj->ij", A))
    product = (found * scale[:, None, :] * scale[:, :, None]) @ (
        A / scale[:, None, :] / scale[:, :, None]
    )
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(p), A.shape), atol=1e-10)


@pytest.mark.parametrize("bad", ["alike", "absent", "negative", "unknown"])
def test_none_where_one_has_no_clear_inverse(bad, rng) -> None:
    X = rng.normal(size=(20, 30, 4))
    X[7, :, 2] = X[7, :, 1] if bad == "alike" else X[7, :, 2] * (bad != "absent")
    A = X.transpose(0, 2, 1) @ X
    if bad == "negative":
        A[7, 0, 1] = A[7, 1, 0] = 2.0 * A[7].max()
    if bad == "unknown":
        A[7, 2, 2] = np.nan
    assert clear_inverses(A) is None


@pytest.mark.parametrize("p", [2, 4, 7, 16, 21, 33])
@pytest.mark.parametrize("b", [3, 5, 40, 203])
def test_roots_and_their_sum_in_any_units(p, b, rng) -> None:
    X = rng.normal(size=(b, 2 * p + 3, p)) * np.logspace(-6, 6, p)
    X[1, :, 0] = 0.0
    X[2, :, 1] = 3.0 * X[2, :, 0]
    A = X.transpose(0, 2, 1) @ X
    singular, total = np.zeros(b, dtype=bool), np.zeros((p, p))
    R = psd_inverse_roots(A.copy(), singular, total)
    np.testing.assert_array_equal(np.flatnonzero(singular), [1, 2])
    np.testing.assert_array_equal(np.triu(R[~singular], 1), 0.0)
    unit = np.sqrt(np.einsum("ijj->ij", A))
    unit[1, 0] = 1.0
    units = unit[:, :, None] * unit[:, None, :]
    expected = np.linalg.pinv(A / units, rcond=1e-12, hermitian=True)
    np.testing.assert_allclose(R.transpose(0, 2, 1) @ R * units, expected, rtol=0, atol=1e-8)
    np.testing.assert_allclose(total, (R.transpose(0, 2, 1) @ R).sum(axis=0), rtol=1e-9, atol=0)


def test_both_roads_to_roots_have_the_same_digits(rng, monkeypatch) -> None:
    pytest.importorskip("numba")
    X = rng.normal(size=(50, 40, 19))
    A = X.transpose(0, 2, 1) @ X
    monkeypatch.setattr(linalg, "loops", compiled.loops)
    ours = psd_inverse_roots(A.copy())
    monkeypatch.setattr(linalg, "loops", lambda *_: None)
    np.testing.assert_allclose(ours, psd_inverse_roots(A.copy()), rtol=0, atol=1e-13)


@pytest.mark.parametrize("p", [0, 1, 6, 20])
def test_squares_of_roots_times_vectors(p, rng) -> None:
    R, V = rng.normal(size=(30, p, p)), rng.normal(size=(p, 30)).T

    known = np.einsum("bji,bjk,bk->bi", R, R, V)
    np.testing.assert_allclose(linalg.squares_times(R, V), known, rtol=1e-12, atol=1e-12)
