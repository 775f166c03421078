"""Trees and heads take turns only as long as that may help."""

import numpy as np
import pandas as pd

from polytask import MeanRegularizedRegressor, SharedTreesRegressor
from polytask.datasets import load_exam
from polytask.tuning.tree_feature import TreeRows


def test_a_bold_round_that_clearly_loses_is_the_last(monkeypatch):
    """Of the schools: what other schools say lowers no error, by 3.6 standard errors."""
    exam = load_exam()
    X = pd.get_dummies(exam[["standLRT", "sex", "schgend", "schavg", "vr"]], drop_first=True)
    X = X.astype(float).assign(school=exam["school"])
    learn, asked = TreeRows.learn, []

    def noted(self, trees, *args, **kwargs):
        asked.append(trees.max_iter)
        return learn(self, trees, *args, **kwargs)

    monkeypatch.setattr(TreeRows, "learn", noted)
    model = SharedTreesRegressor(task="school").fit(X, exam["normexam"])
    heads = MeanRegularizedRegressor("reml", noise="common", task="school").fit(X, exam["normexam"])
    assert asked == [50, 150]  # of the bold round, and with the task as a category
    np.testing.assert_allclose(model.predict(X), heads.predict(X), atol=1e-6)
