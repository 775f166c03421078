"""The trace norm beside single-task ridge and MALSAR: one table, contestants in turns.

    python benchmarks/trace_norm.py [--sizes small,medium,school] [--kinds squared,logistic]
        [--shares 0.1,0.02] [--repeats 5] [--seed 1] [--malsar FOLDER] [--no-path]

Ours stops by its own relative duality gap at 1e-6. MALSAR (files of Least_Trace, Logistic_Trace,
trace_projection, init_opts and multi_transpose in one folder, under Debian's octave) gets oracle
stopping: exactly the iterations until its objective is within 1 + 1e-6 of the optimum. `rel. diff`
is MALSAR's objective over ours, minus one, by one function. A path is 50 alphas over two decades.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import contestants_low_rank as field
import harness
import numpy as np


def measure(
    size: str, seed: int, classes: bool, share: float, repeats: int, malsar: Path | None, path: bool
) -> dict[str, object]:
    """One row: medians of runs that take turns."""
    asked = field.contestants(size, seed, classes, share, malsar)
    times: dict[str, list[float]] = {name: [] for name in [*asked.runs, "path", "malsar"]}
    answer = None
    for _ in range(repeats):
        for name, run in asked.runs.items():
            times[name].append(field.seconds(run))
        if path:
            times["path"].append(field.seconds(asked.path))
        if asked.malsar_seconds is not None:
            taken, answer = asked.malsar_seconds(False)
            times["malsar"].append(taken)
    ms = {name: 1e3 * float(np.median(t)) for name, t in times.items() if t}
    row: dict[str, object] = {"work": f"{size} {'logistic' if classes else 'squared'} {share}"}
    row |= {"ours ms": ms["ours"], "x STL": ms["ours"] / ms["STL"] if "STL" in ms else ""}
    row["path x STL"] = ms["path"] / ms["STL"] if "path" in ms and "STL" in ms else ""
    row["MALSAR ms"] = ms.get("malsar", "not given")
    row["MALSAR / ours"] = ms["malsar"] / ms["ours"] if "malsar" in ms else ""
    best = asked.objective(*asked.runs["ours"]())
    row["rel. diff"] = "" if answer is None else f"{asked.objective(*answer) / best - 1:.0e}"
    return row | {"gap": f"{asked.solution.gap:.0e}", "solver": asked.solution.solver}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", default="small,medium,school")
    parser.add_argument("--kinds", default="squared,logistic")
    parser.add_argument("--shares", default="0.1,0.02")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--malsar", type=Path, default=None)
    parser.add_argument("--no-path", action="store_true")
    asked = parser.parse_args()
    rows = [
        measure(
            size, asked.seed, kind == "logistic", float(share), asked.repeats, asked.malsar,
            not asked.no_path and kind == "squared",
        )
        for size in asked.sizes.split(",")
        for kind in asked.kinds.split(",")
        for share in asked.shares.split(",")
    ]  # fmt: skip
    print(harness.table(rows))


if __name__ == "__main__":
    main()
