"""Joint features: its optimum by other means, its zeros, its path."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import MultiTaskLasso

from polytask import JointFeaturesClassifier, JointFeaturesRegressor, strength_path
from polytask.data import TaskMoments
from tests.models.helpers import long_table
from tests.models.reference import norm_optimum

MODELS = {"Regressor": JointFeaturesRegressor, "Classifier": JointFeaturesClassifier}


def shared_rows(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X, W = rng.normal(size=(60, 12)) + 0.5, np.zeros((12, 5))
    W[:3] = rng.normal(size=(3, 5))
    return X, X @ W + 2.0 + rng.normal(size=(60, 5))


def planted(n: int, role: str = "Regressor") -> tuple[np.ndarray, np.ndarray]:
    """15 tasks of n rows, of 20 features the first three matter; the task in column 0."""
    rng = np.random.default_rng(n)
    ids, W = np.repeat(np.arange(15), n), np.zeros((15, 20))
    W[:, :3] = rng.normal(size=(15, 3))
    X = rng.normal(size=(len(ids), 20))
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=len(ids))
    return np.column_stack([ids, X]), y if role == "Regressor" else (y > 0).astype(int)


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_with_shared_rows_it_is_the_multi_task_lasso(share: float) -> None:
    X, Y = shared_rows()
    top = np.linalg.norm((X - X.mean(axis=0)).T @ (Y - Y.mean(axis=0)), axis=1).max() / len(X)
    known = MultiTaskLasso(share * top, tol=1e-13, max_iter=100_000).fit(X, Y)
    found = JointFeaturesRegressor(share * top / 5, tol=1e-13).fit(X, Y)
    assert_allclose(found.coef_, known.coef_, atol=1e-9)
    assert_allclose(found.intercept_, known.intercept_, atol=1e-9)
    assert_allclose(found.support_, (known.coef_ != 0).any(axis=0))


def test_it_is_what_skglm_finds() -> None:
    skglm = pytest.importorskip("skglm", reason="skglm is a peer, not a dependency")
    X, Y = shared_rows()
    known = skglm.MultiTaskLasso(0.2, tol=1e-12, max_iter=1000).fit(X, Y)
    assert_allclose(JointFeaturesRegressor(0.04, tol=1e-13).fit(X, Y).coef_, known.coef_, atol=1e-8)


@pytest.mark.parametrize("role", MODELS)
@pytest.mark.parametrize("level", [0.0, 0.05])
@pytest.mark.parametrize("alpha", [0.1, 0.01])
def test_optimum_is_that_of_cvxpy(role: str, alpha: float, level: float) -> None:
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    Z, y = long_table(role)
    best = norm_optimum(Z, y, role, level, lambda W: alpha * cp.sum(cp.norm(W, 2, axis=0)))
    model = MODELS[role](alpha, alpha_intercept=level, task=0, tol=1e-10).fit(Z, y)
    assert model.objective_ == pytest.approx(best, rel=1e-6)
    assert model.gap_ <= 1e-10
    assert model.certificate_ == "global"


@pytest.mark.parametrize("role", MODELS)
def test_it_is_zero_exactly_from_the_computed_strength_on(role: str) -> None:
    Z, y = long_table(role)
    top = strength_path(MODELS[role](alpha_intercept=0.0, task=0), Z, y, n_alphas=2).alphas[0]
    for share, zero in [(1.0, True), (0.999, False)]:
        model = MODELS[role](share * top, alpha_intercept=0.0, task=0, tol=1e-9).fit(Z, y)
        assert (model.coef_ == 0).all() == zero
        assert model.support_.any() != zero


@pytest.mark.parametrize("role", MODELS)
def test_the_support_is_found_as_rows_grow(role: str) -> None:
    for n in (20, 80):
        model = MODELS[role](task=0).fit(*planted(n, role))
        assert model.support_[:3].all()
        assert (model.coef_[:, ~model.support_] == 0).all()
    found = MODELS[role](3 * model.alpha_, task=0).fit(*planted(80, role))
    assert found.support_.tolist() == [True] * 3 + [False] * 17


def test_moments_give_the_same_answer() -> None:
    Z, y = long_table()
    by_rows = JointFeaturesRegressor(0.1, task=0, tol=1e-12).fit(Z, y)
    by_moments = JointFeaturesRegressor(0.1, task=0, tol=1e-12).fit_moments(
        TaskMoments.from_rows(Z, y, task=0)
    )
    assert_allclose(by_moments.coef_, by_rows.coef_, atol=1e-7)
