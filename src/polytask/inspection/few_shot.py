"""What would a new task with k rows get?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from polytask.data import read_task_ids
from polytask.model_selection import LeaveTasksOut

__all__ = ["few_shot_losses"]


def few_shot_losses(
    estimators: Mapping[str, Any],
    X: Any,
    y: Any,
    *,
    task: str | int,
    n_support: Sequence[int] = (0, 2, 5, 10),
    cv: int = 5,
    random_state: int | None = 0,
) -> pd.DataFrame:
    """Loss on tasks that were held out whole, given k of their rows, for several k.

    Every estimator is fitted to the other tasks, and to k rows of each held-out task: by
    `add_task` from those rows alone where the estimator has it (the column ``road`` says so), and
    by a refit to all rows. All k, estimators and roads are judged on the same test rows: those of
    the held-out tasks beyond the largest k. Losses are means over rows, then over tasks.

    Parameters
    ----------
    estimators : dict {name: estimator}
        With the parameter ``unseen="common"`` where k = 0 is asked for; others are left out there.
    X, y
        A long table.
    task : str or int
        Task column of X.
    n_support : sequence of int
        Numbers of rows k; tasks with no more rows than the largest are never held out.
    cv : int
        Parts into which the tasks are dealt; each is held out once.
    random_state : int or None
        Seed of the choice of tasks and rows.

    Returns
    -------
    DataFrame
        A row per estimator, road and k: ``estimator``, ``road`` ("refit" or "add_task"),
        ``n_support``, ``loss`` (mean squared error, or log loss of a classifier), ``tasks`` (how
        many were judged), ``error`` (standard error of the loss over tasks).

    Examples
    --------
    >>> from polytask import MeanRegularizedRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=10, n_features=3, random_state=0)
    >>> models = {"joint": MeanRegularizedRegressor("reml", task="task", unseen="common")}
    >>> few_shot_losses(models, X, y, task="task", n_support=(0, 5), cv=2)["n_support"].tolist()
    [0, 5, 5]
    """
    most = max(n_support)
    y, ids = np.asarray(y), read_task_ids(X, task)
    splitter = LeaveTasksOut(cv, task=task, n_support=most, random_state=random_state)
    found: dict[tuple[str, str, int], dict[Any, float]] = {}
    for train, test in splitter.split(X, y):
        held_out = np.isin(ids[train], np.unique(ids[test]))
        support = train[held_out]
        place = pd.Series(ids[support]).groupby(ids[support]).cumcount().to_numpy()
        for name, estimator in estimators.items():
            for k in n_support:
                few = support[place < k]
                roads = _fitted(clone(estimator), X, y, train[~held_out], few)
                for road, model in roads.items():
                    losses = _losses(model, _safe_indexing(X, test), y[test])
                    by_task = pd.Series(losses).groupby(ids[test]).mean()
                    found.setdefault((name, road, k), {}).update(by_task.to_dict())
    return pd.DataFrame([
        {
            "estimator": name, "road": road, "n_support": k,
            "loss": np.mean(list(values.values())), "tasks": len(values),
            "error": np.std(list(values.values())) / np.sqrt(len(values)),
        }
        for (name, road, k), values in found.items()
    ])  # fmt: skip


def _fitted(
    model: Any, X: Any, y: np.ndarray, others: np.ndarray, few: np.ndarray
) -> dict[str, Any]:
    """The model after each road to the new tasks."""
    if not len(few):
        takes_unseen = model.get_params().get("unseen") == "common"
        return {"refit": model.fit(_safe_indexing(X, others), y[others])} if takes_unseen else {}
    roads = {}
    both = np.concatenate([others, few])
    roads["refit"] = clone(model).fit(_safe_indexing(X, both), y[both])
    if hasattr(model, "add_task"):
        model.fit(_safe_indexing(X, others), y[others])
        roads["add_task"] = model.add_task(_safe_indexing(X, few), y[few])
    return roads


def _losses(model: Any, X: Any, y: np.ndarray) -> np.ndarray:
    if not hasattr(model, "predict_proba"):
        return (y - model.predict(X)) ** 2
    p = model.predict_proba(X)[:, 1]
    p = np.clip(np.where(y == model.classes_[1], p, 1.0 - p), 1e-15, 1.0)
    return -np.log(p)
