"""What a fit takes beside its rows: float32 is not widened, no d × d is made in vain."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import polytask

CHUNKS = 100e6  # two or three blocks of rows, 32 MB each, that are widened or weighted
STRENGTHS: dict[str, dict[str, Any]] = {
    "SingleTask": {"alpha": 0.01},
    "Pooled": {"alpha": 0.01},
    "TaskIntercept": {"alpha": 0.01},
    "MeanRegularized": {"alpha": 0.01, "alpha_common": 0.01},
    "LowRank": {"alpha": 0.01},
    "ProjectedMeanRegularized": {"alpha": 0.01, "n_components": 2},
}


def tall(n: int, d: int, m: int, dtype: Any = np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Rows with the task last, in no order of tasks, and targets."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, d + 1), dtype=np.float32).astype(dtype, copy=False)
    X[:, -1] = rng.integers(0, m, n)
    return X, X[:, :d] @ rng.normal(size=d).astype(dtype) + rng.normal(size=n).astype(dtype)


def peak_of(call: Any) -> int:
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
@pytest.mark.parametrize("family", list(STRENGTHS)[:5])
def test_float32_gives_the_answer_of_the_same_numbers_in_float64(family: str, role: str) -> None:
    """Condition number 1e4, where a Gram matrix in float32 has no digit left."""
    X, y = tall(600, 8, 3)
    X[:, :8] *= np.logspace(0, -4, 8, dtype=np.float32)
    X[:, :8] += X[:, :1]
    y = y if role == "Regressor" else (y > 0).astype(float)
    model = getattr(polytask, family + role)(task=-1, **STRENGTHS[family])
    thin = model.fit(X, y)
    coef, f = thin.coef_, thin.predict(X)
    wide = model.fit(X.astype(np.float64), np.asarray(y, dtype=np.float64))
    assert_allclose(coef, wide.coef_, rtol=0, atol=1e-8 * np.abs(wide.coef_).max())
    assert_allclose(f, wide.predict(X.astype(np.float64)), rtol=0, atol=1e-8 * np.abs(f).max())


def test_a_gram_matrix_in_float32_would_be_wrong() -> None:
    X, y = tall(600, 8, 1)
    Z = X[:, :8] * np.logspace(0, -4, 8, dtype=np.float32)
    Z += Z[:, :1]
    wrong = np.linalg.solve((Z.T @ Z).astype(float), (Z.T @ y).astype(float))
    Z = Z.astype(float)
    right = polytask.SingleTaskRegressor(0.0, fit_intercept=False).fit(Z, y).coef_[0]
    best = np.linalg.lstsq(Z, y.astype(float), rcond=None)[0]
    assert_allclose(right, best, rtol=1e-6)
    assert np.abs(wrong - best).max() > 1e-2 * np.abs(best).max()


@pytest.mark.slow
@pytest.mark.parametrize("n_tasks", [1, 20])
@pytest.mark.parametrize("role", ["Regressor", "Classifier"])
@pytest.mark.parametrize("family", [f for f in STRENGTHS if f != "ProjectedMeanRegularized"])
def test_float32_rows_are_copied_once_and_not_widened(family: str, role: str, n_tasks: int) -> None:
    """The rows in the order of tasks are one copy; float64 would be two more."""
    X, y = tall(500_000, 63, n_tasks)
    y = y if role == "Regressor" else (y > 0).astype(np.float32)
    model = getattr(polytask, family + role)(task=-1, tol=1e-2, **STRENGTHS[family])
    vectors = 14 * 8 * len(y)  # numbers of a row: order, code, targets, weights, predictions
    assert peak_of(lambda: model.fit(X, y)) < 1.1 * X.nbytes + CHUNKS + vectors
    assert peak_of(lambda: model.predict(X)) < CHUNKS + vectors


@pytest.mark.parametrize("family", ["SingleTask", "MeanRegularized", "LowRank"])
def test_memory_is_a_few_matrices_a_task_where_rows_are_many(family: str) -> None:
    m, d = 300, 60
    X, y = tall(m * d * 2, d, m, np.float64)
    model = getattr(polytask, family + "Regressor")(task=-1, **STRENGTHS[family])
    assert peak_of(lambda: model.fit(X, y)) < 1.2 * X.nbytes + 5 * 8 * m * d**2


@pytest.mark.parametrize(
    "family",
    [
        *list(STRENGTHS)[:4],
        *(pytest.param(family, marks=pytest.mark.slow) for family in list(STRENGTHS)[4:]),
    ],
)
def test_no_features_by_features_where_rows_are_few(family: str) -> None:
    """One matrix of 2,500 × 2,500 is 50 MB, one for every task a gigabyte."""
    m, d = 20, 2_500
    X, y = tall(25 * m, d, m, np.float64)
    kwargs = {**STRENGTHS[family], "tol": 1e-4}
    model = getattr(polytask, family + "Regressor")(task=-1, **kwargs)
    assert peak_of(lambda: model.fit(X, y)) < 8 * X.nbytes  # 80 MB
