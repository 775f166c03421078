"""Attributes, unseen tasks, warnings and messages of every linear estimator."""

import doctest
import importlib
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score

import polytask
from polytask.models import estimators, formulations
from tests.models.helpers import OPTIMA, ROLES, STEMS, long_table, made

EVERY = pytest.mark.parametrize("Model", [
    estimators()[stem + role] for stem in STEMS for role in ROLES if stem + role in estimators()
], ids=lambda Model: Model.__name__)  # fmt: skip


def table_for(Model: type, **options: object) -> tuple[np.ndarray, np.ndarray]:
    return long_table("Regressor" if "Regressor" in Model.__name__ else "Classifier", **options)  # type: ignore[arg-type]


@EVERY
def test_attributes(Model: type) -> None:
    Z, y = table_for(Model)
    model = Model(task=0).fit(Z, y)
    assert model.coef_.shape == (4, 4)
    assert model.intercept_.shape == (4,)
    assert model.tasks_.tolist() == [0, 1, 2, 3]
    assert model.n_features_in_ == 5
    common, level = shared_part(model)
    assert common.shape == (4,)
    assert isinstance(level, float)
    if Model.__name__.removesuffix("Regressor").removesuffix("Classifier") in OPTIMA:
        assert_says_how_it_was_found(model)
    if hasattr(model, "deviation_coef_"):
        np.testing.assert_allclose(model.common_coef_ + model.deviation_coef_, model.coef_)
    linear = (Z[:, 1:] * model.coef_[Z[:, 0].astype(int)]).sum(axis=1)
    linear += model.intercept_[Z[:, 0].astype(int)]
    answer = (
        model.predict(Z) if hasattr(model, "predict_proba") is False else model.decision_function(Z)
    )
    np.testing.assert_allclose(answer, linear, rtol=1e-12, atol=1e-12)


def shared_part(model) -> tuple[np.ndarray, float]:
    """What predicts a task that was not in training: w0 and b0, or the mean of the tasks."""
    if hasattr(model, "common_coef_"):
        return model.common_coef_, model.common_intercept_
    return model.coef_.mean(axis=0), float(model.intercept_.mean())


def assert_says_how_it_was_found(model) -> None:
    assert model.alpha_path_.shape == model.cv_scores_.shape
    assert np.ndim(model.alpha_) == 0
    if getattr(model, "gap_", None) is None:
        assert model.violation_ <= model.tol
    else:
        assert model.gap_ <= model.tol
    assert model.certificate_ in ("global", "stationary")
    assert model.status_ == "solved"
    assert isinstance(model.solver_, str)
    assert model.n_iter_ >= 1
    assert np.isfinite(model.objective_)


@EVERY
def test_without_intercept(Model: type) -> None:
    if "TaskIntercept" in Model.__name__:
        with pytest.raises(TypeError, match="fit_intercept"):
            Model(fit_intercept=False)
        return
    Z, y = table_for(Model)
    model = made(Model.__name__, fit_intercept=False).fit(Z, y)
    np.testing.assert_array_equal(model.intercept_, np.zeros(4))
    assert shared_part(model)[1] == 0.0


@EVERY
def test_probabilities(Model: type) -> None:
    if "Classifier" not in Model.__name__:
        assert not hasattr(Model(), "predict_proba")
        return
    Z, y = table_for(Model)
    model = made(Model.__name__, alpha=0.01).fit(Z, y)
    p = model.predict_proba(Z)
    np.testing.assert_allclose(p.sum(axis=1), 1.0)
    f = model.decision_function(Z)
    np.testing.assert_allclose(p[:, 1], 1.0 / (1.0 + np.exp(-f)), rtol=1e-8)
    np.testing.assert_array_equal(model.predict(Z), (p[:, 1] > 0.5).astype(int))
    assert model.score(Z, y) == (model.predict(Z) == y).mean()


@EVERY
def test_unseen_tasks(Model: type) -> None:
    Z, y = table_for(Model)
    new = Z[:4].copy()
    new[:, 0] = [0, 17, 1, 99]
    refuses = made(Model.__name__, alpha=0.1, unseen="error").fit(Z, y)
    with pytest.raises(ValueError, match=r"got task 17, 99 \(2 rows\).*unseen='common'"):
        refuses.predict(new)
    answers = made(Model.__name__, alpha=0.1, unseen="common").fit(Z, y)
    method = "decision_function" if hasattr(answers, "predict_proba") else "predict"
    found = getattr(answers, method)(new)
    seen = getattr(refuses, method)(new[[0, 2]])
    np.testing.assert_allclose(found[[0, 2]], seen, rtol=1e-13)
    coef, level = shared_part(answers)
    expected = new[[1, 3], 1:] @ coef + level
    np.testing.assert_allclose(found[[1, 3]], expected, rtol=1e-12)


def test_ids_of_another_type_are_not_unseen_tasks() -> None:
    Z, y = long_table()
    frame = pd.DataFrame(Z[:, 1:], columns=list("wxyz")).assign(t=Z[:, 0].astype(int))
    model = polytask.PooledRegressor(0.1, task="t", unseen="common").fit(frame, y)
    with pytest.raises(ValueError, match=r"same type as in fit \(numbers\); got text"):
        model.predict(frame.assign(t=frame["t"].astype(str)))
    np.testing.assert_array_equal(
        model.predict(frame.assign(t=frame["t"].astype(float))), model.predict(frame)
    )


@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
def test_one_model_for_all_tasks_needs_no_leave_for_new_ones(role: str) -> None:
    Model = getattr(polytask, f"Pooled{role}")
    Z, y = table_for(Model)
    model = made(Model.__name__, alpha=0.1).fit(Z, y)
    new = Z.copy()
    new[:, 0] = 99
    np.testing.assert_array_equal(model.predict(new), model.predict(Z))


def test_many_unseen_tasks_are_not_all_listed() -> None:
    Z, y = long_table()
    model = polytask.TaskInterceptRegressor(0.1, task=0).fit(Z, y)
    new = Z[:30].copy()
    new[:, 0] = np.arange(100, 130)
    with pytest.raises(ValueError, match=r"100, 101, 102, 103, 104 and 25 more \(30 rows\)"):
        model.predict(new)


@pytest.mark.parametrize("stem", OPTIMA)
def test_few_steps_warn_once_with_the_remedy(stem: str) -> None:
    Z, y = long_table("Classifier")
    if stem == "ProjectedMeanRegularized":
        pytest.skip("without a limit on the rank its start is the optimum")
    model = made(stem, "Classifier", alpha=1e-4, max_iter=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(Z, y)
    (warning,) = caught
    assert warning.category is ConvergenceWarning
    measure = "violation" if getattr(model, "gap_", None) is None else "duality gap"
    assert measure in str(warning.message)
    assert f"tol={model.tol:.1e}" in str(warning.message)
    assert "raise max_iter" in str(warning.message)
    assert type(model).__name__ in str(warning.message)
    assert warning.filename == __file__, "points at the caller's line"
    assert (getattr(model, "gap_", None) or model.violation_) > model.tol
    assert "max_iter" in model.status_


@EVERY
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("alpha", -1), ("alpha", np.nan), ("alpha", np.inf), ("alpha", "best"), ("alpha", None),
        ("task_weight", "rows"), ("unseen", "zero"), ("tol", 0), ("max_iter", 0), ("task", 1.5),
    ],
)  # fmt: skip
def test_bad_parameters(Model: type, parameter: str, value: object) -> None:
    Z, y = table_for(Model)
    if parameter not in Model().get_params():
        pytest.skip("it has no such parameter")
    with pytest.raises(ValueError, match=f"{parameter}.*must be") as caught:
        made(Model.__name__, **{parameter: value}).fit(Z, y)
    assert Model.__name__ in str(caught.value)


@pytest.mark.parametrize(
    "alpha", [[1.0, 2.0], [1.0, -2.0, 1.0, 1.0], [1, 1, 1, np.nan], np.ones((4, 1))]
)
def test_bad_strengths_per_coefficient(alpha: object) -> None:
    Z, y = long_table()
    with pytest.raises(ValueError, match=r"alpha must be .*shape \(4,\)"):
        polytask.MeanRegularizedRegressor(alpha, task=0).fit(Z, y)


def spoiled(Z: np.ndarray, at: tuple[int, int], value: float) -> np.ndarray:
    Z = Z.copy()
    Z[at] = value
    return Z


@EVERY
def test_bad_tables(Model: type) -> None:
    Z, y = table_for(Model)
    model = made(Model.__name__, alpha=0.1)
    for table, target, message in (
        (spoiled(Z, (0, 2), np.nan), y, "Input X contains NaN"),
        (spoiled(Z, (0, 2), np.inf), y, "Input X contains infinity"),
        (spoiled(Z, (0, 0), np.nan), y, "task ids must not be missing"),
        (Z, y[:-1], "inconsistent numbers of samples"),
        (Z, np.column_stack([y, y]), "y must have one column when task is given"),
        (Z[:, 0], y, "Expected 2D array"),
        (Z, None, "requires y to be passed"),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(table, target)
    with pytest.raises(ValueError, match="task must be the position of a column of X; got 9"):
        made(Model.__name__, alpha=0.1, task=9).fit(Z, y)
    with pytest.raises(ValueError, match="Did you mean 'school'"):
        made(Model.__name__, alpha=0.1, task="scool").fit(
            pd.DataFrame({"school": [1, 2], "x": [1, 2]}), y[:2]
        )
    with pytest.raises(NotFittedError):
        made(Model.__name__, alpha=0.1).predict(Z)
    with pytest.raises(ValueError, match="expecting 5 features"):
        model.fit(Z, y).predict(Z[:, :3])


@EVERY
def test_bad_weights(Model: type) -> None:
    Z, y = table_for(Model)
    n = len(y)
    for weight, message in (
        (-np.ones(n), "zero or positive"), (np.zeros(n), "positive somewhere"),
        (np.full(n, np.nan), "NaN"), (np.full(n, np.inf), "infinity"),
        (np.ones(n - 1), "must be 1D"), (np.ones((n, 2)), "expected"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            made(Model.__name__, alpha=0.1).fit(Z, y, sample_weight=weight)


@pytest.mark.parametrize("stem", STEMS)
def test_bad_targets(stem: str) -> None:
    Z, y = long_table()
    regressor = made(stem, "Regressor", alpha=0.1)
    classifier = made(stem, "Classifier", alpha=0.1)
    label = (y > 0).astype(float)
    for model, target, message in (
        (regressor, np.where(y > 1, np.nan, y), "Input y contains NaN.*Drop rows"),
        (regressor, np.where(y > 1, np.inf, y), "Input y contains infinity"),
        (classifier, np.where(y > 1, np.nan, label), "Input y contains NaN.*Drop rows"),
        (classifier, np.where(y > 1, np.inf, label), "Input y contains infinity"),
        (classifier, np.where(y > 1, None, np.where(y > 0, "a", "b")), "missing value"),
        (classifier, np.ones(len(y)), "two classes; got one class"),
        (classifier, np.digitize(y, [-1, 1]), "Only binary.*OneVsRestClassifier"),
        (classifier, y, "Unknown label type: continuous"),
    ):
        if classifier.many_classes and message.startswith("Only binary"):
            continue
        with pytest.raises(ValueError, match=message):
            model.fit(Z, target)
    with pytest.raises(ValueError, match="one class only"):
        classifier.fit(Z, label, sample_weight=label)
    Y = np.column_stack([y, np.full(len(y), np.nan)])
    with pytest.raises(ValueError, match=r"column\(s\) \[1\] contain NaN only. Drop them"):
        made(stem, "Regressor", alpha=0.1, task=None).fit(Z[:, 1:], Y)
    with pytest.raises(ValueError, match="infinity"):
        made(stem, "Regressor", alpha=0.1, task=None).fit(
            Z[:, 1:], np.column_stack([y, np.full(len(y), np.inf)])
        )


@pytest.mark.parametrize(
    "stem",
    [  # projected ones search as low-rank and mean-regularized ones do
        pytest.param(stem, marks=pytest.mark.slow if stem.startswith("Projected") else ())
        for stem in STEMS
    ],
)
def test_a_task_with_one_class_is_answered(stem: str) -> None:
    Z, y = long_table("Classifier")
    y[Z[:, 0] == 2] = 0
    model = made(stem, "Classifier", alpha="reml" if stem == "Multilevel" else "cv").fit(Z, y)
    assert np.isfinite(model.coef_).all()
    assert model.predict_proba(Z[Z[:, 0] == 2])[:, 1].mean() < 0.5


@EVERY
def test_score_of_a_wide_target_uses_weights(Model: type) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 3))
    Y = X @ rng.normal(size=(3, 2)) + rng.normal(size=(30, 2))
    Y = (Y > 0).astype(float) if "Classifier" in Model.__name__ else Y
    Y[:10, 0] = np.nan
    model = made(Model.__name__, alpha=0.1, task=None).fit(X, Y)
    w = rng.uniform(0, 2, (30, 2))
    metric = accuracy_score if "Classifier" in Model.__name__ else r2_score
    predicted = model.predict(X)
    scores = [metric(Y[k, i], predicted[k, i], sample_weight=w[k, i])
              for i, k in ((0, slice(10, None)), (1, slice(None)))]  # fmt: skip
    assert model.score(X, Y, w) == pytest.approx(np.mean(scores))
    assert model.score(X, Y, w) != pytest.approx(model.score(X, Y))
    assert model.score(X, Y, np.ones(30)) == pytest.approx(model.score(X, Y))


@pytest.mark.parametrize("name", formulations())
def test_formulations_and_their_examples(name: str) -> None:
    formulation = formulations()[name]
    assert formulation.regressor.__name__.endswith("Regressor")
    kinds = [kind for kind in (formulation.regressor, formulation.classifier) if kind is not None]
    assert all(kind.__name__.endswith(role) for kind, role in zip(kinds, ROLES, strict=False))
    for Model in kinds:
        assert "Parameters\n" in Model.__doc__
        for parameter in Model().get_params():
            assert f"{parameter} :" in Model.__doc__ or f"{parameter}," in Model.__doc__, parameter
    module = importlib.import_module(formulation.regressor.__module__)
    result = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.attempted > 0
    assert result.failed == 0
