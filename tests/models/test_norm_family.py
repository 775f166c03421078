"""What holds of every formulation with norms: its optimum by cvxpy, its zeros, its files."""

import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skops.io
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import polytask
from polytask import strength_path
from polytask.datasets import make_related_tasks
from polytask.models import estimators
from polytask.models._norm_base import NormBase
from polytask.models._signed_norms import SignedNorms
from polytask.models.paths import _prepared
from tests.models.helpers import ROLES, long_table
from tests.models.kin import FAST_ROLES, NEVER_ZERO, SQUARES
from tests.models.reference import norm_optimum

cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")

M = 4
LEVEL = 0.02


def absolute(B: Any) -> Any:
    return cp.sum(cp.abs(B))


def joint(B: Any) -> Any:
    return cp.sum(cp.norm(B, 2, axis=0))


def largest(B: Any) -> Any:
    return cp.sum(cp.max(cp.abs(B), axis=0))


def box(scale: float, floor: float, k: int) -> Callable[..., Any]:
    """scale tr(W' (floor I + M)^-1 W), and what M may be."""

    def penalty(W: Any, limits: list[Any]) -> Any:
        between = cp.Variable((M, M), PSD=True)
        limits += [cp.trace(between) == k, np.eye(M) - between >> 0]
        inner = floor * np.eye(M) + between
        return scale * cp.sum([cp.matrix_frac(W[:, j], inner) for j in range(W.shape[1])])

    return penalty


def limited(L: Any, S: Any, limits: list[Any]) -> Any:
    limits += [cp.normNuc(L) <= 2.0]
    return 0.03 * absolute(S)


def step(W: Any) -> Any:
    return W[1:] - W[:-1]


# stem: options, and the penalty in cvxpy's words
CASES: dict[str, tuple[dict[str, Any], Callable[..., Any] | None]] = {
    "LassoTasks": ({"alpha": 0.05}, lambda W: 0.05 * absolute(W)),
    "JointFeatures": ({"alpha": 0.05, "norm": "max"}, lambda W: 0.05 * largest(W)),
    "ConcaveFeatures": ({"alpha": 0.05}, None),  # not convex
    "ConcaveFused": ({"alpha": 0.02, "alpha_difference": 0.02}, None),
    "SparseGroup": (
        {"alpha": 0.05, "l1_ratio": 0.3}, lambda W: 0.015 * absolute(W) + 0.035 * joint(W),
    ),
    "DirtyTasks": (
        {"alpha": 0.06, "alpha_own": 0.03}, lambda P, Q: 0.06 * largest(P) + 0.03 * absolute(Q),
    ),
    "TreeGuided": (
        {"alpha": 0.02, "tree": [[0, 1], [2, [3]]], "leaf_ratio": 0.2},
        lambda W: 0.004 * absolute(W)
        + 0.016 * (joint(W[:2]) + joint(W[2:]) + joint(W[3:]) + joint(W)),
    ),
    "RobustLowRank": (
        {"alpha": 0.05, "alpha_outlier": 0.04},
        lambda L, S: 0.05 * cp.normNuc(L) + 0.04 * joint(S.T),
    ),
    "RobustFeatures": (
        {"alpha": 0.05, "alpha_outlier": 0.04}, lambda P, Q: 0.05 * joint(P) + 0.04 * joint(Q.T),
    ),
    "SparseLowRank": (
        {"alpha": 0.05, "alpha_sparse": 0.03},
        lambda L, S: 0.05 * cp.normNuc(L) + 0.03 * absolute(S),
    ),
    "SparseLimitedTrace": ({"alpha": 0.03, "max_trace": 2.0}, limited),
    "CalibratedFeatures": ({"alpha": 0.1}, lambda W: 0.1 * joint(W)),
    "TemporalFeatures": (
        {"alpha": 0.05, "alpha_difference": 0.1, "alpha_ridge": 0.02},
        lambda W: 0.05 * joint(W) + 0.1 * cp.sum_squares(step(W)) + 0.02 * cp.sum_squares(W),
    ),
    "FusedTasks": (
        {"alpha": 0.03, "alpha_difference": 0.02, "l1_ratio": 0.4},
        lambda W: 0.012 * absolute(W) + 0.018 * joint(W) + 0.02 * absolute(step(W)),
    ),
    "TaskClusters": (
        {"alpha": 0.1, "alpha_ridge": 0.03, "n_clusters": 2}, box(0.1 * 0.3 * 1.3, 0.3, 2),
    ),
    "SharedSubspace": (
        {"alpha": 0.1, "alpha_ridge": 0.03, "n_components": 1}, box(0.1 * 0.3 * 1.3, 0.3, 1),
    ),
    "TaskCovariance": ({"alpha": 0.02}, box(0.02, 0.0, 1)),
}  # fmt: skip
EVERY = pytest.mark.parametrize("stem", CASES)
CONVEX = pytest.mark.parametrize("stem", [stem for stem in CASES if CASES[stem][1]])


def make(stem: str, role: str = "Regressor", **more: Any) -> Any:
    if stem + role not in estimators():
        pytest.skip("the formulation is one of numbers only")
    if stem == "CalibratedFeatures":  # whose gap is not the square of a distance
        more.pop("tol", None)
    return estimators()[stem + role](**{**CASES[stem][0], "task": 0, **more})


def check_optimum(stem: str, role: str, seed: int, signs: Any = None) -> Any:
    Z, y = long_table(role, seed=seed)
    words = CASES[stem][1]
    assert words is not None
    limits: list[Any] = []
    takes = list(inspect.signature(words).parameters)
    n_parts = len([name for name in takes if name != "limits"])

    def penalty(*parts: Any) -> Any:
        if signs is not None:
            limits.extend(cp.multiply(np.tile(signs, (M, 1)), part) >= 0 for part in parts)
        return words(*parts, *([limits] if "limits" in takes else []))

    bound = {} if signs is None else {"monotonic_cst": signs}
    model = make(stem, role, alpha_intercept=LEVEL, tol=1e-9, **bound).fit(Z, y)
    floor = 1e-3 * (stem == "CalibratedFeatures")
    best = norm_optimum(Z, y, role, LEVEL, penalty, n_parts, limits, floor)
    assert model.objective_ == pytest.approx(best, rel=1e-6)
    assert model.gap_ <= model.tol
    assert model.certificate_ == "global"
    return model


def test_every_formulation_with_norms_is_tried() -> None:
    found = {name for name, Model in estimators().items() if issubclass(Model, NormBase)}
    assert {name.removesuffix(r) for r in ROLES for name in found if name.endswith(r)} == set(CASES)


@CONVEX
@pytest.mark.parametrize("role", ROLES)
def test_optimum_is_that_of_cvxpy(stem: str, role: str) -> None:
    check_optimum(stem, role, 0)


@pytest.mark.slow
@CONVEX
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("seed", range(1, 30))
def test_optima_of_more_problems(stem: str, role: str, seed: int) -> None:
    check_optimum(stem, role, seed)


SIGNED = [stem for stem in CASES if issubclass(estimators()[f"{stem}Regressor"], SignedNorms)]


@pytest.mark.parametrize("stem", [stem for stem in SIGNED if CASES[stem][1]])
@pytest.mark.parametrize("role", FAST_ROLES)
def test_signs_of_coefficients(stem: str, role: str) -> None:
    signs = np.array([1, 1, 0, -1])
    model = check_optimum(stem, role, 0, signs)
    assert (signs * model.coef_ >= 0).all()
    free = make(stem, role, alpha_intercept=LEVEL).fit(*long_table(role))
    assert (signs * free.coef_ < -1e-3).any(), "the bounds hold something back"


@pytest.mark.parametrize("stem", SIGNED)
def test_the_strength_from_which_all_is_zero_within_bounds(stem: str) -> None:
    Z, y = long_table()
    model = make(stem, alpha_intercept=0.0, tol=1e-10, monotonic_cst=-1)
    _, data, loss = _prepared(model, Z, y, None)
    names = [s for s in model.strengths if s.name not in NO_NORM]
    tops = {s.name: s.grid(model, data, loss)[0] for s in names}
    free = make(stem, alpha_intercept=0.0)
    assert all(tops[s.name] <= s.grid(free, data, loss)[0] for s in names)
    model.set_params(**{k: v for k, v in NO_NORM.items() if k in model.get_params()})
    assert not model.set_params(**tops).fit(Z, y).coef_.any()
    for name in tops:
        model.set_params(**tops | {name: 0.999 * tops[name]})
        assert (model.fit(Z, y).coef_ < 0).any()


@pytest.mark.parametrize("norm", ["l2", "max"])
def test_a_strength_is_chosen_within_bounds(norm: str) -> None:
    X, y, _ = make_related_tasks(n_tasks=3, n_features=3, random_state=0)
    Model = polytask.JointFeaturesRegressor
    model, small = (
        Model(norm=norm, task="task", monotonic_cst=[1, 0, 0]).fit(X, s * y) for s in (1.0, 1e-3)
    )
    assert model.alpha_ > 1e-6
    assert small.alpha_ == pytest.approx(1e-3 * model.alpha_, rel=1e-6)


def test_signs_by_name_and_what_is_refused() -> None:
    X, y, _ = make_related_tasks(n_tasks=3, n_features=3, random_state=0)
    model = polytask.LassoTasksRegressor(0.01, task="task", monotonic_cst={"x1": -1}).fit(X, y)
    assert (model.coef_[:, 1] <= 0).all()
    assert (model.coef_[:, 0] > 0).any()
    for value, words in (
        ({"x9": 1}, "monotonic_cst must name features of X; got 'x9'"),
        ([1, 0], "got shape"),
        (2, "got 2"),
        (["up", "down", "up"], "one of them for each"),
    ):
        with pytest.raises(ValueError, match=words):
            polytask.LassoTasksRegressor(0.01, task="task", monotonic_cst=value).fit(X, y)


@pytest.mark.parametrize("stem", sorted(set(CASES) - set(SIGNED)))
def test_norms_of_singular_values_refuse_signs(stem: str) -> None:
    with pytest.raises(ValueError, match=r"monotonic_cst must be None; got 1\. A norm of singular"):
        make(stem, monotonic_cst=1).fit(*long_table())


LIMITS = ("alpha_difference", "max_trace")  # beside which a large value leaves no one optimum
# Squares of norms are never quite zero.
NO_NORM = {"alpha_intercept": 0.0, "alpha_difference": 1e-9}  # makes no part zero


@pytest.mark.parametrize("stem", [stem for stem in CASES if stem not in NEVER_ZERO])
@pytest.mark.parametrize("role", FAST_ROLES)
def test_all_is_zero_from_the_computed_strengths_on(stem: str, role: str) -> None:
    """Each part has its own; with one of them just below, something is left."""
    Z, y = long_table(role)
    model = make(stem, role, alpha_intercept=0.0, tol=1e-10)
    _, data, loss = _prepared(model, Z, y, None)
    names = [s for s in model.strengths if s.name not in NO_NORM]
    tops = {s.name: s.grid(model, data, loss)[0] for s in names}
    model.set_params(**{k: v for k, v in NO_NORM.items() if k in model.get_params()})
    assert (model.set_params(**tops).fit(Z, y).coef_ == 0).all()
    for name in tops:
        model.set_params(**tops | {name: 0.999 * tops[name]})
        assert (model.fit(Z, y).coef_ != 0).any()


@EVERY
def test_a_path_begins_at_zero_and_ends_where_fits_do(stem: str) -> None:
    Z, y = long_table()
    model = make(stem, alpha="cv", alpha_intercept=0.0, tol=1e-8)  # gaps are of second order
    given = {s.name: 1e3 for s in model.strengths[1:-1] if s.name not in LIMITS}
    model.set_params(**{k: v for k, v in given.items() if stem not in SQUARES})
    path = strength_path(model, Z, y, n_alphas=6)
    assert (np.diff(path.alphas) < 0).all()
    assert (path.gaps <= model.tol).all()
    cold = clone(model).set_params(alpha=path.alphas[-1]).fit(Z, y)
    if cold.certificate_ == "global":
        assert_allclose(path.coefs[-1], cold.coef_, atol=1e-3)
        assert path.objectives[-1] == pytest.approx(cold.objective_, rel=1e-6)
    if stem not in (*NEVER_ZERO, "FusedTasks", "ConcaveFused"):
        assert [bool(coef.any()) for coef in path.coefs[:2]] == [False, True]


def test_a_path_is_of_norms() -> None:
    with pytest.raises(ValueError, match="strength_path: estimator must be of a formulation with"):
        strength_path(polytask.SingleTaskRegressor(), *long_table())


@EVERY
def test_it_survives_copies_and_files(stem: str) -> None:
    Z, y = long_table()
    model = make(stem)
    assert clone(model).get_params() == model.get_params()
    model.fit(Z, y)
    for back in (
        pickle.loads(pickle.dumps(model)),
        skops.io.loads(skops.io.dumps(model), trusted=polytask.TRUSTED_TYPES),
    ):
        assert_array_equal(back.predict(Z), model.predict(Z))


@EVERY
@pytest.mark.parametrize("value", [-1, 0, np.nan, "best"])
def test_strengths_are_positive(stem: str, value: object) -> None:
    names = [s.name for s in make(stem).strengths if s.name != "alpha_intercept"]
    for name in names:
        with pytest.raises(ValueError, match=f"'{name}' parameter of {stem}Regressor must be"):
            make(stem, **{name: value}).fit(*long_table())


def test_the_leading_strength_may_stand_first_and_nothing_else() -> None:
    assert polytask.DirtyTasksRegressor(0.1).alpha == 0.1
    with pytest.raises(TypeError, match="positional"):
        polytask.DirtyTasksRegressor(0.1, 0.2)
