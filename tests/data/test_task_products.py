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
