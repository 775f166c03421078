"""What joint models cost beside fits of single tasks and beside other packages: one table.

    python benchmarks/table.py [--quick] [--only mean,path,logistic,trace,rank,reml]
                               [--malsar FOLDER] [--seed 0] [--repeats 5] [--docs docs/speed.md]

Contestants take turns in one run; times are medians. STL is ridge (or Newton's logistic
regression) for each task alone, in batched numpy with one BLAS thread, from the rows. A peer's
answer and ours are evaluated by one function: `peer's excess` is its objective over the best of
the two, minus one, for MixedLM the difference of the deviances. Ours stop by their own
certificates. `--quick` leaves out the larger sizes. `--docs` writes the table between the markers
of that page. MALSAR runs under Debian's octave, see `contestants_low_rank.py`.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import table_rows as rows  # sets the BLAS threads, so it comes before numpy

import harness  # isort: skip

BEGIN, END = "<!-- begin: benchmarks/table.py --docs -->\n", "<!-- end -->"
ROWS = {
    "mean": rows.mean_regularized,
    "path": rows.mean_regularized_path,
    "logistic": rows.mean_regularized_logistic,
    "trace": rows.trace_norm,
    "rank": rows.given_rank,
    "reml": rows.reml,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(ROWS))
    parser.add_argument("--malsar", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--docs", type=Path, default=None)
    asked = parser.parse_args()
    setting = rows.Setting(asked.quick, asked.seed, asked.repeats, asked.malsar)
    found = []
    for name in asked.only.split(","):
        for row in ROWS[name](setting):
            print(row, flush=True)
            found.append(row)
    head = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}, seed {asked.seed}"
    text = f"{head}, {asked.repeats} turns.\n\n{harness.table(found)}\n"
    print(text)
    if asked.docs:
        page = asked.docs.read_text(encoding="utf-8")
        before, rest = page.split(BEGIN)
        asked.docs.write_text(before + BEGIN + text + END + rest.split(END, 1)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
