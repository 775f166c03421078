"""A room imports only from the rooms below it, and a bare import stays light."""

import subprocess
import sys
from pathlib import Path

import pytest

from polytask.models.registry import NEURAL_ESTIMATORS, estimators

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ["torch", "numba", "matplotlib", "pandas", "sklearn", "pyarrow", "rich", "jinja2", "skops"]


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after the statement."""
    code = f"import sys; {statement}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import polytask").isdisjoint(HEAVY)


def test_no_room_needs_torch():
    rooms = ("cli", "data", "datasets", "inspection", "model_selection", "models", "report")
    each = "; ".join(f"import polytask.{room}" for room in rooms)
    assert loaded_by(each).isdisjoint(["torch", "torchjd"])


def test_command_line_answers_before_the_heavy_modules_load():
    assert loaded_by("import polytask.cli").isdisjoint(["torch", "matplotlib", "sklearn"])


def test_rooms_import_downwards_only():
    pytest.importorskip("importlinter", reason="import-linter is in the extra `dev`")
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_star_import_brings_every_estimator_of_the_core():
    names: dict[str, object] = {}
    exec("from polytask import *", names)
    assert set(estimators()) <= set(names)
    assert not set(NEURAL_ESTIMATORS) & set(names)  # they need an extra
