"""The optimum of R + penalties by cvxpy, for tables with the task in column 0."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

TOLERANCES = (1e-9, 1e-8, 1e-7)  # the first that the interior-point method gets to


def minimum(value: Any, limits: Iterable[Any] = ()) -> float:
    """Least value of a convex expression within limits."""
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    problem = cp.Problem(cp.Minimize(value), list(limits))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for tol in TOLERANCES:
            wanted = {"tol_gap_rel": tol, "tol_gap_abs": tol, "tol_feas": tol}
            try:
                problem.solve(solver="CLARABEL", **wanted)
            except (UserWarning, cp.error.SolverError):
                continue
            return float(problem.value)
    raise AssertionError("cvxpy did not solve the problem")


def norm_optimum(
    Z: np.ndarray, y: np.ndarray, role: str, level: float, penalty: Callable[..., Any],
    n_parts: int = 1, limits: Iterable[Any] = (), floor: float = 0.0,
) -> float:  # fmt: skip
    """min over parts of W, b, b0: R + penalty(*parts) + level ‖b - b0‖²; rows are tasks.

    With a ``floor`` R is the mean of the roots of the tasks' mean squares, each at least that share
    of the root without features.
    """
    cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")
    tasks = np.unique(Z[:, 0])
    m, d = len(tasks), Z.shape[1] - 1
    parts = [cp.Variable((m, d)) for _ in range(n_parts)]
    b, b0 = cp.Variable(m), cp.Variable()
    value = penalty(*parts) + level * cp.sum_squares(b - b0)
    limits = list(limits)
    for i, task in enumerate(tasks):
        rows = Z[:, 0] == task
        f = Z[rows, 1:] @ sum(part[i] for part in parts) + b[i]
        loss = cp.square(y[rows] - f) / 2
        if role == "Classifier":
            loss = cp.logistic(f) - cp.multiply(y[rows], f)
        if floor:
            noise = cp.Variable()
            limits.append(noise >= floor * y[rows].std())
            value += (cp.quad_over_lin(y[rows] - f, noise) / rows.sum() + noise) / (2 * m)
        else:
            value += cp.sum(loss) / (m * rows.sum())
    return minimum(value, limits)
