"""A comparison that passes over its file says what one in memory says, to rounding."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from polytask import (
    AutoMultiTaskRegressor,
    CurvedRegressor,
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    PooledClassifier,
    PooledRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
    TaskInterceptClassifier,
    TaskInterceptRegressor,
)
from polytask.datasets import make_related_tasks
from polytask.inspection import compare_parquet, compare_tasks, sample
from polytask.sources import source as source_module
from polytask.sources import sums_job
from polytask.sources.prepare import StreamPreparer

FOLDS = 4
MODELS = {
    "regression": {
        "single-task": SingleTaskRegressor(0.01, task="task"),
        "pooled": PooledRegressor(0.01, task="task"),
        "task-intercept": TaskInterceptRegressor(0.01, alpha_intercept=0.02, task="task"),
        "mean-regularized": MeanRegularizedRegressor(0.1, task="task"),
        "low-rank": LowRankRegressor(0.02, task="task", tol=1e-12, max_iter=20_000),
    },
    "classification": {
        "single-task": SingleTaskClassifier(0.01, task="task", tol=1e-12),
        "pooled": PooledClassifier(0.01, task="task", tol=1e-12),
        "task-intercept": TaskInterceptClassifier(
            0.01, alpha_intercept=0.02, task="task", tol=1e-12
        ),
        "mean-regularized": MeanRegularizedClassifier(0.05, task="task", tol=1e-12),
    },
}
TUNED = {
    "regression": {
        "single-task": SingleTaskRegressor(task="task"),
        "mean-regularized": MeanRegularizedRegressor(task="task"),
    },
    "classification": {
        "single-task": SingleTaskClassifier(task="task"),
        "mean-regularized": MeanRegularizedClassifier(task="task"),
    },
}


@pytest.fixture(autouse=True)
def small_partitions(monkeypatch):
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", 100)


def write_rows(folder, kind):
    """A table with gaps, a category, a task of one row, rows that cannot serve; and its rows."""
    X, y, _ = make_related_tasks(
        14, 4, (10, 50), level=0.5, classification=kind == "classification", random_state=2
    )
    rng = np.random.default_rng(0)
    rows = X.assign(arm=rng.choice(["a", "b", "c"], len(y)), y=y)
    rows.loc[::9, "x0"] = np.nan
    lone = rows.iloc[:1].assign(task=99)
    rows = pd.concat([rows, lone]).sample(frac=1.0, random_state=0, ignore_index=True)
    gaps = rows.iloc[:7].astype({"task": float, "y": float})
    gaps.loc[:3, "task"], gaps.loc[4:, "y"] = np.nan, np.nan
    pd.concat([gaps, rows]).to_parquet(folder / "rows.parquet", row_group_size=60)
    return folder / "rows.parquet", rows


@pytest.fixture(autouse=True, scope="module")
def rows_in_the_order_of_the_file():
    """By which files are dealt to folds: their rows are never all at hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sample, "row_order", lambda X, *_: np.arange(len(X)))
        yield


class Doors:
    """One table compared from its file and in memory, at given strengths."""

    def __init__(self, folder, kind):
        self.kind, self.told = kind, []
        self.path, self.rows = write_rows(folder, kind)
        self.prepare = StreamPreparer("task")
        self.streamed = compare_parquet(
            MODELS[kind], self.path, task="task", target="y", prepare=self.prepare, cv=FOLDS,
            batch_rows=37, random_state=3, progress=lambda *words: self.told.append(words),
        )  # fmt: skip
        self.X = self.prepare.transform(self.rows.drop(columns="y"))
        self.y = self.rows["y"]
        piped = {name: make_pipeline(self.prepare, model) for name, model in MODELS[kind].items()}
        rows = self.rows.drop(columns="y")
        self.here = compare_tasks(piped, rows, self.y, task="task", cv=FOLDS, random_state=3)


@pytest.fixture(scope="module", params=["regression", "classification"])
def doors(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_module, "_PARTITION_ROWS", 100)
        yield Doors(tmp_path_factory.mktemp(request.param), request.param)


RANKS = {"auc_tasks", "auc_rows", "average_precision_tasks", "average_precision_rows"}


def assert_same_frame(one, two):
    """Equal words, and numbers to rounding; what only rows can give is in the first alone."""
    assert set(one.columns) - set(two.columns) <= RANKS
    for column in set(two.columns) - {"seconds"}:
        if pd.api.types.is_float_dtype(two[column]):
            assert_allclose(one[column], two[column], rtol=1e-6, atol=1e-9, err_msg=column)
        else:
            assert one[column].tolist() == two[column].tolist(), column


def assert_same_comparison(one, two):
    """One in memory, and one that cannot look at the order of rows."""
    assert one.verdict.text == two.verdict.text
    assert one.verdict.label == two.verdict.label
    for name in ("gain", "gain_over_pooled"):
        gains = (getattr(found.verdict, name) for found in (one, two))
        assert_allclose(*([g.value, g.low, g.high, g.p] for g in gains), rtol=1e-6, atol=1e-9)
    for name in ("models", "folds", "tasks", "gains"):
        assert_same_frame(getattr(one, name), getattr(two, name))
    assert one.provenance.splitter == two.provenance.splitter
    assert one.provenance.method == two.provenance.method
    assert one.data.rows_max == two.data.rows_max
    assert one.data.positive_share == two.data.positive_share


def test_memory_and_stream_say_the_same(doors):
    """Scaling and the filling of gaps are learned in each training part, by a Pipeline or here."""
    assert_same_comparison(doors.here, doors.streamed.comparison)


@pytest.mark.parametrize(("rows", "partition"), [(1000, 10_000), (23, 50)])
def test_row_groups_and_partitions_change_nothing(doors, tmp_path, monkeypatch, rows, partition):
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", partition)
    folder = tmp_path / "parts"
    folder.mkdir()
    for k, part in enumerate((doors.rows[:150], doors.rows[150:])):
        part.to_parquet(folder / f"{k}.parquet", row_group_size=rows)
    found = compare_parquet(
        MODELS[doors.kind], folder, task="task", target="y", prepare=StreamPreparer("task"),
        cv=FOLDS, random_state=3,
    ).comparison  # fmt: skip
    assert_same_comparison(doors.here, found)


def test_rows_count_by_their_weights(doors, tmp_path):
    """Some tasks' rows count half, the one of task 99 less than one; those of zero are wild."""
    rows, rng = doors.rows.copy(), np.random.default_rng(1)
    rows["w"] = rng.uniform(0.5, 2.0, len(rows)) * np.where(rows["task"] % 3, 1.0, 0.5)
    wild = rows[rows["task"] != 99].iloc[::8].assign(w=0.0)
    wild["y"] = wild["y"].max() if doors.kind == "classification" else 1e3
    path = tmp_path / "rows.parquet"
    pd.concat([wild, rows]).to_parquet(path, row_group_size=60)
    prepare = StreamPreparer("task")
    there = compare_parquet(
        MODELS[doors.kind], path, task="task", target="y", weights="w", prepare=prepare,
        cv=FOLDS, batch_rows=37, random_state=3,
    ).comparison  # fmt: skip
    piped = {name: make_pipeline(prepare, model) for name, model in MODELS[doors.kind].items()}
    here = compare_tasks(
        piped, rows.drop(columns=["y", "w"]), rows["y"], task="task", sample_weight=rows["w"],
        cv=FOLDS, random_state=3,
    )  # fmt: skip
    for name in ("models", "folds", "tasks", "gains"):  # only memory tries it without single rows
        assert_same_frame(getattr(here, name), getattr(there, name))
    for found in (here, there):
        assert found.verdict.text.endswith("Losses are weighted means.")
    plain, weighed = (c.tasks["loss_baseline"] for c in (doors.here, here))
    assert not np.allclose(plain, weighed, rtol=1e-3)


def test_chosen_strengths_lead_to_a_near_answer(doors):
    """In memory they are chosen by leave-one-out, here by the other folds."""
    here = compare_tasks(TUNED[doors.kind], doors.X, doors.y, task="task", cv=5)
    there = compare_parquet(
        TUNED[doors.kind], doors.path, task="task", target="y", prepare=doors.prepare, cv=5
    )
    one, two = (c.models.set_index("name")["metric"] for c in (here, there.comparison))
    assert_allclose(two[one.index], one, rtol=0.1)  # tasks of 10 to 50 rows say little of it
    assert here.folds["n_test"].tolist() == there.comparison.folds["n_test"].tolist()


def test_fits_to_all_rows_come_with_it(doors):
    model = doors.streamed.fitted["mean-regularized"]
    here = clone(model).fit(doors.X, doors.y)
    assert_allclose(model.coef_, here.coef_, rtol=1e-7, atol=1e-9)


def test_what_was_done_is_told(doors):
    comparison = doors.streamed.comparison
    assert comparison.data.rows == len(doors.rows)
    assert comparison.data.tasks_in_training_only == 1
    assert comparison.data.missing_cells == doors.rows["x0"].isna().sum()
    assert comparison.data.features_with_missing == ("x0",)
    assert "passed over, not loaded" in comparison.notes[0]
    assert "1 of 15 tasks have a single row" in comparison.notes[1]
    first = list(dict.fromkeys(what for what, _, _ in doors.told))
    assert first[0] == "first look"
    assert first[-1] == "held-out losses"


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_features_far_from_zero_and_models_without_an_intercept(tmp_path, kind):
    labels = kind == "classification"
    X, y, _ = make_related_tasks(12, 3, 40, classification=labels, random_state=1)
    X[["x0", "x1"]] += 100.0
    X.assign(y=y).to_parquet(tmp_path / "far.parquet", row_group_size=64)
    chosen = ("single-task", "pooled")
    models = {n: clone(MODELS[kind][n]) for n in chosen}
    models |= {f"{n}-0": clone(m).set_params(fit_intercept=False) for n, m in models.items()}
    y = pd.Series(y, name="y")
    here = compare_tasks(models, X, y, task="task", cv=3)
    there = compare_parquet(models, tmp_path / "far.parquet", task="task", target="y", cv=3)
    assert_same_comparison(here, there.comparison)


def test_labels_may_be_text_or_categories(tmp_path):
    X, y, _ = make_related_tasks(6, 3, 30, classification=True, random_state=1)
    found, models = [], {n: MODELS["classification"][n] for n in ("single-task", "pooled")}
    for k, kind in enumerate((str, "category")):
        path = tmp_path / f"{k}.parquet"
        labels = pd.Series(np.where(y == 1, "yes", "no")).astype(kind)
        X.assign(y=labels).to_parquet(path, row_group_size=64)
        found.append(compare_parquet(models, path, task="task", target="y", cv=3).comparison)
    here = compare_tasks(models, X, labels.astype(str).rename("y"), task="task", cv=3)
    for there in found:
        assert_same_comparison(here, there)
        assert there.data.classes == ("no", "yes")


def test_few_tasks_take_the_rows_as_the_unit(tmp_path):
    X, y, _ = make_related_tasks(5, 3, (30, 60), random_state=1)
    X.assign(y=y).to_parquet(tmp_path / "few.parquet", row_group_size=64)
    models = {n: MODELS["regression"][n] for n in ("single-task", "pooled")}
    found = compare_parquet(models, tmp_path / "few.parquet", task="task", target="y").comparison
    row = found.models.set_index("name").loc["pooled"]
    gains = found.gains
    # the variance of a mean over tasks of independent gains, tasks alike
    spread = gains["high"] - gains["gain"]
    assert row["gain_low"] < row["gain"] < row["gain_high"]
    assert (spread > 0).all()
    assert "these tasks only" in found.notes[-1]


def test_points_are_looked_at_in_parts_where_memory_is_short(monkeypatch, tmp_path):
    X, y, _ = make_related_tasks(6, 3, 30, classification=True, random_state=1)
    X.assign(y=y).to_parquet(tmp_path / "rows.parquet", row_group_size=64)
    models = {n: MODELS["classification"][n] for n in ("single-task", "pooled")}

    def losses():
        found = compare_parquet(models, tmp_path / "rows.parquet", task="task", target="y", cv=3)
        return found.comparison.tasks["loss_focus"]

    at_once = losses()
    monkeypatch.setattr(sums_job, "_MOST_NUMBERS", 6 * 4 * 4 * 2 * 3)
    assert_allclose(losses(), at_once, rtol=1e-10)


def test_what_cannot_be_streamed(tmp_path):
    X, y, _ = make_related_tasks(4, 3, 20, random_state=1)
    path = tmp_path / "rows.parquet"
    X.assign(y=y).to_parquet(path)
    models = {n: MODELS["regression"][n] for n in ("single-task", "pooled")}
    options = {"task": "task", "target": "y"}
    with pytest.raises(ValueError, match=r"'auto' needs all rows in memory"):
        compare_parquet({**models, "auto": AutoMultiTaskRegressor(task="task")}, path, **options)
    counts = SingleTaskRegressor(0.1, task="task", loss="poisson")
    with pytest.raises(ValueError, match=r"loss must be 'squared' .* got 'poisson' of 'counts'"):
        compare_parquet({**models, "counts": counts}, path, **options)
    with pytest.raises(ValueError, match="cv must be 3 or more"):
        compare_parquet(TUNED["regression"], path, cv=2, **options)
    with pytest.raises(ValueError, match="baseline must be one of"):
        compare_parquet(models, path, baseline="none", **options)
    curved = {**models, "curved": CurvedRegressor(task="task")}
    X.assign(y=y, w=1.0).to_parquet(path)
    with pytest.raises(ValueError, match=r"'curved' needs all rows in memory"):
        compare_parquet(curved, path, weights="w", **options)
    classes = MODELS["classification"]
    X.assign(y=y > 0).to_parquet(path)
    with pytest.raises(ValueError, match=r"mean over rows; got 'auc_tasks'"):
        compare_parquet(classes, path, metric="auc", **options)


def bent_rows(folder):
    """Twelve tasks whose curves differ; of few values, so that folds have the knots of all rows."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(12), 40)
    x, z = rng.integers(0, 8, size=(2, len(task))) / 7.0
    y = np.sin(5 * x) * (1 + 0.3 * rng.normal(size=12))[task] + z + 0.3 * rng.normal(size=len(task))
    rows = pd.DataFrame({"x": x, "z": z, "task": task, "y": y})
    rows.to_parquet(folder / "bent.parquet")
    return folder / "bent.parquet", rows


def test_curves_are_scored_beside_lines(tmp_path):
    path, rows = bent_rows(tmp_path)
    models = {
        "single-task": SingleTaskRegressor(0.01, task="task"),
        "reml": MeanRegularizedRegressor("reml", noise="common", task="task"),
        "curved": CurvedRegressor(task="task"),
    }
    there = compare_parquet(models, path, task="task", target="y", cv=FOLDS, random_state=3)
    X = rows.drop(columns="y")
    here = compare_tasks(models, X, rows["y"], task="task", cv=FOLDS, random_state=3)
    one, two = (c.models.set_index("name")["metric"] for c in (here, there.comparison))
    assert two.idxmin() == "curved"
    lines = ["single-task", "reml"]
    assert_allclose(two[lines], one[lines], rtol=1e-6)
    assert two["curved"] == pytest.approx(one["curved"], rel=1e-3)
    alone = CurvedRegressor(task="task").fit(X, rows["y"])
    assert_allclose(there.fitted["curved"].predict(X), alone.predict(X), atol=1e-4)


def test_curves_of_one_comparison_have_the_same_knots(tmp_path):
    path, _ = bent_rows(tmp_path)
    models = {
        "single-task": SingleTaskRegressor(0.01, task="task"),
        "few": CurvedRegressor(n_knots=4, task="task"),
        "many": CurvedRegressor(task="task"),
    }
    with pytest.raises(ValueError, match=r"curves of the same n_knots.*got \[4, 10\]"):
        compare_parquet(models, path, task="task", target="y")
