"""Sweeps over features lead to the optimum of the solvers that go on without them."""

import numpy as np
import pytest

from polytask import DirtyTasksRegressor, LassoTasksRegressor
from polytask.datasets import make_related_tasks
from polytask.penalties import (
    Coupled,
    Fusion,
    JointFeatures,
    Lasso,
    MaxTasks,
    Nested,
    Norm,
    NormPlus,
    Ridge,
    Transposed,
    sparse_group,
)
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.solvers import select
from polytask.solvers.norms import sweeps
from polytask.solvers.norms.profile import zero_factor
from polytask.solvers.norms.sweeps import after_sweeps
from polytask.structures import CommonDeviation, SlopesPlus
from tests.models.helpers import long_table
from tests.models.reference import norm_optimum
from tests.solvers.helpers import make_data

pytest.importorskip("numba")
STEPS = np.diff(np.eye(5), axis=0)
CHAIN = Coupled(STEPS.T @ STEPS, np.linspace(0.02, 0.2, 6), 0.01)
ONE = {
    "lasso": lambda alpha: (Lasso(alpha),),
    "joint features": lambda alpha: (JointFeatures(alpha),),
    "sparse group": lambda alpha: (sparse_group(alpha, 0.4),),
}
LINKED = {
    "fused": lambda alpha: (Nested((Fusion(0.3 * alpha), *sparse_group(alpha, 0.4).norms)),),
    "fused lasso": lambda alpha: (Nested((Fusion(0.3 * alpha), Lasso(alpha))),),
    "temporal": lambda alpha: (NormPlus(JointFeatures(alpha), CHAIN),),
}
TWO = {
    "dirty": lambda alpha: (MaxTasks(alpha), Lasso(0.4 * alpha)),
    "dirty by length": lambda alpha: (JointFeatures(alpha), Lasso(0.7 * alpha)),
    "robust features": lambda alpha: (JointFeatures(alpha), Transposed(JointFeatures(alpha))),
}
STEPPED = ONE | TWO
NORMS = STEPPED | LINKED
PER_FEATURE = np.array([1.0, 2.0, 1.0, 0.5, 1.0, 1.0])


def problem(
    *norms: Norm, loss: Loss | None = None, own: float = 0.0, shared: bool = False,
    alike: float = 0.0,
) -> Problem:  # fmt: skip
    loss = loss or Squared()
    rng = np.random.default_rng(1)
    ids = np.repeat(np.arange(5), 40)
    X = rng.normal(size=(200, 6)) + np.array([0.0, 0.0, 3.0, 0.0, 0.0, 0.0])
    X[:, 5] = np.where(ids == 2, 1.0, X[:, 5])  # does not vary in one task
    X[:, 1] = alike * X[:, 0] + (1.0 - alike) * X[:, 1]
    W = rng.normal(size=(5, 6)) * np.array([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    y = (X * W[ids]).sum(axis=1) + ids + rng.normal(size=200)
    if isinstance(loss, Logistic):
        y = (y > np.median(y)).astype(float)
    weight = rng.uniform(0.5, 2.0, len(y))
    rows = (X[:40], y.reshape(5, 40).T) if shared else (X, y, ids)
    data = make_data(*rows, sample_weight=None if shared else weight)
    level = np.arange(7) == 6
    ridges = {"common": Ridge(np.zeros(1)), "deviation": Ridge(np.full(1, own))}
    parts = dict(zip(("shared", "own"), norms, strict=False))
    structure = SlopesPlus(CommonDeviation(level, level), 6, tuple(parts))
    return Problem(data, loss, structure, {**parts, **ridges})


def both(asked: Problem, monkeypatch, tol: float):
    swept = select(asked).solve(asked, None, tol, 20_000)
    monkeypatch.setattr(sweeps, "loops", lambda _: None)
    return swept, select(asked).solve(asked, None, tol, 20_000)


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("loss", [Squared(), Logistic()])
@pytest.mark.parametrize(("own", "shared"), [(0.0, False), (0.3, False), (0.0, True), (0.3, True)])
def test_two_roads_lead_to_one_optimum(name, loss, own, shared, monkeypatch) -> None:
    more = {"loss": loss, "own": own, "shared": shared}
    alpha = 0.2 * zero_factor(problem(*NORMS[name](1.0), **more))
    swept, without = both(problem(*NORMS[name](alpha), **more), monkeypatch, 1e-11)
    assert max(swept.gap, without.gap) <= 1e-11
    assert swept.objective == pytest.approx(without.objective, rel=1e-10)
    for part in swept.blocks:
        np.testing.assert_array_equal(swept.blocks[part] == 0, without.blocks[part] == 0)
        np.testing.assert_allclose(swept.blocks[part], without.blocks[part], atol=1e-4)


@pytest.mark.parametrize("norm", ["max", "l2"])
@pytest.mark.parametrize("alpha", [0.06, 0.2])
def test_dirty_tasks_have_the_optimum_of_cvxpy(norm, alpha) -> None:
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    Z, y = long_table(d=7)  # one task has fewer rows
    model = DirtyTasksRegressor(
        alpha, alpha_own=0.03, norm=norm, alpha_intercept=0.02, task=0, tol=1e-9
    ).fit(Z, y)
    p = {"max": "inf", "l2": 2}[norm]

    def penalty(P, Q):
        return alpha * cp.sum(cp.norm(P, p, axis=0)) + 0.03 * cp.sum(cp.abs(Q))

    best = norm_optimum(Z, y, "Regressor", 0.02, penalty, 2)
    assert model.objective_ == pytest.approx(best, rel=1e-7)
    assert model.own_coef_.any()
    assert (model.own_coef_ == 0).any()


@pytest.mark.parametrize("norm", [Lasso, JointFeatures])
def test_features_have_strengths_of_their_own(norm, monkeypatch) -> None:
    top = zero_factor(problem(norm(PER_FEATURE)))
    swept, without = both(problem(norm(0.2 * top * PER_FEATURE)), monkeypatch, 1e-11)
    assert swept.gap <= 1e-11
    assert swept.objective == pytest.approx(without.objective, rel=1e-10)


@pytest.mark.parametrize("name", [*STEPPED, "temporal"])
def test_tasks_take_steps_of_their_own_where_features_are_alike(name, monkeypatch) -> None:
    alpha = 0.05 * zero_factor(problem(*NORMS[name](1.0)))
    swept, without = both(problem(*NORMS[name](alpha), alike=0.99), monkeypatch, 1e-9)
    assert max(swept.gap, without.gap) <= 1e-9
    assert swept.objective == pytest.approx(without.objective, rel=1e-8)
    assert swept.n_iter < 150  # sweeps alone need hundreds


def test_sweeps_that_lead_nowhere_end(monkeypatch) -> None:
    monkeypatch.setattr(sweeps, "_MOST", 5)
    swept, without = both(problem(JointFeatures(1e-6), alike=0.995), monkeypatch, 1e-9)
    assert max(swept.gap, without.gap) <= 1e-9
    assert swept.n_iter > 5  # more than sweeps alone


@pytest.mark.parametrize("loss", [Squared(), Logistic()])
def test_norms_of_other_things_go_on_as_they_did(loss) -> None:
    asked = problem(MaxTasks(0.01), loss=loss)
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
