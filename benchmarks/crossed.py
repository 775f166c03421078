"""Two crossed groupings by REML, side by side with lme4: time in turn, peak memory, criterion.

    python benchmarks/crossed.py InstEval.csv [--copies 1 10] [--peer glmm=ENV/bin/python ...]
                                 [--limit 600] [--keep LINES] [--docs docs/models/multilevel.md]

The table is lme4's (write.csv(lme4::InstEval, "InstEval.csv")). Copies of it are stacked, too,
the students of each being others: so many times the rows and students, the same lecturers. Last
comes a made-up table beyond a dense system, with given strengths, without lme4. R with lme4 must be
installed; all work in one thread, in processes of their own, in turn; processor time of the fit,
peak memory of the process. Peers of PyPI (glmm 0.6.2, mixedlm 1.3.0, lme_python 0.2.7,
interlace-lme 0.3.2) take part by an interpreter of an environment that has them. A process that
uses more processor time than the limit, in seconds, or more than 12 GB is ended, and its line says
so; who took a minute or more is asked once. --keep gathers the lines of several runs in a file.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from pages import put

MARK = "<!-- figures of benchmarks/crossed.py -->"
LARGE = (500_000, 60_000, 20_000)  # rows, users, items
COLUMNS = ["seconds", "megabytes", "criterion"]
_R = """suppressMessages(library(lme4)); d <- read.csv("{path}")
t <- system.time(m <- lmer(y ~ 1 + (1 | s) + (1 | d), d))
kb <- gsub("[^0-9]", "", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))
cat(t[["user.self"]], as.numeric(kb) / 1024, sprintf("%.5f", REMLcrit(m)), "\\n")"""
_PEER = """import resource, sys, time, warnings
import pandas as pd
warnings.simplefilter("ignore")
table = pd.read_csv(sys.argv[1])[["s", "d", "y"]].astype({{"s": str, "d": str}})
{ready}
before = time.process_time()
{fit}
seconds = time.process_time() - before
print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, {criterion})"""
_FORMULA = '"y ~ 1 + (1 | s) + (1 | d)"'
PEERS = {
    "glmm": ("import glmm", f"m = glmm.fit(table, {_FORMULA})", "-2 * m.loglik"),
    "mixedlm": ("import mixedlm", f"m = mixedlm.lmer({_FORMULA}, table)", "mixedlm.REMLcrit(m)"),
    "lme_python": (
        "import lme_python, polars; table = polars.DataFrame(table.to_dict('list'))",
        f"m = lme_python.lmer({_FORMULA}, table)", "m.reml_criterion",
    ),
    "interlace": (
        "import interlace", 'm = interlace.fit("y ~ 1", table, groups=["s", "d"])',
        "-2 * m.llf_restricted",
    ),
}  # fmt: skip
MOST_MEMORY = 12 * 10**9  # bytes
SLOW = 60.0  # seconds from which nobody is asked again


def peer_command(name: str, python: str, path: str) -> list[str]:
    """The command that lets a peer fit the table."""
    ready, fit, criterion = PEERS[name]
    return [python, "-c", _PEER.format(ready=ready, fit=fit, criterion=criterion), path]


def stacked(path: str, copies: int) -> pd.DataFrame:
    """Copies of the table with students of their own, lecturers of copies drawn anew."""
    table = pd.read_csv(path)[["s", "d", "y"]]
    random = np.random.default_rng(0)
    parts = [
        table.assign(s=table["s"] + 10_000 * k, d=random.permutation(table["d"].unique())[
            np.unique(table["d"], return_inverse=True)[1]
        ])
        for k in range(copies)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def ours(path: str) -> None:
    """One fit in this process: seconds, megabytes, criterion."""
    from polytask import MultilevelRegressor
    from polytask.datasets import make_crossed_rows

    if path == "large":
        n, users, items = LARGE
        X, y, _ = make_crossed_rows(n, {"user": users, "item": items}, random_state=0)
        strengths = {"user": 0.5 / n, "item": 0.5 / (0.49 * n)}  # the noise over the variances
        model = MultilevelRegressor(strengths, varying=[], task=["user", "item"])
    else:
        table = pd.read_csv(path)
        X, y = table[["s", "d"]], table["y"]
        model = MultilevelRegressor(task=["s", "d"])
    before = time.process_time()
    model.fit(X, y)
    seconds = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(seconds, peak, f"{model.deviance_:.5f}")


def run(command: list[str], limit: int) -> dict[str, float]:
    """What a process prints in its last line; NaN where it is ended or fails."""
    one = os.environ | dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
    )
    one.pop("PYTHONPATH" if command[0] != sys.executable else "", None)

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))

    answer = subprocess.run(command, env=one, capture_output=True, text=True, preexec_fn=bounded)
    if answer.returncode < 0:  # by a signal
        return {"seconds": limit, "megabytes": np.nan, "criterion": np.nan}
    if answer.returncode > 0:
        print(*command[:1], answer.stderr[-2000:], file=sys.stderr, flush=True)
        return {"seconds": np.nan, "megabytes": np.nan, "criterion": np.nan}
    return dict(zip(COLUMNS, map(float, answer.stdout.splitlines()[-1].split()), strict=True))


def line(title: str, who: str, seen: list[dict[str, float]]) -> str:
    """Medians as a row."""
    seconds, peak, criterion = pd.DataFrame(seen)[COLUMNS].median()
    if np.isnan(peak):
        why = "failed" if np.isnan(seconds) else f"ended after {seconds:.0f}"
        return f"| {title} | {who} | {why} | – | – |"
    told = "–" if np.isnan(criterion) else f"{criterion:.4f}"
    return f"| {title} | {who} | {seconds:.2f} | {peak:.0f} | {told} |"


def keep(new: str, lines: dict[tuple[str, ...], str], file: Path | None) -> None:
    """Print a line, and keep it in place of an earlier one."""
    print(new, flush=True)
    lines[tuple(new.split(" | ")[:2])] = new
    if file:
        file.write_text("\n".join(lines.values()) + "\n", "utf-8")


def main() -> None:
    """Both, in turn, three times; with --docs put the table into that page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--copies", type=int, nargs="*", default=[1, 10])
    parser.add_argument("--peer", action="append", default=[], help="NAME=PYTHON")
    parser.add_argument("--limit", type=int, default=600, help="processor seconds of a process")
    parser.add_argument("--keep", type=Path, help="file of lines, of this and of earlier runs")
    parser.add_argument("--docs", type=Path)
    arguments = parser.parse_args()
    peers = dict(each.split("=", 1) for each in arguments.peer)
    there = arguments.keep is not None and arguments.keep.exists()
    kept = arguments.keep.read_text("utf-8").splitlines() if there else []
    lines = {tuple(each.split(" | ")[:2]): each for each in kept}
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder) / "rows.csv"
        for copies in arguments.copies:
            table = stacked(arguments.table, copies)
            table.to_csv(csv, index=False)
            title = f"{len(table):,}, {table['s'].nunique():,} x {table['d'].nunique():,}"
            commands = {
                "polytask": [sys.executable, __file__, "--ours", str(csv)],
                "lme4": ["Rscript", "-e", _R.format(path=csv)],
            }
            commands |= {name: peer_command(name, at, str(csv)) for name, at in peers.items()}
            seen: dict[str, list[dict[str, float]]] = {who: [] for who in commands}
            for _ in range(3 if copies == 1 else 1):
                for who, command in commands.items():
                    if len(seen[who]) == 0 or seen[who][-1]["seconds"] < SLOW:
                        seen[who].append(run(command, arguments.limit))
            for who, each in seen.items():
                keep(line(title, who, each), lines, arguments.keep)
    n, users, items = LARGE
    found = [run([sys.executable, __file__, "--ours", "large"], arguments.limit)]
    given = line(f"{n:,}, {users:,} x {items:,}, given", "polytask", found)
    keep(given, lines, arguments.keep)
    if arguments.docs:
        head = ["| rows, levels | by | processor s | peak MB | criterion |", "|---" * 5 + "|"]
        put(arguments.docs, MARK, [*head, *lines.values()])


if __name__ == "__main__":
    if sys.argv[1] == "--ours":
        ours(sys.argv[2])
    else:
        main()
