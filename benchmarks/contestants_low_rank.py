"""Contestants of a norm: ours, single-task ridge, MALSAR under Octave; one objective.

`contestants(...)` gives a `Field`: ``runs`` is a dict {name: callable without arguments that
returns (W, b)}, ``objective(W, b)`` evaluates anybody's answer.
"""

from __future__ import annotations

import importlib.util
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import timed_fits  # sets the BLAS threads, so it comes before numpy  # isort: skip
import numpy as np
import peers
from scipy.io import loadmat, savemat

from polytask.data import Rows, TaskData, make_task_data
from polytask.penalties import JointFeatures, Ridge, TraceNorm
from polytask.problem import Problem
from polytask.responses import Logistic, Squared
from polytask.solvers import Solution, one_blas_thread, select
from polytask.solvers.norms.profile import zero_factor
from polytask.structures import CommonDeviation, SlopesPlus
from polytask.tuning import norm_path, trace_path

Answer = tuple[np.ndarray, np.ndarray]
TOL = 1e-6  # relative duality gap at which ours stops


NORMS: dict[str, tuple[str, Callable[[float], Any]]] = {  # MALSAR's word, and ours
    "trace norm": ("Trace", TraceNorm),
    "joint features": ("L21", JointFeatures),
}


@dataclass(frozen=True)
class Field:
    """Contestants on one problem."""

    runs: dict[str, Callable[[], Answer]]
    objective: Callable[[np.ndarray, np.ndarray], float]
    solution: Solution
    answer: Answer
    path: Callable[[], list[Solution]]
    malsar_seconds: Callable[[bool], tuple[float, Answer]] | None  # True: by its own stop


def data_of(X: np.ndarray, y: np.ndarray, code: np.ndarray, classes: bool) -> TaskData:
    """Rows weigh alike for squares (MALSAR's sum over rows), tasks for classes (its mean)."""
    weight = "equal" if classes else "size"
    settings = SimpleNamespace(fit_intercept=classes, task_weight=weight)
    return make_task_data(settings, Rows(X, code), y, None, None)


def problem_of(data: TaskData, alpha: float, classes: bool, norm: str) -> Problem:
    """R + alpha times the norm; free intercepts for classes, none for squares."""
    p, d = data.n_coefs, data.n_features
    level = np.arange(p) >= d
    penalties = {
        "low_rank": NORMS[norm][1](alpha),
        "common": Ridge(np.zeros(p - d)),
        "deviation": Ridge(np.zeros(p - d)),
    }
    structure = SlopesPlus(CommonDeviation(level, level), d)
    return Problem(data, Logistic() if classes else Squared(), structure, penalties)


def contestants(
    size: str, seed: int, classes: bool, share: float, malsar: Path | None = None,
    norm: str = "trace norm",
) -> Field:  # fmt: skip
    """Ours, and the rest, at alpha = share of the smallest alpha with W = 0."""
    X, y, code = timed_fits.make(size, seed, False)
    y = (y > np.median(y)).astype(float) if classes else y
    data = data_of(X, y, code, classes)
    top = zero_factor(problem_of(data, 1.0, classes, norm))
    alpha, d = share * top, data.n_features
    rows, start = np.asarray(data.design.X), data.start

    def fit() -> Solution:
        with one_blas_thread():
            asked = problem_of(data_of(X, y, code, classes), alpha, classes, norm)
            return select(asked).solve(asked, None, TOL, 5000)

    def path() -> list[Solution]:
        fresh = data_of(X, y, code, classes)
        with one_blas_thread():
            grid = zero_factor(problem_of(fresh, 1.0, classes, norm)) * np.logspace(0, -2, 50)
            along = trace_path if norm == "trace norm" else norm_path
            return along(lambda a: problem_of(fresh, a, classes, norm), grid, TOL, 5000)

    def split(solution: Solution) -> Answer:
        return solution.coefs[:, :d], solution.coefs[:, d:].sum(axis=1)

    def objective(W: np.ndarray, b: np.ndarray) -> float:
        theta = np.column_stack([W, b]) if classes else W
        penalty = NORMS[norm][1](alpha).value(W)
        return peers.objective(data, Logistic() if classes else Squared(), theta, penalty)

    best = fit()
    runs: dict[str, Callable[[], Answer]] = {"ours": lambda: split(fit())}
    if classes:
        runs["STL"] = lambda: (timed_fits.single_task_logistic(data, 2.0), np.zeros(len(start)))
    else:
        runs["STL"] = lambda: (
            timed_fits.single_task(rows, data.y, start, 2.0),
            np.zeros(len(start)),
        )
    timed = (
        None
        if malsar is None
        else _malsar(malsar, data, alpha, classes, best.objective, NORMS[norm][0])
    )
    return Field(runs, objective, best, split(best), path, timed)


def _malsar(
    folder: Path, data: TaskData, alpha: float, classes: bool, optimum: float, word: str
) -> Callable[[bool], tuple[float, Answer]]:
    """MALSAR to 1 + 1e-6 of the optimum: by its own stop, or by an oracle.

    The oracle knows how many iterations that takes. Its own stop is a relative change of the
    objective, at the loosest of 1e-5, 1e-6, ... that gets there. For squares X is scaled such that
    the step it begins with is the right one.
    """
    d, m, n = data.n_features, data.n_tasks, len(data.y)
    blocks = [np.asarray(data.design.block(i))[:, :d] for i in range(m)]
    root = 1.0 if classes else max(float(np.linalg.norm(A, 2)) for A in blocks)
    scale = m if classes else n
    y = 2.0 * data.y - 1.0 if classes else data.y
    cells = [np.empty((1, m), dtype=object) for _ in range(2)]
    for i, A in enumerate(blocks):
        cells[0][0, i] = A / root
        cells[1][0, i] = y[data.start[i] : data.start[i + 1], None]
    call = f"[W, C, f] = Logistic_{word}" if classes else f"C = 0; [W, f] = Least_{word}"
    place = Path(tempfile.mkdtemp())
    savemat(place / "in.mat", {"X": cells[0], "Y": cells[1], "rho": alpha * scale / root})

    def octave(stop: str) -> dict[str, np.ndarray]:
        code = (
            f"addpath(genpath('{folder}')); load('{place}/in.mat');"
            f" opts = struct({stop}, 'init', 2);"
            f" t = cputime; {call}(X, Y, rho, opts); t = cputime - t;"
            f" save('-v7', '{place}/out.mat', 'W', 'C', 'f', 't');"
        )
        subprocess.run(["octave-cli", "--eval", code], check=True, capture_output=True)
        found: dict[str, np.ndarray] = loadmat(place / "out.mat")
        return found

    def values(stop: str) -> np.ndarray:
        reached: np.ndarray = octave(stop)["f"].ravel() / scale
        return reached

    stops: dict[bool, str] = {}

    def search() -> None:
        for power in range(5, 11):
            stops[True] = f"'maxIter', 5000, 'tFlag', 1, 'tol', 1e-{power}"
            f = values(stops[True])
            good = np.flatnonzero(f <= optimum * (1 + 1e-6))
            if len(good):
                break
        iterations = good[0] + 1 if len(good) else len(f)
        stops[False] = f"'maxIter', {iterations}, 'tFlag', 3"

    def run(own: bool) -> tuple[float, Answer]:
        if not stops:
            search()
        out = octave(stops[own])
        b = out["C"].ravel() if classes else np.zeros(m)
        return float(out["t"].item()), (out["W"].T / root, b)

    return run


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one run."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


def shared_contestants(X: np.ndarray, Y: np.ndarray, alpha: float) -> dict[str, Callable[[], Any]]:
    """W (m, d) of joint features of one X by ours, scikit-learn and skglm (where installed).

    ``alpha`` is in scikit-learn's scale, m times ours; peers stop at the duality gap, as a share of
    that at W = 0, that ours has.
    """
    from sklearn.linear_model import MultiTaskLasso

    from polytask import JointFeaturesRegressor

    def ours() -> np.ndarray:
        model = JointFeaturesRegressor(alpha / Y.shape[1], fit_intercept=False, tol=TOL)
        return np.asarray(model.fit(X, Y).coef_)

    options = {"fit_intercept": False, "tol": TOL, "max_iter": 100_000}
    found: dict[str, Callable[[], Any]] = {
        "ours": ours,
        "scikit-learn": lambda: MultiTaskLasso(alpha, **options).fit(X, Y).coef_,
    }
    if importlib.util.find_spec("skglm"):
        from skglm import MultiTaskLasso as Skglm

        # its tolerance is a violation; this is where its objective comes within 1e-6 of ours
        quick = {"fit_intercept": False, "tol": 1e-4 * alpha}
        Skglm(alpha, **quick).fit(X, Y)  # compiled before it is timed
        found["skglm"] = lambda: Skglm(alpha, **quick).fit(X, Y).coef_
    return found


def shared_objective(X: np.ndarray, Y: np.ndarray, alpha: float, W: np.ndarray) -> float:
    """1/(2n) ‖Y - X W'‖² + alpha sum_j ‖w^j‖."""
    left = Y - X @ W.T
    return float((left**2).sum() / (2 * len(X)) + alpha * np.linalg.norm(W, axis=0).sum())
