"""MALSAR's squared losses under Octave beside ours, at School and at made data: processor time.

    python benchmarks/malsar_speed.py MALSAR_FOLDER [--sizes small,school] [--functions Least_Lasso]
        [--docs docs/speed.md] [--seconds 120]

Their time is that of their own stop, a relative change of the objective, at the loosest of 1e-4,
1e-5, ... with which their objective comes within 1e-6 of ours; ours ends by its duality gap, from
the rows to the coefficients. Everybody's objective is computed by `malsar.objective`. Functions
that need MALSAR's C files are named where those are not built (``mkoctfile --mex``).
"""

from __future__ import annotations

import argparse
import subprocess
import time
from pathlib import Path

import timed_fits  # sets the BLAS threads, so it comes before numpy  # isort: skip
import malsar
import numpy as np

TOL = 1e-6  # relative duality gap at which ours stops, and their excess that is enough
MARK = "<!-- figures of benchmarks/malsar_speed.py -->"
COLUMNS = ("function", "size", "ours ms", "MALSAR / ours", "its excess", "its tol")
HEAD = "\n".join((f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"))


def timed(case: malsar.Case, Z: np.ndarray, y: np.ndarray, repeats: int) -> float:
    """Median processor time of ours."""
    taken = []
    for _ in range(repeats):
        begin = time.process_time()
        malsar.fit_ours(case, Z, y, TOL)
        taken.append(time.process_time() - begin)
    return float(np.median(taken))


def line(
    case: malsar.Case, size: str, folder: Path, Z: np.ndarray, y: np.ndarray, limit: float
) -> str:
    """A row of the table."""
    model, _ = malsar.fit_ours(case, Z, y, TOL)
    ours = malsar.objective(model, Z, y, model.coef_, model.intercept_)
    seconds = timed(case, Z, y, 5)
    row = f"| {case.title or case.function.removeprefix('Least_')} | {size} | {1e3 * seconds:.3g} |"
    begin, told = time.monotonic(), " does not run | |"
    for power in range(4, 13):
        stop = f"struct('init', 2, 'tFlag', 1, 'tol', 1e-{power}, 'maxIter', 20000)"
        left = limit - (time.monotonic() - begin)
        try:
            found = malsar.malsar(case, folder, Z, y, stop, left)
        except subprocess.TimeoutExpired as late:
            told = told if "1e-" in told else f" not within {late.timeout:.0f} s | |"
            break
        except RuntimeError as error:
            print(error)
            break
        above = malsar.objective(model, Z, y, found["W"], found["b"]) / ours - 1.0
        told = f" {found['seconds'] / seconds:.3g} | {above:.0e} | 1e-{power}"
        if above <= TOL:
            break
        told = f" more than{told}"
    return f"{row}{told} |"


def merged(old: list[str], new: list[str]) -> list[str]:
    """The old rows, with new ones in the place of those of the same function and size."""
    rows = {}
    for text in [*old, *new]:
        function, size = (cell.strip() for cell in text.split("|")[1:3])
        rows[function, size] = text
    sizes = ["size", "---", "small", "school", "medium"]
    return sorted(rows.values(), key=lambda text: sizes.index(text.split("|")[2].strip()))


def main() -> None:
    """Print the table, and write it where the docs take it from."""
    parser = argparse.ArgumentParser()
    parser.add_argument("malsar", type=Path)
    parser.add_argument("--sizes", default="small,school")
    parser.add_argument("--functions", default="")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--docs", type=Path)
    asked = parser.parse_args()
    lines = HEAD.split("\n")
    for size in asked.sizes.split(","):
        X, y, code = timed_fits.make(size, 0, False)
        Z = np.column_stack([code, X])
        for case in malsar.cases(len(y), int(code.max()) + 1):
            wanted = asked.functions.split(",") if asked.functions else [case.function]
            if case.function.startswith("Least") and case.function in wanted:
                lines.append(line(case, size, asked.malsar, Z, y, asked.seconds))
                print(lines[-1], flush=True)
    if asked.docs:
        before, old, after = asked.docs.read_text().split(MARK)
        text = "\n".join(merged(old.strip().split("\n"), lines))
        asked.docs.write_text(f"{before}{MARK}\n\n{text}\n\n{MARK}{after}")


if __name__ == "__main__":
    main()
