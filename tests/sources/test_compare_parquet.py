"""A comparison that passes over its file says what one in memory says on the same folds."""

import importlib

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone

from polytask import (
    AutoMultiTaskRegressor,
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
from polytask.data.accumulate import FoldDealer, TaskIndex
from polytask.datasets import make_related_tasks
from polytask.inspection.compare_parquet import compare_parquet
from polytask.inspection.evidence import Evidence
from polytask.inspection.row_losses import row_loss_for
from polytask.inspection.statistics import FoldLosses
from polytask.inspection.verdict import decide
from polytask.model_selection.metrics import METRICS
from polytask.sources import source as source_module
from polytask.sources import sums_job
from polytask.sources.prepare import StreamPreparer
from polytask.sources.source import ParquetSource

FOLDS = 4
MODELS = {
    "regression": {
        "single-task": SingleTaskRegressor(task="task"),
        "pooled": PooledRegressor(task="task"),
        "task-intercept": TaskInterceptRegressor(task="task"),
        "mean-regularized": MeanRegularizedRegressor(task="task"),
        "low-rank": LowRankRegressor(0.02, task="task", tol=1e-12, max_iter=20_000),
    },
    "classification": {
        "single-task": SingleTaskClassifier(task="task", tol=1e-12),
        "pooled": PooledClassifier(task="task", tol=1e-12),
        "task-intercept": TaskInterceptClassifier(task="task", tol=1e-12),
        "mean-regularized": MeanRegularizedClassifier(task="task", tol=1e-12),
    },
}
STRENGTHS = ("alpha", "alpha_common", "alpha_intercept", "max_rank")


@pytest.fixture(autouse=True)
def small_partitions(monkeypatch):
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", 100)


class Streamed:
    """A comparison of a file, and the same folds on its rows in memory."""

    def __init__(self, folder, kind, n_tasks):
        self.kind, self.path = kind, folder / "rows.parquet"
        X, y, _ = make_related_tasks(
            n_tasks, 4, (10, 50), level=0.5, classification=kind == "classification", random_state=2
        )
        rng = np.random.default_rng(0)
        rows = X.assign(arm=rng.choice(["a", "b", "c"], len(y)), y=y)
        rows.loc[::9, "x0"] = np.nan
        lone = rows.iloc[:1].assign(task=99)
        rows = pd.concat([rows, lone]).sample(frac=1.0, random_state=0, ignore_index=True)
        self.rows = rows
        gaps = rows.iloc[:7].astype({"task": float, "y": float})
        gaps.loc[:3, "task"], gaps.loc[4:, "y"] = np.nan, np.nan
        pd.concat([gaps, rows]).to_parquet(self.path, row_group_size=60)
        self.prepare = StreamPreparer("task")
        self.told = []
        self.found = compare_parquet(
            MODELS[kind], self.path, task="task", target="y", prepare=self.prepare, cv=FOLDS,
            batch_rows=37, progress=lambda *words: self.told.append(words),
        )  # fmt: skip
        self.X = self.prepare.transform(rows.drop(columns="y"))
        self.y = rows["y"].to_numpy()
        self.fold = self._folds()
        self.losses = {name: self._losses(name) for name in MODELS[kind]}

    def _folds(self):
        source = ParquetSource.open(self.path, task="task", target="y", batch_rows=37,
                                    complete=True)  # fmt: skip
        index, out = TaskIndex(sorted(self.rows["task"].unique().tolist())), []
        dealer = FoldDealer(FOLDS)
        dealer.meet(index.names)
        for part in source.partitions:
            dealer.new_part(part.number)
            for batch in source.batches(part, features=False):
                out.append(dealer.cells(index.codes(batch.ids)[batch.local]) % FOLDS)
        return np.where(self.rows["task"] == 99, -1, np.concatenate(out))

    def _losses(self, name):
        """Row losses from fits in memory, at the strengths that the streamed fits chose."""
        told = self.found.comparison.folds
        loss = row_loss_for("", self.kind)
        out = np.full(len(self.y), np.nan)
        for k in range(FOLDS):
            fit = self.fits[name, k].model
            given = {n: getattr(fit, f"{n}_") for n in STRENGTHS if hasattr(fit, f"{n}_")}
            model = clone(fit).set_params(**given)
            train, test = self.fold != k, self.fold == k
            model.fit(self.X[train], self.y[train])
            if self.kind == "regression":
                f = model.predict(self.X[test])
            else:
                f = model.predict_proba(self.X[test])[:, 1]
            out[test] = loss.of(self.y[test].astype(float), f)
        assert set(told["name"]) == set(MODELS[self.kind])
        return out

    @property
    def fits(self):
        return FITS[self.kind]


FITS = {}


@pytest.fixture(scope="module", params=["regression", "classification"])
def streamed(request, tmp_path_factory):
    """The fits are kept as they are made: a comparison keeps those to all rows only."""
    module = importlib.import_module("polytask.inspection.compare_parquet")

    original = module.fit_folds
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_module, "_PARTITION_ROWS", 100)

        def keeping(estimators, *args):
            FITS[request.param] = original(estimators, *args)
            return FITS[request.param]

        patch.setattr(module, "fit_folds", keeping)
        yield Streamed(tmp_path_factory.mktemp(request.param), request.param, 14)


def test_losses_of_every_task_are_those_in_memory(streamed):
    tasks = np.unique(streamed.rows["task"])
    gains = streamed.found.comparison.gains
    for name, loss in streamed.losses.items():
        if name == "single-task":
            found = streamed.found.comparison.tasks["loss_baseline"].to_numpy(float)
        else:
            found = gains.loc[gains["name"] == name, "loss"].to_numpy(float)
        want = [np.nanmean(loss[streamed.rows["task"] == i]) if i != 99 else np.nan for i in tasks]
        assert_allclose(found, want, rtol=1e-8)


def test_the_verdict_and_its_intervals_are_those_of_the_row_losses(streamed):
    comparison = streamed.found.comparison
    ids, codes = np.unique(streamed.rows["task"], return_inverse=True)
    models = comparison.models.set_index("name")
    n_test = (streamed.fold >= 0).sum() / FOLDS
    inflation = len(streamed.y) / (len(streamed.y) - n_test)
    tested = [(0, np.flatnonzero(streamed.fold == k)) for k in range(FOLDS)]
    by_row = {name: loss[None] for name, loss in streamed.losses.items()}
    evidence = Evidence(
        streamed.losses, codes, len(ids), models["role"].to_dict(), models["title"].to_dict(),
        "single-task", inflation, 0.95, comparison.loss_title,
        FoldLosses.from_rows(by_row, tested, codes, len(ids)),
    )  # fmt: skip
    want = decide(evidence)
    got = comparison.verdict
    assert (got.label, got.model, got.focus, got.text) == (
        want.label, want.model, want.focus, want.text
    )  # fmt: skip
    for one, two in ((got.gain, want.gain), (got.gain_over_pooled, want.gain_over_pooled)):
        assert_allclose([one.value, one.low, one.high], [two.value, two.low, two.high], atol=1e-8)
    gains = comparison.gains[comparison.gains["name"] == got.focus]
    by_task = evidence.by_task(got.focus)
    for column in ("gain", "low", "high", "p", "q", "shrunken", "shrunken_low", "shrunken_high"):
        assert_allclose(gains[column].to_numpy(float), by_task[column], rtol=1e-6, atol=1e-9)


def test_metrics_are_those_of_the_predictions(streamed):
    comparison = streamed.found.comparison
    model = comparison.models.set_index("name").loc["pooled"]
    loss, scored = streamed.losses["pooled"], streamed.fold >= 0
    codes = np.unique(streamed.rows["task"], return_inverse=True)[1]
    y = streamed.y[scored].astype(float)
    if streamed.kind == "classification":
        assert_allclose(model["log_loss_rows"], np.nanmean(loss), rtol=1e-8)
        assert not {"auc_rows", "average_precision_tasks"} & set(comparison.metrics["column"])
        return
    off = np.sqrt(loss[scored])  # any prediction with these errors has these metrics
    for column in ("rmse_rows", "mae_rows", "explained_variance_rows",
                   "explained_variance_within_rows"):  # fmt: skip
        metric = METRICS[column.removesuffix("_rows")]
        want = metric.pooled(y, y - off, codes[scored])
        assert_allclose(model[column], want, rtol=1e-8)
    per_task = METRICS["rmse"].per_task(y, y - off, codes[scored])
    assert_allclose(model["rmse_tasks"], np.nanmean(per_task), rtol=1e-8)


def test_fits_to_all_rows_come_with_it(streamed):
    model = streamed.found.fitted["mean-regularized"]
    given = {n: getattr(model, f"{n}_") for n in STRENGTHS if hasattr(model, f"{n}_")}
    here = clone(model).set_params(**given).fit(streamed.X, streamed.y)
    assert_allclose(model.coef_, here.coef_, rtol=1e-7, atol=1e-9)


def test_what_was_done_is_told(streamed):
    comparison = streamed.found.comparison
    assert comparison.data.rows == len(streamed.rows)
    assert comparison.data.tasks_in_training_only == 1
    assert comparison.data.missing_cells == streamed.rows["x0"].isna().sum()
    assert comparison.data.features_with_missing == ("x0",)
    assert "not shuffl" in comparison.notes[0] or "without shuffling" in comparison.notes[0]
    assert "1 of 15 tasks have a single row" in comparison.notes[1]
    first = list(dict.fromkeys(what for what, _, _ in streamed.told))
    assert first[0] == "first look"
    assert first[-1] == "held-out losses"


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
    with pytest.raises(ValueError, match="cv must be 3 or more"):
        compare_parquet(models, path, cv=2, **options)
    with pytest.raises(ValueError, match="baseline must be one of"):
        compare_parquet(models, path, baseline="none", **options)
    classes = MODELS["classification"]
    X.assign(y=y > 0).to_parquet(path)
    with pytest.raises(ValueError, match=r"mean over rows; got 'auc_tasks'"):
        compare_parquet(classes, path, metric="auc", **options)
