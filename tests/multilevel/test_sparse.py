"""Groupings that share few rows, by a sparse factor, against the dense system."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from polytask import MultilevelClassifier, MultilevelRegressor
from polytask.algebra.selected_inverse import SparseFactor
from polytask.algebra.sparse_order import minimum_degree
from polytask.mixed.crossed import fit
from polytask.mixed.crossed import sparse as sparse_module

TASK = ["pupil", "school/class"]


@pytest.fixture(scope="module")
def rows():
    """Pupils in classes in schools, some of whom move."""
    rng, n = np.random.default_rng(1), 700
    home, klass = rng.integers(0, 24, n), rng.integers(0, 3, n)
    pupil = 12 * home + rng.integers(0, 12, n)
    school = np.where(rng.random(n) < 0.05, rng.integers(0, 24, n), home)
    x = rng.normal(size=n)
    y = x * (1 + 0.5 * rng.normal(size=24)[school]) + rng.normal(size=(24, 3))[school, klass]
    y += 0.7 * rng.normal(size=288)[pupil] + rng.normal(size=n)
    return pd.DataFrame({"x": x, "school": school, "class": klass, "pupil": pupil}), y


def both_roads(make, X, y, monkeypatch):
    dense = make().fit(X, y)
    monkeypatch.setattr(fit, "MOST_DENSE", 10)  # beyond it the dense road is refused
    return dense, make().fit(X, y)


@pytest.mark.parametrize(
    "choice",
    [
        {"varying": []},
        {"varying": {"school": ["x"]}, "covariance": "full", "alpha_common": 0},
        {"varying": "all", "alpha": "ml"},  # variances of zero among them
    ],
)
def test_it_is_the_dense_system(rows, choice, monkeypatch):
    X, y = rows
    dense, found = both_roads(lambda: MultilevelRegressor(task=TASK, **choice), X, y, monkeypatch)
    assert found.deviance_ == pytest.approx(dense.deviance_, abs=1e-7)
    for name in dense.groupings_:
        np.testing.assert_allclose(found.variances_[name], dense.variances_[name], atol=1e-5)
    np.testing.assert_allclose(found.predict(X), dense.predict(X), atol=1e-5)
    assert found.violation_ < 1e-12
    for groups in (None, X["school"]):
        left = found.left_out(X, y, groups=groups)
        monkeypatch.setattr(fit, "MOST_DENSE", 10_000)
        np.testing.assert_allclose(left, dense.left_out(X, y, groups=groups), atol=1e-5)
        monkeypatch.setattr(fit, "MOST_DENSE", 10)


def test_labels_too(rows, monkeypatch):
    X, y = rows
    make = lambda: MultilevelClassifier(task=TASK, varying=[])  # noqa: E731
    dense, found = both_roads(make, X, (y > 0).astype(int), monkeypatch)
    assert found.deviance_ == pytest.approx(dense.deviance_, abs=1e-6)
    np.testing.assert_allclose(found.decision_function(X), dense.decision_function(X), atol=1e-5)


@pytest.mark.parametrize("share", [0.5, 1.5, 4.0])
def test_the_inverse_where_the_factor_has_numbers(share):
    rng, n = np.random.default_rng(0), 80
    k = int(share * n)
    places = rng.integers(0, n, (2, k))
    A = sparse.coo_matrix((rng.normal(size=k), places), shape=(n, n)).tocsr()
    S = (A.T @ A + sparse.eye_array(n)).tocsr()
    factor = SparseFactor(S, minimum_degree(S, np.ones(n, dtype=int), n**2))
    whole, found = np.linalg.inv(S.toarray()), factor.inverse.toarray()
    held = found != 0
    assert held[S.toarray() != 0].all()
    np.testing.assert_allclose(found[held], whole[held], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(factor.solve(np.eye(n)), whole, atol=1e-12)
    assert factor.log_det == pytest.approx(np.linalg.slogdet(S.toarray())[1], rel=1e-12)


def test_an_order_that_fills_up_is_not_taken():
    full = sparse.csr_matrix(np.ones((30, 30)))
    assert minimum_degree(full, np.ones(30, dtype=int), 100) is None
    star = sparse.csr_matrix(np.eye(30) + np.eye(30)[[0] * 30] + np.eye(30)[:, [0] * 30])
    order = minimum_degree(star, np.ones(30, dtype=int), 100)
    assert sorted(order) == list(range(30))
    assert 0 in order[-2:]  # the middle, when no more than an end is left beside it


def test_groupings_without_structure_are_left_to_the_dense_system():
    rng = np.random.default_rng(0)
    terms = [fit.Term(rng.integers(0, m, 9000), m, np.array([0])) for m in (3000, 1200)]
    assert sparse_module.Pattern.of_terms(terms, 10_000) is None
    nested = [terms[0], fit.Term(terms[0].code // 2, 1500, np.array([0]))]
    assert sparse_module.Pattern.of_terms(nested, 10_000) is not None
