"""The recipes of CONTRIBUTING.md make a penalty, a response and a solver that all accept."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from polytask import MeanRegularizedRegressor
from polytask.penalties import Ridge
from polytask.problem import Problem
from polytask.responses import NegativeBinomial
from polytask.solvers import PREFERENCE, select
from polytask.structures import CommonDeviation, SlopesPlus
from tests.solvers.helpers import make_data, mean_regularized, random_tasks


def block(root: Path, name: str) -> str:
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split(f"<!-- recipe {name}")[1].split("```python\n")[1].split("```")[0]


def module(root: Path, name: str) -> ModuleType:
    made = ModuleType(f"recipe_{name}")
    sys.modules[made.__name__] = made  # dataclasses ask for it
    exec(compile(block(root, name), f"recipe {name}", "exec"), vars(made))
    return made


@pytest.mark.parametrize("name", ["penalty", "response", "solver"])
def test_linters_pass(root: Path, name: str, tmp_path: Path) -> None:
    file = tmp_path / f"recipe_{name}.py"
    file.write_text(block(root, name), encoding="utf-8")
    config = ["--config", str(root / "pyproject.toml")]
    for given in (["check", *config], ["format", "--check", *config]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *given, str(file)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["penalty", "response", "solver"])
def test_types_pass(root: Path, name: str, tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is in the extra `dev`")
    file = tmp_path / f"recipe_{name}.py"
    file.write_text(block(root, name), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(root / "pyproject.toml"), str(file)],
        capture_output=True, text=True, cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_penalty_is_solved_with_a_certificate(root: Path) -> None:
    """With one task it is scikit-learn's lasso on features divided by their price."""
    rng = np.random.default_rng(0)
    X, price = rng.normal(size=(50, 6)), np.array([0.5, 1.0, 2.0, 1.0, 0.7, 3.0])
    y = X @ np.array([2.0, 0.0, 1.0, 0.0, -1.0, 0.3]) + 1.0 + 0.5 * rng.normal(size=50)
    data = make_data(X, y)
    level = np.arange(7) == 6
    problem = Problem(
        data, mean_regularized(data).loss, SlopesPlus(CommonDeviation(level, level), 6, ("own",)),
        {
            "own": module(root, "penalty").PricedLasso(0.2, price),
            "common": Ridge(np.zeros(1)), "deviation": Ridge(np.zeros(1)),
        },
    )  # fmt: skip
    found = select(problem).solve(problem, None, 1e-12, 10_000)
    known = Lasso(0.2, tol=1e-12, max_iter=100_000).fit(X / price, y)
    np.testing.assert_allclose(found.blocks["own"][0], known.coef_ / price, atol=1e-6)
    assert found.gap is not None
    assert found.gap <= 1e-12
    assert found.violation < 1e-6


def test_the_solver_joins_the_others(root: Path) -> None:
    X, y, ids = random_tasks(np.random.default_rng(0), [30, 20, 25], 4)
    problem = mean_regularized(make_data(X, y, ids), alpha=1.0, alpha_common=0.1)
    solver = module(root, "solver").ScaledDescent()
    assert select(problem, (solver, *PREFERENCE)) is not solver  # it is the slower one
    found = solver.solve(problem, None, 1e-8, 2000)
    best = select(problem).solve(problem, None, 1e-12, 100)
    assert found.status.value == "solved"
    assert found.objective == pytest.approx(best.objective, rel=1e-9)


def test_the_response_is_one_that_we_have(root: Path) -> None:
    """The negative binomial of dispersion one, in every estimator of numbers."""
    rng = np.random.default_rng(0)
    y = rng.poisson(2.0 * rng.gamma(1.0, 1.0, 60)).astype(float)
    mine, known = module(root, "response").Geometric(), NegativeBinomial(1.0)
    f, u = rng.normal(size=60), rng.uniform(-0.5, 0.5, 60)
    for name in ("value", "gradient", "curvature", "third"):
        np.testing.assert_allclose(
            getattr(mine, name)(y, f), getattr(known, name)(y, f), atol=1e-12
        )
    np.testing.assert_allclose(mine.conjugate(y, u), known.conjugate(y, u), atol=1e-12)
    X = np.column_stack([np.repeat([0, 1, 2], 20), rng.normal(size=(60, 2))])
    ours, theirs = (
        MeanRegularizedRegressor(0.1, loss=loss, task=0).fit(X, y) for loss in (mine, known)
    )
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-9)
