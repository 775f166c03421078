"""The same rows give the same model in memory, from Parquet files and on a Dask cluster."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

import distributed
from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.datasets import make_related_tasks
from polytask.models import formulations
from polytask.models.doors import Doors
from polytask.sources import source as source_module
from tests.sources.conftest import summing_up

GIVEN = {"alpha": 0.02, "alpha_intercept": 0.01, "alpha_common": 0.001, "n_components": 2}
MODELS = {
    f"{name} {role}": getattr(formulation, role)
    for name, formulation in formulations().items()
    for role in ("regressor", "classifier")
    if getattr(formulation, role) is not None
}
LINEAR = {name: kind for name, kind in MODELS.items() if issubclass(kind, Doors)}


def given(kind):
    takes = kind().get_params()
    return {name: value for name, value in GIVEN.items() if name in takes}


SUMMED = {
    name: kind for name, kind in LINEAR.items() if kind(**given(kind))._why_not_sums() is None
}
CHOSEN = {name: kind for name, kind in LINEAR.items() if kind()._why_not_sums() is None}


def searched(names):
    """One classifier searches in the fast suite: the others' searches are those of regressors."""
    slow = {name for name in names if name.endswith(" classifier")} - {
        "mean-regularized classifier"
    }
    return [pytest.param(n, marks=pytest.mark.slow) if n in slow else n for n in names]


@pytest.fixture(scope="module")
def client():
    """One cluster of processes for all tests."""
    options = {"threads_per_worker": 1, "dashboard_address": ":0", "memory_limit": 0}
    with (
        distributed.LocalCluster(n_workers=2, processes=True, **options) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Rows in memory and in two files of several row groups, of numbers and of labels."""
    made = {}
    for role in ("regressor", "classifier"):
        X, y, _ = make_related_tasks(
            12, 4, (25, 60), level=0.5, classification=role == "classifier", random_state=1
        )
        rows = X.assign(y=y).sample(frac=1.0, random_state=0, ignore_index=True)
        folder = tmp_path_factory.mktemp(role)
        rows[:250].to_parquet(folder / "a.parquet", row_group_size=90)
        rows[250:].to_parquet(folder / "b.parquet", row_group_size=70)
        made[role] = folder, rows.drop(columns="y"), rows["y"]
    return made


def by_every_door(kind, tables, client, monkeypatch, **options):
    role = "classifier" if kind.__name__.endswith("Classifier") else "regressor"
    folder, X, y = tables[role]
    monkeypatch.setattr(source_module, "_PARTITION_ROWS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return (
            kind(task="task", **options).fit(X, y),
            kind(task="task", **options).fit_parquet(folder, target="y", client=False),
            kind(task="task", **options).fit_parquet(folder, target="y", client=client),
        )


def assert_same(models, rtol, of_strengths=1e-9):
    here, *others = models
    names = [s.name for s in here.strengths if hasattr(here, f"{s.name}_")]
    for there in others:
        assert_allclose(there.coef_, here.coef_, rtol=rtol, atol=rtol)
        assert_allclose(there.intercept_, here.intercept_, rtol=rtol, atol=rtol)
        assert list(there.feature_names_in_) == list(here.feature_names_in_)
        assert list(there.tasks_) == list(here.tasks_)
        for name in names:
            assert_allclose(
                getattr(there, f"{name}_"), getattr(here, f"{name}_"), rtol=of_strengths
            )


@pytest.mark.parametrize("name", LINEAR)
def test_at_given_strengths(name, tables, client, monkeypatch):
    kind = LINEAR[name]
    assert_same(by_every_door(kind, tables, client, monkeypatch, **given(kind)), 1e-12)


@pytest.mark.parametrize("name", searched(LINEAR))
def test_with_strengths_that_are_chosen(name, tables, client, monkeypatch):
    assert_same(by_every_door(LINEAR[name], tables, client, monkeypatch), 1e-12)


@pytest.mark.parametrize("name", SUMMED)
def test_at_given_strengths_from_sums(name, tables, client, monkeypatch):
    kind = SUMMED[name]
    with summing_up():
        models = by_every_door(kind, tables, client, monkeypatch, **given(kind))
    assert_same(models, 1e-6 if kind()._loss().is_quadratic else 1e-5)


@pytest.mark.parametrize("name", searched(CHOSEN))
def test_with_strengths_that_sums_choose(name, tables, client, monkeypatch):
    kind = CHOSEN[name]
    with summing_up():
        models = by_every_door(kind, tables, client, monkeypatch)
    assert_same(models, 1e-6 if kind()._loss().is_quadratic else 1e-5)


@pytest.mark.parametrize("loss", ["poisson", "huber", "huber(1.0, 1.5)"])
def test_other_losses(loss, tables, client, monkeypatch):
    options = {"loss": loss, **given(MeanRegularizedRegressor)}
    counts = {"regressor": (*tables["classifier"][:2], tables["classifier"][2].astype(float))}
    models = by_every_door(MeanRegularizedRegressor, counts, client, monkeypatch, **options)
    assert_same(models, 1e-12)
    if loss != "huber":
        with summing_up():
            models = by_every_door(MeanRegularizedRegressor, counts, client, monkeypatch, **options)
        assert_same(models, 1e-5)


@pytest.mark.parametrize("name", [name for name in LINEAR if name not in CHOSEN])
def test_a_sentence_where_sums_do_not_serve(name, tables):
    folder, _, _ = tables["classifier"]
    model = LINEAR[name](task="task")
    with summing_up(), pytest.raises(ValueError, match="must be given fewer rows where the model"):
        model.fit_parquet(folder, target="y", client=False)
    assert not hasattr(model, "coef_")


def test_a_sentence_for_what_needs_single_rows(tables):
    folder, _, _ = tables["classifier"]
    for model, reason in (
        (MeanRegularizedRegressor(loss="huber", task="task"), "learns from single rows"),
        (MeanRegularizedClassifier("reml", task="task"), "Laplace's approximation goes through"),
    ):
        with summing_up(), pytest.raises(ValueError, match=reason):
            model.fit_parquet(folder, target="y", client=False)


@pytest.mark.filterwarnings("ignore::polytask.mixed.doubts.DoubtWarning")
def test_variances_by_reml(tables, client, monkeypatch):
    models = by_every_door(MeanRegularizedRegressor, tables, client, monkeypatch, alpha="reml")
    assert_same(models, 1e-12)
    with summing_up():
        models = by_every_door(MeanRegularizedRegressor, tables, client, monkeypatch, alpha="reml")
    assert_same(models, 1e-5, of_strengths=1e-6)


def test_every_linear_formulation_was_tried():
    """All but the one that holds others, and those whose columns or ids only rows tell."""
    apart = {name.rsplit(" ", 1)[0] for name in set(MODELS) - set(LINEAR)}
    assert apart == {"auto", "curved", "multilevel", "shared-trees"}
    assert len(CHOSEN) < len(SUMMED) < len(LINEAR)


def test_the_rule_of_many_rows():
    from polytask.data.many import summed_up

    assert not summed_up(10_000, 20, 100)
    assert summed_up(1_000_000, 20, 100)
    assert not summed_up(100_000, 1_000, 100)
    assert np.all([not summed_up(20_000, 1_000, 100), summed_up(10**8, 1_000, 100)])
