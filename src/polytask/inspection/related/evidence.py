"""What each task's own rows say about its coefficients, as a Gaussian likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from sklearn.utils import _safe_indexing

from polytask.algebra.linalg import symmetric_eigen
from polytask.data import drop_task_column, is_frame
from polytask.inspection.sample import RowSample
from polytask.inspection.statistics import moderated_variance
from polytask.models.mean_regularized import MeanRegularizedClassifier, MeanRegularizedRegressor
from polytask.models.mixed import without_doubts

__all__ = ["TaskEvidence", "read_evidence"]

_ROWS = 1 << 16  # that are prepared at a time


@dataclass(frozen=True, eq=False)
class TaskEvidence:
    """Likelihoods exp(-(v_i'H_i v_i - 2 g_i'v_i) / (2 s_i)) of m tasks with p coefficients each.

    Coefficients belong to features scaled to a standard deviation of one and centred; the last
    of the p is the task's level.

    Attributes
    ----------
    grams : ndarray of shape (m, p, p)
        H_i.
    cross : ndarray of shape (m, p)
        g_i.
    noise : ndarray of shape (m,)
        s_i, the residual variance of each task; tasks with few rows borrow from the others.
    noise_df : ndarray of shape (m,)
        Degrees of freedom of s_i.
    shape : ndarray of shape (p - 1, p - 1)
        Correlations of the features over all rows.
    scale, centre : ndarray of shape (p - 1,)
    names : tuple of str
    common, between : ndarray of shape (p,)
        REML estimates of w0 and of the variances of the deviations.
    common_covariance : ndarray of shape (p, p)
    """

    grams: np.ndarray
    cross: np.ndarray
    noise: np.ndarray
    noise_df: np.ndarray
    shape: np.ndarray
    scale: np.ndarray
    centre: np.ndarray
    names: tuple[str, ...]
    common: np.ndarray
    between: np.ndarray
    common_covariance: np.ndarray

    @property
    def n_tasks(self) -> int:
        """How many tasks."""
        return len(self.grams)

    def vectors(self, coefs: np.ndarray) -> np.ndarray:
        """Slopes as vectors (m, d) whose inner products are covariances of predictions."""
        return np.asarray(coefs[:, :-1] @ self.root)

    @cached_property
    def root(self) -> np.ndarray:
        """Symmetric root of `shape`."""
        values, vectors = symmetric_eigen(self.shape)
        return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)

    @cached_property
    def own(self) -> np.ndarray:
        """Tasks whose rows determine all coefficients, (m,) bool."""
        size = np.sqrt(np.maximum(np.einsum("bkk->bk", self.grams), 1e-300))
        values = np.linalg.eigvalsh(self.grams / size[:, :, None] / size[:, None, :])
        return np.asarray(values[:, 0] > 1e-6)


def read_evidence(sample: RowSample, prepare: Any = None) -> TaskEvidence:
    """Fit the mixed model and gather each task's statistics; `prepare` makes the features.

    Classes: one step of penalized quasi-likelihood. The logistic likelihood is replaced by its
    quadratic at a mean-regularized fit, which is a least-squares problem with working responses
    and weights p(1 - p) (Breslow and Clayton 1993, JASA 88).

    Raises
    ------
    ValueError
        If no feature varies, or features are missing or are not numbers.
    """
    table, names, scale, centre = _standardized(sample, prepare)
    d = len(names)
    y, weight = _working_response(table, sample)
    model = MeanRegularizedRegressor(alpha="reml", task=d)
    with without_doubts():
        model.fit(table, y, sample_weight=weight)
    table[:, d] = 1.0  # the level, in the place of the task
    grams, cross, square = _moments(table, y, weight, sample.codes, sample.n_tasks)
    regression = sample.kind == "regression"
    noise, df = _noise(grams, cross, square, sample.rows, model.noise_variance_, regression)
    return TaskEvidence(
        grams=grams,
        cross=cross,
        noise=noise,
        noise_df=df,
        shape=table[:, :d].T @ table[:, :d] / len(table),
        scale=scale,
        centre=centre,
        names=names,
        common=np.append(model.common_coef_, model.common_intercept_),
        between=np.diag(model.deviation_covariance_).copy(),
        common_covariance=model.common_covariance_,
    )


def _standardized(
    sample: RowSample, prepare: Any
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, np.ndarray]:
    """Features, and the task last, (n, d + 1): one array, filled block by block."""
    n, names, table = len(sample.y), [], np.zeros((0, 0))
    for first in range(0, n, _ROWS):
        block = slice(first, min(first + _ROWS, n))
        rows = _safe_indexing(sample.X, block)
        features = drop_task_column(
            rows if prepare is None else prepare.transform(rows), sample.task
        )
        if first == 0:
            names = _names(features)
            table = np.empty((n, len(names) + 1))
        table[block, :-1] = _numbers(features)
    table[:, -1] = sample.codes
    scale = np.array([x.std() for x in table.T[:-1]])
    most = np.array([np.abs(x).max() for x in table.T[:-1]])
    varies = scale > 1e-12 * np.maximum(most, 1e-300)
    if not varies.any():
        raise ValueError("TaskRelatedness: a feature must vary over the rows; got none that does.")
    if not varies.all():
        table, scale = table[:, np.append(varies, True)], scale[varies]
    centre = np.array([x.mean() for x in table.T[:-1]])
    table[:, :-1] -= centre
    table[:, :-1] /= scale
    return table, tuple(np.array(names, dtype=object)[varies]), scale, centre


def _numbers(features: Any) -> np.ndarray:
    try:
        Z = np.asarray(features.toarray() if hasattr(features, "toarray") else features, float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "TaskRelatedness: features must be numbers; got text. Encode them first."
        ) from error
    if not np.isfinite(Z).all():
        raise ValueError(
            "TaskRelatedness: features must be finite; got missing or infinite values. "
            "Impute them first."
        )
    return Z


def _names(features: Any) -> list[str]:
    if is_frame(features):
        return [str(name) for name in nw.from_native(features, eager_only=True).columns]
    return [f"x{j}" for j in range(features.shape[1])]


def _working_response(table: np.ndarray, sample: RowSample) -> tuple[np.ndarray, np.ndarray]:
    if sample.kind == "regression":
        return sample.y, np.ones(len(table))
    model = MeanRegularizedClassifier(task=table.shape[1] - 1).fit(table, sample.y)
    score = model.decision_function(table)
    p = np.clip(1 / (1 + np.exp(-score)), 1e-3, 1 - 1e-3)
    weight = p * (1 - p)
    # weights with mean one make the dispersion, which REML estimates, the right one
    return score + (sample.y - p) / weight, weight / weight.mean()


def _moments(
    design: np.ndarray, y: np.ndarray, weight: np.ndarray, codes: np.ndarray, m: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    p = design.shape[1]
    grams, cross, square = np.empty((m, p, p)), np.empty((m, p)), np.empty(m)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(m + 1))
    for i in range(m):
        rows = order[ends[i] : ends[i + 1]]
        part = design[rows] * weight[rows, None]
        grams[i], cross[i] = part.T @ design[rows], part.T @ y[rows]
        square[i] = weight[rows] @ y[rows] ** 2
    return grams, cross, square


def _noise(
    grams: np.ndarray,
    cross: np.ndarray,
    square: np.ndarray,
    rows: np.ndarray,
    common: float,
    regression: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Residual variances of the tasks; one for all where they cannot be told."""
    m = len(rows)
    if not regression:
        return np.full(m, common), np.full(m, np.inf)
    inverse = np.linalg.pinv(grams, rcond=1e-10, hermitian=True)
    rank = np.linalg.matrix_rank(grams, tol=None, hermitian=True)
    df = np.maximum(rows - rank, 0.0)
    rss = square - np.einsum("bk,bkl,bl->b", cross, inverse, cross)
    own = np.where(df > 0, np.maximum(rss, 0) / np.maximum(df, 1), np.nan)
    if (df > 0).sum() < 3:
        return np.full(m, common), np.full(m, max(float(rows.sum() - m), 1.0))
    variance, found = moderated_variance(own, df)
    return np.where(np.isfinite(variance) & (variance > 0), variance, common), found
