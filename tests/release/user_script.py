"""What a user writes who has his types checked."""

import numpy as np
import pandas as pd

import polytask
from polytask import AutoMultiTaskRegressor, MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.datasets import load_exam
from polytask.inspection import Comparison, compare_tasks
from polytask.model_selection import TaskKFold


def fit(table: pd.DataFrame, target: str) -> MeanRegularizedRegressor:
    """Fit, and say so on the screen."""
    model = MeanRegularizedRegressor(0.1, task="school", verbose=1)
    return model.fit(table[["standLRT", "schavg", "school"]], table[target])


def gains(table: pd.DataFrame) -> Comparison:
    """Compare two models on three folds."""
    models = {"single-task": polytask.SingleTaskRegressor(task="school"),
              "pooled": polytask.PooledRegressor(task="school")}  # fmt: skip
    X, y = table[["standLRT", "school"]], table["normexam"]
    return compare_tasks(models, X, y, task="school", cv=3)


exam = load_exam()
predictions: np.ndarray = fit(exam, "normexam").predict(exam[["standLRT", "schavg", "school"]])
labels = MeanRegularizedClassifier(task="school", unseen="common")
weighed = AutoMultiTaskRegressor(["pooled"], task="school")
folds = TaskKFold(3, task="school")
print(polytask.__version__, predictions.shape, gains(exam).verdict.label)
