"""What may not matter: order, names, repetition against weight, units of weight."""

import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from polytask.models._norm_base import NormBase
from tests.models.helpers import OPTIMA, ORDERED, ROLES, STEMS, assert_same, long_table, made
from tests.models.kin import ROOTS, SQUARES


def fit(stem: str, role: str, Z: np.ndarray, y: np.ndarray, w: object = None, **options: object):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # tol is next to rounding
        return made(stem, role, **{"tol": 1e-12, **options}).fit(Z, y, sample_weight=w)


@cache
def as_it_is(stem: str, role: str):
    """The fit to the table as it is."""
    return fit(stem, role, *long_table(role))


@pytest.mark.parametrize("stem", STEMS)
@pytest.mark.parametrize("role", ROLES)
class TestInvariances:
    def test_order_of_rows(self, stem: str, role: str) -> None:
        Z, y = long_table(role)
        order = np.random.default_rng(1).permutation(len(y))
        assert_same(as_it_is(stem, role), fit(stem, role, Z[order], y[order]))

    def test_names_and_order_of_tasks(self, stem: str, role: str) -> None:
        if stem in ORDERED:
            pytest.skip("its tasks are in order")
        Z, y = long_table(role)
        renamed, names = Z.copy(), np.array([40, 7, 1000, -3])
        renamed[:, 0] = names[Z[:, 0].astype(int)]
        a, b = as_it_is(stem, role), fit(stem, role, renamed, y)
        assert b.tasks_.tolist() == sorted(names)
        at = np.searchsorted(b.tasks_, names)
        assert_same(a, b, at)
        if hasattr(a, "common_coef_"):
            np.testing.assert_allclose(a.common_coef_, b.common_coef_, rtol=1e-8, atol=1e-11)

    def test_repeated_rows_are_weights(self, stem: str, role: str) -> None:
        if stem not in OPTIMA:
            pytest.skip("a row that stands twice is known where one of the two is left out")
        Z, y = long_table(role)
        times = np.random.default_rng(2).integers(1, 4, len(y))
        again = np.repeat(np.arange(len(y)), times)
        for task_weight in ("equal", "size"):
            a = fit(stem, role, Z, y, times, task_weight=task_weight)
            b = fit(stem, role, Z[again], y[again], task_weight=task_weight)
            assert_same(a, b)
            assert a.objective_ == pytest.approx(b.objective_, rel=1e-10)

    def test_all_rows_twice(self, stem: str, role: str) -> None:
        if stem not in OPTIMA:
            pytest.skip("a row that stands twice is known where one of the two is left out")
        Z, y = long_table(role)
        b = fit(stem, role, np.vstack([Z, Z]), np.concatenate([y, y]))
        assert_same(as_it_is(stem, role), b)

    def test_weights_count_inside_a_task_only(self, stem: str, role: str) -> None:
        """With equal tasks a factor on all rows of a task changes nothing; by size it does."""
        if stem not in OPTIMA:
            pytest.skip("whole weights are repetitions to those who hold rows out")
        Z, y = long_table(role)
        w = np.where(Z[:, 0] == 1, 5.0, 1.0)
        np.testing.assert_allclose(
            fit(stem, role, Z, y, w).coef_, as_it_is(stem, role).coef_, rtol=1e-8, atol=1e-11
        )
        by_size = fit(stem, role, Z, y, w, task_weight="size").coef_
        assert np.abs(by_size - fit(stem, role, Z, y, task_weight="size").coef_).max() > 1e-4

    def test_features_in_other_units(self, stem: str, role: str) -> None:
        """Without a penalty units cancel (tasks of many rows, so that the answer is unique)."""
        Z, y = long_table(role, sizes=(60, 80, 70), d=2)
        unit = np.array([1.0, 1e3, 1e-3])
        if stem == "Multilevel" or isinstance(made(stem, role), NormBase):
            pytest.skip("alpha must be positive")
        a, b = (fit(stem, role, table, y, alpha=0.0, tol=1e-11) for table in (Z, Z * unit))
        if "LowRank" in stem and role == "Classifier":
            pytest.skip("labels have a small ridge, without which separable tasks have no optimum")
        np.testing.assert_allclose(a.coef_, b.coef_ * unit[1:], rtol=1e-6)

    def test_fit_leaves_parameters_and_data_alone(self, stem: str, role: str) -> None:
        Z, y = long_table(role)
        model = made(stem, role)
        before, Z0, y0 = dict(vars(model)), Z.copy(), y.copy()
        model.fit(Z, y)
        for name, value in before.items():
            assert getattr(model, name) is value, name
        model.predict(Z)
        np.testing.assert_array_equal(Z, Z0)
        np.testing.assert_array_equal(y, y0)

    def test_fit_twice_is_fit_once(self, stem: str, role: str) -> None:
        Z, y = long_table(role)
        model = made(stem, role)
        first = model.fit(Z, y).coef_.copy()
        other = clone(model).fit(Z[:30], y[:30]).coef_
        np.testing.assert_array_equal(model.fit(Z[:30], y[:30]).coef_, other)
        assert not np.allclose(other, first, rtol=1e-3)
        np.testing.assert_array_equal(model.fit(Z, y).coef_, first)

    def test_category_order_does_not_matter(self, stem: str, role: str) -> None:
        Z, y = long_table(role)
        ids = np.array(["a", "b", "c", "d"])[Z[:, 0].astype(int)]
        frame = pd.DataFrame(Z[:, 1:], columns=list("wxyz"))
        a = made(stem, role, task="t").fit(frame.assign(t=ids), y)
        shuffled = pd.Categorical(ids, categories=["d", "unused", "b", "a", "c"])
        b = made(stem, role, task="t").fit(frame.assign(t=shuffled), y)
        np.testing.assert_array_equal(a.coef_, b.coef_)
        assert b.tasks_.tolist() == ["a", "b", "c", "d"]


@pytest.mark.parametrize("stem", STEMS)
def test_target_shift_and_scale(stem: str) -> None:
    """A quadratic penalty grows with the square of the target, as the loss does, a norm less."""
    Z, y = long_table()
    if stem == "TemporalFeatures":
        pytest.skip("it has a norm and a quadratic penalty")
    a = as_it_is(stem, "Regressor")
    of_norm = getattr(a, "gap_", None) is not None and stem not in (*SQUARES, *ROOTS)
    units = {"alpha": 5.0 if of_norm else 0.05, "max_trace": 100.0}
    b = fit(stem, "Regressor", Z, 100.0 * y + 7.0, **units)
    b.coef_, b.intercept_ = b.coef_ / 100.0, (b.intercept_ - 7.0) / 100.0
    assert_same(a, b)


@pytest.mark.parametrize("stem", STEMS)
def test_flipped_labels_flip_the_model(stem: str) -> None:
    Z, y = long_table("Classifier")
    a, b = as_it_is(stem, "Classifier"), fit(stem, "Classifier", Z, 1 - y)
    b.coef_, b.intercept_ = -b.coef_, -b.intercept_
    if stem in OPTIMA:
        assert_same(a, b)
    else:  # folds go by the targets
        np.testing.assert_allclose(a.coef_, b.coef_, rtol=1e-3)
    c = fit(stem, "Classifier", Z, np.where(y == 1, "yes", "no"))
    np.testing.assert_array_equal(a.coef_, c.coef_)
    assert c.classes_.tolist() == ["no", "yes"]
    assert set(c.predict(Z)) <= {"no", "yes"}
