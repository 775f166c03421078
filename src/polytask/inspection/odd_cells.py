"""Which cell of a row is unlike all others."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from polytask.data import drop_task_column, is_frame
from polytask.inspection.sample import RowSample

__all__ = ["row_in_words"]

_FAR = 10.0  # times the middle half's width


def row_in_words(sample: RowSample, place: int) -> str:
    """The row, its task, and its column that is farthest from the others, where one is far."""
    text = f"row {_label(sample, place)} (task {sample.ids[sample.codes[place]]}"
    far = {name: _distance(values, place) for name, values in _columns(sample)}
    name = max(far, key=lambda each: far[each])
    return f"{text}; {name!r} is far from all others there)" if far[name] > _FAR else f"{text})"


def _label(sample: RowSample, place: int) -> str:
    """What a row is called: in its table, else by its frame, else its number from 0."""
    if sample.called is not None:
        return str(sample.called[place])
    return str(sample.X.index[place] if isinstance(sample.X, pd.DataFrame) else place)


def _columns(sample: RowSample) -> Iterator[tuple[object, np.ndarray]]:
    """The target, and the columns of numbers."""
    yield sample.target, sample.y
    features = drop_task_column(sample.X, sample.task)
    if is_frame(features):
        frame = nw.from_native(features, eager_only=True)
        for name in frame.columns:
            if frame[name].dtype.is_numeric():
                yield name, frame[name].to_numpy().astype(float)
    elif isinstance(features, np.ndarray):
        for j in range(features.shape[1]):
            try:
                yield f"column {j}", features[:, j].astype(float)
            except (TypeError, ValueError):  # words
                continue


def _distance(values: np.ndarray, place: int) -> float:
    """From the median, in widths of the middle half; 0 where that has none."""
    low, middle, high = np.nanquantile(values, [0.25, 0.5, 0.75])
    away = abs(values[place] - middle)
    return float(away / (high - low)) if high > low and np.isfinite(away) else 0.0
