"""Sweeps over features lead to the optimum of the solvers that go on without them."""

import numpy as np
import pytest

from polytask import LassoTasksRegressor
from polytask.datasets import make_related_tasks
from polytask.penalties import JointFeatures, Lasso, MaxTasks, Penalty, Ridge, sparse_group
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.solvers import select
from polytask.solvers.norms import sweeps
from polytask.solvers.norms.profile import zero_factor
from polytask.solvers.norms.sweeps import after_sweeps
from polytask.structures import CommonDeviation, SlopesPlus
from tests.solvers.helpers import make_data

pytest.importorskip("numba")
NORMS = [Lasso, JointFeatures, lambda alpha: sparse_group(alpha, 0.4)]
PER_FEATURE = np.array([1.0, 2.0, 1.0, 0.5, 1.0, 1.0])


def problem(norm: Penalty, loss: Loss, own: float, shared: bool = False, alike: float = 0.0):
    rng = np.random.default_rng(1)
    ids = np.repeat(np.arange(5), 40)
    X = rng.normal(size=(200, 6)) + np.array([0.0, 0.0, 3.0, 0.0, 0.0, 0.0])
    X[:, 5] = np.where(ids == 2, 1.0, X[:, 5])  # does not vary in one task
    X[:, 1] = alike * X[:, 0] + (1.0 - alike) * X[:, 1]
    W = rng.normal(size=(5, 6)) * np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    y = (X * W[ids]).sum(axis=1) + ids + rng.normal(size=200)
    if isinstance(loss, Logistic):
        y = (y > np.median(y)).astype(float)
    data = make_data(X[:40], y.reshape(5, 40).T) if shared else make_data(X, y, ids)
    level = np.arange(7) == 6
    ridges = {"common": Ridge(np.zeros(1)), "deviation": Ridge(np.full(1, own))}
    structure = SlopesPlus(CommonDeviation(level, level), 6, ("slopes",))
    return Problem(data, loss, structure, {"slopes": norm, **ridges})


def both(asked: Problem, monkeypatch, tol: float):
    swept = select(asked).solve(asked, None, tol, 20_000)
    monkeypatch.setattr(sweeps, "loops", lambda _: None)
    return swept, select(asked).solve(asked, None, tol, 20_000)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("loss", [Squared(), Logistic()])
@pytest.mark.parametrize(("own", "shared"), [(0.0, False), (0.3, False), (0.0, True), (0.3, True)])
def test_two_roads_lead_to_one_optimum(norm, loss, own, shared, monkeypatch) -> None:
    alpha = 0.2 * zero_factor(problem(norm(1.0), loss, own, shared))
    swept, without = both(problem(norm(alpha), loss, own, shared), monkeypatch, 1e-11)
    assert max(swept.gap, without.gap) <= 1e-11
    assert swept.objective == pytest.approx(without.objective, rel=1e-10)
    np.testing.assert_array_equal(swept.coefs[:, :6] == 0, without.coefs[:, :6] == 0)
    np.testing.assert_allclose(swept.coefs, without.coefs, atol=1e-4)


@pytest.mark.parametrize("norm", [Lasso, JointFeatures])
def test_features_have_strengths_of_their_own(norm, monkeypatch) -> None:
    top = zero_factor(problem(norm(PER_FEATURE), Squared(), 0.0))
    swept, without = both(
        problem(norm(0.2 * top * PER_FEATURE), Squared(), 0.0), monkeypatch, 1e-11
    )
    assert swept.gap <= 1e-11
    assert swept.objective == pytest.approx(without.objective, rel=1e-10)


def test_features_almost_alike_are_left_to_the_others(monkeypatch) -> None:
    norm = JointFeatures(1e-6)
    swept, without = both(problem(norm, Squared(), 0.0, alike=0.995), monkeypatch, 1e-9)
    assert max(swept.gap, without.gap) <= 1e-9
    assert swept.n_iter > 200  # more than sweeps alone


@pytest.mark.parametrize("loss", [Squared(), Logistic()])
def test_norms_of_other_things_go_on_as_they_did(loss) -> None:
    asked = problem(MaxTasks(0.01), loss, 0.0)
    calls = []

    def inner(F, norm, start, tol, max_iter):
        calls.append(start)
        return start, 1

    from polytask.solvers.norms.outer import squares_at
    from polytask.solvers.norms.profile import zero_profile

    at = zero_profile(asked)
    B, used = after_sweeps(inner)(squares_at(asked, at), MaxTasks(0.01), at.B, 1e-9, 100)
    assert used == 1
    assert B is at.B is calls[0]


def test_gross_units_do_not_matter() -> None:
    X, y, _ = make_related_tasks(n_tasks=6, n_features=5, random_state=0)
    for unit in (1e-150, 1.0, 1e150):
        model = LassoTasksRegressor(task="task", alpha=unit * 0.1).fit(X, unit * y)
        assert model.gap_ <= model.tol
        if unit == 1.0:
            plain = model.coef_
    again = LassoTasksRegressor(task="task", alpha=1e149).fit(X, 1e150 * y)
    np.testing.assert_allclose(again.coef_ / 1e150, plain, atol=1e-3 * np.abs(plain).max())
