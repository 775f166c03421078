"""Class labels of a long or wide target as zeros and ones."""

from __future__ import annotations

import numpy as np

__all__ = ["encode_labels"]


def encode_labels(owner: str, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes (2,) in sorted order and y as 0.0 and 1.0; NaN in a wide y stays NaN.

    Raises
    ------
    ValueError
        Unless y holds exactly two classes.
    """
    known = y == y if y.ndim == 2 else np.ones(y.shape, dtype=bool)
    classes = np.unique(y[known])
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
