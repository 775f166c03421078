"""A frailty that the rows of a task share: R's survival, the definition, planted truth, limits."""

import pickle
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import skops.io
from scipy.optimize import minimize

import polytask
from polytask import SingleTaskSurvival, TaskInterceptSurvival
from tests.models.test_survival import clinics, partial_loss

# R 4.2.2, survival 3.5-3: coxph(Surv(t, e) ~ a + b + frailty(g, dist = "gauss", sparse = FALSE,
# eps = 1e-11), ties = ..., control = coxph.control(eps = 1e-12, iter.max = 100, outer.max = 200)):
# theta, coefficients of a and b, the first two frailties, standard errors of a and b
R = {
    "efron": (0.848755618733, [0.637221652508, -0.572543313610],
              [1.742666164791, 0.450449349181], [0.167275972636, 0.153058263406]),
    "breslow": (0.806645057563, [0.629312752337, -0.558392878977],
                [1.689453557911, 0.439563110838], [0.166663456018, 0.152090929692]),
}  # fmt: skip
ANEW = """
library(survival)
ask <- function(d, form, ties) {
  fit <- coxph(form, data = d, ties = ties,
               control = coxph.control(eps = 1e-12, iter.max = 100, outer.max = 200))
  k <- sum(!grepl("gauss", names(coef(fit))))
  found <- c(fit$history[[1]]$theta, coef(fit)[1:k], sqrt(diag(fit$var))[1:k])
  cat(format(found, digits = 14), "\n")
}
for (ties in c("efron", "breslow")) {
  ask(read.csv(commandArgs(TRUE)[1]),
      Surv(t, e) ~ a + b + frailty(g, dist = "gauss", sparse = FALSE, eps = 1e-11), ties)
  ask(kidney, Surv(time, status) ~ age + sex +
      frailty(id, dist = "gauss", sparse = FALSE, eps = 1e-11), ties)
  ask(transform(rats, female = (sex == "f") * 1), Surv(time, status) ~ rx + female +
      frailty(litter, dist = "gauss", sparse = FALSE, eps = 1e-11), ties)
}
write.csv(kidney[c("age", "sex", "id", "time", "status")], commandArgs(TRUE)[2], row.names = FALSE)
write.csv(transform(rats, female = (sex == "f") * 1)[c("rx", "female", "litter", "time", "status")],
          commandArgs(TRUE)[3], row.names = FALSE)
"""


def frail(m, n, variance, seed=0):
    rng = np.random.default_rng(seed)
    task, X = np.repeat(np.arange(m), n), rng.normal(size=(m * n, 2))
    hazard = np.exp(X @ [0.7, -0.5] + np.sqrt(variance) * rng.normal(size=m)[task])
    event, censored = rng.exponential(1 / hazard), rng.exponential(3.0, size=m * n)
    y = np.column_stack([np.minimum(event, censored), event <= censored])
    return np.column_stack([X, task]), y


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_the_variance_is_that_of_r(ties):
    X, y, _ = clinics(n=160, m=16)
    theta, coef, level, error = R[ties]
    model = TaskInterceptSurvival("reml", ties=ties, task=2).fit(X, y)
    assert model.frailty_variance_ == pytest.approx(theta, rel=1e-8)
    np.testing.assert_allclose(model.common_coef_, coef, rtol=1e-7)
    np.testing.assert_allclose(model.intercept_[:2], level, rtol=1e-7)
    np.testing.assert_allclose(np.sqrt(np.diag(model.common_covariance_)), error, rtol=1e-7)
    assert model.violation_ < 1e-8


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs R")
def test_r_says_so_anew(tmp_path):
    X, y, _ = clinics(n=160, m=16)
    table = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "g": X[:, 2], "t": y[:, 0], "e": y[:, 1]})
    files = [tmp_path / name for name in ("clinics.csv", "kidney.csv", "rats.csv")]
    table.to_csv(files[0], index=False)
    script = tmp_path / "frailty.R"
    script.write_text(ANEW)
    out = subprocess.run(
        ["Rscript", script, *files], capture_output=True, text=True, check=True
    ).stdout
    lines = iter(out.strip().splitlines())
    for ties in ("efron", "breslow"):
        for file in files:
            expected = np.array(next(lines).split(), dtype=float)
            rows = pd.read_csv(file)
            task = {"clinics.csv": "g", "kidney.csv": "id", "rats.csv": "litter"}[file.name]
            model = TaskInterceptSurvival("reml", ties=ties, task=task)
            model.fit(rows.iloc[:, :3], rows.iloc[:, 3:])
            error = np.sqrt(np.diag(model.common_covariance_))
            found = np.concatenate([[model.frailty_variance_], model.common_coef_, error])
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_given_strengths_are_the_optimum_of_the_objective():
    X, y, _ = clinics(n=60)
    task, (time, event) = X[:, 2].astype(int), y.T

    def objective(flat):
        f = X[:, :2] @ flat[:2] + flat[2:][task]
        loss = partial_loss(time, event, f) / 60
        return loss + 0.02 * flat[:2] @ flat[:2] + 0.05 * flat[2:] @ flat[2:]

    found = minimize(objective, np.zeros(6), method="BFGS", options={"gtol": 1e-8})
    model = TaskInterceptSurvival(0.02, alpha_intercept=0.05, ties="breslow", task=2).fit(X, y)
    assert model.objective_ == pytest.approx(found.fun, rel=1e-10)
    np.testing.assert_allclose(model.common_coef_, found.x[:2], atol=1e-5)
    np.testing.assert_allclose(model.intercept_, found.x[2:], atol=1e-5)


def test_planted_variances_are_found_and_none_is_zero():
    found = [
        TaskInterceptSurvival("reml", task=2).fit(*frail(50, 12, 0.5, seed)).frailty_variance_
        for seed in range(4)
    ]
    assert np.mean(found) == pytest.approx(0.5, abs=0.15)
    zero = [
        TaskInterceptSurvival("reml", task=2).fit(*frail(30, 8, 0.0, seed)).frailty_variance_
        for seed in range(6)
    ]
    assert 0.0 in zero
    assert max(zero) < 0.15


def test_strong_pull_is_one_model_without_tasks_and_curves_follow_the_frailty():
    X, y = frail(8, 15, 1.0)
    one = SingleTaskSurvival(0.01, task_weight="size").fit(X[:, :2], y)
    tied = TaskInterceptSurvival(0.01, alpha_intercept=1e7, task=2, unseen="common").fit(X, y)
    np.testing.assert_allclose(tied.common_coef_, one.coef_[0], atol=1e-6)
    times = [0.2, 0.8]
    np.testing.assert_allclose(
        tied.predict_survival(X, times), one.predict_survival(X[:, :2], times), atol=1e-6
    )
    model = TaskInterceptSurvival("reml", task=2, unseen="common").fit(X, y)
    at = np.column_stack([np.zeros((9, 2)), np.arange(9)])
    S = model.predict_survival(at, [0.5])[:, 0]
    order = np.argsort(np.append(model.intercept_, 0.0))
    assert (np.diff(S[order]) < 0).all()  # a larger hazard, a shorter life; task 8 has none
    ratio = np.log(S[:8]) / np.log(S[8])
    np.testing.assert_allclose(ratio, np.exp(model.intercept_), rtol=1e-9)


def test_chosen_strengths_beat_a_model_without_tasks():
    X, y = frail(20, 10, 1.5)
    model = TaskInterceptSurvival(task=2).fit(X, y)
    variance = 0.5 / (len(y) * model.alpha_intercept_)
    assert 0.2 < variance < 5
    assert len(model.alpha_path_) == len(model.cv_scores_)


def test_a_task_without_events_is_of_the_same_hazard():
    X, y = frail(8, 15, 1.0)
    y[X[:, 2] == 3, 1] = 0
    model = TaskInterceptSurvival("reml", task=2).fit(X, y)
    assert model.intercept_[3] == model.intercept_.min() < 0


def test_files_order_and_refusals(tmp_path):
    X, y = frail(6, 12, 1.0)
    model = TaskInterceptSurvival("reml", task=2).fit(X, y)
    skops.io.dump(model, tmp_path / "m.skops")
    read = skops.io.load(tmp_path / "m.skops", trusted=polytask.TRUSTED_TYPES)
    for other in (read, pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(
            other.predict_survival(X, [1.0]), model.predict_survival(X, [1.0])
        )
    order = np.random.default_rng(0).permutation(len(y))
    again = TaskInterceptSurvival("reml", task=2).fit(X[order], y[order])
    assert again.frailty_variance_ == pytest.approx(model.frailty_variance_, rel=1e-7)
    with pytest.raises(ValueError, match="must hold an event; all 72 rows are censored"):
        TaskInterceptSurvival("reml", task=2).fit(X, y * [1, 0])
    with pytest.raises(ValueError, match="alpha"):
        TaskInterceptSurvival("ml", task=2).fit(X, y)
