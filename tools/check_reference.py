"""Whether the reference is whole: every public name, parameter and fitted attribute is described.

    python tools/check_reference.py

The pages are made from docstrings (docs/_api.py), so it is those that are looked at: parameters of
public classes, functions and methods, and what each estimator holds after a fit.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpydoc.docscrape import ClassDoc, FunctionDoc

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))

from _api import ROOMS, public_names


def missing() -> Iterator[str]:
    """What no docstring says, a line each."""
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in public_names(room):
            thing = getattr(module, name)
            if inspect.isclass(thing):
                yield from _of_class(f"{room}.{name}", thing)
            elif inspect.isfunction(thing):
                yield from _of_function(f"{room}.{name}", thing, FunctionDoc(thing))


def _of_class(where: str, cls: type) -> Iterator[str]:
    said = _names(ClassDoc(cls), "Parameters", "Attributes")
    wanted = [] if cls.__init__ is object.__init__ else _parameters(cls.__init__)
    if getattr(cls, "_is_protocol", False):
        wanted = []
    yield from (f"{where}: parameter {name}" for name in wanted if name not in said)
    for name, member in inspect.getmembers(cls, inspect.isroutine):
        ours = str(getattr(member, "__module__", "")).startswith("polytask")
        if ours and not name.startswith("_"):
            doc = FunctionDoc(member)
            if len(_names(doc, "Parameters")):  # one sentence may say it all
                yield from _of_function(f"{where}.{name}", member, doc)
            elif not doc["Summary"]:
                yield f"{where}.{name}: no text"


def _of_function(where: str, function: Any, doc: Any) -> Iterator[str]:
    if not doc["Summary"]:
        yield f"{where}: no text"
    said = _names(doc, "Parameters")
    text = " ".join(doc["Summary"] + doc["Extended Summary"])
    for name in _parameters(function):
        if name not in said and not (not said and re.search(rf"\b{name}\b", text)):
            yield f"{where}: parameter {name}"


def fitted() -> Iterator[str]:
    """Attributes that an estimator holds after a fit and its docstring does not name."""
    from polytask.datasets import make_related_tasks
    from polytask.models.registry import estimators

    X, y, _ = make_related_tasks(n_tasks=4, n_features=3, n_rows=12, random_state=0)
    for name, cls in estimators().items():
        target = y > y.mean() if name.endswith("Classifier") else y
        for settings in _settings(cls):
            model = cls(task="task", **settings).fit(X, target)
            held = [n for n in vars(model) if n.endswith("_") and not n.startswith("_")]
            said = _names(ClassDoc(cls), "Attributes") | {"n_features_in_", "feature_names_in_"}
            yield from (f"polytask.{name}: attribute {n}" for n in held if n not in said)


def _settings(cls: type) -> list[dict[str, Any]]:
    """Ways of fitting that leave other attributes."""
    found: list[dict[str, Any]] = [{}]
    if "covariance" in inspect.signature(cls).parameters:
        found.append({"alpha": "reml"})
    return found


def _parameters(function: Any) -> list[str]:
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = inspect.signature(function).parameters.values()
    return [p.name for p in found if p.kind not in kinds and p.name not in ("self", "cls")]


def _names(doc: Any, *sections: str) -> set[str]:
    """Names that a docstring's sections describe; a line may hold several."""
    lines = [p.name for section in sections for p in doc[section]]
    return {name.strip(" *`") for line in lines for name in line.split(",")}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    found = sorted({*missing(), *fitted()})
    print("\n".join([*found, f"{len(found)} things are not in the reference."]))
    sys.exit(bool(found))
