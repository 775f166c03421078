"""Norms of which there is the square end within their gap on labels that features separate.

Far from the optimum the dual point of the gradient is thousands of times the objective below it;
the least losses of all rows are a better one.
"""

import numpy as np
import pytest

import polytask


@pytest.mark.parametrize(
    ("stem", "options"),
    [
        ("TaskClusters", {"alpha": 100.0, "alpha_ridge": 4e-6}),
        ("SharedSubspace", {"alpha": 100.0, "alpha_ridge": 4e-6}),
        ("TaskCovariance", {"alpha": 2e-6}),
    ],
)
@pytest.mark.parametrize("n_tasks", [1, 4])
def test_labels_that_a_feature_separates(
    stem: str, options: dict[str, float], n_tasks: int
) -> None:
    rng = np.random.default_rng(0)
    X, task = 3.0 * rng.uniform(size=(20 * n_tasks, 3)), np.repeat(np.arange(n_tasks), 20)
    kind = getattr(polytask, f"{stem}Classifier")
    model = kind(**options, alpha_intercept=0.0, task=0).fit(
        np.column_stack([task, X]), X[:, 0] > 1
    )
    assert model.gap_ <= model.tol
    assert (model.predict(np.column_stack([task, X])) == (X[:, 0] > 1)).all()
