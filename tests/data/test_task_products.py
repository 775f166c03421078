"""Products of long tasks, one after the other, are those of batches."""

import numpy as np
import pytest

from polytask.data import Design, task_products

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


@pytest.fixture(params=[False, True], ids=["whole", "in pieces"])
def pieces(request, monkeypatch):
    if request.param:
        monkeypatch.setattr(task_products, "_CHUNK", 5 * P)


def test_sums_over_the_rows_of_each_task(design, weights, pieces, rng):
    assert design._by_task is not None
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


@pytest.mark.parametrize("road", ["widened", "gathered", "moved", "short"])
def test_batches_serve_where_rows_are_not_read_as_they_are(design, road):
    X, start = design.X, design.start
    of = {
        "widened": (X.astype(np.float32), None, start, None),
        "gathered": (X, np.arange(len(X)), start, None),
        "moved": (X, None, start, np.ones(P)),
        "short": (X[:, :5].copy(), None, start, None),
    }
    assert task_products.TaskProducts.of(*of[road]) is None


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
        return [design.predict(theta), design.adjoint(v), design.grams(v), grams]

    assert task_products.row_loops(design, np.inf) is not None  # loaded from here on
    found = products()
    monkeypatch.setattr(task_products, "loops", lambda *_: None)
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
    monkeypatch.setattr(task_products, "loops", lambda *_: "loops")
    assert task_products.row_loops(design) is None
