"""The formulations there are, found by looking into the files beside this one."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from polytask.data import TaskData
from polytask.responses import Response

__all__ = [
    "NEURAL_ESTIMATORS",
    "NEURAL_NAMES",
    "Formulation",
    "estimators",
    "formulations",
    "neural_formulations",
]

# What the neural room has, known without loading PyTorch.
NEURAL_NAMES = ("single-task-network", "pooled-network", "shared-hidden-layer")
NEURAL_ESTIMATORS = {  # class name: file
    f"{name.title().replace('-', '')}{role}": f"polytask.neural.{name.replace('-', '_')}"
    for name in NEURAL_NAMES
    for role in ("Regressor", "Classifier")
}


@dataclass(frozen=True)
class Formulation:
    """One formulation as `polytask compare` offers it.

    Parameters
    ----------
    name : str
        Name on the command line, such as "mean-regularized".
    title : str
        Name in reports.
    objective : str
        The objective as one line of plain text.
    regressor, classifier : class or None
    survival : class or None
        That for times to an event; a file in models/ says so by a constant SURVIVAL, {name: class}.
    default : bool
        Whether `polytask compare` runs it without being asked.
    order : int
        Place in lists, simple models first.
    joint : bool
        Whether tasks learn from one another (False for single-task learning).
    linear : bool
        Whether it predicts from ``coef_`` and ``intercept_``, one row a task.
    group : str
        Name under which `polytask compare --models` takes it together with others; "" for none.
    compared : dict
        Parameters with which it is compared, where they are not the class's defaults.
    costly : bool
        Whether a quick comparison leaves it out.
    hedge : bool
        Whether it pulls tasks together as far as the data say, and so loses little anywhere.
    candidate : callable, bool
        Whether `AutoMultiTask` weighs it without being asked: a truth value, or a function of the
        `TaskData` of two tasks or more that says so of them.
    """

    name: str
    title: str
    objective: str
    regressor: type | None
    classifier: type | None
    default: bool = True
    order: int = 50
    joint: bool = True
    linear: bool = True
    group: str = ""
    compared: Mapping[str, Any] = field(default_factory=dict)
    costly: bool = False
    hedge: bool = False
    candidate: bool | Callable[[TaskData], bool] = False
    survival: type | None = None

    def estimator(self, kind: str, *, plain: bool = False, **given: Any) -> Any:
        """As a comparison takes it, unfitted, for a kind of `kinds`; or None.

        ``plain``: with the class's defaults instead of ``compared``.
        """
        made = self.kinds[kind]
        if made is None:
            return None
        if kind == "survival":  # which is a loss of its own
            return made(**{name: value for name, value in given.items() if name != "loss"})
        return made(**({} if plain else self.compared), **given)

    @property
    def kinds(self) -> dict[str, type | None]:
        """The classes by the kind of target."""
        return {
            "regression": self.regressor,
            "classification": self.classifier,
            "survival": self.survival,
        }

    def serves(self, data: TaskData, response: Response) -> bool:
        """Whether it is a candidate for these data."""
        wanted = self.candidate(data) if callable(self.candidate) else self.candidate
        return wanted and getattr(self.regressor, "takes_loss", lambda _: True)(response)


@cache
def formulations() -> dict[str, Formulation]:
    """Every formulation by name, in order. A file in models/ joins by a constant FORMULATION."""
    package = importlib.import_module("polytask.models")
    found = []
    survival: dict[str, type] = {}
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"polytask.models.{info.name}")
        formulation = getattr(module, "FORMULATION", None)
        if formulation is not None:
            found.append(formulation)
        survival |= getattr(module, "SURVIVAL", {})
    found = [replace(f, survival=survival.get(f.name)) for f in found]
    return {f.name: f for f in sorted(found, key=lambda f: (f.order, f.name))}


@cache
def estimators() -> dict[str, Any]:
    """Every estimator class of the formulations by class name."""
    classes = [c for f in formulations().values() for c in (f.regressor, f.classifier)]
    return {c.__name__: c for c in classes if c is not None}


@cache
def neural_formulations() -> dict[str, Formulation]:
    """The formulations that need PyTorch, by name, in order; loads it.

    Raises
    ------
    ImportError
        If PyTorch is not installed; the message says what to install.
    """
    found = importlib.import_module("polytask.neural.registry").FORMULATIONS
    return {f.name: f for f in found}
