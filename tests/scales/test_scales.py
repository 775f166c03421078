"""Strengths of other packages: what they answered, on record, is what ours answers.

The record is made by the command that it holds; MALSAR and RMTL run under Octave and R.
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

from polytask import JointFeaturesRegressor
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
