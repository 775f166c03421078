"""Times and events from what a user passes."""

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from polytask.data.frames import is_frame

__all__ = ["is_survival", "read_survival"]


def is_survival(y: Any) -> bool:
    """Whether y has the two columns of times and events."""
    names = getattr(getattr(y, "dtype", None), "names", None)
    return len(names) == 2 if names is not None else np.shape(y)[1:] == (2,)


def read_survival(owner: str, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times as floats and events as truth values, each of shape (n,).

    Raises
    ------
    ValueError
        If y has no two columns, or naming the first row whose values cannot be.
    """
    time, event = _columns(owner, y)
    found, happened = np.asarray(time, dtype=float), np.asarray(event, dtype=float)
    for bad, rule, values, remedy in (
        (
            ~(found > 0) | np.isinf(found), "times must be positive and finite", found,
            "A row whose event came at once belongs at a small time; one that was never seen is "
            "left out.",
        ),
        (
            ~np.isin(happened, (0.0, 1.0)), "events must be 1 (it came) or 0 (censored)", happened,
            "y has the time first, then the event; from a status of 1 and 2, as in R, subtract 1.",
        ),
    ):  # fmt: skip
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise ValueError(
                f"{owner}: {rule}; got {values[row]:g} in row {row} (counted from 0). {remedy}"
            )
    return found, happened == 1.0


def _columns(owner: str, y: Any) -> tuple[Any, Any]:
    names = getattr(getattr(y, "dtype", None), "names", None)
    if names is not None and len(names) == 2:
        logical = [name for name in names if y[name].dtype == bool]
        event = logical[0] if len(logical) == 1 else "event" if "event" in names else names[1]
        return y[next(name for name in names if name != event)], y[event]
    if is_frame(y):
        frame = nw.from_native(y, eager_only=True)
        if len(frame.columns) == 2:
            named = set(frame.columns) == {"time", "event"}
            first, second = ("time", "event") if named else frame.columns
            return frame[first].to_numpy(), frame[second].to_numpy()
    values = np.asarray(y)
    if values.ndim != 2 or values.shape[1] != 2:
        raise ValueError(
            f"{owner}: y must have two columns, the time and whether the event came then (1) or "
            f"the row was censored (0); got shape {values.shape}."
        )
    return values[:, 0], values[:, 1]
