"""Strengths of other packages: what they answered, on record, is what ours answers.

Records are made by the commands that they hold; MALSAR and RMTL run under Octave and R,
glmnet and lme4 under R.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso, MultiTaskLasso, Ridge

from polytask import JointFeaturesRegressor, MeanRegularizedRegressor
from polytask.models import formulations
from polytask.scales import SCALES, from_polytask, to_polytask
from tests.models.helpers import long_table

RECORD = json.loads(Path(__file__).with_name("record.json").read_text(encoding="utf-8"))
ANSWERS = {" ".join([a["package"], a["function"], a["more"]]): a for a in RECORD["answers"]}
STUCK = ("CMTL", "CASO")  # theirs may stop above the optimum that both have in common


def ours(
    package: str, function: str, Z: np.ndarray, y: np.ndarray, strengths: dict, **more: Any
) -> Any:
    options = to_polytask(package, function, np.bincount(Z[:, 0].astype(int)), **strengths)
    formulation = formulations()[str(options.pop("formulation"))]
    Model = formulation.classifier if len(np.unique(y)) == 2 else formulation.regressor
    takes = Model().get_params()  # type: ignore[misc]
    tol = {"tol": 1e-9} if "tol" in takes else {}
    options = {name: value for name, value in options.items() if name in takes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return Model(**options, **more, **tol, task=0).fit(Z, y)  # type: ignore[misc]


@pytest.mark.parametrize("name", ANSWERS)
def test_recorded_answers(name: str) -> None:
    known = ANSWERS[name]
    Z, y = (np.array(RECORD["rows"][key]) for key in ("Z", "y"))
    labels = known["function"].startswith("Logistic") or known["more"] == "Classification"
    y = np.where(y > 0, 1, -1) if labels else y
    fit = [
        ours(known["package"], known["function"], Z, y,
             {key: factor * value for key, value in known["strengths"].items()},
             **(known["ours"] or {}))
        for factor in (1.0, 2.0)
    ]  # fmt: skip
    W = np.array(known["W"])
    assert known["above"] > -1e-9, "our objective is nowhere above theirs"
    if known["above"] > 1e-6:
        assert name.split()[1].endswith(STUCK)
        return
    near, far = (np.abs(model.coef_ - W).max() for model in fit)
    assert near < 1e-2
    assert near < 0.5 * far, "twice the strengths are another answer"


@pytest.mark.parametrize("key", SCALES, ids=" ".join)
def test_there_and_back(key: tuple[str, str]) -> None:
    sizes = [10, 30, 20]
    names = [theirs for theirs, _ in SCALES[key].names]
    strengths = {name: 1.5 + i for i, name in enumerate(names)}
    options = to_polytask(*key, sizes, **strengths)
    numbers = {k: v for k, v in options.items() if isinstance(v, float)}
    assert from_polytask(*key, sizes, **numbers) == pytest.approx(strengths)
    assert options["formulation"] in formulations()


def test_scikit_learn_task_by_task() -> None:
    Z, y = long_table(sizes=(20, 20, 20))
    lasso = ours("scikit-learn", "Lasso", Z, y, {"alpha": 0.2})
    ridge = ours("scikit-learn", "Ridge", Z, y, {"alpha": 3.0})
    for i in range(3):
        mine = Z[:, 0] == i
        known = Lasso(0.2, tol=1e-12).fit(Z[mine, 1:], y[mine])
        assert_allclose(lasso.coef_[i], known.coef_, atol=1e-4)
        known = Ridge(3.0).fit(Z[mine, 1:], y[mine])
        assert_allclose(ridge.coef_[i], known.coef_, rtol=1e-8)


def test_scikit_learn_with_shared_rows() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(40, 5)), rng.normal(size=(40, 3))
    alpha = to_polytask("scikit-learn", "MultiTaskLasso", [40] * 3, alpha=0.1)["alpha"]
    found = JointFeaturesRegressor(alpha, tol=1e-12).fit(X, Y)  # type: ignore[arg-type]
    assert_allclose(found.coef_, MultiTaskLasso(0.1, tol=1e-12).fit(X, Y).coef_, atol=1e-5)


def test_names_that_are_not_known() -> None:
    with pytest.raises(ValueError, match=r"package must be one of MALSAR, .*; got 'malsar'"):
        to_polytask("malsar", "Least_L21", [3], rho1=1.0)
    with pytest.raises(ValueError, match=r"function must be one of CMTL, .*; got 'Dirty'"):
        from_polytask("RMTL", "Dirty", [3], alpha=1.0)
    with pytest.raises(ValueError, match="strengths of Least_L21 must be rho1; got rho2"):
        to_polytask("MALSAR", "Least_L21", [3], rho2=1.0)
    with pytest.raises(ValueError, match="Least_TGL must be given alpha_ridge"):
        from_polytask("MALSAR", "Least_TGL", [3], alpha=1.0)


PEERS = json.loads(Path(__file__).with_name("peers.json").read_text(encoding="utf-8"))


def known(name: str) -> np.ndarray:
    """A recorded answer: rows of intercept and slopes."""
    return np.array(PEERS["answers"][name])


def table(*names: str) -> list[np.ndarray]:
    """Recorded rows."""
    return [np.array(PEERS["rows"][name]) for name in names]


@pytest.mark.parametrize(("function", "kind"), [("lasso", "lasso"), ("ridge", "ridge")])
def test_glmnet_task_by_task(function: str, kind: str) -> None:
    Z, y = table("Z", "y")
    model, far = (ours("glmnet", function, Z, y, {"lambda_": size}) for size in (0.1, 0.2))
    found, other = (np.column_stack([m.intercept_, m.coef_]) for m in (model, far))
    recorded = np.array([known(f"{kind}{i}") for i in range(6)])
    assert_allclose(found, recorded, atol=1e-4)
    assert np.abs(other - recorded).max() > 0.01


@pytest.mark.parametrize("package", ["skglm", "glmnet"])
def test_one_table_for_all_tasks(package: str) -> None:
    X, Y = table("X", "Y")
    function = {"skglm": "MultiTaskLasso", "glmnet": "mgaussian"}[package]
    name = {"skglm": "alpha", "glmnet": "lambda_"}[package]
    alpha = to_polytask(package, function, [30] * 3, **{name: 0.1})["alpha"]
    model = JointFeaturesRegressor(alpha, alpha_intercept=0.0, tol=1e-12).fit(X, Y)  # type: ignore[arg-type]
    found = np.column_stack([model.intercept_, model.coef_])
    recorded = known({"skglm": "skglm", "glmnet": "mgaussian"}[package]).reshape(3, 6)
    assert_allclose(found, recorded, atol=1e-4)


def test_lme4_at_its_variances() -> None:
    Z, y = table("Z", "y")
    between, noise = known("variances")
    options = to_polytask("lme4", "lmer", [20] * 6, variance_ratio=noise / between)
    alpha = np.array([options["alpha"], 1e6, 1e6, 1e6])  # one slope deviates
    model = MeanRegularizedRegressor(
        alpha, alpha_common=0.0, alpha_intercept=1e6, task_weight="size", task=0
    ).fit(Z, y)
    found = np.column_stack([model.intercept_, model.coef_])
    assert_allclose(found, known("lmer").reshape(6, 5), atol=1e-4)
