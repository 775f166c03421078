"""Fits of the released estimators whose answers are on record.

``python -m tests.golden.cases`` writes the record anew: only where an answer is meant to change,
and the CHANGELOG then says which and why.
"""

import json
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

import polytask
from polytask.datasets import load_exam

RECORD = Path(__file__).with_name("record.json")
STEMS = (
    "SingleTask", "Pooled", "TaskIntercept", "MeanRegularized", "LowRank", "ProjectedLowRank",
    "ProjectedMeanRegularized", "AutoMultiTask",
)  # fmt: skip
GIVEN = {
    "alpha": 0.02, "alpha_intercept": 0.005, "alpha_common": 0.001, "n_components": 2,
}  # fmt: skip
MORE = {  # options that a formulation has beside its strengths, by stem
    "MeanRegularized": [
        {"alpha": [0.5, 0.1, 0.02], "alpha_common": 0.001},
        {"alpha": "reml"},
        {"alpha": "reml", "covariance": "full"},
    ],
    "LowRank": [
        {"alpha": 0.02, "alpha_intercept": 0.005, "common": True},
        {"alpha": 0.0, "max_rank": 2},
        {"max_rank": "cv", "alpha": 0.01},
        {"penalty": "rank"},
    ],
    "ProjectedLowRank": [{"penalty": "rank", "alpha": 0.0, "n_components": 2}],
}


@cache
def tables() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """(Z, y) with the task in column 0: made here, and the first schools of the exam table."""
    rng = np.random.default_rng(7)
    sizes = [9, 30, 14, 21, 6]
    ids = np.repeat(np.arange(len(sizes)), sizes)
    X = rng.normal(size=(len(ids), 3)) * [1.0, 2.0, 0.5] + [0.0, 0.3, 0.0]
    W = rng.normal(size=3) + 0.5 * rng.normal(size=(len(sizes), 3))
    y = (X * W[ids]).sum(axis=1) + 0.5 * rng.normal(size=len(sizes))[ids]
    y += 0.7 * rng.normal(size=len(ids))
    exam = load_exam().query("school <= 6")
    Z = exam[["school", "standLRT"]].assign(
        girl=(exam["sex"] == "F") * 1.0, product=exam["standLRT"] * (exam["sex"] == "F")
    )
    return {
        "made": (np.column_stack([ids, X]), y),
        "exam": (Z.to_numpy(dtype=float), exam["normexam"].to_numpy()),
    }


def cases() -> Iterator[tuple[str, str, dict]]:
    """(table, estimator, options) of every fit on record."""
    for table in tables():
        for stem in STEMS:
            for role in ("Regressor", "Classifier"):
                Model = getattr(polytask, stem + role)
                takes = Model().get_params()
                given = {name: value for name, value in GIVEN.items() if name in takes}
                for options in [*([given] if given else []), {}, *MORE.get(stem, [])]:
                    yield table, stem + role, options


def label(case: tuple[str, str, dict]) -> str:
    """The case's name in the record."""
    table, name, options = case
    return " ".join([table, name, *(f"{key}={value}" for key, value in options.items())])


def answer(case: tuple[str, str, dict]) -> dict:
    """Coefficients, intercepts and strengths of the fit, to twelve digits; else what it says."""
    table, name, options = case
    Z, y = tables()[table]
    y = (y > np.median(y)).astype(int) if name.endswith("Classifier") else y
    Model = getattr(polytask, name)
    model = Model(task=0, **options)
    if "tol" in model.get_params():
        model.set_params(tol=1e-17 if "LowRank" in name else 1e-11)  # a gap is an error squared
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a tolerance next to rounding is not always met
        model.fit(Z, y)
    if table == "exam" and options.get("alpha") == 0.0:  # schools of one sex leave a choice
        return {"fitted": _digits(model._linear_predictor(Z))}
    found = {"coef_": model.coef_, "intercept_": model.intercept_}
    reml = options.get("alpha") == "reml"  # strengths are reciprocals of variances next to zero
    for kept in ("deviation_covariance_",) if reml else (*(f"{s}_" for s in GIVEN), "max_rank_"):
        if hasattr(model, kept):
            found[kept] = getattr(model, kept)
    return {key: _digits(value) for key, value in found.items()}


def chosen(options: dict) -> bool:
    """Whether the fit chooses strengths."""
    return "alpha" not in options or any(
        value in ("cv", "reml") for value in options.values() if isinstance(value, str)
    )


def _digits(value: object) -> object:
    rounded = [float(f"{v:.12g}") for v in np.ravel(value)]
    return rounded[0] if np.ndim(value) == 0 else rounded


if __name__ == "__main__":
    record = {label(case): answer(case) for case in cases()}
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in record.items())
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
