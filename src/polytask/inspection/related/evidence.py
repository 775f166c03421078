"""What each task's own rows say about its coefficients, as a Gaussian likelihood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np

from polytask.data import drop_task_column, is_frame
from polytask.inspection.sample import RowSample
from polytask.inspection.statistics import moderated_variance
from polytask.models.mean_regularized import MeanRegularizedClassifier, MeanRegularizedRegressor

__all__ = ["TaskEvidence", "read_evidence"]


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
        values, vectors = np.linalg.eigh(self.shape)
        return np.asarray((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T)

    @cached_property
    def own(self) -> np.ndarray:
        """Tasks whose rows determine all coefficients, (m,) bool."""
        size = np.sqrt(np.maximum(np.einsum("bkk->bk", self.grams), 1e-300))
        values = np.linalg.eigvalsh(self.grams / size[:, :, None] / size[:, None, :])
        return np.asarray(values[:, 0] > 1e-6)


def read_evidence(sample: RowSample) -> TaskEvidence:
    """Fit the mixed model and gather each task's statistics.

    Classes: one step of penalized quasi-likelihood. The logistic likelihood is replaced by its
    quadratic at a mean-regularized fit, which is a least-squares problem with working responses
    and weights p(1 - p) (Breslow and Clayton 1993, JASA 88).

    Raises
    ------
    ValueError
        If no feature varies, or features are missing or are not numbers.
    """
    Z, names, scale, centre = _standardized(sample)
    y, weight = _working_response(Z, sample)
    table = np.column_stack([Z, sample.codes])
    model = MeanRegularizedRegressor(alpha="reml", task=Z.shape[1])
    model.fit(table, y, sample_weight=weight)
    design = np.column_stack([Z, np.ones(len(Z))])
    grams, cross, square = _moments(design, y, weight, sample.codes, sample.n_tasks)
    regression = sample.kind == "regression"
    noise, df = _noise(grams, cross, square, sample.rows, model.noise_variance_, regression)
    return TaskEvidence(
        grams=grams,
        cross=cross,
        noise=noise,
        noise_df=df,
        shape=Z.T @ Z / len(Z),
        scale=scale,
        centre=centre,
        names=names,
        common=np.append(model.common_coef_, model.common_intercept_),
        between=np.diag(model.deviation_covariance_).copy(),
        common_covariance=model.common_covariance_,
    )


def _standardized(sample: RowSample) -> tuple[np.ndarray, tuple[str, ...], np.ndarray, np.ndarray]:
    features = drop_task_column(sample.X, sample.task)
    names = _names(features)
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
    scale = Z.std(axis=0)
    varies = scale > 1e-12 * np.maximum(np.abs(Z).max(axis=0), 1e-300)
    if not varies.any():
        raise ValueError("TaskRelatedness: a feature must vary over the rows; got none that does.")
    Z, scale = Z[:, varies], scale[varies]
    centre = Z.mean(axis=0)
    kept = tuple(name for name, keep in zip(names, varies, strict=True) if keep)
    return (Z - centre) / scale, kept, scale, centre


def _names(features: Any) -> list[str]:
    if is_frame(features):
        return [str(name) for name in nw.from_native(features, eager_only=True).columns]
    return [f"x{j}" for j in range(features.shape[1])]


def _working_response(Z: np.ndarray, sample: RowSample) -> tuple[np.ndarray, np.ndarray]:
    if sample.kind == "regression":
        return sample.y, np.ones(len(Z))
    table = np.column_stack([Z, sample.codes])
    model = MeanRegularizedClassifier(task=Z.shape[1]).fit(table, sample.y)
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
