"""Verdicts about times to an event in the tables of R's survival package, beside coxph.

    python benchmarks/survival.py [lung veteran ...]

R with its survival package must be installed; the tables are read out of it and not kept. Models
are compared on the same five folds; "coxph" is R's model of common slopes and a baseline hazard per
task (`PooledSurvival(0)`, which has its coefficients to eight digits), and R tests slopes of tasks
by the likelihood ratio: coxph(y ~ x * task + strata(task)) against coxph(y ~ x + strata(task)).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pandas as pd

from polytask import PooledSurvival, TaskInterceptSurvival
from polytask.inspection import compare_tasks
from polytask.inspection.named_estimators import default_estimators
from polytask.tables import make_task_pipeline, make_task_table

TABLES = {  # made from, task, features
    "lung": (
        "transform(lung, event = status - 1)", "inst",
        ["age", "sex", "ph.ecog", "ph.karno", "pat.karno", "wt.loss"],
    ),
    "veteran": (
        "transform(veteran, event = status)", "celltype",
        ["trt", "karno", "diagtime", "age", "prior"],
    ),
    "rotterdam": (
        "transform(rotterdam, time = dtime, event = death, big = as.integer(size) - 1)", "year",
        ["age", "meno", "big", "grade", "nodes", "pgr", "er", "hormon", "chemo"],
    ),
    "colon": (
        "transform(subset(colon, etype == 2), event = status)", "extent",
        ["sex", "age", "obstruct", "perfor", "adhere", "nodes", "differ", "surg", "node4"],
    ),
    "rats": ("transform(rats, event = status, female = (sex == 'f') * 1)", "cage",
             ["rx", "female"]),
}  # fmt: skip
_R = """suppressMessages(library(survival))
d <- {made}
d$cage <- if ("litter" %in% names(d)) (d$litter - 1) %/% 10
d <- d[c("time", "event", "{task}", {features})]
write.csv(d, "{path}", row.names = FALSE, na = "")
for (x in c({features})) d[[x]][is.na(d[[x]])] <- mean(d[[x]], na.rm = TRUE)
d$g <- factor(d[["{task}"]])
x <- paste(c({features}), collapse = " + ")
one <- coxph(as.formula(paste("Surv(time, event) ~", x, "+ strata(g)")), d)
own <- suppressWarnings(
  coxph(as.formula(paste("Surv(time, event) ~ (", x, "):g + strata(g)")), d))
df <- sum(!is.na(coef(own))) - length(coef(one))
cat(pchisq(2 * (own$loglik[2] - one$loglik[2]), df, lower.tail = FALSE))
"""


def judged(name: str) -> dict[str, object]:
    """A row of the table."""
    made, task, features = TABLES[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        quoted = ", ".join(f"'{f}'" for f in features)
        script = _R.format(made=made, task=task, features=quoted, path=path)
        out = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True, check=True)
        rows = pd.read_csv(path)
    table = make_task_table(rows, task, "time", event="event", features=features)
    models = default_estimators("survival", task)
    models |= {"coxph": PooledSurvival(0.0, task=task, task_weight="size")}
    wrap = {n: make_task_pipeline(m, task, table.numeric, table.categorical)
            for n, m in models.items()}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = compare_tasks(wrap, table.X, table.y, task=task)
        frailty = TaskInterceptSurvival("reml", task=task).fit(
            *_prepared(wrap["single-task"], table)
        )
    by = found.models.set_index("name")
    gain = by.loc[found.verdict.focus if found.verdict.focus in by.index else "pooled"]
    shown = ("task-means", "single-task", "pooled", "mean-regularized", "task-intercept", "coxph")
    return {
        "table": name,
        "task": f"{task}, {found.data.tasks}",
        "rows": found.data.rows,
        "events": f"{table.y['event'].mean():.0%}",
        "verdict": found.verdict.label,
        "gain": f"{gain['gain']:+.1%} ({gain['gain_low']:+.1%} to {gain['gain_high']:+.1%})",
        "recommended": found.recommended.model,
        **{n: _or_none(by.loc[n, "partial_deviance_tasks"]) for n in shown},
        "concordance": f"{by.loc[found.recommended.model, 'concordance_rows']:.3f}",
        "integrated Brier": f"{by.loc[found.recommended.model, 'integrated_brier_rows']:.3f}",
        "frailty variance": f"{frailty.frailty_variance_:.3g}",
        "R: p of slopes": f"{float(out.stdout):.2g}",
    }


def _or_none(value: float) -> str:
    return f"{value:.3f}" if value == value else "fails: predictions are not finite"


def _prepared(pipeline: object, table: object) -> tuple[object, object]:
    fitted = pipeline[:-1].fit(table.X, table.y)  # type: ignore[index, attr-defined]
    return fitted.transform(table.X), table.y  # type: ignore[attr-defined]


def main(names: list[str]) -> None:
    """The table as Markdown, transposed."""
    frame = pd.DataFrame([judged(name) for name in names]).set_index("table").T
    print("|  | " + " | ".join(frame.columns) + " |")
    print("|---" * (len(frame.columns) + 1) + "|")
    for label, cells in frame.iterrows():
        print(f"| {label} | " + " | ".join(map(str, cells)) + " |")


if __name__ == "__main__":
    main(sys.argv[1:] or list(TABLES))
