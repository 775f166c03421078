"""Other packages on our objectives: scikit-learn and skglm on the expanded design, MixedLM.

The mean-regularized problem with one ridge on w0 and on Δw is ridge regression on the design
[x, 0 … x … 0]; each peer gets it with rows scaled by the square roots of their weights.
`objective` evaluates anybody's answer, `reml_deviance` that of a model with estimated variances.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from scipy import sparse

from polytask.data import TaskData
from polytask.responses import Loss
from polytask.structures import Blocks


def expanded(data: TaskData, weight: np.ndarray) -> Any:
    """[x, 0 … x … 0] for every row, times sqrt(weight); csr, shape (N, d + m d)."""
    rows, d = np.asarray(data.design.X), data.n_coefs
    scaled = rows * np.sqrt(weight)[:, None]
    columns = d + data.code[:, None] * d + np.arange(d)
    both = np.hstack([np.broadcast_to(np.arange(d), columns.shape), columns])
    N = len(rows)
    return sparse.csr_matrix(
        (np.hstack([scaled, scaled]).ravel(), both.ravel(), np.arange(0, 2 * N * d + 1, 2 * d)),
        shape=(N, d * (data.n_tasks + 1)),
    )


def objective(data: TaskData, loss: Loss, theta: np.ndarray, penalty: float) -> float:
    """R + penalty at anybody's coefficients theta (m, p)."""
    return float(data.weight @ loss.value(data.y, data.design.predict(theta))) + penalty


def mean_regularized_objective(data: TaskData, loss: Loss, alpha: float, flat: np.ndarray) -> float:
    """R + alpha (‖w0‖² + ‖ΔW‖²) at flat = (w0, Δw_1, …)."""
    W = flat.reshape(-1, data.n_coefs)
    return objective(data, loss, W[0] + W[1:], alpha * float(flat @ flat))


def flat(blocks: Blocks) -> np.ndarray:
    """(w0, Δw_1, …) of our solution."""
    return np.concatenate([blocks["common"], blocks["deviation"].ravel()])


def sklearn_ridge(data: TaskData, alpha: float) -> np.ndarray:
    """Ridge by LSQR, the road without a library."""
    from sklearn.linear_model import Ridge

    root = np.sqrt(data.weight)
    model = Ridge(alpha=2.0 * alpha, fit_intercept=False, solver="lsqr", tol=1e-6)
    return np.asarray(model.fit(expanded(data, data.weight), root * data.y).coef_)


def skglm_ridge(data: TaskData, alpha: float) -> np.ndarray:
    """The same by skglm's coordinate descent, its road for a ridge on sparse rows."""
    from skglm.datafits import Quadratic
    from skglm.penalties import L1_plus_L2
    from skglm.solvers import AndersonCD

    N = len(data.y)
    target = np.sqrt(N * data.weight) * data.y
    solver = AndersonCD(max_iter=50, max_epochs=2000, tol=1e-5, fit_intercept=False)
    rows = expanded(data, N * data.weight).tocsc()
    return np.asarray(solver.solve(rows, target, Quadratic(), L1_plus_L2(2.0 * alpha, 0.0))[0])


def sklearn_logistic(data: TaskData, alpha: float) -> np.ndarray:
    """Logistic regression on the expanded design by Newton's method with conjugate gradients."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=1.0 / (2.0 * alpha), fit_intercept=False, solver="newton-cg", tol=1e-7, max_iter=1000
    )
    rows = expanded(data, np.ones(len(data.y)))
    return np.asarray(model.fit(rows, data.y, sample_weight=data.weight).coef_[0])


def mixed_lm(X: np.ndarray, y: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, float]:
    """statsmodels: diagonal covariance of all coefficients and the variance of the noise."""
    import statsmodels.api as sm
    from statsmodels.regression.mixed_linear_model import MixedLMParams

    p = X.shape[1]
    free = MixedLMParams.from_components(np.ones(p), cov_re=np.eye(p))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sm.MixedLM(y, X, groups=code, exog_re=X).fit(reml=True, free=free)
    return np.diag(np.diag(found.cov_re)), float(found.scale)


def reml_deviance(
    X: np.ndarray, y: np.ndarray, code: np.ndarray, covariance: np.ndarray, noise: float
) -> float:
    """-2 log restricted likelihood, without its constant, w0 at its best."""
    p = X.shape[1]
    logs, A, r, square = 0.0, np.zeros((p, p)), np.zeros(p), 0.0
    order, sizes = np.argsort(code, kind="stable"), np.bincount(code)
    for rows in np.split(np.column_stack([X, y])[order], np.cumsum(sizes)[:-1]):
        if (more := len(rows) - p - 1) > 0:  # turned, all but p + 1 rows are zeros
            rows, logs = np.linalg.qr(rows, mode="r"), logs + more * float(np.log(noise))
        Z, t = rows[:, :-1], rows[:, -1]
        V = noise * np.eye(len(t)) + Z @ covariance @ Z.T
        half = np.linalg.solve(V, np.column_stack([Z, t]))
        logs += float(np.linalg.slogdet(V)[1])
        A, r, square = (
            A + Z.T @ half[:, :-1],
            r + Z.T @ half[:, -1],
            square + float(t @ half[:, -1]),
        )
    return logs + float(np.linalg.slogdet(A)[1]) + square - float(r @ np.linalg.solve(A, r))
