"""Counts, shares and ordered levels by Laplace's approximation, as lme4, glmmTMB and ordinal do.

What they said is in laplace_results.json. The data are not ours to hand on: R writes them.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polytask import MultilevelRegressor
from tests.multilevel.test_lme4 import dummies, has_r

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "laplace_results.json").read_text("utf-8"))
EPIL = ["lbase", "progabide", "both", "lage", "V4"]
SPECIES = ["PR", "DM", "EC-A", "EC-L", "DES-L", "DF"]  # contrasts with GP, in the order of R's


def species(t):
    return pd.DataFrame({name: (t["spp"] == name) * 1.0 for name in SPECIES})


CASES = {  # name: (features, columns of ids, target, weight)
    "cbpp": (lambda t: dummies(t.astype({"period": str}), "period"), ["herd"], "share", "size"),
    "grouseticks": (lambda t: dummies(t.astype({"YEAR": str}), "YEAR").assign(height=t["height"]),
                    ["BROOD", "LOCATION"], "TICKS", None),
    "epil": (lambda t: t[EPIL], ["subject"], "y", None),
    "wine": (lambda t: dummies(t, "temp", "contact"), ["judge"], "rating", None),
    "salamanders_nb": (lambda t: species(t).assign(mined=(t["mined"] == "no") * 1.0), ["site"],
                       "count", None),
    "sleep": (lambda t: t[["Days"]], ["Subject"], "Reaction", None),
    "verbagg": (lambda t: t[["Anger"]].join(dummies(t, "Gender", "btype", "situ")), ["id"],
                "level", None),
}  # fmt: skip
CASES |= {f"{name}_nb": CASES[name] for name in ("epil", "grouseticks")}


def loss_of(name):
    """The kind of target; of dispersion, shape and thresholds nothing is given."""
    if name.endswith("_nb"):
        return "negative_binomial"
    kinds = {"wine": "ordinal", "verbagg": "ordinal", "cbpp": "binomial", "sleep": "gamma"}
    return kinds.get(name, "poisson")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not has_r("lme4 glmmTMB ordinal MASS"):
        pytest.skip("needs Rscript with lme4, glmmTMB and ordinal (Debian's r-cran-…)")
    folder = tmp_path_factory.mktemp("laplace")
    command = ["Rscript", HERE / "laplace_reference.R", folder]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_as_the_field_says(folder, name):
    """The likelihood to 1e-4, variances to 1e-4 of themselves, w0 to 1e-4."""
    table = pd.read_csv(folder / f"{name}.csv")
    features, ids, target, weight = CASES[name]
    if weight:
        table["share"] = table["incidence"] / table["size"]
    X = pd.concat([features(table), table[ids]], axis=1)
    n = None if weight is None else table[weight]
    model = MultilevelRegressor("ml", varying=[], alpha_common=0, loss=loss_of(name), task=ids)
    model.fit(X, table[target], sample_weight=n)
    known = KNOWN[name]
    assert model.log_likelihood_ == pytest.approx(known["likelihood"][0], abs=1e-4)
    variances = [model.variances_[grouping][-1] for grouping in ids]
    np.testing.assert_allclose(variances, known["variances"], rtol=1e-4)
    level = [] if "thresholds" in known else [model.common_intercept_]
    np.testing.assert_allclose([*level, *model.common_coef_], known["common"], atol=1e-4)
    own = {"theta": lambda r: [1 / r.dispersion], "shape": lambda r: [r.shape],
           "thresholds": lambda r: np.array(r.thresholds) - model.common_intercept_}  # fmt: skip
    for parameter in own.keys() & known.keys():
        found = own[parameter](model.response_)
        np.testing.assert_allclose(found, known[parameter], rtol=1e-3)


@pytest.mark.slow
def test_they_still_say_so(folder):
    found = json.loads((folder / "laplace.json").read_text("utf-8"))
    for name in CASES:
        assert found[name]["likelihood"] == pytest.approx(KNOWN[name]["likelihood"], abs=1e-5)
