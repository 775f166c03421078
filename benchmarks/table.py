"""What joint models cost beside fits of single tasks and beside other packages: one table.

    python benchmarks/table.py [--rows mean,path,...] [--sizes small,...] [--malsar FOLDER]
                               [--seed 0] [--repeats 5] [--full] [--profile] [--keep FILE.json]
    python benchmarks/table.py --keep FILE.json --docs docs/speed.md

Contestants take turns in one run; times are medians, of the processor. STL is ridge (or Newton's
logistic regression) for each task alone, in batched numpy with one BLAS thread, from the rows.
Everybody's answer is evaluated by one function: `peer's excess` is a peer's objective over the best
of the two, minus one, for MixedLM the difference of the deviances. Ours stop by their own
certificates.

The table can be made in parts: `--keep` adds what was measured to a file, and the second command
writes all of that file between the markers of a page. `--full` makes the tall size as in the goals
(50 tasks of 100,000 rows: 2 GB), `--profile` prints where our time goes. MALSAR runs under
Debian's octave, see `contestants_low_rank.py`.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import table_rows as rows  # sets the BLAS threads, so it comes before numpy

import harness  # isort: skip
import table_low_rank as low_rank
from pages import put

MARK = "<!-- figures of benchmarks/table.py -->"
ROWS = {
    "mean": (rows.mean_regularized, "small,school,medium,many,tall,wide"),
    "path": (rows.path, "small,school,medium,many,tall"),
    "tuned": (rows.tuned, "small,school,medium"),
    "logistic": (rows.logistic, "small,school,medium"),
    "trace": (low_rank.squared, "small,school,medium"),
    "trace-path": (low_rank.path, "small,school,medium"),
    "trace-logistic": (low_rank.logistic, "small,school,medium"),
    "joint": (low_rank.joint, "small,school,medium"),
    "joint-path": (low_rank.joint_path, "small,medium"),
    "joint-shared": (low_rank.shared_rows, "small,medium,school"),
    "rank": (low_rank.given_rank, "small,school,medium"),
    "projected": (low_rank.projected, "small,school,medium"),
    "reml": (rows.reml, "small"),
    "stream": (rows.streaming, "many"),
}
SIZES = ("small", "school", "medium", "many", "tall", "wide")
COLUMNS = (
    "work", "size", "ours ms", "ratio", "goal", "peer", "peer / ours", "peer's excess",
    "certificate", "load", "time",
)  # fmt: skip


def measure(asked: argparse.Namespace) -> list[rows.Row]:
    """The rows asked for, printed as they come."""
    setting = rows.Setting(asked.seed, asked.repeats, asked.malsar, asked.full, asked.profile)
    found = []
    for name in asked.rows.split(","):
        work, sizes = ROWS[name]
        for size in sizes.split(","):
            if size not in asked.sizes.split(","):
                continue
            for row in work(setting, size):
                row |= {"load": round(os.getloadavg()[0]), "row": name, "time": "processor"}
                print({key: value for key, value in row.items() if value != ""}, flush=True)
                found.append(row)
    return found


def keep(file: Path, found: list[rows.Row]) -> list[rows.Row]:
    """What the file holds, with new rows in the place of older ones of the same work."""
    old = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    both = {(row["work"], row["size"], row.get("peer", "")): row for row in [*old, *found]}
    merged = sorted(both.values(), key=_place)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(merged, indent=1), encoding="utf-8")
    part.replace(file)
    return merged


def _place(row: rows.Row) -> tuple[int, int]:
    return list(ROWS).index(str(row["row"])), SIZES.index(str(row["size"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--malsar", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--keep", type=Path, default=None)
    parser.add_argument("--docs", type=Path, default=None)
    asked = parser.parse_args()
    if asked.docs and not asked.keep:
        parser.error("--docs writes what --keep FILE.json holds; name that file")
    found = [] if asked.docs else measure(asked)
    if asked.keep:
        found = keep(asked.keep, found)
    shown = [{key: row.get(key, "") for key in COLUMNS} for row in found]
    text = f"{os.cpu_count()} cores, seed {asked.seed}.\n\n{harness.table(shown)}\n"
    print(text)
    if asked.docs:
        put(asked.docs, MARK, text.splitlines())


if __name__ == "__main__":
    main()
