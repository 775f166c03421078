"""Class labels of a long or wide target as zeros and ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["encode_labels", "refuse_unusable"]


def refuse_unusable(y: np.ndarray) -> None:
    """Refuse infinite labels, and missing ones in a long target."""
    if y.dtype.kind == "f" and np.isinf(y).any():
        raise ValueError("Input y contains infinity or a value too large for dtype('float64').")
    if y.ndim == 1 and pd.isna(y).any():
        raise ValueError(
            "Input y contains NaN or another missing value. Drop rows without a label, or pass a "
            "label column per task (wide y with task=None), where NaN means not measured."
        )


def encode_labels(owner: str, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes (2,) in sorted order and y as 0.0 and 1.0; NaN in a wide y stays NaN.

    Raises
    ------
    ValueError
        Unless y holds exactly two classes.
    """
    known = ~pd.isna(y)
    classes = np.unique(y[known].tolist() if y.dtype == object else y[known])
    if len(classes) > 2:
        raise ValueError(
            f"{owner}: Only binary classification is supported. The type of the target is "
            f"multiclass: y must hold two classes; got {len(classes)}. Wrap the estimator in "
            "sklearn.multiclass.OneVsRestClassifier, or pass a wide y with a column per class."
        )
    if len(classes) < 2:
        raise ValueError(
            f"{owner}: y must hold two classes; got one class, {classes.tolist()}. "
            "There is nothing to tell apart."
        )
    return classes, np.where(known, (y == classes[1]).astype(float), np.nan)
