"""Strengths of classifiers where a single label decides a task's fit."""

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import log_loss

import polytask
from polytask.data import Rows, make_task_data
from polytask.responses import Logistic
from polytask.solvers import Newton
from polytask.tuning import KFoldRisk, few_labels, fold_predictions
from polytask.tuning.content import content_of
from polytask.tuning.folds import held_out_folds

N_TASKS, N_FEATURES = 20, 4


def rare_labels(rng, n_rows):
    """Labels that nothing predicts, a tenth of them positive; the task column is the last."""
    code = np.repeat(np.arange(N_TASKS), n_rows)
    X = np.column_stack([rng.normal(size=(len(code), N_FEATURES)), code])
    return X, (rng.random(len(code)) < 0.1).astype(int)


@pytest.mark.parametrize("stem", ["SingleTask", "TaskIntercept", "MeanRegularized"])
@pytest.mark.parametrize("seed", [0, 1, 5])
def test_the_choice_stays_near_the_base_rate(stem, seed):
    """One Newton step from the fit took the weakest strengths here: twice the base rate's loss."""
    rng = np.random.default_rng(seed)
    X, y = rare_labels(rng, 5)
    X_test, y_test = rare_labels(rng, 200)
    model = getattr(polytask, f"{stem}Classifier")(task=N_FEATURES).fit(X, y)
    base = log_loss(y_test, np.full(len(y_test), y.mean()))
    assert log_loss(y_test, model.predict_proba(X_test)[:, 1]) < 1.15 * base


def test_fold_predictions_are_those_of_fits_without_the_fold():
    rng = np.random.default_rng(0)
    X, y = rare_labels(rng, 5)
    X = np.vstack([X, [*rng.normal(size=N_FEATURES), N_TASKS]])  # a task of a single row, the last
    y = np.append(y, 1)
    strengths = {"alpha": 0.1, "alpha_intercept": 0.1, "alpha_common": 1e-3}
    model = polytask.MeanRegularizedClassifier(**strengths, task=N_FEATURES, unseen="common")
    data = make_task_data(model, Rows(X[:, :-1], X[:, -1].astype(int)), y.astype(float), None, None)
    assert few_labels(data, Logistic())

    f = fold_predictions(
        data, lambda part: model._make_problem(part, model._loss(), strengths), 5, 1e-10, 100
    )
    fold = held_out_folds(data, 5).fold
    fold[-1] = content_of(data).task[-1] % 5  # as its task is
    assert (fold >= 0).all()
    for k in range(5):
        fitted = model.fit(X[fold != k], y[fold != k])
        np.testing.assert_allclose(f[fold == k], fitted.decision_function(X[fold == k]), atol=1e-6)


def test_folds_at_known_strengths_start_nearer_and_tell_what_is_hopeless(monkeypatch):
    rng = np.random.default_rng(1)
    X, y = rare_labels(rng, 40)
    model = polytask.MeanRegularizedClassifier(task=N_FEATURES)
    data = make_task_data(model, Rows(X[:, :-1], X[:, -1].astype(int)), y.astype(float), None, None)
    steps = []
    solve = Newton.solve
    monkeypatch.setattr(
        Newton, "solve", lambda *a: steps.append(solve(*a)) or steps[-1], raising=True
    )

    def risks(known):
        folds = KFoldRisk(data, 5, 1e-8, 200)
        found, took = [], []
        for alpha in (0.1, 1e-9, 0.09):
            at = {"alpha": alpha, "alpha_intercept": alpha, "alpha_common": 1e-3}
            steps.clear()
            make = partial(model._make_problem, loss=Logistic(), strengths=at)
            found.append(folds(make, at if known else None))
            took.append((len(steps), sum(s.n_iter for s in steps)))
        return np.array(found), took

    (plain, work), (known, less) = risks(False), risks(True)
    np.testing.assert_allclose(known[[0, 2]], plain[[0, 2]], rtol=1e-7)
    assert plain[1] > 1.5 * plain[0]
    assert known[1] > 1.5 * plain[0]  # from one fold
    assert [fits for fits, _ in work] == [5, 5, 5]
    assert [fits for fits, _ in less] == [5, 1, 5]
    assert less[2][1] < work[2][1]
