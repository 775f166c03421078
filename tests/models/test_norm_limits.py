"""A formulation with norms whose strength runs out of bounds is another model."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import polytask
from tests.models.helpers import long_table
from tests.models.kin import FAST_ROLES

LARGE = 1e4


def test_targets_alike_within_tasks_have_no_noise_but_rounding() -> None:
    """Scales of rounding would make weights of 1e22, in which nothing can be solved."""
    rng = np.random.default_rng(0)
    ids = np.repeat(np.arange(15), 2)
    y = rng.normal(size=15)[ids] / 3.0
    Z = np.column_stack([ids, rng.normal(size=(30, 3))])
    model = polytask.CalibratedFeaturesRegressor(1e-3, alpha_intercept=1e-12, task=0).fit(Z, y)
    assert model.gap_ <= model.tol
    assert_allclose(model.predict(Z), y, atol=1e-6)


CASES = {
    # one: stem and options; the other; digits that a gap of 1e-12 leaves
    "sparse group, all l1": (
        ("SparseGroup", {"alpha": 0.03, "l1_ratio": 1.0}), ("LassoTasks", {"alpha": 0.03}),
    ),
    "sparse group, no l1": (
        ("SparseGroup", {"alpha": 0.03, "l1_ratio": 0.0}), ("JointFeatures", {"alpha": 0.03}),
    ),
    "dirty, nothing shared": (
        ("DirtyTasks", {"alpha": LARGE, "alpha_own": 0.03}), ("LassoTasks", {"alpha": 0.03}),
    ),
    "dirty, nothing own": (
        ("DirtyTasks", {"alpha": 0.03, "alpha_own": LARGE}),
        ("JointFeatures", {"alpha": 0.03, "norm": "max"}),
    ),
    "dirty by length, nothing own": (
        ("DirtyTasks", {"alpha": 0.03, "alpha_own": LARGE, "norm": "l2"}),
        ("JointFeatures", {"alpha": 0.03}),
    ),
    "robust, no outliers": (
        ("RobustLowRank", {"alpha": 0.03, "alpha_outlier": LARGE}), ("LowRank", {"alpha": 0.03}),
    ),
    "robust features, no outliers": (
        ("RobustFeatures", {"alpha": 0.03, "alpha_outlier": LARGE}),
        ("JointFeatures", {"alpha": 0.03}),
    ),
    "sparse and low-rank, no exceptions": (
        ("SparseLowRank", {"alpha": 0.03, "alpha_sparse": LARGE}), ("LowRank", {"alpha": 0.03}),
    ),
    "sparse and low-rank, nothing shared": (
        ("SparseLowRank", {"alpha": LARGE, "alpha_sparse": 0.03}), ("LassoTasks", {"alpha": 0.03}),
    ),
    "temporal, no differences": (
        ("TemporalFeatures", {"alpha": 0.03, "alpha_difference": 1e-12}),
        ("JointFeatures", {"alpha": 0.03}),
    ),
    "fused, no differences": (
        ("FusedTasks", {"alpha": 0.03, "alpha_difference": 1e-12, "l1_ratio": 0.3}),
        ("SparseGroup", {"alpha": 0.03, "l1_ratio": 0.3}),
    ),
    "a tree of one node": (
        ("TreeGuided", {"alpha": 0.03, "leaf_ratio": 0.3}),
        ("SparseGroup", {"alpha": 0.03, "l1_ratio": 0.3}),
    ),
    "as many clusters as tasks": (
        ("TaskClusters", {"alpha": 0.3, "alpha_ridge": 0.03, "n_clusters": 4}),
        ("SingleTask", {"alpha": 0.03}),
    ),
    "clusters are a subspace": (
        ("TaskClusters", {"alpha": 0.3, "alpha_ridge": 0.03, "n_clusters": 2}),
        ("SharedSubspace", {"alpha": 0.3, "alpha_ridge": 0.03, "n_components": 2}),
    ),
    "one cheap direction that costs nothing else": (
        ("TaskClusters", {"alpha": 1e-9, "alpha_ridge": 0.03, "n_clusters": 1}),
        ("SingleTask", {"alpha": 0.03}),
    ),
}  # fmt: skip


@pytest.mark.parametrize("role", FAST_ROLES)
@pytest.mark.parametrize("name", CASES)
def test_it_is_the_other_model(name: str, role: str) -> None:
    Z, y = long_table(role)
    fits = []
    for stem, options in CASES[name]:
        model = getattr(polytask, stem + role)(**options, alpha_intercept=0.0, task=0, tol=1e-11)
        fits.append(model.fit(Z, y))
    assert_allclose(fits[0].coef_, fits[1].coef_, atol=2e-5)
    assert fits[0].objective_ == pytest.approx(fits[1].objective_, rel=1e-8)


@pytest.mark.parametrize("role", FAST_ROLES)
@pytest.mark.parametrize("stem", ["FusedTasks", "TemporalFeatures"])
def test_strong_differences_leave_one_w(stem: str, role: str) -> None:
    Z, y = long_table(role)
    model = getattr(polytask, stem + role)(
        0.01, alpha_difference={"FusedTasks": 1.0, "TemporalFeatures": 20.0}[stem], task=0
    ).fit(Z, y)
    assert np.ptp(model.coef_, axis=0).max() <= 2e-2 * np.abs(model.coef_).max()
    assert len(getattr(model, "change_points_", [])) == 0


def test_calibrated_features_are_joint_features_of_rows_in_units_of_their_noise() -> None:
    """Their optimum is that of squares over the noise found; with equal noise, of another alpha."""
    Z, y = long_table(sizes=(30, 40, 35, 30))
    model = polytask.CalibratedFeaturesRegressor(0.1, alpha_intercept=0.0, task=0, tol=1e-7)
    model.fit(Z, y)
    ids = Z[:, 0].astype(int)
    weight = (1.0 / model.noise_[ids]) / np.bincount(ids)[ids]
    joint = polytask.JointFeaturesRegressor(
        0.1 * 4 / (1.0 / model.noise_).sum(), alpha_intercept=0.0, task=0, task_weight="size",
        tol=1e-11,
    ).fit(Z, y, weight)  # fmt: skip
    assert_allclose(joint.coef_, model.coef_, atol=1e-5)
    again = polytask.CalibratedFeaturesRegressor(0.1, alpha_intercept=0.0, task=0).fit(
        Z, 1000.0 * y
    )
    assert_allclose(again.coef_, 1000.0 * model.coef_, rtol=1e-4, atol=1e-2)
    one = Z[ids == 0, 1:]
    alike = np.vstack([np.column_stack([np.full(len(one), i), one]) for i in range(3)])
    target = np.tile(y[ids == 0], 3)
    found = polytask.CalibratedFeaturesRegressor(0.2, task=0, tol=1e-7).fit(alike, target)
    known = polytask.JointFeaturesRegressor(0.2 * found.noise_[0], task=0, tol=1e-11)
    assert_allclose(found.noise_, found.noise_[0], rtol=1e-6)
    assert_allclose(found.coef_, known.fit(alike, target).coef_, atol=1e-5)


def test_a_limit_on_the_trace_norm_is_a_price() -> None:
    Z, y = long_table()
    options = {"alpha_intercept": 0.0, "task": 0, "tol": 1e-11}
    priced = polytask.SparseLowRankRegressor(0.05, alpha_sparse=0.03, **options).fit(Z, y)
    size = np.linalg.svd(priced.shared_coef_, compute_uv=False).sum()
    limited = polytask.SparseLimitedTraceRegressor(0.03, max_trace=size, **options).fit(Z, y)
    assert_allclose(limited.coef_, priced.coef_, atol=1e-4)
    assert limited.objective_ + 0.05 * size == pytest.approx(priced.objective_, rel=1e-7)


def test_one_cluster_is_not_the_mean_regularized_model() -> None:
    """M may be any direction between tasks, not their mean alone: tasks of opposite sign."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(200, 3)), np.repeat([0, 1, 2, 3], 50)
    y = X[:, 0] * np.array([1, -1, 1, -1])[task] + 0.1 * rng.normal(size=200)
    Z = np.column_stack([task, X])
    opposite = polytask.TaskClustersRegressor(1.0, alpha_ridge=1e-3, n_clusters=1, task=0).fit(Z, y)
    means = polytask.MeanRegularizedRegressor(1.0, alpha_common=1e-3, task=0).fit(Z, y)
    assert np.abs(opposite.coef_[:, 0]).min() > 0.9
    assert np.abs(means.coef_).max() < 0.4
