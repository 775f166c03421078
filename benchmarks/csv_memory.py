"""Peak memory and processor time of a command on a CSV file, beside reading it with pandas.

    python benchmarks/csv_memory.py [--megabytes 200 1000] [--tables numbers labels text]
        [--docs docs/scale.md]

Tables of 1,000 tasks: ``numbers`` has 20 features with six decimals, ``labels`` the same with a
target of two words, ``text`` 12 features, two columns of categories and text as ids. Every command
is a process of its own; its peak includes the interpreter and the libraries, some 220 MB. Rows
of the page that a run does not measure stay as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from pages import figures, put

TASKS, ROWS = 1000, 50_000
MARK = "<!-- figures of benchmarks/csv_memory.py -->"
HEAD = [
    "| table | command | file, MB | peak, MB | peak / file | CPU, s |",
    "|---|---|---|---|---|---|",
]
READING = "reading with pandas"
COMMANDS = {
    READING: [],
    "describe": ["describe"],
    "fit": ["fit", "--out", "model.skops"],
    "fit pooled": ["fit", "--model", "pooled", "--out", "model.skops"],
    "fit single-task": ["fit", "--model", "single-task", "--out", "model.skops"],
    "compare --fast": ["compare", "--fast", "--out", "report"],
}


def rows(kind: str, W: np.ndarray, rng: np.random.Generator) -> pa.Table:
    """Some rows of a table."""
    task, X = rng.integers(TASKS, size=ROWS), rng.normal(size=(ROWS, 20)).round(6)
    y = ((X * W[task]).sum(axis=1) + rng.normal(size=ROWS)).round(5)
    columns = {"task": task, **{f"x{j}": X[:, j] for j in range(20)}, "y": y}
    if kind == "labels":
        columns["y"] = np.where(y > 0, "yes", "no")
    if kind == "text":
        for j in range(12, 20):
            del columns[f"x{j}"]
        columns["task"] = np.array([f"shop-{i:04d}" for i in range(TASKS)])[task]
        columns["region"] = np.array(["north", "south", "east", "west"])[rng.integers(4, size=ROWS)]
        columns["city"] = np.array([f"city{i}" for i in range(12)])[rng.integers(12, size=ROWS)]
    return pa.table(columns)


def write(path: Path, kind: str, megabytes: float) -> None:
    """A file of about this size."""
    rng = np.random.default_rng(0)
    W = rng.normal(size=20) + 0.3 * rng.normal(size=(TASKS, 20))
    with path.open("wb") as file:
        while file.tell() < megabytes * 1e6:
            first = file.tell() == 0
            pc.write_csv(rows(kind, W, rng), file, pc.WriteOptions(include_header=first))


def words_of(name: str, path: Path) -> list[str]:
    """What the interpreter is told for a command."""
    if name == READING:
        return ["-c", "import sys, pandas; pandas.read_csv(sys.argv[1])", str(path)]
    command, *more = COMMANDS[name]
    told = [command, str(path), "--task", "task", "--target", "y", *more]
    return ["-m", "polytask.cli", *told]


def measured(words: list[str], folder: Path) -> tuple[int, float, float]:
    """Exit code, peak in megabytes and processor seconds of a command."""
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        os.execv(sys.executable, [sys.executable, *words])
    _, status, used = os.wait4(pid, 0)
    seconds = used.ru_utime + used.ru_stime
    return os.waitstatus_to_exitcode(status), used.ru_maxrss * 1.024e-3, seconds


def merged(old: list[str], new: list[str]) -> list[str]:
    """Rows of an old table, those measured anew in their places, and then what is new."""
    found = {tuple(row.split("|")[1:4]): row for row in new}
    kept = [found.pop(tuple(row.split("|")[1:4]), row) for row in old]
    return [*kept, *found.values()]


def main() -> None:
    """Write, run, print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--megabytes", type=float, nargs="+", default=[200.0])
    parser.add_argument("--tables", nargs="+", default=["numbers", "labels", "text"])
    parser.add_argument("--commands", nargs="+", default=list(COMMANDS))
    parser.add_argument("--docs", type=Path)
    asked = parser.parse_args()
    lines = list(HEAD)
    print("\n".join(lines))
    with tempfile.TemporaryDirectory() as place:
        for megabytes in asked.megabytes:
            for kind in asked.tables:
                path = Path(place) / "t.csv"
                write(path, kind, megabytes)
                size = path.stat().st_size / 1e6
                for name in asked.commands:
                    code, peak, seconds = measured(words_of(name, path), Path(place))
                    said = f"{peak:.0f} | {peak / size:.2f}" if code == 0 else f"exit {code} | "
                    lines.append(f"| {kind} | {name} | {size:.0f} | {said} | {seconds:.0f} |")
                    print(lines[-1], flush=True)
    if asked.docs is not None:
        put(asked.docs, MARK, merged(figures(asked.docs, MARK), lines))


if __name__ == "__main__":
    main()
