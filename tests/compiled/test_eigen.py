"""Eigenvectors of many small matrices: what they are, by loops and by LAPACK."""

import numpy as np
import pytest

pytest.importorskip("numba")
from polytask.algebra import linalg
from polytask.compiled import eigen

EPS = np.finfo(float).eps


def _symmetric(kind, b, p, rng):
    A = rng.normal(size=(b, p, p))
    A = A + A.transpose(0, 2, 1)
    if kind == "graded":
        scale = np.logspace(-9, 9, p)
        A = A * scale[:, None] * scale
    if kind == "of few ranks":
        X = rng.normal(size=(b, max(1, p // 3), p))
        A = X.transpose(0, 2, 1) @ X
    if kind == "with equal eigenvalues":
        A = np.eye(p) + np.where(np.arange(b) % 2 > 0, 0.0, 1.0)[:, None, None]
    if kind == "in parts":
        A = A * ((np.arange(p)[:, None] < p // 2) == (np.arange(p) < p // 2))
    if kind == "diagonal or zero":
        A = A * np.eye(p) * (np.arange(b) % 3 > 0)[:, None, None]
    if kind == "huge and tiny":
        A = A * np.logspace(-200, 200, b)[:, None, None]
    return A


KINDS = (
    "any", "graded", "of few ranks", "with equal eigenvalues", "in parts", "diagonal or zero",
    "huge and tiny",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("b", "p"), [(4, 2), (8, 3), (9, 4), (17, 5), (11, 28), (8, 61), (5, 128)])
def test_they_decompose_the_matrices(kind, b, p, rng):
    A = _symmetric(kind, b, p, rng)
    values, rows, ended = eigen.decompose(A)
    assert ended
    assert (np.diff(values) >= 0).all()
    size = np.maximum(np.abs(A).max(axis=(1, 2)), 1e-300)[:, None, None]
    again = (rows.transpose(0, 2, 1) * (values[:, None] / size)) @ rows
    np.testing.assert_allclose(again, A / size, atol=60 * p * EPS)
    np.testing.assert_allclose(
        rows @ rows.transpose(0, 2, 1), np.broadcast_to(np.eye(p), A.shape), atol=60 * p * EPS
    )
    np.testing.assert_allclose(
        values / size[:, :, 0], np.linalg.eigvalsh(A) / size[:, :, 0], atol=60 * p * EPS
    )


def test_both_roads_take_the_same_matrices(rng, monkeypatch):
    A = _symmetric("any", 20, 12, rng)
    found = []
    for road in (eigen, None):
        monkeypatch.setattr(linalg, "loops", lambda *_, road=road: road)
        values, vectors = linalg.symmetric_eigen(A)
        found.append((values, np.abs(vectors)))
    np.testing.assert_allclose(found[0][0], found[1][0], atol=1e-12)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-9)


def _outcome(A):
    try:
        return np.isfinite(linalg.symmetric_eigen(A)[0]).all(axis=1).tolist()
    except np.linalg.LinAlgError:
        return "refused"


def test_what_is_no_number_is_as_without_loops(rng, monkeypatch):
    A = _symmetric("any", 8, 5, rng)
    A[3, 2, 2] = np.nan
    found = []
    for road in (eigen, None):
        monkeypatch.setattr(linalg, "loops", lambda *_, road=road: road)
        found.append(_outcome(A))
    assert found[0] == found[1] != [True] * 8
