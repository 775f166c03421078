"""Products of tasks, one after the other, are those of batches: by BLAS, and by loops."""

from itertools import pairwise

import numpy as np
import pytest

from polytask.data import Design, task_loops, task_products, threads

SIZES = [40, 0, 7, 120, 1]
P = 60


@pytest.fixture(params=["even weights", "uneven weights"])
def weights(request, rng):
    share = np.repeat(rng.uniform(0.5, 2.0, len(SIZES)), SIZES)
    return share if request.param == "even weights" else share * rng.uniform(0.5, 2.0, len(share))


@pytest.fixture
def design(rng) -> Design:
    start = np.concatenate([[0], np.cumsum(SIZES)])
    return Design(rng.normal(size=(start[-1], P)), None, start)


@pytest.fixture(params=["whole", "in pieces", "by loops", "in threads"])
def road(request, monkeypatch):
    if request.param in ("by loops", "in threads"):
        pytest.importorskip("numba")
        monkeypatch.setattr(threads, "_FROM", 0 if "threads" in request.param else 1e9)
        return task_loops.TaskLoops
    monkeypatch.setattr(task_loops, "loops", lambda *_: None)
    if request.param == "in pieces":
        monkeypatch.setattr(task_products, "_CHUNK", 5 * P)
        monkeypatch.setattr(task_products, "_IN_CACHE", 0)
    return task_products.TaskProducts


def test_sums_over_the_rows_of_each_task(design, weights, road, rng):
    assert type(design._in_place(1.0)) is road
    theta = rng.normal(size=(len(SIZES), P))
    blocks = [design.X[a:b] for a, b in zip(design.start[:-1], design.start[1:], strict=True)]
    v = np.split(weights, design.start[1:-1])
    np.testing.assert_allclose(
        design.predict(theta), np.concatenate([Z @ w for Z, w in zip(blocks, theta, strict=True)])
    )
    np.testing.assert_allclose(
        design.adjoint(weights), [u @ Z for Z, u in zip(blocks, v, strict=True)], atol=1e-12
    )
    grams = [(Z.T * u) @ Z for Z, u in zip(blocks, v, strict=True)]
    np.testing.assert_allclose(design.grams(weights), grams, atol=1e-12)
    some = design.grams(weights, np.array([0, 3]))
    np.testing.assert_allclose(some[[0, 3]], [grams[0], grams[3]], atol=1e-12)
    assert not some[[1, 2, 4]].any()
    y = rng.normal(size=len(weights))
    both = design.moments(weights, y)
    np.testing.assert_allclose(both[0], grams, atol=1e-12)
    np.testing.assert_allclose(both[1], design.adjoint(weights * y), atol=1e-12)
    f, slope = design.residuals(theta, y, weights)
    np.testing.assert_allclose(f, design.predict(theta), atol=1e-12)
    np.testing.assert_allclose(slope, design.adjoint(weights * (f - y)), atol=1e-11)


@pytest.mark.parametrize("kind", ["widened", "gathered", "moved"])
def test_batches_serve_where_rows_are_not_read_as_they_are(design, kind):
    X, start = design.X, design.start
    of = {
        "widened": Design(X.astype(np.float32), None, start),
        "gathered": Design(X, np.arange(len(X)), start),
        "moved": Design(X, None, start, np.ones(P)),
    }
    assert of[kind]._in_place(1.0) is None


def test_blas_serves_long_tasks_alone(design):
    assert task_products.TaskProducts.of(design.X[:, :5].copy(), design.start) is None
    assert task_products.TaskProducts.of(design.X, design.start) is not None


@pytest.mark.parametrize("p", [1, 3, 4, 8, 13, 30])
def test_loops_serve_any_number_of_columns(p, rng):
    pytest.importorskip("numba")
    start = np.array([0, 3, 3, 70, 200])
    X, v, y = rng.normal(size=(200, p)), rng.uniform(size=200), rng.normal(size=200)
    design = Design(X, None, start)
    assert isinstance(design._in_place(1.0), task_loops.TaskLoops)
    grams, cross = design.moments(v, y)
    for i, (a, b) in enumerate(pairwise(start)):
        np.testing.assert_allclose(grams[i], (X[a:b].T * v[a:b]) @ X[a:b], atol=1e-12)
        np.testing.assert_allclose(cross[i], (v[a:b] * y[a:b]) @ X[a:b], atol=1e-12)


@pytest.mark.parametrize("layout", ["as made", "turned", "in another type"])
def test_short_rows_go_through_compiled_loops(layout, rng, monkeypatch):
    pytest.importorskip("numba")
    sizes = [4, 0, 7, 12, 1]
    start = np.concatenate([[0], np.cumsum(sizes)])
    design = Design(rng.normal(size=(start[-1], 5)), None, start)
    theta, v = rng.normal(size=(5, 5)), rng.uniform(size=start[-1])
    if layout == "turned":
        theta, v = np.asfortranarray(theta), np.repeat(v, 2)[::2]
    elif layout == "in another type":
        theta, v = theta.astype(np.float32), np.round(2 * v).astype(int)
    some = np.array([0, 3])

    def products():
        grams = design.grams(v, some)[some]
        pairs = [*design.moments(v, v), *design.residuals(theta, v, v)]
        return [design.predict(theta), design.adjoint(v), design.grams(v), grams, *pairs]

    assert task_loops.row_loops(design, np.inf) is not None  # loaded from here on
    found = products()
    monkeypatch.setattr(task_loops, "loops", lambda *_: None)
    for one, known in zip(found, products(), strict=True):
        np.testing.assert_allclose(one, known, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "design",
    [
        Design(np.ones((4, 3), dtype=np.float32), None, np.array([0, 2, 4])),
        Design(np.asfortranarray(np.ones((4, 3))), None, np.array([0, 2, 4])),
        Design(np.ones((4, 3)), np.arange(4), np.array([0, 2, 4])),
        Design(np.ones((4, 3)), None, np.array([0, 2, 4]), np.ones(3)),
        Design(np.ones((4, 40)), None, np.array([0, 2, 4])),
    ],
    ids=["widened", "by columns", "gathered", "moved", "long"],
)
def test_loops_take_rows_as_they_are(design, monkeypatch):
    monkeypatch.setattr(task_loops, "loops", lambda *_: "loops")
    assert task_loops.row_loops(design) is None
