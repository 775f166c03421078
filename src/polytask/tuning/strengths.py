"""What a formulation says of a strength, once: its name, what "auto" is, what it is chosen from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polytask.data import TaskData
from polytask.responses import Loss

__all__ = ["Strength", "fitted_strengths", "given_strengths"]

_MOST = 1e200  # next to what any table needs it is infinite, and its reciprocal nothing

Grid = Callable[[Any, TaskData, Loss], np.ndarray]


@dataclass(frozen=True)
class Strength:
    """A strength of a formulation, or a limit that is chosen as strengths are.

    Parameters
    ----------
    name : str
        The constructor's parameter; after a fit ``name_`` holds the value.
    grid : callable (estimator, TaskData, Loss) -> ndarray, or None
        Values to choose from, from strong to weak; None where nothing is to be chosen.
    auto : float or str
        What "auto" stands for where the leading strength (the first of the formulation) has a
        number: a number, or the name of a strength before this one, of which it is the mean.
    label : str
        What reports call it; its name unless given.
    """

    name: str
    grid: Grid | None = None
    auto: float | str = 0.0
    label: str = ""


def given_strengths(estimator: Any) -> dict[str, Any]:
    """The declared strengths by name: a number or an array, infinity for no limit, None to choose.

    "cv" asks for a choice, and so does "auto" where the leading strength is chosen.
    """
    given: dict[str, Any] = {}
    for strength in estimator.strengths:
        value = getattr(estimator, strength.name)
        if value is None:
            value = np.inf
        elif isinstance(value, str):
            leads = value == "cv" or given[estimator.strengths[0].name] is None
            value = None if leads and strength.grid else strength.auto
            value = float(np.mean(given[value])) if isinstance(value, str) else value
        given[strength.name] = _within_numbers(value)
    return given


def _within_numbers(value: Any) -> Any:
    """A strength whose products with what is in tables are numbers too."""
    if value is None or (
        np.ndim(value) == 0 and (value in (0, np.inf) or 1.0 / _MOST <= value <= _MOST)
    ):
        return value
    extreme = np.any((np.asarray(value) > 0) & (np.asarray(value) < 1.0 / _MOST))
    extreme |= np.any((np.asarray(value) > _MOST) & (np.asarray(value) < np.inf))
    if not extreme:
        return value
    held = np.where(np.asarray(value) > 0, np.clip(value, 1.0 / _MOST, _MOST), value)
    return held if held.ndim else float(held)


def fitted_strengths(estimator: Any) -> dict[str, Any]:
    """Strengths of a fitted estimator by name, as it was given them or chose them.

    An estimator of another library declares none: those of its parameters count that it has under
    the same name with an underscore (scikit-learn's convention), as a number.
    """
    declared = getattr(estimator, "strengths", None)
    if declared is not None:
        names = {strength.name: strength.name for strength in declared}
    else:  # RidgeCV chooses alpha_ from alphas
        names = {name.removesuffix("s"): name for name in estimator.get_params(deep=False)}
        names |= {name: name for name in names.values()}
    found = {name: getattr(estimator, f"{name}_", None) for name in names}
    return {name: value for name, value in found.items() if _is_number(value)}


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool) and np.asarray(value).dtype.kind in "fiu"
