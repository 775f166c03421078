"""Inverses of many small matrices, with and without numba."""

import numpy as np
import pytest

from polytask.algebra import linalg
from polytask.algebra.linalg import clear_inverses


@pytest.fixture(params=["compiled", "numpy"], autouse=True)
def road(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(linalg, "loops", lambda _: None)
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
