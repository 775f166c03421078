"""Class labels of a long or wide target as zeros and ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["encode_labels", "known_targets", "refuse_unusable"]


def refuse_unusable(y: np.ndarray) -> None:
    """Refuse infinite labels, and missing ones in a long target."""
    if y.dtype.kind == "f" and np.isinf(y).any():
        raise ValueError("Input y contains infinity or a value too large for dtype('float64').")
    if y.ndim == 1 and pd.isna(y).any():
        raise ValueError(
            "Input y contains NaN or another missing value. Drop rows without a label, or pass a "
            "label column per task (wide y with task=None), where NaN means not measured."
        )


def encode_labels(owner: str, y: np.ndarray, many: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Classes (K,) in sorted order and y as 0.0, 1.0, ...; NaN in a wide y stays NaN.

    Raises
    ------
    ValueError
        Unless y holds two classes, or with ``many`` two or more.
    """
    known = ~pd.isna(y)
    values = y[known].tolist() if y.dtype == object else y[known]
    classes, place = np.unique(values, return_inverse=True)
    if len(classes) > 2 and not many:
        raise ValueError(
            f"{owner}: Only binary classification is supported. The type of the target is "
            f"multiclass: y must hold two classes; got {len(classes)}. Take a model "
            "that takes more (docs: kinds of target), or sklearn.multiclass.OneVsRestClassifier."
        )
    if len(classes) < 2:
        raise ValueError(
            f"{owner}: y must hold two classes; got one class, {classes.tolist()}. "
            "There is nothing to tell apart."
        )
    code = np.full(y.shape, np.nan)
    code[known] = place
    return classes, code


def known_targets(model: Any, y: np.ndarray) -> np.ndarray:
    """Targets of new rows as numbers; a fitted classifier's are places in its ``classes_``.

    Raises
    ------
    ValueError
        If y holds a class that was not in training.
    """
    if not hasattr(model, "classes_"):
        return y.astype(float)
    strange = ~np.isin(y, model.classes_)
    if strange.any():
        raise ValueError(
            f"{type(model).__name__}: y must hold the classes of training, "
            f"{model.classes_.tolist()}; got {np.unique(y[strange]).tolist()[:5]}."
        )
    return np.searchsorted(model.classes_, y).astype(float)
