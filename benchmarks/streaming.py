"""Moments of a Parquet file against only reading it: time, ratio, peak memory.

    python benchmarks/streaming.py                                # 4M rows x 20, float64
    python benchmarks/streaming.py --rows 1e8 --dtype float32 --repeats 1

The file is made in a temporary folder and deleted. Reading and summing alternate in one process;
peak memory is that of a fresh process each. CPU seconds do not depend on who else uses the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from polytask import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.sources.moments import read_moments

GROUP = 1 << 18
N_FEATURES = 20
FEATURES = [f"x{j}" for j in range(N_FEATURES)]


def make_file(path: Path, rows: int, tasks: int, dtype: str, seed: int) -> None:
    """Rows of related tasks in random order, numbers `y` and labels `label`."""
    rng = np.random.default_rng(seed)
    W = (rng.normal(size=N_FEATURES) + 0.3 * rng.normal(size=(tasks, N_FEATURES))).astype(dtype)
    kind = pa.from_numpy_dtype(np.dtype(dtype))
    more = [("task", pa.int32()), ("y", kind), ("label", pa.int8())]
    schema = pa.schema([(name, kind) for name in FEATURES] + more)
    codec = "zstd" if rows <= 10_000_000 else "none"  # noise does not get smaller anyway
    with pq.ParquetWriter(path, schema, compression=codec, use_dictionary=["task"]) as writer:
        for first in range(0, rows, GROUP):
            n = min(GROUP, rows - first)
            X = rng.standard_normal((N_FEATURES, n), dtype=np.dtype(dtype).type)
            task = rng.integers(tasks, size=n).astype(np.int32)
            f = np.zeros(n, dtype=dtype)
            for j in range(N_FEATURES):
                f += X[j] * W[task, j]
            noise = rng.standard_normal(n, dtype=np.dtype(dtype).type)
            y, label = f + noise, (f + noise > 0).astype(np.int8)
            writer.write_table(pa.table([*X, task, y, label], schema=schema), row_group_size=GROUP)


def only_read(path: Path) -> None:
    """Every batch that a fit would see."""
    columns = [*FEATURES, "task", "y"]
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for _ in file.iter_batches(1 << 17, columns=columns):
            pass


def moments(path: Path, n_folds: int = 1) -> None:
    read_moments(path, task="task", target="y", features=FEATURES, n_folds=n_folds)


def fit(path: Path) -> None:
    MeanRegularizedRegressor(1e-4, task="task").fit_parquet(path, target="y", features=FEATURES)


def fit_labels(path: Path) -> None:
    model = MeanRegularizedClassifier(1e-4, task="task", tol=1e-6)
    model.fit_parquet(path, target="label", features=FEATURES)
    print(f"passes: {model.n_iter_ + 1}, violation {model.violation_:.1e}", file=sys.stderr)


def imports(path: Path) -> None:
    """Nothing: what the libraries take."""


WORK = {
    "imports": imports,
    "only read": only_read,
    "moments": moments,
    "moments by 5 folds": lambda path: moments(path, 5),
    "fit mean-regularized": fit,
    "fit logistic": fit_labels,
}


def measure(name: str, path: Path) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    WORK[name](path)
    return time.perf_counter() - wall, time.process_time() - cpu


def peak_memory() -> float:
    """MB of this process alone; getrusage would count what the parent held before."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_fresh_process(name: str, path: Path) -> dict[str, float]:
    """Seconds and peak memory (MB) of a process that does this only."""
    done = subprocess.run(
        [sys.executable, __file__, "--only", name, "--path", str(path)],
        check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(path: Path, repeats: int) -> None:
    names = ["only read", "moments", "moments by 5 folds"]
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            times[name].append(measure(name, path))
    walls = {name: median(wall for wall, _ in times[name]) for name in names}
    cpus = {name: median(cpu for _, cpu in times[name]) for name in names}
    for name in names:
        ratios = [a[0] / b[0] for a, b in zip(times[name], times["only read"], strict=True)]
        print(
            f"{name:22} {walls[name]:7.2f} s wall, {cpus[name]:6.2f} s CPU; of only reading: "
            f"{median(ratios):.2f} x wall, {cpus[name] / cpus['only read']:.2f} x CPU"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=float, default=4e6)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--alone", nargs="*", default=list(WORK), help="run in fresh processes")
    parser.add_argument("--only", choices=list(WORK), help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        wall, cpu = measure(args.only, Path(args.path))
        peak = peak_memory()
        print(json.dumps({"wall": wall, "cpu": cpu, "peak": peak}))
        return
    with tempfile.TemporaryDirectory(prefix="polytask-") as folder:
        path = Path(folder) / "rows.parquet"
        begun = time.perf_counter()
        make_file(path, int(args.rows), args.tasks, args.dtype, args.seed)
        size = path.stat().st_size / 2**20
        print(
            f"{int(args.rows):,} rows x {N_FEATURES} {args.dtype}, {args.tasks:,} tasks, "
            f"{size:,.0f} MB, made in {time.perf_counter() - begun:.0f} s; "
            f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
            flush=True,
        )
        if args.repeats > 1:
            compare(path, args.repeats)
        for name in args.alone:
            got = in_fresh_process(name, path)
            print(
                f"alone: {name:22} {got['wall']:7.2f} s wall, {got['cpu']:7.2f} s CPU, peak "
                f"{got['peak']:,.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
