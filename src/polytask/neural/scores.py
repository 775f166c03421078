"""A score per task, by the metric that suits its kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

from polytask.neural.kinds import KINDS

__all__ = ["score_table"]

METRICS = {
    "squared": "R2", "huber": "R2", "poisson": "D2", "gamma": "D2", "tweedie": "D2",
    "binomial": "D2", "logistic": "AUC", "multinomial": "accuracy",
}  # fmt: skip


def score_table(
    z: np.ndarray, code: np.ndarray | None, y: np.ndarray, tasks: np.ndarray,
    kinds: Sequence[str], classes: Sequence[Any],
) -> pd.DataFrame:  # fmt: skip
    """A row per task: task, kind, metric, score, rows.

    Parameters
    ----------
    z : ndarray of shape (n, q), or (n, m, q) of wide outputs
    code : ndarray of shape (n,), or None of wide outputs
    y : ndarray of shape (n,) or (n, m)
    tasks, kinds, classes : sequence of length m
    """
    records = []
    for i, (task, kind, labels) in enumerate(zip(tasks.tolist(), kinds, classes, strict=True)):
        if code is None:
            own, target = z[:, i], y[:, i]
            known = target == target
            own, target = own[known], target[known]
        else:
            own, target = z[code == i], y[code == i]
        score = _score(str(kind), own, target, labels)
        records.append((task, str(kind), METRICS[str(kind)], score, len(target)))
    return pd.DataFrame(records, columns=["task", "kind", "metric", "score", "rows"])


def _score(kind: str, z: np.ndarray, y: np.ndarray, labels: Any) -> float:
    if kind == "multinomial":
        best = z[:, : len(labels)].argmax(axis=1)
        return float(accuracy_score(y.astype(labels.dtype), labels[best])) if len(y) else np.nan
    if len(y) < 2 or len(np.unique(y)) < 2:
        return np.nan  # nothing to explain, or one class only
    if kind == "logistic":
        return float(roc_auc_score(y.astype(labels.dtype) == labels[1], z[:, 0]))
    response = KINDS[kind].response
    assert response is not None
    return response.score(y.astype(float), KINDS[kind].mean(z))
