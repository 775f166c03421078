"""Compiled loops over tasks and rows give the numbers of numpy."""

from functools import partial

import numpy as np
import pytest

from polytask import compiled
from polytask.data import row_sums, task_loops
from polytask.data.design import Design
from polytask.mixed import sums
from polytask.mixed.reml import MixedModel

pytest.importorskip("numba")


def by_numpy(monkeypatch, call, *args):
    with monkeypatch.context() as m:
        for room in (sums, task_loops):
            m.setattr(room, "loops", lambda *_: None)
        return call(*args)


def compiled_too(monkeypatch):
    for name in ("_SECOND", "_FORMS"):
        monkeypatch.setattr(sums, name, 16)
    assert compiled.loops("tasks") is not None


def world(rng, m, p):
    """Tasks with fewer rows than columns, of other weights, and columns that are zero."""
    X = rng.normal(size=(m, p + 2, p)) * 10.0 ** rng.uniform(-0.5, 0.5, size=(m, 1, 1))
    X[::3, 1:] = 0.0
    X[1::4, :, -1] = 0.0
    v = rng.uniform(0.1, 3.0, size=X.shape[:2])
    H = np.einsum("ij,ijk,ijl->ikl", v, X, X)
    return H, np.einsum("ij,ijk->ik", v * rng.normal(size=X.shape[:2]), X)


def roots_of(rng, p):
    low = np.tril(rng.normal(size=(p, p)))
    singular = low.copy()
    singular[:, p // 2 :] = 0.0
    return [low, singular, np.zeros((p, p)), np.zeros((p, 0)), np.hstack([low, low]), 3.0 * low]


@pytest.mark.parametrize("weighed", [False, True])
@pytest.mark.parametrize("p", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("m", [1, 16, 37])
def test_sums_over_tasks_are_those_of_numpy(rng, monkeypatch, m, p, weighed):
    compiled_too(monkeypatch)
    H, r = world(rng, m, p)
    root = rng.uniform(0.0, 3.0, size=m) if weighed else np.ones(m)
    low = np.tril(rng.normal(size=(p, p)))
    for L in roots_of(rng, p):
        known = by_numpy(monkeypatch, sums.first_sums, H, r, root, L)
        found = sums.first_sums(H, r, root, L)
        size = np.abs(H).max()
        for a, b, unit in zip(found, known, (size, size, size, size, 1.0, size), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * unit)
        T = 0.5 * (known[0] + known[0].transpose(0, 2, 1))
        args = (T, known[1], root, low @ low.T, rng.normal(size=p))
        known_sums = by_numpy(monkeypatch, sums.second_sums, *args)
        terms = np.abs(known_sums.Q).max() * max(np.abs(known[0]).max(), 1.0)
        for a, b in zip(sums.second_sums(*args), known_sums, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10 * terms)
        args = (T, known_sums.q, root, low @ low.T, 0.7)
        known_bends = by_numpy(monkeypatch, sums.bent_sums, *args)
        for a, b in zip(sums.bent_sums(*args), known_bends, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12 * np.abs(b).max(initial=1.0))
        A_inverse = np.linalg.inv(np.eye(L.shape[1]) + L.T @ H @ L)
        S_inverse = np.linalg.inv(H.sum(axis=0) + np.eye(p))
        args = (H, L, S_inverse, partial(np.asarray, A_inverse))
        known_forms = by_numpy(monkeypatch, sums.covariances, *args)
        atol = 1e-10 * np.abs(known_forms).max()
        np.testing.assert_allclose(sums.covariances(*args), known_forms, rtol=1e-10, atol=atol)


@pytest.mark.parametrize("p", [1, 2, 4])
def test_sums_over_rows_are_those_of_numpy(rng, monkeypatch, p):
    compiled_too(monkeypatch)
    start = np.array([0, 3, 3, 20, 21, 60])
    design = Design(rng.normal(size=(60, p)), None, start)
    y, weight, theta = rng.normal(size=60), rng.uniform(0.1, 3.0, 60), rng.normal(size=(5, p))
    known = by_numpy(monkeypatch, row_sums.residual_sums, design, y, weight, theta)
    for a, b in zip(row_sums.residual_sums(design, y, weight, theta), known, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    e = y - design.predict(theta)
    np.testing.assert_allclose(known[0], design.adjoint(weight * e), atol=1e-12)
    assert known[1].sum() == pytest.approx(weight @ e**2)
    V = rng.normal(size=(5, p, p))
    V = V + V.transpose(0, 2, 1)
    known = by_numpy(monkeypatch, row_sums.quadratic_forms, design, V)
    np.testing.assert_allclose(row_sums.quadratic_forms(design, V), known, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("size", [1.0, 1e4])
def test_tasks_of_one_design_are_as_those_of_nearly_one(rng, size):
    """A few tasks stand for all; where the designs differ a little, nobody stands for anybody."""
    p, m = 3, 40
    X = rng.normal(size=(8, p))
    H = np.repeat((X.T @ X)[None], m, axis=0)
    cross = rng.normal(size=(m, 8)) @ X
    args = cross, 1e3 + np.square(cross).sum(), np.zeros(p), np.ones(p), 8.0 * m
    other = H.copy()
    other[0] *= 1.0 + 1e-13
    one, each = MixedModel(H, *args), MixedModel(other, *args)
    assert one.is_one_design
    assert not each.is_one_design
    L = size * np.tril(rng.normal(size=(p, p)))
    a, b = one.at(L), each.at(L)
    assert a.deviance == pytest.approx(b.deviance, rel=1e-9)
    along = rng.normal(size=(4, p, p))
    along = along + along.transpose(0, 2, 1)
    groups, none = np.eye(p), np.zeros((p, 0))
    for found, known in (
        (a.gradient, b.gradient), (a.q, b.q), (a.common, b.common),
        (a.coef_covariance(), b.coef_covariance()),
        (a.information_along(along), b.information_along(along)),
        (a.information(groups, none), b.information(groups, none)),
    ):  # fmt: skip
        np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-7 * np.abs(known).max())
