"""What is searched for of "auto", and that nothing which would have won is left out."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from polytask import MeanRegularizedRegressor
from polytask.algebra.linalg import inverses_and_log_dets, psd_inverse, psd_inverse_roots
from polytask.data import TaskData
from polytask.data.design import Design
from polytask.mixed import chosen
from polytask.mixed.task_noise import _CLEAR, _differ, _spreads

ALL = ["scalar", "diagonal", "factor", "full"]


def world(seed):
    """Tasks of one to three features, whose deviations are drawn of one of four covariances."""
    rng = np.random.default_rng(seed)
    d, m = int(rng.integers(1, 4)), int(rng.choice([15, 40]))
    size, kind = float(rng.choice([0.1, 0.4])), seed % 4
    C = [
        size * np.eye(d + 1),
        np.diag(size * (rng.random(d + 1) < 0.5)),
        np.hstack([0.2 * size * np.eye(d + 1), size * rng.normal(size=(d + 1, 1))]),
        size * np.tril(rng.normal(size=(d + 1, d + 1))),
    ][kind]
    code = np.repeat(np.arange(m), rng.integers(3, 25, m))
    x = rng.normal(size=(len(code), d))
    theta = (rng.normal(size=(m, C.shape[1])) @ C.T)[code]
    y = (x * theta[:, :d]).sum(axis=1) + theta[:, d] + rng.normal(size=len(code))
    return np.column_stack([code, x]), y


def reml(covariance):
    return MeanRegularizedRegressor("reml", covariance=covariance, task=0, noise="common")


def test_the_least_criterion_of_all_four_is_chosen():
    names = set()
    for seed in range(20):
        X, y = world(seed)
        found = reml("auto").fit(X, y)
        least = min(reml(covariance).fit(X, y).aic_ for covariance in ALL)
        assert found.aic_ == pytest.approx(least, abs=1e-4)
        names.add(found.covariance_)
    assert names >= {"scalar", "diagonal", "full"}


def test_what_cannot_win_is_not_searched_for(monkeypatch):
    sought = []
    search = chosen._Searches._search
    monkeypatch.setattr(
        chosen._Searches,
        "_search",
        lambda self, name, *a: (sought.append(name), search(self, name, *a)),
    )
    rng = np.random.default_rng(0)
    code = np.repeat(np.arange(100), 30)
    x = rng.normal(size=(3000, 2))
    theta = 0.3 * rng.normal(size=(100, 3))[code]
    y = (x * theta[:, :2]).sum(axis=1) + theta[:, 2] + rng.normal(size=3000)
    reml("auto").fit(np.column_stack([code, x]), y)
    assert sought == ["scalar"]


@pytest.mark.parametrize("reach", [2, 5])
@pytest.mark.parametrize("k", [0, 1, 3, 16, 17, 40])
def test_inverses_and_log_determinants_are_those_of_numpy(rng, k, reach):
    X = rng.normal(size=(50, k, 3 * k + 1)) * 10.0 ** rng.uniform(-2, reach, size=(50, k, 1))
    A = np.eye(k) + X @ X.transpose(0, 2, 1)
    inverses, log_dets = inverses_and_log_dets(A)
    np.testing.assert_allclose(A @ inverses, np.broadcast_to(np.eye(k), A.shape), atol=1e-6)
    np.testing.assert_allclose(log_dets, np.linalg.slogdet(A)[1], rtol=1e-10)


@pytest.mark.parametrize("p", [3, 20])
def test_singular_matrices_among_others(rng, p):
    X = rng.normal(size=(40, p, 2 * p))
    X[::3, 0] = X[::3, 1]  # two columns the same
    X[1::4, 2] = 0.0
    A = X @ X.transpose(0, 2, 1)
    R = psd_inverse_roots(A.copy())
    for a, r in zip(A, R, strict=True):
        np.testing.assert_allclose(r.T @ r, psd_inverse(a), rtol=1e-7, atol=1e-9)
        np.testing.assert_allclose(a @ r.T @ r @ a, a, atol=1e-8)


def test_differences_in_noise_are_asked_for_as_scipy_does(rng):
    start = np.concatenate([[0], np.cumsum(rng.integers(1, 12, 30))])
    sizes, one = np.diff(start), np.ones(start[-1])
    design = Design(one[:, None], None, start)
    rows = TaskData(design, one, one, sizes / start[-1], np.arange(30), True, np.arange(len(one)))
    answers = set()
    for spread in np.linspace(0.0, 1.0, 40):
        e = rng.normal(size=len(one)) * np.repeat(np.exp(spread * rng.normal(size=30)), sizes)
        parts = [r for r in np.split(e, start[1:-1]) if len(r) >= 3]
        found = _spreads(replace(rows, y=e), np.zeros((30, 1)), np.zeros((30, 1, 1)))
        answer = _differ(found, sizes)
        assert answer == (stats.levene(*parts, center="median").pvalue < _CLEAR)
        answers.add(answer)
    assert answers == {True, False}
