"""How often the verdicts and the labels of tasks are right, where the truth is known.

Related, partly related (30 % of the tasks are outliers) and unrelated worlds at 5, 20 and 80 rows
per task, drawn as in `calibration`: the true gains are known exactly, at the size that the folds
train on.

Printed per world and number of rows: the true overall gain; how often the verdict said so (right),
said that it cannot tell (open), or said the opposite (wrong); and of the tasks that were called
"gains" or "harmed" how many truly do. A gain of less than 1 % is none. Below, of the same draws,
what `calibration.measure` says of intervals and labels. A cell takes about two minutes.

With --real the verdicts on data sets in ../shared/data, where they are present.

Usage: python benchmarks/verdicts.py [--truths 20] [--draws 2] [--world related] [--rows 5 20 80]
       [--seed 0] [--real] [--keep FILE.json] [--docs docs/verdicts.md]

--keep gathers cells of this and of earlier runs; --docs writes all of them on the page.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent))
from calibration import JOINT, ROWS, WORLDS, Draws, measure, simulate
from pages import put

from polytask.inspection import Comparison, compare_tasks, default_estimators

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SPOKEN = {"single-task-best": -1, "joint-helps": 1, "pooling-suffices": 1}
LINEAR = ("single-task", "pooled", "task-intercept", JOINT)
MATTERS = 0.01
MARKS = [f"<!-- {part} of benchmarks/verdicts.py -->" for part in ("intervals", "verdicts")]
SHARES = ("gains", "harmed", "false", "task", "shrunken", "overall", "overall, such tasks")


class Cell(NamedTuple):
    """A world and number of rows, and its lines in the two tables of the page."""

    title: str
    lines: list[str]


def judge(found: list[Draws]) -> dict[str, Any]:
    """Verdicts and labels on the draws of a world against its truths."""
    rights: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    calls: list[tuple[np.ndarray, np.ndarray]] = []
    for draws in found:
        overall = draws.gain.mean() / draws.loss.mean()
        for comparison in draws.comparisons:
            verdicts[comparison.verdict.label] += 1
            rights[_standing(comparison, overall)] += 1
            mine = comparison.gains[comparison.gains["name"] == JOINT]
            calls.append((mine["label"].to_numpy(), draws.gain))
    gain = np.mean([d.gain.mean() for d in found]) / np.mean([d.loss.mean() for d in found])
    return {"gain": gain, "verdicts": verdicts, **rights, **_labels(calls)}


def _standing(found: Comparison, overall: float) -> str:
    said = SPOKEN.get(found.verdict.label, 0)
    if said == 0:
        return "right" if abs(overall) < MATTERS else "open"
    return "right" if said * overall > 0 else "wrong"


def _labels(calls: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, str]:
    label, true = (np.concatenate(parts) for parts in zip(*calls, strict=True))
    out = {}
    for name, sign in (("gains", 1), ("harmed", -1)):
        called = label == name
        right = int((called & (sign * true > 0)).sum())
        out[name] = f"{right} of {called.sum()}"
    return out


def on_worlds(worlds: Sequence[str], rows: Sequence[int], **size: int) -> Iterator[Cell]:
    """Print each world and number of rows, and yield what stands on the page."""
    head = f"{'world':<16}{'rows':>5}{'true gain':>11}{'right':>7}{'open':>6}{'wrong':>7}"
    print(f"{head}  {'gains: right':<14}{'harmed: right':<15}verdicts")
    for world in worlds:
        for n in rows:
            found = list(simulate(world, n, cv=5, **size))
            got, measured = judge(found), measure(found)
            counts = [str(got.get(k, 0)) for k in ("right", "open", "wrong")]
            said = ", ".join(f"{k} {v}" for k, v in got["verdicts"].most_common())
            gain = f"{100 * got['gain']:.1f} %"
            right, undecided, wrong = counts
            print(
                f"{world:<16}{n:>5}{gain:>11}{right:>7}{undecided:>6}{wrong:>7}"
                f"  {got['gains']:<14}{got['harmed']:<15}{said}"
            )
            print("    " + ", ".join(f"{k} {v:.3f}" for k, v in measured.items()), flush=True)
            shares = [f"{100 * measured[k]:.1f} %" for k in SHARES]
            errors = [f"{measured[k]:.3g}" for k in ("error", "error shrunken")]
            intervals = [f"{world}, {n}", gain, *shares, *errors]
            verdicts = [world, str(n), gain, *counts, got["gains"], got["harmed"], said]
            yield Cell(f"{world}, {n}", [" | ".join(cells) for cells in (intervals, verdicts)])


def write(page: Path, cells: dict[str, list[str]]) -> None:
    """Both tables of the page, in the order of worlds and rows."""
    heads = [
        "world, rows per task | true gain | called `gains` | called `harmed` | false discoveries "
        "| coverage, tasks | coverage, shrunken | coverage, overall (these tasks) "
        "| coverage, overall (such tasks) | error | error, shrunken",
        "world | rows per task | true gain | right | open | wrong | tasks called `gains`, right "
        "| called `harmed`, right | verdicts",
    ]
    known = [cells[f"{w}, {n}"] for w in WORLDS for n in ROWS if f"{w}, {n}" in cells]
    for k, (mark, head) in enumerate(zip(MARKS, heads, strict=True)):
        rule = "|".join("---" for _ in head.split(" | "))
        put(page, mark, [f"| {head} |", f"|{rule}|", *(f"| {lines[k]} |" for lines in known)])


def real_tables() -> dict[str, Any]:
    """Readers of real data sets: (features with the column task, target)."""

    def long(name: str, without: str = "-") -> tuple[pd.DataFrame, pd.Series]:
        frame = pd.read_parquet(DATA / name / "data.parquet")
        others = [c for c in frame if c.startswith(without) or c == "profile"]
        return frame.drop(columns=["target", *others]), frame["target"]

    def wide(
        name: str, file: str, labels: str, rows: int, features: int = 60
    ) -> tuple[pd.DataFrame, pd.Series]:
        frame = pd.read_parquet(DATA / name / file).sample(rows, random_state=0)
        names = [column for column in frame if str(column).startswith(labels)]
        inputs = frame.drop(columns=names).select_dtypes("number")
        inputs = inputs[inputs.var().sort_values(ascending=False).index[:features]]
        parts = []
        for column in names:
            known = frame[column].notna()
            part = inputs[known].assign(task=str(column), target=frame.loc[known, column])
            parts.append(part)
        table = pd.concat(parts, ignore_index=True)
        if table["target"].nunique() > 2:  # torques in units of their own
            by = table.groupby("task")["target"]
            table["target"] = (table["target"] - by.transform("mean")) / by.transform("std")
        return table.drop(columns="target"), table["target"]

    return {
        "school": lambda: long("school"),
        "computer_survey": lambda: long("computer_survey", "person_"),
        "landmine": lambda: long("landmine"),
        "sarcos, 300 rows a task": lambda: wide("sarcos", "wide.parquet", "torque", 300),
        "tox21, 1,000 molecules, 60 bits": lambda: wide("tox21", "data.parquet", "y_", 1000),
    }


def on_real_data() -> None:
    """Print the verdict on each data set."""
    for name, read in real_tables().items():
        if not (DATA / name.split(",")[0]).is_dir():
            print(f"\n{name}: not here")
            continue
        X, y = read()
        start = time.perf_counter()
        kind = "classification" if y.nunique() == 2 else "regression"
        models = default_estimators(kind, "task")
        models = {k: models[k] for k in LINEAR}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compare_tasks(models, X, y.rename("target"), task="task")
        print(f"\n{name} ({time.perf_counter() - start:.0f} s): {found.verdict.label}")
        print(found.verdict.text, flush=True)


def main() -> None:
    """Simulated worlds, or real data."""
    parser = argparse.ArgumentParser(description="How often verdicts and labels are right.")
    sizes = (("truths", 20), ("draws", 2), ("fresh", 30), ("tasks", 20), ("seed", 0))
    for name, default in sizes:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--world", nargs="*", choices=WORLDS, default=WORLDS)
    parser.add_argument("--rows", nargs="*", type=int, default=ROWS)
    parser.add_argument("--real", action="store_true", help="verdicts on real data sets instead")
    parser.add_argument("--keep", type=Path, help="file of cells, of this and of earlier runs")
    parser.add_argument("--docs", type=Path)
    given = vars(parser.parse_args())
    keep, docs = given.pop("keep"), given.pop("docs")
    warnings.simplefilter("ignore")
    if given.pop("real"):
        on_real_data()
    else:
        there = keep is not None and keep.exists()
        cells = json.loads(keep.read_text("utf-8")) if there else {}
        worlds, rows, m = given.pop("world"), given.pop("rows"), given.pop("tasks")
        for title, lines in on_worlds(worlds, rows, m=m, **given):
            cells[title] = lines
            if keep:
                keep.write_text(json.dumps(cells, indent=1), encoding="utf-8")
        if docs:
            write(docs, cells)


if __name__ == "__main__":
    main()
