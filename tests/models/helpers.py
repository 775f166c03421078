"""Tables of related tasks for the estimators' tests."""

from typing import Any

import numpy as np
import pytest

from polytask.models import estimators, formulations
from polytask.models._norm_base import NormBase
from tests.solvers.helpers import random_tasks

ROLES = ["Regressor", "Classifier"]
LINEAR = [f for f in formulations().values() if f.linear]
STEMS = [f.regressor.__name__.removesuffix("Regressor") for f in LINEAR]
ORDERED = [f.regressor.__name__.removesuffix("Regressor") for f in LINEAR if f.group == "temporal"]
_SURE = 20.0  # a probability of 2e-9: from there the loss is flat within any gap that is asked for
OPTIMA = [stem for stem in STEMS if hasattr(estimators()[f"{stem}Regressor"], "strengths")]


def made(stem: str, role: str = "", alpha: float = 0.05, **options: Any) -> Any:
    """An estimator with its leading strength given, and two simple candidates if it weighs some."""
    name = stem + role
    if name not in estimators():
        pytest.skip("the formulation is one of numbers only")
    Model, role = estimators()[name], "Regressor" if name.endswith("Regressor") else "Classifier"
    takes = Model().get_params()
    simple = {s: estimators()[s + role](alpha) for s in ("SingleTask", "Pooled")}
    given = {"alpha": alpha, "candidates": simple, "task": 0, **options}
    if not issubclass(Model, NormBase):
        given.setdefault("n_components", None)
    return Model(**{name: value for name, value in given.items() if name in takes})


def assert_same(a: Any, b: Any, order: Any = slice(None)) -> None:
    """The same coefficients: to rounding, or to the root of a duality gap that rounding leaves.

    With one label only a task's level has no optimum: how far a fit goes is up to its last step.
    """
    exact = getattr(a, "gap_", None) is None
    for name in ("coef_", "intercept_"):
        found, known = getattr(b, name)[order], getattr(a, name)
        if name == "intercept_" and not exact and hasattr(a, "classes_"):
            found, known = (np.clip(level, -_SURE, _SURE) for level in (found, known))
        np.testing.assert_allclose(found, known, rtol=1e-8 if exact else 1e-5,
                                   atol=1e-11 if exact else 1e-5)  # fmt: skip


def long_table(
    role: str = "Regressor", sizes: tuple[int, ...] = (12, 30, 5, 20), d: int = 4, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(Z, y) with the task in column 0 of Z."""
    rng = np.random.default_rng(seed)
    X, y, ids = random_tasks(rng, list(sizes), d)
    order = rng.permutation(len(y))
    Z = np.column_stack([ids, X])[order]
    y = y[order]
    return Z, y if role == "Regressor" else (y + rng.normal(size=len(y)) > 0).astype(int)
