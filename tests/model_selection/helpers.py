"""Tables of one data set behind every door, and small estimators that need every task."""

import numpy as np
import pandas as pd
from hypothesis import settings
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

# a shared machine may pause any example, so no deadline
few = settings(deadline=None, max_examples=5)
many = settings(deadline=None, max_examples=60)


def codes_of(sizes):
    """Task codes of tasks of these sizes, rows mixed."""
    codes = np.repeat(np.arange(len(sizes)), sizes)
    return np.random.default_rng(0).permutation(codes)


def frame_of(codes, n_features=2):
    rng = np.random.default_rng(1)
    X = pd.DataFrame(rng.normal(size=(len(codes), n_features))).rename(columns=lambda j: f"x{j}")
    return X.assign(school=[f"s{c}" for c in codes])


class TaskMeans(RegressorMixin, BaseEstimator):
    """Shrunk mean of each task; fails at a task that was not in training."""

    def __init__(self, task="school", shrink=0.0):
        self.task = task
        self.shrink = shrink

    def fit(self, X, y):
        self.mean_ = float(np.mean(y))
        self.means_ = pd.Series(np.asarray(y)).groupby(np.asarray(X[self.task])).mean()
        return self

    def predict(self, X):
        own = self.means_.loc[list(X[self.task])].to_numpy()
        return self.shrink * self.mean_ + (1 - self.shrink) * own


class TaskRates(ClassifierMixin, BaseEstimator):
    """Rate of the second class in each task; fails at a task that was not in training."""

    def __init__(self, task="school"):
        self.task = task

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        hit = pd.Series(np.asarray(y) == self.classes_[1])
        self.rates_ = hit.groupby(np.asarray(X[self.task])).mean()
        return self

    def predict_proba(self, X):
        rate = self.rates_.loc[list(X[self.task])].to_numpy()
        return np.column_stack([1 - rate, rate])

    def predict(self, X):
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]
