"""The Gram matrices of one data set are made once."""

import pytest

import polytask
from polytask.data import Design
from polytask.datasets import make_related_tasks

COUNTED = ("MeanRegularized", "SingleTask", "LowRank", "ProjectedMeanRegularized")


@pytest.fixture
def made(monkeypatch):
    """What the rows were asked for: Gram matrices of tasks, and their sum."""
    asked, inside = [], []
    for name, what in (("grams", "grams"), ("moments", "grams"), ("total_gram", "total_gram")):
        real = getattr(Design, name)

        def counted(self, *of, real=real, what=what):
            if not inside:
                asked.append((what, self.start[-1]))
            inside.append(what)
            try:
                return real(self, *of)
            finally:
                inside.pop()

        monkeypatch.setattr(Design, name, counted)
    return asked


@pytest.mark.parametrize("stem", COUNTED)
def test_a_tuned_fit_makes_them_once(stem, made):
    """Grids, leave-one-out and the fit; folds are data of their own."""
    X, y, _ = make_related_tasks(n_tasks=6, n_features=4, random_state=0)
    getattr(polytask, f"{stem}Regressor")(task="task").fit(X, y)
    of_all = [name for name, n_rows in made if n_rows == len(y)]
    assert of_all.count("grams") == 1
    assert of_all.count("total_gram") <= 1


@pytest.mark.parametrize("stem", ["Pooled", "TaskIntercept"])
def test_a_model_without_slopes_of_tasks_makes_their_sum_once(stem, made):
    X, y, _ = make_related_tasks(n_tasks=6, n_features=4, random_state=0)
    getattr(polytask, f"{stem}Regressor")(task="task").fit(X, y)
    assert [name for name, _ in made] == ["total_gram"]


def test_a_fit_with_given_strengths_keeps_none(made):
    X, y, _ = make_related_tasks(n_tasks=6, n_features=4, random_state=0)
    polytask.MeanRegularizedRegressor(0.1, task="task").fit(X, y)
    assert len(made) == 1
    polytask.MeanRegularizedRegressor("reml", task="task").fit(X, y)
    assert len(made) == 2
