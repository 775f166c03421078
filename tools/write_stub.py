"""Part of building a wheel: a stub of the names that ``polytask`` loads when first asked for.

Type checkers cannot follow ``__getattr__``. The names are read out of the files, so that a new
formulation is still one file.
"""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LAST = "\n__version__: str\nTRUSTED_TYPES: list[str]\n"


class CustomBuildHook(BuildHookInterface):
    """Adds ``polytask/__init__.pyi`` to the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # checkers would take the stub for the source
            return
        self.folder = tempfile.TemporaryDirectory()
        stub = Path(self.folder.name) / "__init__.pyi"
        stub.write_text(make_stub(Path(self.root) / "src" / "polytask"), encoding="utf-8")
        build_data["force_include"][str(stub)] = "polytask/__init__.pyi"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()


def make_stub(package: Path) -> str:
    """The text of the stub."""
    found = dict(value_of(package / "__init__.py", "_ROOMS"))
    for path in sorted((package / "models").glob("*.py")):
        found.update(dict.fromkeys(formulation_classes(path), f"polytask.models.{path.stem}"))
    for name in value_of(package / "models" / "registry.py", "NEURAL_NAMES"):
        stem = name.title().replace("-", "")
        for role in ("Regressor", "Classifier"):
            found[f"{stem}{role}"] = f"polytask.neural.{name.replace('-', '_')}"
    lines = [f"from {module} import {name} as {name}" for name, module in sorted(found.items())]
    return "\n".join(lines) + LAST


def assigned(path: Path, name: str) -> ast.expr | None:
    """What a file assigns to a name at its top level."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return node.value
    return None


def value_of(path: Path, name: str) -> Any:
    value = assigned(path, name)
    if value is None:
        raise ValueError(f"{path} assigns nothing to {name}")
    return ast.literal_eval(value)


def formulation_classes(path: Path) -> list[str]:
    """Names of the regressor and the classifier that a file's FORMULATION names."""
    made = assigned(path, "FORMULATION")
    if not isinstance(made, ast.Call):
        return []
    return [k.value.id for k in made.keywords
            if k.arg in ("regressor", "classifier") and isinstance(k.value, ast.Name)]  # fmt: skip
