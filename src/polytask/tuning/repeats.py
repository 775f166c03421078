"""Row weights as counts."""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData

__all__ = ["repeats"]


def repeats(data: TaskData) -> np.ndarray:
    """How often each observation counts: its weight where all weights are whole numbers."""
    weight = data.sample_weight
    return weight if (weight == np.round(weight)).all() else np.ones(len(weight))
