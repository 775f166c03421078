"""Plain JSON values from dataclasses, frames and numpy scalars."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["to_json"]


def to_json(value: Any) -> Any:
    """`value` as dicts, lists, strings, finite numbers, booleans and None.

    Missing and infinite numbers become None, because JSON has no word for them; whatever JSON
    does not know becomes its text.
    """
    if isinstance(value, pd.DataFrame):
        columns = [(str(name), value[name].tolist()) for name in value.columns]
        return [{name: to_json(cells[i]) for name, cells in columns} for i in range(len(value))]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [to_json(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    return str(value)
