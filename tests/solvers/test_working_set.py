"""Sets of features: the optimum of all features, certified by the gap of all."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import MultiTaskLasso

from polytask import JointFeaturesRegressor
from polytask.data import TaskData
from polytask.penalties import (
    Coupled,
    Fusion,
    JointFeatures,
    Lasso,
    MaxTasks,
    Nested,
    NormPlus,
    Penalty,
    Ridge,
    TaskGroup,
    TraceNorm,
    sparse_group,
)
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.solvers import select
from polytask.solvers.base import missing
from polytask.solvers.norms.proximal import ProximalGradient
from polytask.solvers.norms.working_set import WorkingSet
from polytask.structures import CommonDeviation, SlopesPlus
from tests.solvers.helpers import make_data

M, D = 3, 600
CHAIN = np.array([[1.0, -1, 0], [-1, 2, -1], [0, -1, 1]])


def wide(labels: bool = False, *, sparsely: bool = False) -> TaskData:
    """20 rows a task, 600 features, of which two matter."""
    rng = np.random.default_rng(0)
    X, ids = rng.normal(size=(20 * M, D)), np.repeat(np.arange(M), 20)
    if sparsely:
        X = np.where(rng.random(X.shape) < 0.3, X, 0.0)
    y = X[:, 0] * (1 + ids) - X[:, 1] + 0.5 * rng.normal(size=len(ids))
    return make_data(sparse.csr_array(X) if sparsely else X, (y > 0) * 1.0 if labels else y, ids)


def problem(data: TaskData, loss: Loss, **parts: Penalty) -> Problem:
    level = np.arange(D + 1) == D
    rest = {"common": Ridge(np.zeros(1)), "deviation": Ridge(np.array([0.02]))}
    return Problem(data, loss, SlopesPlus(CommonDeviation(level, level), D, tuple(parts)),
                   {**parts, **rest})  # fmt: skip


PENALTIES: dict[str, dict[str, Penalty]] = {
    "joint features": {"slopes": JointFeatures(np.linspace(0.06, 0.1, D))},
    "lasso": {"slopes": Lasso(0.05)},
    "largest": {"slopes": MaxTasks(0.1)},
    "sparse group": {"slopes": sparse_group(0.08, 0.5)},
    "fused": {"slopes": Nested((Fusion(0.02), Lasso(0.05)))},
    "tree": {"slopes": Nested((TaskGroup(0.03, np.arange(M) < 2), JointFeatures(0.05)))},
    "two parts": {"a": MaxTasks(0.1), "b": Lasso(0.06)},
    "smooth": {"slopes": NormPlus(JointFeatures(0.08), Coupled(CHAIN, np.full(D, 0.05)))},
}


@pytest.mark.parametrize("loss", [Squared(), Logistic()], ids=["squared", "logistic"])
@pytest.mark.parametrize("name", PENALTIES)
def test_the_optimum_of_all_features(name: str, loss: Loss) -> None:
    asked = problem(wide(loss.has_labels), loss, **PENALTIES[name])
    found = select(asked).solve(asked, None, 1e-8, 10_000)
    known = ProximalGradient().solve(asked, None, 1e-8, 10_000)
    assert found.solver == "working set"
    assert found.gap is not None
    assert found.gap <= 1e-8
    assert found.objective == pytest.approx(known.objective, rel=1e-7)
    assert found.violation < 1e-3
    warm = WorkingSet().solve(asked, found.blocks, 1e-8, 10_000)
    assert warm.objective == pytest.approx(known.objective, rel=1e-7)
    assert warm.n_iter <= found.n_iter


def test_rows_that_are_sparse() -> None:
    data = wide(sparsely=True)
    asked = problem(data, Squared(), **PENALTIES["joint features"])
    dense = replace(data, design=replace(data.design, X=data.design.X.toarray()))
    other = problem(dense, Squared(), **PENALTIES["joint features"])
    found, known = (WorkingSet().solve(p, None, 1e-9, 10_000) for p in (asked, other))
    assert found.objective == pytest.approx(known.objective, rel=1e-9)


def test_strong_norms_and_those_that_see_features_together() -> None:
    asked = problem(wide(), Squared(), slopes=JointFeatures(10.0))
    assert not WorkingSet().solve(asked, None, 1e-8, 100).coefs[:, :D].any()
    trace = problem(wide(), Squared(), slopes=TraceNorm(0.1))
    assert "sums over features" in missing(WorkingSet(), trace)[0].says


def test_one_gram_matrix_of_fewer_shared_rows_than_kept_features() -> None:
    """Where scikit-learn has the same objective, and features leave the set on the way."""
    rng = np.random.default_rng(1)
    n, m = 40, 20
    X, W = rng.normal(size=(n, D)), rng.normal(size=(m, D)) * (np.arange(D) < 10)
    Y = X @ W.T + rng.normal(size=(n, m))
    alpha = float(np.linalg.norm(X.T @ Y, axis=1).max()) / n / 40
    found = JointFeaturesRegressor(alpha / m, fit_intercept=False, tol=1e-8).fit(X, Y)
    peer = MultiTaskLasso(alpha, fit_intercept=False, tol=1e-10, max_iter=100_000).fit(X, Y)

    def objective(coef: np.ndarray) -> float:
        left = Y - X @ coef.T
        return float((left**2).sum() / (2 * n) + alpha * np.linalg.norm(coef, axis=0).sum())

    assert found.solver_ == WorkingSet.name
    assert found.support_.sum() > n
    assert found.gap_ <= 1e-8
    at_zero = objective(np.zeros((m, D)))
    assert abs(objective(found.coef_) - objective(peer.coef_)) <= 2e-8 * at_zero
