"""What is said of tasks that were not in training, and of those that were."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from polytask.models.scaled_target import ScaledTargetRegressor

__all__ = ["answering_unseen", "refuse_known", "unseen_message"]


def answering_unseen(fitted: Any) -> Any:
    """A fitted estimator with an answer to unseen tasks, where it has such a parameter.

    What it is made around is copied.
    """
    if isinstance(fitted, ScaledTargetRegressor):
        fitted.estimator_ = answering_unseen(copy.copy(fitted.estimator_))
        return fitted
    takes = "unseen" in fitted.get_params(deep=False)
    return fitted.set_params(unseen="common") if takes else fitted


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


def refuse_known(estimator: Any, ids: np.ndarray | None) -> np.ndarray:
    """The ids of new tasks; an error where there are none, or where some were in training."""
    name = type(estimator).__name__
    if ids is None:
        raise ValueError(f"{name}: add_task needs a task column; got task=None in fit.")
    known = np.isin(ids, estimator.tasks_)
    if known.any():
        raise ValueError(
            f"{name}: add_task takes tasks that were not in training; got "
            f"{np.unique(ids[known])[:5].tolist()}. Fit again to change a task."
        )
    return ids
