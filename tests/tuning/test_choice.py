"""Grids, the search, and what `alpha="cv"` may not choose."""

import numpy as np
import pytest

from polytask import (
    LowRankRegressor,
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    PooledRegressor,
    SingleTaskRegressor,
    TaskInterceptRegressor,
)
from polytask.models import estimators
from polytask.models._norm_base import NormBase
from polytask.responses import Logistic, Squared
from polytask.solvers import select
from polytask.tuning import (
    KFoldRisk,
    choose,
    common_grid,
    deviation_grid,
    intercept_grid,
    one_by_one,
    with_zero,
)
from tests.solvers.helpers import make_data, mean_regularized, pooled, random_tasks


@pytest.fixture
def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return random_tasks(np.random.default_rng(0), [30, 8, 15], 5)


@pytest.mark.parametrize("grid", [deviation_grid, intercept_grid, common_grid])
def test_grids_go_down_and_scale_with_the_features(grid: object, table: tuple) -> None:
    X, y, ids = table
    a = grid(make_data(X, y, ids), Squared(), 9)  # type: ignore[operator]
    b = grid(make_data(10 * X, y, ids), Squared(), 9)  # type: ignore[operator]
    assert (np.diff(a) < 0).all()
    assert (a > 0).all()
    factor = 1.0 if grid is intercept_grid else 100.0
    np.testing.assert_allclose(b, factor * a, rtol=0.05)


def test_the_path_starts_where_tasks_are_pooled(table: tuple) -> None:
    X, y, ids = table
    data = make_data(X, y, ids)
    alpha = deviation_grid(data, Squared(), 5)[0]
    level = intercept_grid(data, Squared(), 5)[0]
    problem = mean_regularized(data, alpha, 0.0, level)
    joint = select(problem).solve(problem, None, 1e-8, 100).coefs
    one = pooled(data, 0.0)
    target = select(one).solve(one, None, 1e-8, 100).coefs
    np.testing.assert_allclose(joint, target, atol=5e-3 * np.abs(target).max())


def test_grids_of_constant_features() -> None:
    data = make_data(np.zeros((6, 2)), np.arange(6.0), np.repeat([0, 1], 3))
    for grid in (deviation_grid(data, Squared(), 5), common_grid(data, Squared(), 5)):
        assert (np.diff(grid) < 0).all()
        assert (grid > 0).all()
    assert with_zero(np.array([2.0, 1.0])).tolist() == [2.0, 1.0, 0.0]


def test_the_search_finds_the_minimum_and_asks_each_point_once() -> None:
    asked = []

    def risk(point: dict[str, float]) -> float:
        asked.append((point["a"], point["b"]))
        assert point["c"] == 7.0
        return (np.log(point["a"]) - 1) ** 2 + (np.log(point["b"]) + 0.5 * np.log(point["a"])) ** 2

    grids = {"a": np.logspace(3, -3, 25), "b": np.logspace(3, -3, 25)}
    choice = choose(one_by_one(risk), grids, {"c": 7.0}, rounds=10)
    assert len(asked) == len(set(asked))
    assert len(asked) < 25 * 25 / 2
    best = min((np.log(a) - 1) ** 2 + (np.log(b) + 0.5 * np.log(a)) ** 2
               for a in grids["a"] for b in grids["b"])  # fmt: skip
    assert choice.risk <= best + 0.3  # of grids alone; values between them come on top
    assert choice.strengths["c"] == 7.0
    assert np.isin(grids["a"], choice.path).all()
    assert (np.diff(choice.path) < 0).all()
    assert choice.risk == choice.risks.min()
    assert choice.path[choice.risks.argmin()] == choice.strengths["a"]


def test_a_sparing_search_ends_a_line_where_the_risk_is_clearly_above_the_least() -> None:
    grids = {"a": np.logspace(3, -3, 25), "b": np.logspace(3, -3, 25)}
    found = []
    for sparing in (False, True):
        asked: list[float] = []

        def risk(s: dict[str, float], asked: list[float] = asked) -> float:
            asked.append(1.0 + 0.02 * np.log(s["a"] / 3) ** 2 + 0.02 * np.log(s["b"] * s["a"]) ** 2)
            return asked[-1]

        choice = choose(one_by_one(risk), grids, {}, sparing=sparing)
        found.append((choice.risk, len(asked), sum(r > 1.6 for r in asked)))
    (risk_all, n_all, bad_all), (risk_few, n_few, bad_few) = found
    assert risk_few <= risk_all * (1.0 + 1e-4)
    assert n_few < 0.7 * n_all
    assert bad_few < 0.4 * bad_all


def test_the_search_leaves_a_valley_that_is_not_the_lowest() -> None:
    """With few rows weak strengths can be a valley of their own, where the middle may lie."""
    grids = {"a": np.arange(9.0)[::-1], "b": np.arange(9.0)[::-1]}

    def risk(s: dict) -> float:
        weak = 3.0 + (s["a"] - 2) ** 2 + (s["b"] - 2) ** 2
        strong = 1.0 + (s["a"] - 7) ** 2 + (s["b"] - 7) ** 2
        return min(weak, strong) + 0.5 * (s["a"] + s["b"] < 10)

    choice = choose(lambda points: [risk(s) for s in points], grids, {})
    assert choice.strengths == {"a": 7.0, "b": 7.0}


def test_of_equals_the_strongest_is_chosen() -> None:
    choice = choose(lambda points: np.ones(len(points)), {"a": np.array([8.0, 4.0, 2.0, 0.0])}, {})
    assert choice.strengths == {"a": 8.0}


def test_a_search_where_nothing_is_known_is_an_error() -> None:
    """The first value of the grid is no answer."""
    grids = {"alpha": np.array([9.0, 1.0]), "alpha_common": np.array([1.0, 0.0])}
    with pytest.raises(ValueError, match="no value of alpha and alpha_common has an estimated"):
        choose(lambda points: np.full(len(points), np.inf), grids, {})


def test_undefined_risks_are_not_chosen() -> None:
    choice = choose(
        one_by_one(lambda s: np.inf if s["a"] < 3 else 1 / s["a"]),
        {"a": np.array([9.0, 5.0, 1.0, 0.0])},
        {},
    )
    assert choice.strengths == {"a": 9.0}


def test_folds_keep_every_task_and_warm_starts_do_not_matter(table: tuple) -> None:
    X, y, ids = table
    data = make_data(X, (y > 0).astype(float), ids)
    risk = KFoldRisk(data, 4, 1e-9, 100)
    assert all((part.train.sizes > 0).all() for part in risk.parts)
    assert sum(len(part.weight) for part in risk.parts) == len(y)

    def at(alpha: float):
        return lambda d: mean_regularized(d, alpha, 1e-3, 0.1, Logistic())

    path = [risk(at(a)) for a in (10.0, 0.1, 1e-3)]
    fresh = [KFoldRisk(data, 4, 1e-9, 100)(at(a)) for a in (10.0, 0.1, 1e-3)]
    np.testing.assert_allclose(path, fresh, rtol=1e-6)


@pytest.mark.parametrize(
    "Model",
    [SingleTaskRegressor, PooledRegressor, TaskInterceptRegressor, MeanRegularizedRegressor],
)
@pytest.mark.parametrize(("n", "d"), [(4, 8), (8, 8), (9, 8), (12, 8)])
def test_cv_does_not_choose_interpolation(Model: type, n: int, d: int) -> None:
    """Noise alone, tasks about as long as wide: what is chosen may not be far above the mean."""
    rng = np.random.default_rng(n)
    ids = np.repeat(np.arange(6), n)
    X, y = rng.normal(size=(6 * n, d)), rng.normal(size=6 * n)
    model = Model(task=0).fit(np.column_stack([ids, X]), y)
    fresh = rng.normal(size=(3000, d))
    who = rng.integers(0, 6, 3000)
    error = (model.predict(np.column_stack([who, fresh])) ** 2).mean()
    assert error < 0.5, "variance of predictions where there is nothing to predict"


def test_cv_keeps_the_path_and_its_best_point(table: tuple) -> None:
    X, y, ids = table
    for model in (MeanRegularizedRegressor(task=0), MeanRegularizedClassifier(task=0)):
        target = y if isinstance(model, MeanRegularizedRegressor) else y > 0
        model.fit(np.column_stack([ids, X]), target)
        assert model.alpha_path_.shape == model.cv_scores_.shape
        assert (np.diff(model.alpha_path_) < 0).all()
        assert model.alpha_ in model.alpha_path_
        at = model.alpha_path_.tolist().index(model.alpha_)
        assert model.cv_scores_[at] >= model.cv_scores_.max() * (1 + 1e-5)


def test_given_strengths_are_kept_while_others_are_chosen(table: tuple) -> None:
    X, y, ids = table
    model = MeanRegularizedRegressor(task=0, alpha_common=0.3, alpha_intercept=0.7)
    model.fit(np.column_stack([ids, X]), y)
    assert (model.alpha_common_, model.alpha_intercept_) == (0.3, 0.7)
    given = {"alpha_common": 0.3, "alpha_intercept": 0.7, "task_weight": "size"}
    fixed = MeanRegularizedRegressor(model.alpha_, task=0, **given)
    fixed.fit(np.column_stack([ids, X]), y)
    np.testing.assert_array_equal(model.coef_, fixed.coef_)
    assert not hasattr(fixed, "alpha_path_")


def test_choice_ignores_units_of_features_and_target(table: tuple) -> None:
    X, y, ids = table
    a = MeanRegularizedRegressor(task=0).fit(np.column_stack([ids, X]), y)
    b = MeanRegularizedRegressor(task=0).fit(np.column_stack([ids, 1e3 * X]), 1e-2 * y)
    np.testing.assert_allclose(b.alpha_, 1e6 * a.alpha_, rtol=1e-6)
    np.testing.assert_allclose(b.coef_, 1e-5 * a.coef_, rtol=1e-6, atol=1e-12)


def test_chosen_strength_is_near_the_best_on_fresh_rows() -> None:
    """Related tasks of ten rows: the risk of the choice against the best of the path."""
    rng = np.random.default_rng(1)
    W = rng.normal(size=6) + 0.4 * rng.normal(size=(30, 6))
    ids = np.repeat(np.arange(30), 10)
    X = rng.normal(size=(300, 6))
    y = (X * W[ids]).sum(axis=1) + rng.normal(size=300)
    table, who = np.column_stack([ids, X]), rng.integers(0, 30, 4000)
    fresh = rng.normal(size=(4000, 6))

    def error(model: MeanRegularizedRegressor) -> float:
        model.fit(table, y)
        target = (fresh * W[who]).sum(axis=1)
        return float(((model.predict(np.column_stack([who, fresh])) - target) ** 2).mean())

    chosen = MeanRegularizedRegressor(task=0)
    found = error(chosen)
    best = min(error(MeanRegularizedRegressor(a, task=0)) for a in chosen.alpha_path_[::2])
    assert found < 1.15 * best


def test_a_grid_is_continued_as_long_as_the_risk_falls() -> None:
    grids = {"a": np.logspace(3, 0, 10), "b": np.array([1.0, 2.0, 3.0])}
    choice = choose(
        lambda points: [1 + np.log10(s["a"] / 1e-4) ** 2 + 1 / s["b"] for s in points], grids, {}
    )
    assert choice.strengths["a"] == pytest.approx(1e-4, rel=2.0)
    assert choice.strengths["b"] == 3.0  # goes up: its end is a limit
    assert (np.diff(choice.path) < 0).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # it says: scale them
@pytest.mark.parametrize("unit", [[1, 1, 5e3], [1e-3, 1, 1e9]])
def test_columns_of_other_units_cost_little(unit: list) -> None:
    """Grids of the largest column's scale left the others out: 2.18 for .49, low-rank."""
    rng = np.random.default_rng(1)
    ids = np.repeat(np.arange(12), 20)
    X, b = rng.normal(size=(240, 3)), rng.normal(size=(12, 4)) * [0.5, 0.3, 0.4, 0.8]
    truth = 1 + X @ [1, -2, 0.7] + (X * b[ids][:, :3]).sum(axis=1) + b[ids][:, 3]
    y = truth + rng.normal(size=240)

    def error(model: object, scale: list) -> float:
        table = np.column_stack([ids, X * scale])
        return float(np.sqrt(((model.fit(table, y).predict(table) - truth) ** 2).mean()))

    models = [MeanRegularizedRegressor(task=0), SingleTaskRegressor(task=0)]
    for model in [*models, LowRankRegressor(task=0)] if unit[2] < 1e6 else models:
        assert error(model, unit) < 1.15 * error(model, [1, 1, 1])
    if unit[2] > 1e6:
        with pytest.warns(UserWarning, match=r"standard deviations of a like size"):
            error(LowRankRegressor(task=0), unit)


NORMS = [name for name, M in estimators().items() if issubclass(M, NormBase) and "Reg" in name[-9:]]
DEAR = {*NORMS} - {"LassoTasksRegressor", "JointFeaturesRegressor"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # of weak strengths
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow if n in DEAR else ()) for n in NORMS]
)
def test_norms_see_columns_of_other_units(name: str) -> None:
    """Paths of norms ended where small columns begin: 1.13 for .32; too far apart is told."""
    rng = np.random.default_rng(3)
    ids = np.repeat(np.arange(6), 25)
    X = rng.normal(size=(150, 3))
    W = np.array([1, -1, 0.5]) + 0.3 * rng.normal(size=(6, 3))
    truth = (X * W[ids]).sum(axis=1) + 0.5 * rng.normal(size=6)[ids]
    y = truth + rng.normal(size=150)

    def error(unit: float) -> float:
        table = np.column_stack([ids, X * [unit, 1, 1]])
        found = estimators()[name](task=0).fit(table, y).predict(table)
        return float(np.sqrt(((found - truth) ** 2).mean()))

    assert error(1e3) < 1.15 * error(1.0)
    if name not in DEAR:
        with pytest.warns(UserWarning, match=r"standard deviations of a like size"):
            error(1e8)


def test_a_coarse_grid_gains_the_lowest_point_between_its_values() -> None:
    """A valley of one decade's width, between two values of a grid of decades."""
    asked: list[float] = []

    def risk(strengths: dict[str, float]) -> float:
        asked.append(strengths["alpha"])
        return 1.0 + (np.log10(strengths["alpha"]) - 0.4) ** 2

    choice = choose(one_by_one(risk), {"alpha": np.logspace(3, -3, 7)}, {})
    assert choice.strengths["alpha"] == pytest.approx(10**0.4, rel=1e-6)
    assert len(asked) == 8
    flat = choose(one_by_one(lambda s: 1.0 + 1e-3 * risk(s)), {"alpha": np.logspace(3, -3, 7)}, {})
    assert flat.strengths["alpha"] == pytest.approx(1.0)
