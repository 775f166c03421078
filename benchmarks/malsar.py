"""MALSAR under Octave and RMTL under R beside ours: everybody's objective by one function.

    python benchmarks/malsar.py MALSAR_FOLDER RMTL_FOLDER [--record tests/scales/record.json]

For every formulation that both have, on the same rows: the objective of each answer (ours, computed
here from the coefficients), and the time that each took, in turn, as a ratio. Their strengths are
converted by `polytask.scales`. Octave needs MALSAR's C files built by ``mkoctfile --mex``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

from polytask.data import TaskData, make_task_data, read_rows, read_target
from polytask.models import formulations
from polytask.scales import to_polytask

TOL = 1e-9  # relative duality gap at which ours stops
STOP = "struct('init', 2, 'tFlag', 1, 'tol', 1e-10, 'maxIter', 5000)"


@dataclass(frozen=True)
class Case:
    """A function of theirs: its strengths, what follows them, and what it returns."""

    package: str
    function: str
    strengths: dict[str, float]
    more: str = ""
    ours: dict[str, Any] | None = None
    returns: str = "[W, f]"
    title: str = ""


def cases(N: int, m: int) -> list[Case]:
    """Strengths of a middling size: about a tenth of what makes all zero on unit data."""
    s = 0.02 * N
    found = [
        Case("MALSAR", "Least_Lasso", {"rho1": s / m}),
        Case("MALSAR", "Least_L21", {"rho1": s / 2}),
        Case("MALSAR", "Least_Trace", {"rho1": s}),
        Case("MALSAR", "Least_TGL", {"rho1": s / 50, "rho2": s / 10, "rho3": s / 2}),
        Case("MALSAR", "Least_CFGLasso", {"rho1": s / m, "rho2": s / m, "rho3": s / 4}),
        Case(
            "MALSAR",
            "Least_CFGLasso",
            {"rho1": s / m, "rho2": 0.0, "rho3": s / 4},
            ours={"formulation": "sparse-group"},
            title="CFGLasso, rho2 = 0: sparse group",
        ),
        Case("MALSAR", "Least_CMTL", {"rho1": s, "rho2": s / 10}, ", 2", {"n_clusters": 2}),
        Case("MALSAR", "Least_CASO", {"rho1": s, "rho2": s / 10}, ", 2", {"n_components": 2}),
        Case("MALSAR", "Least_Dirty", {"rho1": 4 * s, "rho2": 2 * s / m}),
        Case("MALSAR", "Least_RMTL", {"rho1": 2 * s, "rho2": s}),
        Case("MALSAR", "Least_rMTFL", {"rho1": 2 * s, "rho2": s}),
    ]
    t = 0.02 * m
    found += [
        Case("MALSAR", "Logistic_Lasso", {"rho1": t / m}, returns="[W, C, f]"),
        Case("MALSAR", "Logistic_L21", {"rho1": t / 2}, returns="[W, C, f]"),
        Case("MALSAR", "Logistic_Trace", {"rho1": t}, returns="[W, C, f]"),
        Case("MALSAR", "Logistic_TGL", {"rho1": t / 50, "rho2": t / 10, "rho3": t / 2},
             returns="[W, C, f]"),
        Case("MALSAR", "Logistic_CFGLasso", {"rho1": t / m, "rho2": t / m, "rho3": t / 4},
             returns="[W, C, f]"),
        Case("MALSAR", "Logistic_CMTL", {"rho1": t, "rho2": t / 10}, ", 2", {"n_clusters": 2},
             "[W, C, f]"),
        Case("MALSAR", "Logistic_CASO", {"rho1": t, "rho2": t / 10}, ", 2", {"n_components": 2},
             "[W, C, f]"),
    ]  # fmt: skip
    for kind in ("Regression", "Classification"):
        for name in ("Lasso", "L21", "Trace"):
            size = {"Lasso": t / m, "L21": t / 2, "Trace": t}[name]
            found.append(Case("RMTL", name, {"Lam1": size}, kind))
        found.append(Case("RMTL", "CMTL", {"Lam1": t, "Lam2": t / 10}, kind, {"n_clusters": 2}))
    return found


def make_rows(m: int, d: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows with the task in column 0, and numbers."""
    rng = np.random.default_rng(seed)
    ids = np.repeat(np.arange(m), rng.integers(n, 2 * n, m))
    W = rng.normal(size=d) + 0.5 * rng.normal(size=(m, d))
    W[:, d // 2 :] *= 0.1
    X = rng.normal(size=(len(ids), d))
    return np.column_stack([ids, X]), (X * W[ids]).sum(axis=1) + rng.normal(size=len(ids))


def fit_ours(case: Case, Z: np.ndarray, y: np.ndarray, tol: float = TOL) -> tuple[Any, float]:
    """Ours at their strengths, and its seconds."""
    sizes = np.bincount(Z[:, 0].astype(int))
    options = to_polytask(case.package, case.function, sizes, **case.strengths)
    options |= case.ours or {}
    if options["formulation"] == "sparse-group":  # theirs is the one with differences, at none
        del options["alpha_difference"]
    formulation = formulations()[str(options.pop("formulation"))]
    labels = case.function.startswith("Logistic") or case.more == "Classification"
    Model = formulation.classifier if labels else formulation.regressor
    model = Model(**options, task=0, tol=tol)  # type: ignore[misc]
    begin = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(Z, np.where(y > 0, 1, -1) if labels else y)
    return model, time.process_time() - begin


def objective(model: Any, Z: np.ndarray, y: np.ndarray, W: np.ndarray, b: np.ndarray) -> float:
    """The model's objective at anybody's W (m, d) and b (m,)."""
    labels = hasattr(model, "classes_")
    rows = read_rows(model, Z, reset=False)
    target, names = read_target(model, np.where(y > 0, 1, -1) if labels else y)
    data: TaskData = make_task_data(model, rows, model._encode(target), names, None)
    given = {s.name: getattr(model, f"{s.name}_") for s in model.strengths}
    problem = model._make_problem(data, model._loss(), given)
    theta = np.column_stack([W, b]) if data.intercept else W
    risk = data.at(model._loss(), theta).total
    return risk + best_penalty(problem, W, getattr(model, f"{problem.structure.parts[0]}_coef_", W))


def best_penalty(problem: Any, W: np.ndarray, near: np.ndarray) -> float:
    """The least penalty over parts that sum to W: by proximal steps on the split.

    From where the first part is ``near``, as in ours: from far away there are too few.
    """
    parts = problem.structure.parts
    if len(parts) == 1:
        return float(problem.penalties[parts[0]].value(W))
    first, second = (problem.penalties[part] for part in parts)
    step = np.abs(W).max() / 10
    z, found = near, [float(first.value(near) + second.value(W - near))]
    for _ in range(3000):  # Douglas-Rachford on P and W - P
        P = first.shrink(z, step).matrix
        Q = W - second.shrink(W - (2 * P - z), step).matrix
        z = z + Q - P
    found += [float(first.value(A) + second.value(W - A)) for A in (P, Q)]
    return min(found)


def malsar(
    case: Case, folder: Path, Z: np.ndarray, y: np.ndarray, stop: str = STOP,
    limit: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """W (m, d), b, seconds of the processor of MALSAR's function; ``limit`` are seconds at most."""
    ids = Z[:, 0].astype(int)
    cells = [np.empty((1, ids.max() + 1), dtype=object) for _ in range(2)]
    labels = case.function.startswith("Logistic")
    for i in range(ids.max() + 1):
        X = Z[ids == i, 1:]
        cells[0][0, i] = X.T if "CFGLasso" in case.function else X  # a function that wants X'
        cells[1][0, i] = (np.where(y > 0, 1.0, -1.0) if labels else y)[ids == i][:, None]
    with tempfile.TemporaryDirectory() as place:
        savemat(f"{place}/in.mat", {"X": cells[0], "Y": cells[1]})
        rhos = ", ".join(f"{v:.17g}" for v in case.strengths.values())
        code = (
            f"addpath(genpath('{folder}')); addpath('{folder}/functions/rMTFL'); "
            f"load('{place}/in.mat'); opts = {stop}; t = cputime; "
            f"{case.returns} = {case.function}(X, Y, {rhos}{case.more}, opts); t = cputime - t; "
            f"save('-v7', '{place}/out.mat', 'W', 't'); "
            + (f"save('-v7', '-append', '{place}/out.mat', 'C');" if "C" in case.returns else "")
        )
        run = subprocess.run(
            ["octave-cli", "--eval", code], capture_output=True, text=True, timeout=limit
        )
        if run.returncode:
            raise RuntimeError(" ".join(run.stderr.split())[:300])
        out = loadmat(f"{place}/out.mat")
    b = out["C"].ravel() if "C" in out else np.zeros(ids.max() + 1)
    return {"W": out["W"].T, "b": b, "seconds": float(out["t"].item())}


def rmtl(case: Case, folder: Path, Z: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """The same of RMTL's function."""
    labels = case.more == "Classification"
    with tempfile.TemporaryDirectory() as place:
        np.savetxt(f"{place}/Z.csv", Z, delimiter=",", fmt="%.17g")
        np.savetxt(f"{place}/y.csv", np.where(y > 0, 1, -1) if labels else y, fmt="%.17g")
        strengths = ", ".join(f"{n}={v:.17g}" for n, v in case.strengths.items())
        code = f"""
            for (file in list.files("{folder}/R", full.names=TRUE)) source(file)
            Z <- as.matrix(read.csv("{place}/Z.csv", header=FALSE)); y <- scan("{place}/y.csv")
            X <- lapply(split(1:nrow(Z), Z[, 1]), function(r) Z[r, -1, drop=FALSE])
            Y <- lapply(split(y, Z[, 1]), as.matrix)
            t <- system.time(m <- MTL(X, Y, type="{case.more}", Regularization="{case.function}",
                {strengths}, k=2, opts=list(init=0, tol=1e-12, maxIter=5000)))[["elapsed"]]
            write.table(rbind(m$W, m$C, t), "{place}/out.csv", row.names=FALSE, col.names=FALSE)
        """
        run = subprocess.run(["Rscript", "-e", code], capture_output=True, text=True)
        if run.returncode:
            raise RuntimeError(" ".join(run.stderr.split())[:300])
        out = np.loadtxt(f"{place}/out.csv")
    return {"W": out[:-2].T, "b": out[-2], "seconds": float(out[-1, 0])}


def main() -> None:
    """Print a line per function; ``--record`` keeps their answers for the tests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("malsar", type=Path)
    parser.add_argument("rmtl", type=Path)
    parser.add_argument("--size", nargs=3, type=int, default=[5, 6, 20], help="tasks features rows")
    parser.add_argument("--record", type=Path)
    args = parser.parse_args()
    Z, y = make_rows(*args.size, seed=0)
    kept = []
    print(f"{'function':32s} {'theirs / ours - 1':>18s} {'time ratio':>12s} {'|W - W|':>10s}")
    for case in cases(len(y), args.size[0]):
        name = f"{case.package} {case.function} {case.more.strip(', ')}"
        fit_ours(case, Z, y)
        model, ours = fit_ours(case, Z, y)
        try:
            run, folder = {"MALSAR": (malsar, args.malsar), "RMTL": (rmtl, args.rmtl)}[case.package]
            theirs = run(case, folder, Z, y)
        except RuntimeError as error:
            print(f"{name:32s} {error}")
            continue
        mine = objective(model, Z, y, model.coef_, model.intercept_)
        other = objective(model, Z, y, theirs["W"], theirs["b"])
        apart = np.abs(theirs["W"] - model.coef_).max()
        print(
            f"{name:32s} {other / mine - 1:18.2e} {theirs['seconds'] / ours:12.1f} {apart:10.1e}",
            flush=True,
        )
        kept.append({
            "package": case.package, "function": case.function, "more": case.more,
            "strengths": case.strengths, "ours": case.ours, "W": theirs["W"].round(9).tolist(),
            "b": theirs["b"].round(9).tolist(), "above": other / mine - 1,
        })  # fmt: skip
    if args.record:
        rows = {"Z": Z.tolist(), "y": y.tolist()}
        lines = ",\n".join(json.dumps(answer) for answer in kept)
        text = f'{{"made by": {json.dumps(made_by())},\n"rows": {json.dumps(rows)},\n"answers": ['
        args.record.write_text(f"{text}\n{lines}]}}\n", encoding="utf-8")


def made_by() -> dict[str, str]:
    """Versions of what ran."""
    octave = subprocess.run(["octave-cli", "--version"], capture_output=True, text=True).stdout
    R = subprocess.run(["Rscript", "--version"], capture_output=True, text=True)
    return {
        "MALSAR": "github.com/jiayuzhou/MALSAR at fb97515 (2017-02-27), " + octave.split("\n")[0],
        "RMTL": "github.com/transbioZI/RMTL at 8e5bf4d (0.9, 2019-03-25), " + R.stdout.strip(),
        "command": "python benchmarks/malsar.py MALSAR RMTL --size 4 4 12 --record FILE",
    }


if __name__ == "__main__":
    main()
