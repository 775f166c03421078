"""Tasks that a model names stand in the report."""

import numpy as np
import pandas as pd

from polytask import (
    AutoMultiTaskRegressor,
    CurvedRegressor,
    FusedTasksRegressor,
    MeanRegularizedRegressor,
    PooledRegressor,
    RobustLowRankRegressor,
    SharedSubspaceClassifier,
    SharedSubspaceRegressor,
    SingleTaskRegressor,
    TaskClustersRegressor,
    TaskCovarianceRegressor,
)
from polytask.datasets import make_clustered_tasks, make_outlier_tasks
from polytask.report.fitted import bent_curves, found_table, mixed_tables
from polytask.report.patterns import pattern_figures


def test_outliers_clusters_and_changes_are_named() -> None:
    X, y, truth = make_outlier_tasks(12, 8, 80, n_outliers=2, deviation=0.1, random_state=0)
    robust = RobustLowRankRegressor(0.05, alpha_outlier=0.03, task="task").fit(X, y)
    still = FusedTasksRegressor(10.0, task="task").fit(X, y)
    X, y, truth_of_groups = make_clustered_tasks(4, 6, 60, n_clusters=2, random_state=0)
    groups = TaskClustersRegressor(0.1, alpha_ridge=1e-3, task="task").fit(X, y)
    table = found_table({"robust-low-rank": robust, "fused": still, "task-clusters": groups})
    assert table is not None
    told = {row[0].text: row[2].text for row in table.rows}
    odd = np.linalg.norm(robust.own_coef_, axis=1)
    first = [i for i in np.argsort(-odd) if odd[i] > 0]
    assert set(first) == set(np.flatnonzero(truth.labels))
    shares = [f"{i} ({100 * odd[i] / odd.sum():.0f}\xa0%)" for i in first]
    assert told["Robust low-rank"] == ", ".join(shares)
    assert told["Fused"] == "none"
    first = np.flatnonzero(truth_of_groups.labels == truth_of_groups.labels[0])
    assert told["Task clusters"].startswith(f"1: {', '.join(map(str, first))}; 2: ")


def test_models_that_name_nobody_have_no_table() -> None:
    X, y, _ = make_clustered_tasks(4, 3, 20, n_clusters=2, random_state=0)
    assert found_table({"single-task": SingleTaskRegressor(0.1, task="task").fit(X, y)}) is None


def test_patterns_and_pairs_have_a_figure_each_where_a_model_has_them() -> None:
    X, y, _ = make_clustered_tasks(4, 3, 20, n_clusters=2, random_state=0)
    fitted = {
        "single-task": SingleTaskRegressor(0.1, task="task"),
        "task-clusters": TaskClustersRegressor(0.1, alpha_ridge=1e-3, task="task"),
        "task-covariance": TaskCovarianceRegressor(0.01, task="task"),
    }
    drawn = pattern_figures({name: model.fit(X, y) for name, model in fitted.items()})
    assert [each["title"] for each in drawn] == ["Task clusters", "Task covariance"]
    assert "Lines part the clusters." in drawn[0]["caption"]
    assert "2 clusters of tasks." in drawn[0]["figure"].narrow
    assert drawn[1]["words"].startswith("Learned correlation of the pairs")


def test_a_shared_subspace_has_a_pattern_of_numbers_and_of_labels() -> None:
    X, y, _ = make_clustered_tasks(4, 3, 40, n_clusters=2, random_state=0)
    for Model, target in (
        (SharedSubspaceRegressor, y),
        (SharedSubspaceClassifier, (y > np.median(y)).astype(int)),
    ):
        model = Model(0.1, alpha_ridge=1e-3, n_components=1, task="task").fit(X, target)
        (drawn,) = pattern_figures({"shared-subspace": model})
        assert drawn["title"] == "Shared subspace"
        assert "direction of the shared subspace" in drawn["caption"]
        assert drawn["words"].startswith("4 tasks, 3 features")


def test_curves_have_a_section_of_their_own() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"dose": rng.uniform(size=240), "lab": np.arange(240) % 6})
    y = np.sin(6.0 * X["dose"]) + 0.2 * X["lab"] * X["dose"] ** 2 + 0.1 * rng.normal(size=240)
    curved = CurvedRegressor(task="lab").fit(X, y)
    drawn = bent_curves({"curved": curved, "other": PooledRegressor(task="lab").fit(X, y)})
    assert [bend["feature"] for bend in drawn] == ["dose"]
    assert "dose" in drawn[0]["figure"].wide
    assert len(drawn[0]["tasks"]) == 5
    candidates = {"pooled": PooledRegressor(task="lab"), "curved": CurvedRegressor(task="lab")}
    weighed = AutoMultiTaskRegressor(candidates, task="lab").fit(X, y)
    assert weighed.common_weights_[1] > 0.9
    (bend,) = bent_curves({"auto": weighed})
    assert bend["feature"] == "dose"
    assert len(bent_curves({"auto": weighed, "curved": curved})) == 1  # not twice


def test_deviations_of_many_features_have_no_intervals() -> None:
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(8), 40)
    for d, profiled in ((2, True), (13, False)):
        X = pd.DataFrame(rng.normal(size=(320, d))).rename(columns=str).assign(task=task)
        y = X["0"] * (1 + 0.3 * task) + task + rng.normal(size=320)
        model = MeanRegularizedRegressor("reml", task="task").fit(X, y)
        (table,) = mixed_tables({"mean-regularized": model})
        titles = [column.title for column in table.columns]
        assert ("p of no deviation" in titles) == profiled
        assert all(len(row) == len(table.columns) for row in table.rows)
    told = model.summary(profiles=False)
    assert told["deviation"].notna().all()
    assert told[["deviation_low", "deviation_high", "deviation_p"]].isna().all(axis=None)
