"""The message about tasks that were not in training."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["unseen_message"]


def unseen_message(estimator: Any, ids: np.ndarray) -> str:
    """Names the unseen tasks and the option that answers for them."""
    names = np.unique(ids)
    shown = ", ".join(repr(name) for name in names[:5].tolist())
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (
        f"{type(estimator).__name__}: every task must have been in training; got task "
        f"{shown}{more} ({len(ids)} rows). Set unseen='common' to "
        "predict unseen tasks from what the tasks share; in cross-validation, TaskKFold keeps "
        "every task in training."
    )
