"""What other kinds of target cost: beside our logistic fit, and beside lme4 and statsmodels.

    python benchmarks/kinds_speed.py [--large] [--docs docs/models/targets.md]

Ratios of processor time, A and B in turn, medians; every process has one thread. Poisson and the
multinomial loss stand beside the logistic loss on the same X, at given strengths. The mixed Poisson
model stands beside lme4's glmer and statsmodels' PoissonBayesMixedGLM (a variational fit, as its
likelihood has none) on simulated tables of the size of lme4's grouseticks, with ``--large`` also of
100 times it, and on grouseticks itself with the three groupings of lme4's own example. R must be
there, with lme4.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

import argparse  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from pages import put  # noqa: E402

from polytask import (  # noqa: E402
    MeanRegularizedClassifier,
    MeanRegularizedRegressor,
    MultilevelRegressor,
)

MARK = "<!-- figures of benchmarks/kinds_speed.py -->"
GLMER = """suppressMessages(library(lme4)); d <- read.csv(commandArgs(TRUE)[1])
t <- system.time(m <- glmer(y ~ a + b + height + (1 | brood), d, family = poisson))
cat(t[["user.self"]], -2 * as.numeric(logLik(m)), as.data.frame(VarCorr(m))$vcov)"""


OWN = """suppressMessages(library(lme4)); d <- transform(grouseticks, height = c(scale(HEIGHT)))
write.csv(d, commandArgs(TRUE)[1], row.names = FALSE)
t <- system.time(m <- glmer(TICKS ~ YEAR + height + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION), d,
                            family = poisson))
cat(t[["user.self"]])"""


def seconds(work: Callable[[], object]) -> float:
    """Processor time."""
    begun = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work()
    return time.process_time() - begun


def medians(a: Callable[[], object], b: Callable[[], object], times: int) -> tuple[float, float]:
    """Of both, in turn."""
    both = [(seconds(a), seconds(b)) for _ in range(times + 1)][1:]
    first, second = np.median(both, axis=0)
    return float(first), float(second)


def beside_logistic() -> list[tuple[str, ...]]:
    """100 tasks of 200 rows, 20 features."""
    rng = np.random.default_rng(0)
    task, X = np.repeat(np.arange(100), 200), rng.normal(size=(20_000, 20))
    W = 0.15 * rng.normal(size=20) + 0.1 * rng.normal(size=(100, 20))
    f = (X * W[task]).sum(axis=1)
    Z = np.column_stack([X, task])
    given = {"alpha": 0.01, "alpha_common": 0.001, "alpha_intercept": 0.005, "task": 20}
    label = rng.random(20_000) < 1 / (1 + np.exp(-f))
    count = rng.poisson(np.exp(f)).astype(float)
    logistic = lambda: MeanRegularizedClassifier(**given).fit(Z, label)  # noqa: E731
    poisson = lambda: MeanRegularizedRegressor(loss="poisson", **given).fit(Z, count)  # noqa: E731
    found = []
    a, b = medians(poisson, logistic, 5)
    found.append(("Poisson", "logistic, the same X", f"{a:.2f}", f"{b:.2f}", f"{a / b:.2f}"))
    for K in (3, 5):
        classes = (np.outer(f, np.linspace(-1, 1, K)) + rng.gumbel(size=(20_000, K))).argmax(axis=1)
        several = lambda y=classes: MeanRegularizedClassifier(**given).fit(Z, y)  # noqa: E731
        a, b = medians(several, logistic, 3)
        words = f"{a / b:.2f} ({a / b / K:.2f} a class)"
        found.append((f"{K} classes", "logistic, the same X", f"{a:.2f}", f"{b:.2f}", words))
    return found


def ticks(times: int) -> pd.DataFrame:
    """Counts on chicks in broods: 403 rows and 118 broods, or so many times more."""
    rng = np.random.default_rng(1)
    n, m = 403 * times, 118 * times
    brood, year = rng.integers(0, m, n), rng.integers(0, 3, n)
    table = pd.DataFrame(
        {"a": year == 1, "b": year == 2, "height": rng.normal(size=n)}, dtype=float
    )
    f = 0.5 + table @ [1.2, -1.0, -0.85] + rng.normal(size=m)[brood]
    return table.assign(brood=brood, y=rng.poisson(np.exp(f)))


def beside_mixed(times: int, folder: Path) -> list[tuple[str, ...]]:
    """One random intercept, maximum likelihood by Laplace's approximation."""
    from statsmodels.genmod.bayes_mixed_glm import PoissonBayesMixedGLM

    table = ticks(times)
    csv = folder / f"{times}.csv"
    table.to_csv(csv, index=False)
    ours = lambda: MultilevelRegressor(  # noqa: E731
        "ml", varying=[], alpha_common=0, loss="poisson", task="brood"
    ).fit(table.drop(columns="y"), table["y"])
    mine, theirs, bayes = [], [], []
    for _ in range(5 if times == 1 else 1):
        mine.append(seconds(ours))
        said = subprocess.run(["Rscript", "-e", GLMER, csv], capture_output=True, text=True,
                              check=True)  # fmt: skip
        theirs.append(float(said.stdout.split()[0]))
        if times == 1:
            formula = "y ~ a + b + height", {"brood": "0 + C(brood)"}
            model = PoissonBayesMixedGLM.from_formula(*formula, table)
            bayes.append(seconds(model.fit_vb))
    words, a = f"mixed Poisson, {len(table):,} rows", float(np.median(mine))
    found = []
    for name, each in (("lme4's glmer", theirs), ("statsmodels' fit_vb", bayes)):
        if each:
            b = float(np.median(each))
            found.append((words, name, f"{a:.2f}", f"{b:.2f}", f"{a / b:.3f}"))
    return found


def beside_own(folder: Path) -> list[tuple[str, ...]]:
    """The grouseticks themselves, with their three groupings."""
    csv, mine, theirs = folder / "own.csv", [], []
    for _ in range(5):
        said = subprocess.run(["Rscript", "-e", OWN, csv], capture_output=True, text=True,
                              check=True)  # fmt: skip
        theirs.append(float(said.stdout.split()[-1]))
        table = pd.read_csv(csv)
        groups = ["BROOD", "INDEX", "LOCATION"]
        X = pd.get_dummies(table["YEAR"].astype(str), drop_first=True, dtype=float)
        X = X.assign(height=table["height"], **{name: table[name] for name in groups})
        model = MultilevelRegressor("ml", varying=[], alpha_common=0, loss="poisson", task=groups)
        mine.append(seconds(lambda m=model, X=X, y=table["TICKS"]: m.fit(X, y)))
    a, b = float(np.median(mine)), float(np.median(theirs))
    words = "grouseticks, brood, chick and location"
    return [(words, "lme4's glmer", f"{a:.2f}", f"{b:.2f}", f"{a / b:.3f}")]


def main() -> None:
    """Print the table, or write it into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    found = beside_logistic()
    with tempfile.TemporaryDirectory() as folder:
        for times in (1, 100) if arguments.large else (1,):
            found += beside_mixed(times, Path(folder))
        found += beside_own(Path(folder))
    head = ("work", "beside", "ours, s", "theirs, s", "ratio")
    text = "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---",) * 5, *found))
    print(text)
    if arguments.docs is not None:
        put(arguments.docs, MARK, [text])


if __name__ == "__main__":
    main()
