"""What the choice costs that users wait for: tuned classifiers and weighted candidates.

    python benchmarks/choices.py [--turns 3] [--large] [--only labels] [--docs docs/speed.md]

A tuned classifier stands beside a fit at the strengths that it chose, and with many tasks of few
rows beside ``alpha="reml"`` on the same labels; ``--large`` adds 50,000 tasks, with the peak of
memory of the process. Weighted candidates stand beside the tuned fit of each of their own
candidates alone. Processor time, medians, contestants take turns.
"""

from __future__ import annotations

import harness  # sets the BLAS threads, so it comes before numpy  # isort: skip
import argparse
import resource
import warnings
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from pages import put
from timed_fits import make

from polytask import AutoMultiTaskRegressor, MeanRegularizedClassifier
from polytask.datasets import load_exam
from polytask.models._candidates import candidate

MARK = "<!-- figures of benchmarks/choices.py -->"
STRENGTHS = ("alpha", "alpha_common", "alpha_intercept")
FEW = {"few": (10_000, 4), "fewer": (50_000, 4)}  # tasks, rows of each


def labels(size: str) -> tuple[np.ndarray, np.ndarray]:
    """Columns with the task last, and labels of which about half are 1 in every task."""
    if size in FEW:
        m, n = FEW[size]
        rng = np.random.default_rng(0)
        X, code = rng.normal(size=(m * n, 5)), np.repeat(np.arange(m), n)
        W = rng.normal(size=5) + 0.5 * rng.normal(size=(m, 5))
        score = np.einsum("nd,nd->n", X, W[code]) + 0.7 * rng.normal(size=m)[code]
        return np.column_stack([X, code]), (score + rng.logistic(size=m * n) > 0).astype(int)
    X, y, code = make(size, 0, full=False)
    middle = np.array([np.median(y[code == task]) for task in np.unique(code)])
    noise = np.random.default_rng(1).logistic(scale=0.5 * y.std(), size=len(y))
    return np.column_stack([X, code]), (y + noise > middle[code]).astype(int)


def classifier(size: str, turns: int) -> dict[str, object]:
    """The tuned fit of a size, and what it is measured by."""
    X, y = labels(size)
    ours = MeanRegularizedClassifier(task=-1)
    if size in FEW:
        of, peer = 'a fit with alpha="reml"', MeanRegularizedClassifier("reml", task=-1)
    else:
        of, found = "a fit at its strengths", MeanRegularizedClassifier(task=-1).fit(X, y)
        given = {name: getattr(found, f"{name}_") for name in STRENGTHS}
        peer = MeanRegularizedClassifier(task=-1).set_params(**given)
    times = harness.alternate(
        {"peer": lambda: peer.fit(X, y), "ours": lambda: ours.fit(X, y)}, turns
    )
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    return {
        "choice": f"tuned classifier, {size}",
        "rows": len(y),
        "s": times["ours"],
        "ratio": times["ours"] / times["peer"],
        "of": of,
    } | ({"peak MB": peak} if size == "fewer" else {})


def weighted(name: str, turns: int) -> dict[str, object]:
    """Weighted candidates of a table beside the slowest of their own."""
    if name == "exam":
        exam = load_exam()
        X = exam[["standLRT", "schavg", "school"]].to_numpy(float)
        y = exam["normexam"].to_numpy()
    else:
        X, y, code = make(name, 0, full=False)
        X = np.column_stack([X, code])
    found = AutoMultiTaskRegressor(task=-1).fit(X, y)
    alone = {
        n: candidate("choices", n, "regressor").set_params(task=-1)
        for n in [*found.candidates_, *found.left_out_]
    }
    contestants = {n: partial(model.fit, X, y) for n, model in alone.items()}
    times = harness.alternate(contestants | {"": partial(found.fit, X, y)}, turns)
    whole = times.pop("")
    slowest = max(times, key=lambda n: times[n])
    return {
        "choice": f"weighted candidates, {name}",
        "rows": len(y),
        "s": whole,
        "ratio": whole / times[slowest],
        "of": f"{slowest} alone",
    }


def main() -> None:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--only", choices=["labels", "candidates"])
    parser.add_argument("--docs", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    lines: list[dict[str, object]] = []
    if given.only != "candidates":
        for size in ("small", "school", "medium", "few"):
            lines.append(classifier(size, given.turns))
            print(lines[-1], flush=True)
    if given.only != "labels":
        for name in ("exam", "small", "school"):
            lines.append(weighted(name, given.turns))
            print(lines[-1], flush=True)
    if given.large:
        with get_context("spawn").Pool(1) as alone:  # a process of its own, whose peak it is
            lines.append(alone.apply(classifier, ("fewer", 1)))
    print(harness.table(lines))
    if given.docs:
        put(given.docs, MARK, harness.table(lines).split("\n"))


if __name__ == "__main__":
    main()
