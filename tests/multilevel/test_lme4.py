"""The same models as lme4, on the data of its papers; what it said is in lme4_results.json.

The data are not ours to hand on: R writes them, so without R (and r-cran-lme4, r-cran-mlmrev) only
ScotsSec is fitted, which lies beside the repository.
"""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polytask import MultilevelClassifier, MultilevelRegressor

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "lme4_results.json").read_text("utf-8"))
PACKAGES = "lme4 nlme mlmRev MASS"


def has_r(packages=PACKAGES):
    if shutil.which("Rscript") is None:
        return False
    tried = " && ".join(f"requireNamespace('{name}', quietly=TRUE)" for name in packages.split())
    found = subprocess.run(["Rscript", "-e", f"quit(status = !({tried}))"], capture_output=True)
    return found.returncode == 0


def run_r(folder, *more):
    command = ["Rscript", HERE / "lme4_reference.R", folder, *more]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return json.loads((folder / "lme4.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    if not has_r():
        pytest.skip("needs Rscript with lme4, nlme and mlmRev (Debian's r-cran-lme4)")
    folder = tmp_path_factory.mktemp("lme4")
    return folder, run_r(folder)


def dummies(table, *names):
    return pd.get_dummies(table[list(names)], drop_first=True, dtype=float)


def squares(table, name):
    return pd.DataFrame({name: table[name], f"{name}2": table[name] ** 2})


LEVEL, BOTH = [], ["voltage", "voltage2"]
MODELS = {  # name: (features, columns of ids, target, parameters, variances as lme4 calls them)
    "Penicillin": (None, ["plate", "sample"], "diameter", {"task": ["plate", "sample"]},
                   {"plate (Intercept)": ("plate", -1), "sample (Intercept)": ("sample", -1)}),
    "Pastes": (None, ["batch", "cask"], "strength", {"task": "batch/cask"},
               {"batch (Intercept)": ("batch", -1), "cask:batch (Intercept)": ("batch/cask", -1)}),
    "Oats": (lambda t: dummies(t, "N"), ["B", "V"], "Y", {"task": "B/V"},
             {"B (Intercept)": ("B", -1), "V:B (Intercept)": ("B/V", -1)}),
    "Machines": (lambda t: dummies(t, "Machine"), ["Worker", "Machine"], "score",
                 {"task": "Worker/Machine"},
                 {"Worker (Intercept)": ("Worker", -1),
                  "Machine:Worker (Intercept)": ("Worker/Machine", -1)}),
    "Pixel": (lambda t: squares(t, "day"), ["Dog", "Side"], "pixel",
              {"task": "Dog/Side", "varying": {"Dog": ["day"]}, "covariance": "full"},
              {"Dog (Intercept)": ("Dog", -1), "Dog day": ("Dog", 0),
               "Dog:Side (Intercept)": ("Dog/Side", -1)}),
    "Wafer": (lambda t: squares(t, "voltage"), ["Wafer", "Site"], "current",
              {"task": "Wafer/Site", "varying": BOTH, "covariance": "diagonal"},
              {"Wafer.1 voltage": ("Wafer", 0), "Wafer I(voltage^2)": ("Wafer", 1),
               "Wafer.2 (Intercept)": ("Wafer", -1), "Wafer.Site.1 voltage": ("Wafer/Site", 0),
               "Wafer.Site I(voltage^2)": ("Wafer/Site", 1),
               "Wafer.Site.2 (Intercept)": ("Wafer/Site", -1)}),
    "ScotsSec": (lambda t: dummies(t, "sex").assign(verbal=t["verbal"]), ["primary", "second"],
                 "attain", {"task": ["primary", "second"]},
                 {"primary (Intercept)": ("primary", -1), "second (Intercept)": ("second", -1)}),
    "star": (lambda t: dummies(t.assign(gr=t["gr"].astype(str)), "gr", "cltype"),
             ["id", "tch", "sch"], "math", {"task": ["id", "tch", "sch"]},
             {f"{g} (Intercept)": (g, -1) for g in ("id", "tch", "sch")}),
    "InstEval": (None, ["s", "d"], "y", {"task": ["s", "d"]},
                 {f"{g} (Intercept)": (g, -1) for g in ("s", "d")}),
    "VerbAgg": (lambda t: dummies(t, "Gender", "btype", "situ").assign(Anger=t["Anger"]),
                ["id", "item"], "r2", {"task": ["id", "item"], "alpha": "ml"},
                {f"{g} (Intercept)": (g, -1) for g in ("id", "item")}),
}  # fmt: skip
SMALL = [name for name in MODELS if name not in ("star", "InstEval", "VerbAgg")]


def fitted(name, table):
    features, ids, target, parameters, _ = MODELS[name]
    X = table[ids] if features is None else pd.concat([features(table), table[ids]], axis=1)
    kind = MultilevelClassifier if name == "VerbAgg" else MultilevelRegressor
    return kind(**{"varying": LEVEL, "alpha_common": 0, **parameters}).fit(X, table[target])


def assert_as_lme4(name, model, known):
    """1e-5 in the criterion; variances to 1e-4, and where they are zero to 1e-4 of the noise."""
    assert model.deviance_ == pytest.approx(known["criterion"], abs=1e-5)
    noise = known.get("noise", 1.0)
    assert getattr(model, "noise_variance_", 1.0) == pytest.approx(noise, rel=1e-4)
    for theirs, (grouping, place) in MODELS[name][-1].items():
        ours = model.variances_[grouping][place]
        assert ours == pytest.approx(known["variances"][theirs], rel=1e-4, abs=1e-4 * noise)


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_reml_as_lme4_said(small, name):
    folder, _ = small
    assert_as_lme4(name, fitted(name, pd.read_csv(folder / f"{name}.csv")), KNOWN[name])


@pytest.mark.slow
def test_lme4_still_says_so(small):
    for name, found in small[1].items():
        if name != "versions":
            assert found["criterion"] == pytest.approx(KNOWN[name]["criterion"], abs=1e-5)


def test_scottish_schools_without_r(shared_data):
    table = pd.read_parquet(shared_data / "scotssec" / "data.parquet")
    table = table.rename(columns={"task": "primary", "target": "attain"})
    table["sex"] = np.where(table["female"] == 1, "F", "M")
    assert_as_lme4("ScotsSec", fitted("ScotsSec", table), KNOWN["ScotsSec"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["star", "InstEval", "VerbAgg"])
def test_large_ones_as_lme4_said(large, name):
    table = pd.read_csv(large / f"{name}.csv")
    assert_as_lme4(name, fitted(name, table), KNOWN[name])


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    if not has_r():
        pytest.skip("needs Rscript with lme4, nlme and mlmRev (Debian's r-cran-lme4)")
    folder = tmp_path_factory.mktemp("lme4_large")
    found = run_r(folder, "slow")
    for name in ("star", "InstEval", "VerbAgg"):
        assert found[name]["criterion"] == pytest.approx(KNOWN[name]["criterion"], abs=1e-5)
    return folder
