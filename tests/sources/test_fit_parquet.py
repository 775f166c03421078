"""A fit to files is the fit to their rows, in memory that does not grow with them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from polytask import (
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    PooledClassifier,
    PooledRegressor,
    ProjectedLowRankRegressor,
    ProjectedMeanRegularizedRegressor,
    SingleTaskClassifier,
    SingleTaskRegressor,
    TaskInterceptClassifier,
    TaskInterceptRegressor,
    read_moments,
)
from polytask.datasets import make_related_tasks
from polytask.model_selection import TaskKFold
from polytask.sources import source as source_module
from tests.sources.conftest import summing_up

REGRESSORS = [
    SingleTaskRegressor(0.01),
    PooledRegressor(0.01, task_weight="size"),
    TaskInterceptRegressor(0.01, alpha_intercept=0.05),
    MeanRegularizedRegressor(0.02, alpha_common=0.001, alpha_intercept=0.005),
    LowRankRegressor(0.02),
    ProjectedLowRankRegressor(0.0, penalty="rank", n_components=2),
    ProjectedMeanRegularizedRegressor(0.02, n_components=2),
]
CLASSIFIERS = [
    SingleTaskClassifier(0.01, alpha_intercept=0.01),
    PooledClassifier(0.01, task_weight="size"),
    TaskInterceptClassifier(0.01, alpha_intercept=0.05),
    MeanRegularizedClassifier(0.02, alpha_common=0.001, alpha_intercept=0.005),
    MeanRegularizedClassifier(0.02, fit_intercept=False),
]


def rows_of(classification):
    X, y, _ = make_related_tasks(
        14, 4, (10, 50), level=0.5, classification=classification, random_state=2
    )
    return X.assign(y=y).sample(frac=1.0, random_state=0, ignore_index=True)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    rows = rows_of(classification=False)
    return write(tmp_path_factory.mktemp("numbers"), rows), rows.drop(columns="y"), rows["y"]


@pytest.fixture(scope="module")
def labels(tmp_path_factory):
    rows = rows_of(classification=True)
    return write(tmp_path_factory.mktemp("labels"), rows), rows.drop(columns="y"), rows["y"]


@pytest.fixture(autouse=True)
def small_partitions(monkeypatch):
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", 100)


def write(folder, rows):
    """Two files of several row groups."""
    half = len(rows) // 2
    rows[:half].to_parquet(folder / "a.parquet", row_group_size=60)
    rows[half:].to_parquet(folder / "b.parquet", row_group_size=45)
    return folder


def model_for(template):
    return template.__class__(**(template.get_params() | {"task": "task"}))


@pytest.mark.parametrize("template", REGRESSORS, ids=lambda m: type(m).__name__)
def test_regressor_equals_fit(numbers, template, way):
    folder, X, y = numbers
    here = model_for(template).fit(X, y)
    there = model_for(template).fit_parquet(folder, target="y", batch_rows=37)
    assert_allclose(there.coef_, here.coef_, rtol=1e-10)
    assert_allclose(there.predict(X), here.predict(X), rtol=1e-10)
    assert there.violation_ < max(1e-12, 2 * here.violation_)  # the low-rank ones stop on a gap
    assert not hasattr(there, "moments_")


@pytest.mark.parametrize("template", CLASSIFIERS, ids=lambda m: type(m).__name__)
def test_classifier_equals_fit(labels, template, way):
    folder, X, y = labels
    here = model_for(template).fit(X, y)
    there = model_for(template).fit_parquet(folder, target="y", batch_rows=37)
    assert_allclose(there.coef_, here.coef_, rtol=1e-6)
    assert_allclose(there.predict_proba(X), here.predict_proba(X), rtol=1e-6)
    assert_allclose(there.objective_, here.objective_, rtol=1e-10)
    assert_allclose(there.violation_, here.violation_, atol=1e-10)
    assert there.n_iter_ == here.n_iter_


@pytest.mark.usefixtures("summed")
def test_one_pass_for_each_newton_step(labels):
    folder, _, _ = labels
    told = []
    model = model_for(CLASSIFIERS[3])
    model.fit_parquet(folder, target="y", progress=lambda *news: told.append(news))
    passes = [what for what, done, total in told if done == total]
    assert passes == ["tasks and targets", "moments"] + ["newton step"] * model.n_iter_
    first = [done for what, done, _ in told if what == "tasks and targets"]
    assert first == sorted(first)


def test_few_rows_are_read_once(labels):
    folder, _, _ = labels
    told = []
    model = model_for(CLASSIFIERS[3])
    model.fit_parquet(folder, target="y", progress=lambda *news: told.append(news))
    assert [what for what, done, total in told if done == total] == ["rows"]


@pytest.mark.usefixtures("way")
def test_classes_may_be_text(labels, tmp_path):
    _, X, y = labels
    named = y.map({0: "no", 1: "yes"})
    X.assign(y=named).to_parquet(tmp_path / "rows.parquet")
    model = model_for(CLASSIFIERS[3])
    here = model.fit(X, y).predict(X)
    there = model.fit_parquet(tmp_path, target="y").predict(X)
    assert list(model.classes_) == ["no", "yes"]
    assert (there == pd.Series(here).map({0: "no", 1: "yes"}).to_numpy()).all()


@pytest.mark.parametrize("kind", ["text", "category", "int8"])
@pytest.mark.usefixtures("way")
def test_task_ids_of_any_type(numbers, tmp_path, kind):
    _, X, y = numbers
    ids = {"text": "school " + X["task"].astype(str), "category": X["task"].astype("category"),
           "int8": X["task"].astype("int8")}[kind]  # fmt: skip
    X = X.assign(task=ids)
    X.assign(y=y).to_parquet(tmp_path / "rows.parquet", row_group_size=50)
    here = model_for(REGRESSORS[3]).fit(X, y)
    there = model_for(REGRESSORS[3]).fit_parquet(tmp_path / "rows.parquet", target="y")
    assert list(there.tasks_) == list(here.tasks_)
    assert_allclose(there.predict(X), here.predict(X), rtol=1e-9)


@pytest.mark.parametrize("template", CLASSIFIERS[:4], ids=lambda m: type(m).__name__)
def test_strengths_of_a_classifier(labels, template):
    """The choice predicts about as well as that of `fit`."""
    folder, X, y = labels
    tasks = {"task": "task", "task_weight": "equal"}
    here = type(template)(**tasks).fit(X, y)
    with summing_up():
        there = type(template)(**tasks).fit_parquet(folder, target="y")
    assert len(there.cv_scores_) == len(there.alpha_path_)
    losses = [held_out(type(template), strengths_of(model), X, y) for model in (there, here)]
    assert losses[0] < 1.04 * losses[1]
    again = type(template)(**tasks, **strengths_of(there)).fit(X, y)
    assert_allclose(again.coef_, there.coef_, rtol=1e-6, atol=1e-9)


def strengths_of(model):
    return {n: getattr(model, f"{n}_") for n in model.get_params() if n.startswith("alpha")}


def held_out(kind, strengths, X, y):
    model = kind(task="task", **strengths)
    folds = TaskKFold(5, task="task", shuffle=True, random_state=0)
    return -cross_val_score(model, X, y, cv=folds, scoring="neg_log_loss").mean()


def test_moments_of_files_can_go_on(numbers):
    folder, X, y = numbers
    moments = read_moments(folder / "a.parquet", task="task", target="y")
    half = len(X) // 2
    model = model_for(REGRESSORS[3]).fit_moments(moments).partial_fit(X[half:], y[half:])
    assert_allclose(model.coef_, model_for(REGRESSORS[3]).fit(X, y).coef_, rtol=1e-9)


@pytest.mark.usefixtures("way")
def test_chosen_features_and_a_path_list(numbers):
    folder, X, y = numbers
    paths = [folder / "b.parquet", folder / "a.parquet"]
    model = PooledRegressor(0.1, task="task")
    there = model.fit_parquet(paths, target="y", features=["x2", "x0"]).coef_
    assert list(model.feature_names_in_) == ["x0", "x2", "task"]
    assert_allclose(there, model.fit(X[["x0", "x2", "task"]], y).coef_, rtol=1e-9)


@pytest.mark.parametrize("after", [1, 2])
@pytest.mark.usefixtures("way")
def test_an_interrupted_fit_leaves_the_estimator_as_it_was(numbers, labels, after):
    for folder, template in ((numbers[0], REGRESSORS[3]), (labels[0], CLASSIFIERS[3])):
        model, calls = model_for(template), []

        def stop(*news, calls=calls):
            calls.append(news)
            if len(calls) == after:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            model.fit_parquet(folder, target="y", progress=stop)
        assert set(vars(model)) == set(model.get_params())


@pytest.mark.usefixtures("way")
def test_mistakes_are_explained(numbers, labels, tmp_path):
    folder, X, y = numbers
    model = model_for(REGRESSORS[3])
    with pytest.raises(ValueError, match="target must be a column of the file; got 'z'"):
        model.fit_parquet(folder, target="z")
    with pytest.raises(FileNotFoundError, match="nothing found at"):
        model.fit_parquet(folder / "c.parquet", target="y")
    with pytest.raises(ValueError, match="task must be the name of a column"):
        MeanRegularizedRegressor(0.1, task=0).fit_parquet(folder, target="y")
    with pytest.raises(ValueError, match="different columns"):
        model.fit_parquet(folder, target="y", features=["x0", "y"])
    with pytest.raises(ValueError, match="batch_rows must be 1 or more"):
        model.fit_parquet(folder, target="y", batch_rows=0)
    with pytest.raises(ValueError, match=r"'x1' holds more than|Unknown label type"):
        model_for(CLASSIFIERS[3]).fit_parquet(folder, target="x1", features=["x0"])
    (tmp_path / "text.parquet").write_text("no parquet")
    with pytest.raises(ValueError, match="must be a Parquet file"):
        model.fit_parquet(tmp_path / "text.parquet", target="y")
    rows = X.assign(y=y)
    rows.assign(x1=X["x1"].where(X["x1"] > 0)).to_parquet(tmp_path / "holes.parquet")
    with pytest.raises(ValueError, match=r"NaN or infinity in column 'x1'.*StreamPreparer"):
        model.fit_parquet(tmp_path / "holes.parquet", target="y")
    rows.assign(sex="F").to_parquet(tmp_path / "text_column.parquet")
    with pytest.raises(ValueError, match=r"'sex'.*StreamPreparer"):
        model.fit_parquet(tmp_path / "text_column.parquet", target="y")
    rows.assign(task=X["task"].where(X["task"] > 0)).to_parquet(tmp_path / "no_id.parquet")
    with pytest.raises(ValueError, match="task ids must not be missing"):
        model.fit_parquet(tmp_path / "no_id.parquet", target="y")
    rows.rename(columns={"x0": "w"}).to_parquet(tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="same columns"):
        model.fit_parquet([folder / "a.parquet", tmp_path / "other.parquet"], target="y")
    assert not hasattr(model, "coef_")


def test_memory_does_not_grow_with_the_file(tmp_path):
    """Arrow's own pool sees what reading allocates; numpy's arrays are bounded by the layout."""
    rng = np.random.default_rng(0)
    peaks = []
    for groups in (2, 12):
        path = tmp_path / f"{groups}.parquet"
        columns = {f"x{j}": rng.normal(size=50_000) for j in range(4)}
        part = pa.table({**columns, "task": rng.integers(50, size=50_000), "y": columns["x0"]})
        with pq.ParquetWriter(path, part.schema, compression="none") as writer:
            for _ in range(groups):
                writer.write_table(part)
        seen = []
        source = source_module.ParquetSource.open(path, task="task", target="y", batch_rows=5000)
        for partition in source.partitions:
            for _ in source.batches(partition):
                seen.append(pa.total_allocated_bytes())
        peaks.append(max(seen))
    assert peaks[1] < 1.5 * peaks[0]
    assert peaks[1] < 12 * 50_000 * 6 * 8 / 4


@pytest.mark.parametrize("intercept", [True, False])
def test_counts_above_one_from_sums(intercept, rng, summed, tmp_path):
    """Their loss has a term y log y, which the sums that a search begins with do not tell."""
    X, task = rng.normal(size=(300, 2)), rng.integers(0, 4, 300)
    y = rng.poisson(np.exp(1.0 + X @ [0.6, -0.4])).astype(float)
    rows = pd.DataFrame(X, columns=["a", "b"]).assign(c=1.0 + 0.3 * X[:, 0], task=task)
    model = MeanRegularizedRegressor(
        0.01, alpha_common=0.001, loss="poisson", fit_intercept=intercept, task="task"
    )
    wanted = clone(model).fit(rows, y)
    path = write(tmp_path, rows.assign(y=y))
    found = model.fit_parquet(path, target="y", client=False)
    assert found.status_ == "solved"
    assert_allclose(found.coef_, wanted.coef_, rtol=1e-6)
    assert found.objective_ == pytest.approx(wanted.objective_, rel=1e-9)


def test_large_counts_without_an_intercept_choose_from_sums(summed):
    """At zero, where there is no level, the curvature of a count of thousands is one."""
    rng = np.random.default_rng(0)
    task, X = np.repeat(np.arange(8), 60), rng.normal(size=(480, 2))
    W = np.array([3.0, -1.5]) + 0.3 * rng.normal(size=(8, 2))
    y = rng.poisson(np.exp((X * W[task]).sum(axis=1))).astype(float)
    model = MeanRegularizedRegressor(task=2, loss="poisson", fit_intercept=False)
    model.fit(np.column_stack([X, task]), y)
    assert np.abs(model.coef_ - W).max() < 0.3


@pytest.mark.parametrize("alpha", [0.01, "cv"])
def test_amounts_from_sums(alpha, rng, summed, tmp_path):
    """Tasks of unequal sizes are padded, and zero is no amount."""
    X, task = rng.normal(size=(300, 2)), np.minimum(rng.integers(0, 7, 300), 4)
    y = rng.gamma(2.0, np.exp(X @ [0.6, -0.4] + 0.2 * task))
    rows = pd.DataFrame(X, columns=["a", "b"]).assign(task=task)
    model = PooledRegressor(alpha, loss="gamma", task="task", fit_intercept=True)
    path = write(tmp_path, rows.assign(y=y))
    found = clone(model).fit_parquet(path, target="y", client=False)
    wanted = model.set_params(alpha=found.alpha_).fit(rows, y)
    assert found.status_ == "solved"
    assert_allclose(found.coef_, wanted.coef_, rtol=1e-6)
    assert found.objective_ == pytest.approx(wanted.objective_, rel=1e-9)
