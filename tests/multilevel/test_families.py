"""Counts, shares and ordered levels by Laplace's approximation, as lme4, glmmTMB and ordinal do.

What they said is in laplace_results.json. The data are not ours to hand on: R writes them.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaln, xlogy

from polytask import MultilevelRegressor
from polytask.responses import NegativeBinomial, Ordinal
from tests.multilevel.test_lme4 import dummies, has_r

HERE = Path(__file__).parent
KNOWN = json.loads((HERE / "laplace_results.json").read_text("utf-8"))
EPIL = ["lbase", "progabide", "both", "lage", "V4"]
CASES = {  # name: (features, columns of ids, target, weight)
    "cbpp": (lambda t: dummies(t.astype({"period": str}), "period"), ["herd"], "share", "size"),
    "grouseticks": (lambda t: dummies(t.astype({"YEAR": str}), "YEAR").assign(height=t["height"]),
                    ["BROOD", "LOCATION"], "TICKS", None),
    "epil": (lambda t: t[EPIL], ["subject"], "y", None),
    "wine": (lambda t: dummies(t, "temp", "contact"), ["judge"], "rating", None),
}  # fmt: skip
CASES |= {f"{name}_nb": CASES[name] for name in ("epil", "grouseticks")}


def loss_of(name):
    """The kind of target; what is learned of it is the peers', whose likelihood is of that too."""
    if name.endswith("_nb"):
        return NegativeBinomial(1 / KNOWN[name]["theta"][0])
    if name == "wine":
        return Ordinal((1, 2, 3, 4, 5), tuple(KNOWN["wine"]["thresholds"]))
    return "binomial" if name == "cbpp" else "poisson"


def beyond_f(name, y, n):
    """What the logarithm of the likelihood has that our loss has not: a term in y."""
    if name == "wine":
        return 0.0
    if name == "cbpp":
        return float((gammaln(n + 1) - gammaln(n * y + 1) - gammaln(n - n * y + 1)).sum())
    if not name.endswith("_nb"):
        return float((xlogy(y, y) - y - gammaln(y + 1)).sum())
    size = KNOWN[name]["theta"][0]
    best = xlogy(y, y) - (y + size) * np.log(y + size) + size * np.log(size)
    return float((gammaln(y + size) - gammaln(size) - gammaln(y + 1) + best).sum())


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
    likelihood = -0.5 * model.deviance_ + beyond_f(name, table[target], n)
    assert likelihood == pytest.approx(known["likelihood"][0], abs=1e-4)
    variances = [model.variances_[grouping][-1] for grouping in ids]
    np.testing.assert_allclose(variances, known["variances"], rtol=1e-4)
    common = np.append(model.common_intercept_, model.common_coef_)
    theirs = [0.0, *known["common"]] if name == "wine" else known["common"]
    np.testing.assert_allclose(common, theirs, atol=1e-4)


@pytest.mark.slow
def test_they_still_say_so(folder):
    found = json.loads((folder / "laplace.json").read_text("utf-8"))
    for name in CASES:
        assert found[name]["likelihood"] == pytest.approx(KNOWN[name]["likelihood"], abs=1e-5)
