"""Worlds with a known truth, and models that behave as a test wants."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin

from polytask.data import read_task_ids
from polytask.inspection.comparison import Verdict
from polytask.inspection.evidence import Evidence
from polytask.inspection.recommendation import recommend
from polytask.inspection.verdict import decide


def decided(evidence: Evidence) -> Verdict:
    """The verdict as a comparison has it."""
    return decide(evidence, recommend(evidence))


def table(
    kind: str = "related", m: int = 12, n: int = 25, d: int = 4, seed: int = 0
) -> tuple[pd.DataFrame, pd.Series]:
    """A long table of m tasks: related, independent, same (one truth), or curved (for trees)."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(m), n)
    X = rng.standard_normal((m * n, d))
    common = 3 * rng.standard_normal(d) if kind in ("related", "same") else np.zeros(d)
    spread = {"related": 0.9, "same": 0.0}.get(kind, 2.0)
    W = common + spread * rng.standard_normal((m, d))
    level = spread * rng.standard_normal(m)  # a level of 0 in every task would be shared truth
    y = (X * W[codes]).sum(axis=1) + level[codes] + 1.5 * rng.standard_normal(m * n)
    if kind == "curved":
        y = 4 * np.abs(X[:, 0]) + 3 * (X[:, 1] > 0) * X[:, 2] + 0.5 * rng.standard_normal(m * n)
    frame = pd.DataFrame(X, columns=[f"x{j}" for j in range(d)])
    frame["task"] = [f"t{code:02d}" for code in codes]
    return frame, pd.Series(y, name="score")


class TaskMean(RegressorMixin, BaseEstimator):
    """Predicts a blend of the task's training mean and that of all rows."""

    def __init__(self, task=None, blend=0.0, fail_on=None, infinite=False):
        self.task = task
        self.blend = blend
        self.fail_on = fail_on
        self.infinite = infinite

    def fit(self, X, y):
        """Means of the tasks."""
        if self.fail_on is not None and y.min() > self.fail_on:
            raise RuntimeError("this fold cannot be fitted")
        ids = read_task_ids(X, self.task)
        self.means_ = {i: float(y[ids == i].mean()) for i in np.unique(ids)}
        self.mean_ = float(y.mean())
        self.blend_ = self.blend
        return self

    def predict(self, X):
        """Blend of the means."""
        if self.infinite:
            return np.full(len(X), np.inf)
        own = np.array([self.means_[i] for i in read_task_ids(X, self.task)])
        return (1 - self.blend) * own + self.blend * self.mean_
