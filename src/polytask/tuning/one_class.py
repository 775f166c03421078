"""How held-out rows are judged in tasks whose rows are all of one class.

Such a task has no finite level of its own, and no row of it that is held out speaks against a level
farther out. Over many tasks that is fair: those with a single row of a class, the singletons, lose
that row when it is held out, and their number is the estimate of what tasks of one class still have
to come (Good, Biometrika 40, 1953). With few tasks there may be none, and the estimate is zero: all
held-out rows then ask for levels without a penalty.

So singletons count at least two, as where two rows of each class are added to a proportion (Agresti
and Coull, The American Statistician 52, 1998). The rows that are lacking are spread as fractions of
labels over the rows of the tasks that lack the class: task i of n_i rows is judged as if it held
the share

    q_i = min(p, (1/2) / (n_i + 1), max(2 - singletons, 0) / rows of all such tasks)

of it: never more than its rate p in all tasks, nor than the estimate of Krichevsky and Trofimov
from the task alone (half a row).
"""

from __future__ import annotations

import numpy as np

from polytask.data import TaskData
from polytask.data.kept import kept
from polytask.responses import Loss
from polytask.tuning.repeats import repeats

__all__ = ["held_out_risk", "judged_labels"]

_SINGLETONS = 2.0


def judged_labels(data: TaskData, loss: Loss) -> np.ndarray:
    """Targets (N,) that held-out predictions are judged by: y, or in tasks of one class nearly so.

    Parameters
    ----------
    data : TaskData
    loss : Loss
        Targets that are no labels of two classes stay.
    """
    if not loss.has_labels or loss.n_predictors > 1:
        return data.y
    return kept(data, ("judged labels",), lambda: _judged(data))


def held_out_risk(data: TaskData, loss: Loss, f: np.ndarray) -> float:
    """Weighted mean loss of held-out linear predictors (N,), NaN where there is none."""
    known = np.isfinite(f)
    weight, y = data.weight[known], judged_labels(data, loss)[known]
    return float(weight @ loss.value(y, f[known]) / max(weight.sum(), 1e-300))


def _judged(data: TaskData) -> np.ndarray:
    times, m = repeats(data), data.n_tasks
    rate = float(data.weight @ data.y)
    y = data.y.astype(float)
    for label, p in ((1.0, rate), (0.0, 1.0 - rate)):
        of_label = np.round(np.bincount(data.code, times * (data.y == label), m), 9)
        rows = np.round(np.bincount(data.code, times, m), 9)
        lacks = (of_label == 0) & (rows > 1)  # where only one row is known, others predict it
        missing = max(_SINGLETONS - float(((of_label == 1) & (rows > 1)).sum()), 0.0)
        most = min(p, missing / max(float(rows[lacks].sum()), 1.0))
        q = np.where(lacks, np.minimum(most, 0.5 / (rows + 1.0)), 0.0)[data.code]
        y += q if label == 1.0 else -q
    return y
