"""Fits of lme4, lmerTest and glmmTMB, recorded with their versions, and anew where R is present."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polytask import MeanRegularizedRegressor
from tests.reml.test_against_lme4 import DYESTUFF2, SLEEP, numbers

SCRIPT = Path(__file__).with_name("r") / "mixed.R"
RECORD = SCRIPT.with_suffix(".json")


def tables():
    """Sleepstudy with precisions w and counts k, and the dyestuff whose batches do not differ."""
    rng = np.random.default_rng(1)
    sleep = pd.DataFrame({
        "x": np.tile(np.arange(10.0), 18), "g": np.repeat(np.arange(18), 10), "y": numbers(SLEEP),
        "k": rng.integers(1, 4, 180),
    })  # fmt: skip
    dyestuff = pd.DataFrame({"y": numbers(DYESTUFF2), "g": np.repeat(np.arange(6), 5)})
    weighted = sleep.assign(w=rng.uniform(0.3, 3.0, 180))
    return {"sleep": sleep, "weighted": weighted, "dyestuff2": dyestuff}


def run_r(folder):
    """What the script prints: numbers by name."""
    for name, table in tables().items():
        table.to_csv(folder / f"{name}.csv", index=False)
    out = subprocess.run(
        ["Rscript", str(SCRIPT), str(folder)], capture_output=True, text=True, check=True
    )
    found: dict[str, list[float]] = {}
    for line in out.stdout.splitlines():
        name, _, value = line.split()
        found.setdefault(name, []).append(float(value))
    return found


@pytest.fixture(scope="module")
def recorded():
    return json.loads(RECORD.read_text())["numbers"]


def fit(covariance="diagonal", sample_weight=None, **kwargs):
    sleep = tables()["weighted"]
    model = MeanRegularizedRegressor(
        "reml", covariance=covariance, alpha_common=0, task="g", **kwargs
    )
    weight = None if sample_weight is None else sleep[sample_weight]
    return model.fit(sleep[["x", "g"]], sleep["y"], sample_weight=weight)


def level_first(values):
    return np.asarray(values)[::-1]


@pytest.mark.parametrize(
    ("name", "how"),
    [("full", {}), ("diagonal", {}), ("level", {"varying": []})],
)
def test_criterion_variances_and_degrees_of_freedom(recorded, name, how):
    model = fit("full" if name == "full" else "diagonal", **how)
    assert model.deviance_ == pytest.approx(recorded[f"{name}.criterion"][0], rel=1e-7)
    assert model.log_likelihood_ == -0.5 * model.deviance_
    assert model.aic_ == pytest.approx(recorded[f"{name}.aic"][0], rel=1e-7)
    assert model.bic_ == pytest.approx(recorded[f"{name}.bic"][0], rel=1e-7)
    table = model.summary()
    np.testing.assert_allclose(level_first(table["common"]), recorded[f"{name}.common"], rtol=1e-6)
    errors = level_first(table["standard_error"])
    np.testing.assert_allclose(errors, recorded[f"{name}.error"], rtol=1e-5)
    np.testing.assert_allclose(level_first(table["df"]), recorded[f"{name}.df"], rtol=1e-4)
    between = np.diag(model.deviation_covariance_)
    variances = [*level_first(between[between > 0]), model.noise_variance_]
    np.testing.assert_allclose(variances, recorded[f"{name}.variance"], rtol=1e-4)


def test_variances_of_zero_are_tested_at_the_boundary(recorded):
    """lmerTest's ranova has the same rise of the deviance, and twice the p-value."""
    from scipy import stats

    p = level_first(fit().summary()["deviation_p"])
    expected = 0.5 * stats.chi2.sf(recorded["drops.chi2"], 1)
    np.testing.assert_allclose(p, expected, rtol=1e-4)


def test_precisions_are_those_of_lme4(recorded):
    model = fit(sample_weight="w")
    mean = tables()["weighted"]["w"].mean()
    assert model.deviance_ == pytest.approx(recorded["weighted.criterion"][0], rel=1e-7)
    np.testing.assert_allclose(
        [model.common_intercept_, *model.common_coef_], recorded["weighted.common"], rtol=1e-5
    )
    variances = [
        *level_first(np.diag(model.deviation_covariance_)), mean * model.noise_variance_,
    ]  # fmt: skip
    np.testing.assert_allclose(variances, recorded["weighted.variance"], rtol=1e-4)
    df = level_first(model.summary()["df"])
    np.testing.assert_allclose(df, recorded["weighted.df"], rtol=1e-3)


def test_counts_are_those_of_glmm_tmb(recorded):
    model = fit(sample_weight="k", weights="count")
    assert model.noise_variance_ == pytest.approx(recorded["counted.noise"][0], rel=1e-3)
    np.testing.assert_allclose(
        [model.common_intercept_, *model.common_coef_], recorded["counted.common"], rtol=1e-4
    )
    variances = level_first(np.diag(model.deviation_covariance_))
    np.testing.assert_allclose(variances, recorded["counted.variance"], rtol=2e-3)


@pytest.mark.slow
def test_r_says_the_same_today(recorded, tmp_path):
    if shutil.which("Rscript") is None:
        pytest.skip("needs R")
    try:
        found = run_r(tmp_path)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"needs R's lme4, lmerTest and glmmTMB: {error.stderr[-200:]}")
    assert found.keys() == recorded.keys()
    for name, values in recorded.items():
        np.testing.assert_allclose(found[name], values, rtol=2e-3, err_msg=name)
