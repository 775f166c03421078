"""Tables that nobody should have to meet: how each is written, and what is to be said about it."""

from __future__ import annotations

import bz2
import decimal
import gzip
import io
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = 36
RNG = np.random.default_rng(0)
TASKS = np.repeat(["A", "B", "C"], ROWS // 3)
X, Z = RNG.normal(size=(2, ROWS))
Y = X - Z + RNG.normal(size=ROWS)
SEX = np.where(X > 0, "f", "m")
NAMES = ("task", "x", "z", "sex", "y")


def base(**columns):
    """A sound table as Arrow, with other columns in place of some, or more of them."""
    sound = {"task": TASKS, "x": X, "z": Z, "sex": SEX, "y": Y}
    return pa.table({k: v if isinstance(v, pa.Array | pa.ChunkedArray) else pa.array(v)
                     for k, v in {**sound, **columns}.items()})  # fmt: skip


def each(value):
    """A column that holds one value in every row."""
    return [value] * ROWS


def named(*names):
    return base().rename_columns(names)


STRUCT = pa.array([{"a": k % 3} for k in range(ROWS)])
LISTS = pa.array([[k % 3] for k in range(ROWS)])
FIXED = pa.array([[1.0, 2.0]] * ROWS, type=pa.list_(pa.float64(), 2))
MAPS = pa.array([[("a", k % 3)] for k in range(ROWS)], type=pa.map_(pa.string(), pa.int64()))
BYTES = pa.array([bytes([65 + k % 3]) for k in range(ROWS)])
TIMES = pa.array(range(ROWS), type=pa.timestamp("s"))
SPANS = pa.array(range(ROWS), type=pa.duration("s"))
NULLS = pa.nulls(ROWS)
COUNT = range(ROWS)
THREE = [k % 3 for k in COUNT]
DECIMALS = pa.array([decimal.Decimal("1e30") * k for k in COUNT], pa.decimal256(60, 2))
ONE_OFF = np.arange(ROWS) == 5

# Refused by fit and compare, in memory and streamed; with words that the line must hold.
PARQUET = {
    "struct as task": (base(task=STRUCT), "--task must hold numbers or text"),
    "list as task": (base(task=LISTS), "--task must hold numbers or text"),
    "map as task": (base(task=MAPS), "--task must hold numbers or text"),
    "infinity as task": (base(task=np.where(ONE_OFF, np.inf, 1.0)), "finite"),
    "nothing as task": (base(task=NULLS), "--task must hold values"),
    "struct as target": (base(y=STRUCT), "--target must be numeric"),
    "list as target": (base(y=LISTS), "--target must be numeric"),
    "fixed list as target": (base(y=FIXED), "--target must be numeric"),
    "map as target": (base(y=MAPS), "--target must be numeric"),
    "bytes as target": (base(y=BYTES), "--target must be numeric"),
    "moments as target": (base(y=TIMES), "holds dates"),
    "spans as target": (base(y=SPANS), "holds dates"),
    "nothing as target": (base(y=NULLS), "--target must hold values"),
    "NaN as target": (base(y=np.full(ROWS, np.nan)), "must"),
    "constant target": (base(y=np.ones(ROWS)), "--target must vary"),
    "text as target": (base(y=[f"w{k}" for k in range(ROWS)]), "--target must be numeric"),
    "infinite target": (base(y=np.where(ONE_OFF, np.inf, Y)), "column 'y' must be finite"),
    "huge target": (base(y=Y * 1e200), "column 'y' must be finite, and at most 1e100"),
    "tiny target": (base(y=Y * 1e-200), "column 'y' must hold numbers above 1e-100"),
    "largest floats as target": (base(y=np.sign(Y) * 1.7e308), "column 'y' must be finite"),
    "infinite feature": (base(x=np.where(ONE_OFF, -np.inf, X)), "column 'x' must be finite"),
    "huge feature": (base(x=X * 1e200), "column 'x' must be finite, and at most 1e100"),
    "tiny feature": (base(x=X * 1e-200), "column 'x' must hold numbers above 1e-100"),
    "denormal feature": (base(x=np.full(ROWS, 5e-324) * (X > 0)), "above 1e-100"),
    "a name twice": (named("task", "x", "x", "sex", "y"), "must have distinct column names"),
    "the task's name twice": (named("task", "task", "z", "sex", "y"), "got 'task' more than once"),
    "the target's name twice": (named("task", "y", "z", "sex", "y"), "got 'y' more than once"),
    "empty names twice": (named("task", "", "", "sex", "y"), "must have distinct column names"),
    "name of a made column": (base(**{"sex=f": X}), "'sex=f'"),
    "no row": (base().slice(0, 0), "TABLE must have rows"),
    "one row": (base().slice(0, 1), "--target must vary"),
    "dates only": (base(x=TIMES, z=SPANS).select(["task", "x", "z", "y"]), "--features must leave"),
    "nested only": (base(x=LISTS, z=STRUCT).select(["task", "x", "z", "y"]), "--features must"),
    "no task column": (base().drop_columns(["task"]), "--task must name a column"),
    "no target column": (base().drop_columns(["y"]), "--target must name a column"),
    "task under another name": (named("Task", "x", "z", "sex", "y"), "Did you mean 'Task'"),
    "bytes as task": (base(task=pa.array([b"a", b"b", b"c"] * (ROWS // 3))), "numbers or text"),
    "fixed bytes as task": (base(task=pa.array([b"ab"] * ROWS, pa.binary(2))), "numbers or text"),
    "wide dates as target": (
        base(y=pa.array([86_400_000 * k for k in COUNT], pa.date64())),
        "holds dates",
    ),
    "large list as target": (
        base(y=pa.array([[1.0]] * ROWS, pa.large_list(pa.float64()))),
        "spread them over several columns",
    ),
    "a task for every row": (base(task=[f"k{k}" for k in COUNT]), "whose values repeat"),
    "two units": (base(x=[f"{k} kg" if k % 2 else f"{k} g" for k in COUNT]), "in one unit"),
    "numbers with underscores": (base(x=[f"1_{k:03}" for k in COUNT]), "write plain numbers"),
    "numbers with errors": (base(x=[f"{k}±1" for k in COUNT]), "compute the number"),
    "below a limit": (base(x=["<5" if k % 6 == 0 else str(k) for k in COUNT]), "--missing"),
    "coordinates": (base(x=[f"{k % 60}.5,{k % 50}.25" for k in COUNT]), "write plain numbers"),
    "infinity in words": (base(x=["inf" if k == 3 else str(k) for k in COUNT]), "column 'x' must"),
    "name of a made gap": (
        base(x=pa.array([None, *X[1:]]), missingindicator_x=X),
        "'missingindicator_x' would also be made from 'x'",
    ),
    "name of a made level of gaps": (
        base(sex=pa.array([None, *SEX[1:]]), **{"sex=(missing)": X}),
        "'sex=(missing)' would also be made from 'sex'",
    ),
    "name of the made rest": (
        pa.concat_tables([base()] * 4)
        .set_column(2, "sex=(rest)", [np.tile(Z, 4)])
        .set_column(3, "sex", [[f"l{k % 60}" for k in range(4 * ROWS)]]),
        "'sex=(rest)' would also be made from 'sex'",
    ),
}


def text(header="task,x,y", rows=(), end="\n"):
    sound = [f"{t},{x:.3f},{y:.3f}" for t, x, y in zip(TASKS, X, Y, strict=True)]
    return end.join([header, *(rows or sound)]) + end


LINES = [f"{t},{x:.3f},{y:.3f}" for t, x, y in zip(TASKS, X, Y, strict=True)]


# Bytes of a file of text by its name: refused by every command that reads it.
def wide_numbers():
    """A Parquet file as polars writes one with whole numbers of 128 bits."""
    pl = pytest.importorskip("polars")
    file = io.BytesIO()
    ids = pl.Series([k % 3 + 2**70 for k in range(ROWS)], dtype=pl.Int128)
    pl.DataFrame({"task": ids, "x": X, "y": Y}).write_parquet(file)
    return file.getvalue()


FILES = {
    "empty.csv": (b"", "is empty"),
    "blank.csv": (b"  \n \n", "TABLE must"),
    "header.csv": (b"task,x,y\n", "TABLE must have rows"),
    "zeros.csv": (b"task,x,y\n\0\0\0\n", "zero bytes"),
    "twice.csv": (text("task,x,x").encode(), "distinct column names"),
    "short.csv": (text(rows=[*LINES, "A,1.0,2.0,3.0,4.0"]).encode(), "as many fields"),
    "open quote.csv": (text(rows=[*LINES, 'A,"1.0,2.0']).encode(), "TABLE must"),
    "utf16 cut.csv": (text().encode("utf-16")[:-1], "TABLE must"),
    "not gzip.csv.gz": (text().encode(), "cannot be decompressed"),
    "cut.csv.gz": (gzip.compress(text().encode())[:-20], "cannot be decompressed"),
    "cut.csv.bz2": (bz2.compress(text().encode())[:-10], "cannot be decompressed"),
    "wide numbers.parquet": (wide_numbers(), "types that Apache Arrow reads"),
    "noise.parquet": (b"PAR1" + bytes(range(256)) + b"PAR1", "TABLE must be a Parquet file"),
    "text.parquet": (text().encode(), "TABLE must be a Parquet file"),
    "empty.parquet": (b"", "is empty"),
    "table.xls": (b"x", "a spreadsheet"),
    "table.json": (json.dumps([1]).encode(), "a .json file"),
    "table.zip": (b"PK", "a .zip file"),
    "noise.xlsx": (b"PK noise", "TABLE must"),
    "noise.feather": (b"ARROW1 noise", "TABLE must"),
}
# The same, refused by fit and compare only: the columns are there.
COLUMNS = {
    "mixed": (text(rows=[*LINES, "A,1.5,abc"]), "--target must be numeric"),
    "text feature": (text(rows=[*LINES, "A,abc,1.5"]), "column 'x' must be numeric"),
    "infinite": (text(rows=[*LINES, "A,inf,1.5"]), "x"),
    "huge": (text(rows=[*LINES, "A,1e200,1.5"]), "column 'x' must be finite"),
    "huge whole": (text(rows=[*LINES, f"A,{'9' * 400},1.5"]), "x"),
    "one value": (text(rows=[f"{t},{x:.3f},1" for t, x in zip(TASKS, X, strict=True)]), "vary"),
    "dates": (text(rows=[f"{t},{x:.3f},2020-01-{k % 28 + 1:02}" for k, (t, x) in
                         enumerate(zip(TASKS, X, strict=True))]), "holds dates"),
    "ids": (text(rows=[f"t{k},{x:.3f},{y:.3f}" for k, (x, y) in
                       enumerate(zip(X, Y, strict=True))]), "whose values repeat"),
    "no ids": (text(rows=[f",{x:.3f},{y:.3f}" for x, y in zip(X, Y, strict=True)]), "--task must"),
    "no targets": (text(rows=[f"{t},{x:.3f}," for t, x in zip(TASKS, X, strict=True)]), "--target"),
}  # fmt: skip

# Taken by fit, and their own predictions, in memory and streamed.
TAKEN = {
    "sound": base(),
    "large text": base(task=pa.array(TASKS.tolist(), type=pa.large_string())),
    "text views": base(task=pa.array(TASKS.tolist(), type=pa.string_view())),
    "dictionary": base(task=pa.array(TASKS).dictionary_encode()),
    "truth values as task": base(task=[k % 2 == 0 for k in range(ROWS)]),
    "dates as task": base(task=pa.array([k % 3 for k in range(ROWS)], type=pa.date32())),
    "moments as task": base(task=pa.array([k % 3 for k in range(ROWS)], type=pa.timestamp("us"))),
    "half floats as task": base(task=(np.arange(ROWS) % 3).astype(np.float16)),
    "decimals as task": base(task=pa.array([decimal.Decimal(k % 3) for k in range(ROWS)])),
    "gaps in task": base(task=pa.array([None if k == 4 else t for k, t in enumerate(TASKS)])),
    "largest ids": base(task=[2**63 - 1 - k % 3 for k in range(ROWS)]),
    "empty id": base(task=np.where(TASKS == "A", "", TASKS)),
    "ids with newlines": base(task=[f"a\n{k % 3}" for k in range(ROWS)]),
    "ids with escapes": base(task=[f"\x1b[31m{k % 3}" for k in range(ROWS)]),
    "ids with zero bytes": base(task=[f"a\0{k % 3}" for k in range(ROWS)]),
    "long ids": base(task=["i" * 3000 + str(k % 3) for k in range(ROWS)]),
    "half floats": base(x=X.astype(np.float16), y=Y.astype(np.float16)),
    "whole numbers above 2^53": base(x=pa.array([2**63 + k for k in range(ROWS)], pa.uint64())),
    "bytes beside": base(x=pa.array([b"\xff\xfe"] * ROWS)),
    "structs beside": base(x=STRUCT),
    "nothing beside": base(x=NULLS),
    "constant features": base(x=np.ones(ROWS), z=np.zeros(ROWS)),
    "a huge feature that is none": base(x=X * 1e90),
    "names with newlines": named("task", "a\nb", "[red]<b>", "sex", "y"),
    "names of the outputs": named("task", "prediction", "unseen_task", "sex", "y"),
    "names of one blank": named("task", " ", "", "sex", "y"),
    "two fractions as target": base(y=np.where(Y > 0, 1.5, 0.5)),
    "two whole floats as target": base(y=np.where(Y > 0, 1.0, 0.0)),
    "labels that differ in case": base(y=np.where(Y > 0, "Yes", "yes")),
    "name of a gap not made": base(missingindicator_x=X),
    "name of a level of gaps not made": base(**{"sex=(missing)": X}),
    "name of a rest not made": base(**{"sex=(rest)": X}),
    "false notes of pandas": base().replace_schema_metadata({b"pandas": b"{not json"}),
}

# Those of them that the fast suite tries.
OFTEN = (
    "sound", "large text", "dictionary", "truth values as task", "moments as task", "gaps in task",
    "empty id", "ids with newlines", "ids with zero bytes", "half floats", "structs beside",
    "nothing beside", "constant features", "names with newlines", "names of the outputs",
    "two whole floats as target", "name of a rest not made", "false notes of pandas",
)  # fmt: skip

# Taken as well, in the slow suite only.
RARE = {
    "spans as task": base(task=pa.array(THREE, pa.duration("s"))),
    "times of day as task": base(task=pa.array(THREE, pa.time32("s"))),
    "moments of a zone as task": base(task=pa.array(THREE, pa.timestamp("s", tz="UTC"))),
    "moments of a zone beside": base(x=pa.array(COUNT, pa.timestamp("ns", tz="Europe/Berlin"))),
    "wide decimals": base(x=DECIMALS),
    "wide decimals as target": base(y=DECIMALS),
    "large bytes beside": base(x=pa.array([b"a"] * ROWS, pa.large_binary())),
    "dictionary of whole numbers": base(task=pa.array(THREE).dictionary_encode()),
    "dictionary of numbers as feature": base(x=pa.array(X).dictionary_encode()),
    "dictionary as target": base(y=pa.array(SEX).dictionary_encode()),
    "truth values with gaps": base(x=pa.array([None if k % 5 == 0 else k % 2 == 0 for k in COUNT])),
    "truth values as target": base(y=pa.array([None if k == 3 else k % 2 == 0 for k in COUNT])),
    "small whole numbers": base(
        x=pa.array([k % 7 for k in COUNT], pa.uint8()),
        y=pa.array([k % 11 for k in COUNT], pa.uint8()),
    ),
    "the least small number": base(x=pa.array([-128] * ROWS, pa.int8())),
    "the largest whole target": base(y=pa.array([2**64 - 1 - k for k in COUNT], pa.uint64())),
    "both ends of whole targets": base(y=[(-1) ** k * (2**63 - 1 - k) for k in COUNT]),
    "zeros of both signs as ids": base(task=np.where(np.arange(ROWS) % 2 == 0, -0.0, 0.0)),
    "ids with blanks at their ends": base(task=np.where(TASKS == "A", " B ", TASKS)),
    "ids that nobody sees": base(task=[["\u200b", "\u202e", "\ufeff"][k] for k in THREE]),
    "ids that look alike": base(task=[["\U0001f600", "é", "e\u0301"][k] for k in THREE]),
    "an index of pandas": base(__index_level_0__=COUNT),
    "name of an argument": base(sample_weight=X),
    "names of formats": named("task", "%s", "{x}", "sex", "y"),
    "a long name": named("task", "n" * 5000, "z", "sex", "y"),
    "names that look alike": named("task", "é", "e\u0301", "sex", "y"),
    "names that differ in case": named("task", "X", "x", "sex", "y"),
    "one positive": base(y=ONE_OFF.astype(float)),
    "two neighbours as target": base(y=np.where(Y > 0, 1.0, np.nextafter(1.0, 2))),
    "a target of the last bits": base(y=1e9 + np.where(Y > 0, 0, 1e-7)),
    "the target as feature": base(x=Y),
    "a feature of tasks": base(x=[{"A": 1.0, "B": 2.0, "C": 3.0}[t] for t in TASKS]),
    "a feature twice": base(z=X),
    "one task": base(task=each("A")),
    "tasks of two rows": base(task=[f"k{k // 2}" for k in COUNT]),
    "tasks of one row": base(task=["A"] * (ROWS - 3) + ["B", "C", "D"]),
    "a view of lists beside": base(x=pa.array([[1]] * ROWS, pa.list_view(pa.int64()))),
    "large numbers in text": base(x=[str(10**30 + k) for k in COUNT]),
    "truth in text": base(y=[["TRUE", "FALSE"][k % 2] for k in COUNT]),
    "shares in text": base(x=[f"{k}%" for k in COUNT]),
    "roman numbers": base(x=[["I", "II", "IV"][k] for k in THREE]),
    "arabic digits": base(x=["".join(chr(0x660 + int(c)) for c in str(k)) for k in COUNT]),
    "wide digits": base(x=["".join(chr(0xFF10 + int(c)) for c in str(k)) for k in COUNT]),
    "hexadecimal numbers": base(x=[hex(k) for k in COUNT]),
    "powers of ten": base(x=[f"{k}E+02" for k in COUNT]),
    "ranges": base(x=[f"{k}-{k + 5}" for k in COUNT]),
}


def write(table, path):
    """A table of Arrow as CSV or Parquet."""
    if path.suffix == ".csv":
        table.to_pandas().to_csv(path, index=False)
    else:
        pq.write_table(table, path)
    return path


def sound_frame():
    return pd.DataFrame({"task": TASKS, "x": X, "z": Z, "sex": SEX, "y": Y})
