"""Formulations with norms, whose generic tests would cost the fast suite minutes."""

from functools import cache
from typing import Any

import pytest

from polytask.models import formulations
from polytask.models._norm_base import NormBase

SQUARES = ("TaskClusters", "SharedSubspace", "TaskCovariance")  # of norms
ROOTS = ("CalibratedFeatures",)  # of squares, which a target's unit leaves alone
NEVER_ZERO = (*SQUARES, "SparseLimitedTrace")  # whatever the strength
FAST_ROLES = ["Regressor", pytest.param("Classifier", marks=pytest.mark.slow)]
TRIED = ("lasso", "joint-features")  # which stand for the others


@cache
def kin() -> frozenset[str]:
    """Their names, as tests call them."""
    found: set[str] = set()
    for name, formulation in formulations().items():
        if issubclass(formulation.regressor, NormBase) and name not in TRIED:
            stem = formulation.regressor.__name__.removesuffix("Regressor")
            roles = ("regressor", "classifier")
            found |= {name, stem, *(f"{name} {r}" for r in roles)}
            found |= {stem + r.title() for r in roles}
    return frozenset(found)


def is_kin(value: Any) -> bool:
    """Whether a test's parameter is one of them: a name, a class, an estimator."""
    name = value if isinstance(value, str) else getattr(value, "__name__", type(value).__name__)
    return name in kin()
