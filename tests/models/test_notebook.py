"""What estimators show and tell: their display, steps for callbacks, words on the screen."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.callback import ProgressBar
from sklearn.model_selection import GridSearchCV

from polytask import (
    AutoMultiTaskRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    ProjectedLowRankRegressor,
)
from polytask.datasets import make_related_tasks
from polytask.model_selection import TaskKFold


@pytest.fixture(scope="module")
def table():
    X, y, _ = make_related_tasks(n_tasks=4, n_features=3, random_state=0)
    return X, np.asarray(y)


class Told:
    """A callback that writes down what it is told; scikit-learn hands it on to inner estimators."""

    max_propagation_depth = None

    def __init__(self):
        self.begun, self.ended, self.torn_down, self.fitted = [], [], 0, []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        self.begun.append((context.estimator_name, context.task_name))

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.ended.append((context.estimator_name, context.task_name))
        self.fitted.append(fitted_estimator)

    def teardown(self, estimator, context):
        self.torn_down += 1


def test_callbacks_hear_every_step(table):
    X, y = table
    told = Told()
    MeanRegularizedRegressor(task="task").set_callbacks(told).fit(X, y)
    names = [name for _, name in told.begun]
    assert [n for n in names if n != "part"] == ["fit", "choose strengths", "solve"]
    assert sorted(told.begun) == sorted(told.ended)
    assert told.torn_down == 1
    np.testing.assert_array_equal(told.fitted[-1].predict(X), MeanRegularizedRegressor(
        task="task").fit(X, y).predict(X))  # fmt: skip


def test_the_parts_of_a_search_are_counted(table):
    X, y = table
    told = Told()
    MeanRegularizedClassifier(task="task").set_callbacks(told).fit(X, y > 0)
    assert ("MeanRegularizedClassifier", "part") in told.begun


def test_candidates_tell_of_their_own_steps(table):
    X, y = table
    told = Told()
    model = AutoMultiTaskRegressor(["single-task", "pooled"], task="task").set_callbacks(told)
    model.fit(X, y)
    assert ("PooledRegressor", "solve") in told.ended
    own = [name for estimator, name in told.ended if estimator == "AutoMultiTaskRegressor"]
    assert own[-2:] == ["weigh", "fit"]
    for held in model.estimators_.values():
        assert {"_skl_callbacks", "_parent_callback_ctx"}.isdisjoint(vars(held))
        held.fit(X, y)  # on its own again


def test_a_fit_that_fails_tears_its_callbacks_down(table):
    X, y = table
    told = Told()
    model = MeanRegularizedRegressor([1.0], task="task").set_callbacks(told)
    with pytest.raises(ValueError, match="alpha must be"):
        model.fit(X, y)
    assert told.torn_down == 1
    assert not hasattr(model, "_callback_fit_ctx")
    assert not hasattr(model, "_callback_step")


def test_a_response_that_learns_is_a_step_too(table):
    X, y = table
    told = Told()
    MeanRegularizedRegressor(task="task", loss="huber").set_callbacks(told).fit(X, y)
    assert ("MeanRegularizedRegressor", "learn the response") in told.ended


@pytest.mark.parametrize("alpha", ["cv", "reml", 0.1])
def test_a_progress_bar_changes_nothing(alpha, table, capsys):
    X, y = table
    plain = MeanRegularizedRegressor(alpha, task="task").fit(X, y)
    model = MeanRegularizedRegressor(alpha, task="task").set_callbacks(ProgressBar()).fit(X, y)
    np.testing.assert_array_equal(plain.coef_, model.coef_)
    assert "MeanRegularizedRegressor - fit" in capsys.readouterr().out


def test_a_progress_bar_of_a_search(table):
    X, y = table
    cv = TaskKFold(2, task="task")
    search = GridSearchCV(MeanRegularizedRegressor(task="task"), {"alpha": [0.1, 1.0]}, cv=cv)
    assert search.set_callbacks(ProgressBar(None)).fit(X, y).best_score_ < 1


def test_verbose_prints_a_line_per_step(table, capsys):
    X, y = table
    MeanRegularizedRegressor(task="task", verbose=1).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(
        r"\[MeanRegularizedRegressor\] solve: [a-z ]+, solved, violation \S+ \(\d\.\d\d s\)",
        lines[1],
    )
    AutoMultiTaskRegressor(["pooled"], task="task", verbose=1).fit(X, y)
    assert "[AutoMultiTaskRegressor] weigh" in capsys.readouterr().out
    MeanRegularizedRegressor(task="task").fit(X, y)
    assert capsys.readouterr().out == ""


class Balanced(HTMLParser):
    """Counts tags that open and close."""

    def __init__(self, html):
        super().__init__()
        self.open, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_fitted_estimator_shows_itself(table):
    X, y = table
    X = X.rename(columns={"x0": "<b>&dose"})
    model = MeanRegularizedRegressor(task="task")
    assert "<svg xmlns" not in model._repr_html_()
    html = model.fit(X, y)._repr_html_()
    shown = Balanced(html[html.index("<div style='display:flex") :])
    assert shown.open == []
    for word in ("tasks", "alpha", "global", "block elimination", "<b>&dose", "coefficients"):
        assert word in shown.text
    assert "<b>&dose" not in html
    assert "<svg xmlns" in model._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize(
    "model",
    [AutoMultiTaskRegressor(["pooled", "single-task"], task="task"),
     ProjectedLowRankRegressor(0.1, task="task"), MeanRegularizedRegressor("reml", task="task")],
    ids=lambda model: type(model).__name__,
)  # fmt: skip
def test_every_kind_of_model_shows_a_picture(model, table):
    assert "<svg xmlns" in model.fit(*table)._repr_html_()


def test_many_tasks_and_features_stay_small():
    X, y, _ = make_related_tasks(n_tasks=400, n_features=30, n_rows=3, random_state=0)
    html = MeanRegularizedRegressor(0.1, task="task").fit(X, y)._repr_html_()
    picture = html[html.index("<svg xmlns") :]
    assert picture.count("<circle") == 12
    assert len(picture) < 60_000
