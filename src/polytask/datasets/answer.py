"""Problems built from their answer, so that a test knows the optimum without solving anything."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from polytask.data import stack_tasks
from polytask.datasets.truth import Truth, draw_sizes, frame_of

__all__ = ["make_from_answer"]


def make_from_answer(
    coef: ArrayLike,
    penalty_gradient: ArrayLike,
    n_rows: int | tuple[int, int] = 20,
    *,
    noise: float = 0.5,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[pd.DataFrame, np.ndarray, Truth]:
    """Make squared-loss tasks whose penalized optimum is `coef`.

    With R(W) = 1/m sum_i 1/(2 n_i) ‖y_i - X_i w_i‖² and a convex penalty Omega, W minimizes
    R + Omega as soon as 0 = X_i'(X_i w_i - y_i) / (m n_i) + G_i for every task, where row i of G
    belongs to a (sub)gradient of Omega at W. Labels with X_i'e_i = 0 and

        y_i = X_i w_i + X_i (X_i'X_i)^-1 m n_i G_i + e_i

    make it so.

    The columns of X_i, the second term and e_i all sum to zero, so that the answer is the same with
    an intercept, which is then zero.

    Parameters
    ----------
    coef : array of shape (m, d)
        The optimum W that the sample is to have.
    penalty_gradient : array of shape (m, d)
        G, with the strength in it: 2 alpha W for alpha ‖W‖_F²; 2 alpha ΔW for the mean-regularized
        alpha ‖ΔW‖_F² + alpha_common ‖w0‖², if alpha sum_i Δw_i = alpha_common w0 holds;
        alpha U V' for the trace norm of W = U S V'.
    n_rows : int or (low, high)
        Rows of each task; more than d + 1, so that an e_i is left.
    noise : float
        Standard deviation of e_i; it does not move the answer.
    random_state : int, RandomState or None

    Returns
    -------
    X : DataFrame of shape (rows of all tasks, d + 1)
        Columns x0, x1, ... and, last, `task`.
    y : ndarray of shape (rows of all tasks,)
    truth : Truth
        `coef` is the optimum; its objective value is R(W) + Omega(W) at that point.

    Raises
    ------
    ValueError
        If the shapes differ, or a task gets fewer than d + 2 rows.

    Examples
    --------
    Ridge with alpha = 0.1 on every task alone:

    >>> import numpy as np
    >>> from polytask.datasets import make_from_answer
    >>> W = np.array([[1.0, 3.0], [0.5, 2.0]])
    >>> X, y, truth = make_from_answer(W, 2 * 0.1 * W, n_rows=9, random_state=0)
    >>> x, t = X[["x0", "x1"]].to_numpy()[:9], y[:9]
    >>> np.linalg.solve(x.T @ x / (2 * 9) + 2 * 0.1 * np.eye(2), x.T @ t / (2 * 9)).round(6)
    array([1., 3.])
    """
    W, G = (
        np.atleast_2d(np.asarray(coef, float)),
        np.atleast_2d(np.asarray(penalty_gradient, float)),
    )
    if W.shape != G.shape:
        raise ValueError(
            "make_from_answer: penalty_gradient must have the shape of coef, "
            f"{W.shape}; got {G.shape}."
        )
    random = check_random_state(random_state)
    sizes = draw_sizes(n_rows, len(W), random)
    if sizes.min() < W.shape[1] + 2:
        raise ValueError(
            f"make_from_answer: n_rows must be at least n_features + 2 = {W.shape[1] + 2}; "
            f"got {sizes.min()}."
        )
    tasks = {}
    for i, n in enumerate(sizes):
        X = _centred(random.standard_normal((n, W.shape[1])))
        pull = X @ np.linalg.solve(X.T @ X, len(W) * n * G[i])
        e = _centred(noise * random.standard_normal((n, 1)))[:, 0]
        e -= X @ np.linalg.lstsq(X, e, rcond=None)[0]
        tasks[i] = (frame_of(X), X @ W[i] + pull + e)
    return *stack_tasks(tasks), Truth(coef=W, intercept=np.zeros(len(W)), noise=noise)


def _centred(X: np.ndarray) -> np.ndarray:
    return X - X.mean(axis=0)
