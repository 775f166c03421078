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
                yield from _unsaid(f"{room}.{name}", "parameter", _parameters(thing), thing)


def _of_class(where: str, cls: type) -> Iterator[str]:
    wanted = [] if cls.__init__ is object.__init__ else _parameters(cls.__init__)
    if not getattr(cls, "_is_protocol", False):
        yield from _unsaid(where, "parameter", wanted, cls)
    for name, member in inspect.getmembers(cls, inspect.isroutine):
        ours = str(getattr(member, "__module__", "")).startswith("polytask")
        # without a section of parameters one sentence says it all
        if ours and not name.startswith("_") and "Parameters" in (member.__doc__ or "Parameters"):
            yield from _unsaid(f"{where}.{name}", "parameter", _parameters(member), member)


def _unsaid(where: str, what: str, names: list[str], thing: Any) -> Iterator[str]:
    """Names that a docstring does not hold, nor the one that it sends its reader to."""
    text = thing.__doc__ or ""
    if not text:
        yield f"{where}: no text"
    for other in re.findall(r"as in\s+`(\w+)`", text):
        room = importlib.import_module(".".join(thing.__module__.split(".")[:2]))
        found = getattr(sys.modules[thing.__module__], other, getattr(room, other, None))
        text += (found.__doc__ or "") if found is not None else ""
    yield from (f"{where}: {what} {n}" for n in names if not re.search(rf"\b{n}\b", text))


def fitted() -> Iterator[str]:
    """Attributes that an estimator holds after a fit and its docstring does not name."""
    import polytask
    from polytask.datasets import make_related_tasks
    from polytask.models.registry import NEURAL_ESTIMATORS, estimators

    X, y, _ = make_related_tasks(n_tasks=4, n_features=3, n_rows=12, random_state=0)
    for name in (*estimators(), *NEURAL_ESTIMATORS):
        cls = getattr(polytask, name)
        target = y > y.mean() if name.endswith("Classifier") else y
        for settings in _settings(cls):
            model = cls(task="task", **settings).fit(X, target)
            held = [n for n in vars(model) if n.endswith("_") and not n.startswith("_")]
            held = [n for n in held if n not in ("n_features_in_", "feature_names_in_")]
            yield from _unsaid(f"polytask.{name}", "attribute", held, cls)


def _settings(cls: type) -> list[dict[str, Any]]:
    """Ways of fitting that leave other attributes."""
    from polytask.models._norm_base import NormBase

    found: list[dict[str, Any]] = [{}]
    if "covariance" in inspect.signature(cls).parameters:
        found.append({"alpha": "reml"})
    if issubclass(cls, NormBase) and "Lasso" not in cls.__name__:
        found = [{"alpha": 0.1}]  # what a choice leaves is the lasso's, and takes them long
    if "learning_rate" in inspect.signature(cls).parameters:
        found = [{"max_iter": 2}]
    return found


def _parameters(function: Any) -> list[str]:
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = inspect.signature(function).parameters.values()
    return [p.name for p in found if p.kind not in kinds and p.name not in ("self", "cls")]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    found = sorted({*missing(), *fitted()})
    print("\n".join([*found, f"{len(found)} things are not in the reference."]))
    sys.exit(bool(found))
