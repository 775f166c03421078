"""The recipe of CONTRIBUTING.md makes a formulation that everything finds and that is right."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator

import polytask
import polytask.models
from polytask.datasets import make_related_tasks
from polytask.models import registry


def block(root):
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.split("<!-- recipe")[1].split("```python\n")[1].split("```")[0]


@pytest.fixture
def recipe(root, tmp_path, monkeypatch):
    """The recipe's file, present in polytask.models for one test."""
    (tmp_path / "partly_shared.py").write_text(block(root), encoding="utf-8")
    monkeypatch.setattr(polytask.models, "__path__", [*polytask.models.__path__, str(tmp_path)])
    _forget()
    yield
    sys.modules.pop("polytask.models.partly_shared", None)
    monkeypatch.undo()
    _forget()


def _forget():
    registry.formulations.cache_clear()
    registry.estimators.cache_clear()


LINTERS = {
    "ruff": ["ruff", "check", "--stdin-filename", "src/polytask/models/partly_shared.py", "-"],
    "format": ["ruff", "format", "--check", "--stdin-filename", "src/polytask/models/x.py", "-"],
}


@pytest.mark.parametrize("linter", LINTERS)
def test_the_linters_of_the_project_have_nothing_to_say(linter, root):
    command = [sys.executable, "-m", *LINTERS[linter]]
    done = subprocess.run(command, input=block(root), cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_its_types_are_those_that_the_project_asks_for(root, tmp_path):
    """Pasted as told, it failed with five untyped functions."""
    (tmp_path / "partly_shared.py").write_text(block(root), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", str(root / "pyproject.toml"),
               str(tmp_path / "partly_shared.py")]  # fmt: skip
    env = {**os.environ, "MYPYPATH": str(root / "src")}
    done = subprocess.run(command, cwd=root, env=env, capture_output=True, text=True)
    mine = [line for line in done.stdout.splitlines() if "partly_shared" in line]
    assert mine == []
    assert "1 source file" in done.stdout, done.stdout + done.stderr


@pytest.mark.usefixtures("recipe")
def test_one_file_is_found_everywhere():
    assert "partly-shared" in polytask.models.formulations()
    assert "PartlySharedRegressor" in dir(polytask)
    assert any("PartlySharedClassifier" in name for name in polytask.TRUSTED_TYPES)


@pytest.mark.usefixtures("recipe")
def test_it_lies_between_two_known_models():
    X, y, _ = make_related_tasks(n_tasks=6, n_features=4, random_state=0)
    own = polytask.PartlySharedRegressor(0.01, n_own=0, task="task").fit(X, y)
    known = polytask.TaskInterceptRegressor(0.0, alpha_intercept=0.01, task="task").fit(X, y)
    np.testing.assert_allclose(own.predict(X), known.predict(X), rtol=1e-9)
    own = polytask.PartlySharedRegressor(0.01, n_own=4, task="task").fit(X, y)
    known = polytask.MeanRegularizedRegressor(0.01, task="task").fit(X, y)
    np.testing.assert_allclose(own.coef_, known.coef_, rtol=1e-8)
    assert own.violation_ < 1e-10


@pytest.mark.usefixtures("recipe")
def test_it_passes_the_checks_of_scikit_learn():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(polytask.PartlySharedRegressor(alpha=0.1), on_fail=None)
    failed = [r["check_name"] for r in results if r["status"] == "failed"]
    assert failed == []
