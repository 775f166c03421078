"""Sparse designs: time, peak memory and optimality of every linear family.

    python benchmarks/sparse.py [--data text,newsgroup,tiny] [--families SingleTask,...]
                                [--tuned] [--limit 120] [--seed 0] [--n 20000] [--d 50000]

`text` is synthetic: 20 tasks of 1,000 rows, 50,000 words, about 100 of them in a row (Zipf), tf-idf
like values, a shared part and a low-rank part planted. `newsgroup` is the real one of
../shared/data (7,091 rows, 2,000 words, 4 tasks), `tiny` has 20,000 tasks of 5 rows (200 words).
Each fit runs in a process of its own, killed after `--limit` seconds or above 8 GB; the peak is
what the process had beyond the data. Strengths are given, unless `--tuned` asks for the defaults.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import harness  # sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
import pandas as pd
from scipy import sparse

import polytask

_MEMORY = 8_000_000_000  # bytes of address space: dense 50,000 x 50,000 would be 20 GB
FAMILIES = {
    "SingleTask": ("SingleTask", {"alpha": 2.5e-5}),
    "Pooled": ("Pooled", {"alpha": 2.5e-6}),
    "TaskIntercept": ("TaskIntercept", {"alpha": 2.5e-6}),
    "MeanRegularized": ("MeanRegularized", {"alpha": 2.5e-5, "alpha_common": 2.5e-6}),
    "MeanRegularized, w0 free": ("MeanRegularized", {"alpha": 2.5e-5}),
    "LowRank, trace": ("LowRank", {"alpha": 0.2}),  # of the strength at which W is zero
    "LowRank, w0 + trace": ("LowRank", {"alpha": 0.2, "common": True}),
    "LowRank, rank <= 3": ("LowRank", {"alpha": 0.0, "max_rank": 3}),
    "LowRank, rank": ("LowRank", {"alpha": 0.003, "penalty": "rank"}),
    "ProjectedLowRank, k = 3": ("ProjectedLowRank", {"alpha": 0.2, "n_components": 3}),
    "ProjectedMeanRegularized": (
        "ProjectedMeanRegularized",
        {"alpha": 2.5e-5, "alpha_common": 2.5e-6, "n_components": 3},
    ),
    "ProjectedMeanRegularized, k = m": (
        "ProjectedMeanRegularized",
        {"alpha": 2.5e-5, "alpha_common": 2.5e-6, "n_components": None},
    ),
}


def text(seed: int, n: int, d: int, m: int = 20, per_row: int = 100) -> tuple[Any, np.ndarray]:
    """Rows of unit length (the task last) and numbers: w0 + rank 3, half of the variance noise."""
    rng = np.random.default_rng(seed)
    frequency = 1.0 / np.arange(1, d + 1) ** 0.8
    words = rng.choice(d, size=(n, per_row), p=frequency / frequency.sum())
    idf = -np.log(frequency / frequency.sum())
    X = sparse.csr_matrix(
        (idf[words.ravel()], (np.repeat(np.arange(n), per_row), words.ravel())), shape=(n, d)
    )
    X = sparse.diags(1.0 / sparse.linalg.norm(X, axis=1)) @ X
    code = rng.permutation(np.arange(n) % m)
    W = rng.normal(size=d) + rng.normal(size=(m, 3)) @ rng.normal(size=(3, d)) / 2
    f = np.asarray(X.multiply(W[code]).sum(axis=1)).ravel() if n * d < 1e7 else _rowwise(X, W, code)
    y = f / f.std() + rng.normal(size=n)
    return sparse.hstack([X, code[:, None].astype(float)], format="csr"), y


def _rowwise(X: Any, W: np.ndarray, code: np.ndarray) -> np.ndarray:
    out = np.empty(X.shape[0])
    for i in range(len(W)):
        out[code == i] = X[code == i] @ W[i]
    return out


def newsgroup() -> tuple[Any, np.ndarray]:
    """log(1 + count) of words, rows of unit length; classes 0 and 1."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data" / "newsgroup" / "data.parquet"
    if not path.exists():
        sys.exit("newsgroup: ../shared/data/newsgroup is not here")
    frame = pd.read_parquet(path)
    X = np.log1p(frame.drop(columns=["task", "target"]).to_numpy(float))
    X /= np.maximum(np.linalg.norm(X, axis=1, keepdims=True), 1e-300)
    code = np.unique(frame["task"], return_inverse=True)[1]
    y = (frame["target"] == frame["target"].max()).to_numpy(float)
    return sparse.hstack([sparse.csr_matrix(X), code[:, None].astype(float)], format="csr"), y


def make(name: str, seed: int, n: int, d: int) -> tuple[Any, np.ndarray]:
    """X with the task in its last column, and y."""
    if name == "newsgroup":
        return newsgroup()
    if name == "tiny":
        return text(seed, 100_000, 200, m=20_000, per_row=10)
    return text(seed, n, d)


def top_alpha(X: Any, y: np.ndarray) -> float:
    """About the strength from which the trace norm leaves W = 0 (squared loss)."""
    code = X[:, -1].toarray().ravel().astype(int)
    G = []
    for i in np.unique(code):
        rows, t = X[code == i][:, :-1], y[code == i]
        G.append(rows.T @ (t - t.mean()) / (len(t) * (code.max() + 1)))
    return float(np.linalg.norm(np.array(G), 2))


def fit_one(case: dict[str, Any]) -> dict[str, Any]:
    """In the child process: one fit."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    with np.load(case["file"]) as kept:
        X = sparse.csr_matrix((kept["data"], kept["indices"], kept["indptr"]), kept["shape"])
        y = kept["y"]
    family, strengths = FAMILIES[case["family"]]
    strengths = {} if case["tuned"] else dict(strengths)
    if "LowRank" in family and strengths.get("alpha"):
        strengths["alpha"] *= top_alpha(X, y)
    if case["role"] == "Classifier":
        y = (y > np.median(y)).astype(float)
    model = getattr(polytask, family + case["role"])(task=-1, **strengths)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.fit(X, y)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    gap = getattr(model, "gap_", None)
    return {
        "s": seconds, "peak MB": peak / 1024,
        "violation": f"{model.violation_:.0e}", "gap": "" if gap is None else f"{gap:.0e}",
        "solver": model.solver_, "steps": model.n_iter_,
        "note": "; ".join(sorted({w.category.__name__ for w in said})),
    }  # fmt: skip


def child(case: dict[str, Any], limit: float) -> dict[str, Any]:
    """Run a case in a process of its own."""
    command = [sys.executable, __file__, "--case", json.dumps(case)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"s": f"> {limit:.0f}"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"killed ({done.returncode})"])[-1]
        return {"s": "failed", "note": last[:160]}
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="text,newsgroup")
    parser.add_argument("--families", default=None)
    parser.add_argument("--roles", default="Regressor,Classifier")
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--limit", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--d", type=int, default=50_000)
    parser.add_argument("--dtype", default="float64")
    parser.add_argument("--case", default=None, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.case:
        print(json.dumps(fit_one(json.loads(asked.case))))
        return
    import tempfile

    chosen = list(FAMILIES) if asked.families is None else asked.families.split(";")
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.data.split(","):
            X, y = make(name, asked.seed, asked.n, asked.d)
            file = str(Path(folder) / f"{name}.npz")
            X = X.astype(asked.dtype)
            np.savez(
                file, data=X.data, indices=X.indices, indptr=X.indptr, shape=X.shape, y=y
            )  # fmt: skip
            for family in chosen:
                for role in asked.roles.split(","):
                    case = {"file": file, "family": family, "role": role, "tuned": asked.tuned}
                    rows.append({"data": name, "family": family, "role": role})
                    rows[-1] |= child(case, asked.limit)
                    print(rows[-1], file=sys.stderr, flush=True)
    print(harness.table(rows))


if __name__ == "__main__":
    main()
