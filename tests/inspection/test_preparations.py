"""Preparations of features that several models share, and what memory holds of their rows."""

import weakref

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from polytask.inspection import compare_tasks

alive: list = []  # training tables that were prepared, and whether they live when test rows come


class Watched(FunctionTransformer):
    """Passes on copies, and notes whether the training rows are still in memory."""

    def fit_transform(self, X, y=None):
        made = X.copy()
        alive.append((weakref.ref(X), weakref.ref(made)))
        return made

    def transform(self, X):
        rows, made = alive[-1]
        alive[-1] = rows() is not None, made() is not None
        return X.copy()


def test_training_rows_are_gone_when_test_rows_come(rng):
    X = pd.DataFrame(rng.normal(size=(60, 2)), columns=["a", "b"]).assign(task=np.arange(60) % 4)
    y = X["a"] + 0.1 * rng.normal(size=60)
    alive.clear()
    models = {
        name: make_pipeline(Watched(), model)
        for name, model in {"single-task": LinearRegression(), "ridge": Ridge()}.items()
    }
    found = compare_tasks(models, X, y, task="task", cv=2)
    assert (found.models["status"] == "ok").all()
    assert alive == [(False, False), (False, False)]  # prepared once a fold, for both models
