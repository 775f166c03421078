"""How tasks are related: correlations, directions, groups, tasks that stand apart."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from polytask.inspection._json import to_json
from polytask.inspection.comparison import Interval
from polytask.inspection.related import (
    Groups,
    Posterior,
    TaskEvidence,
    coefficient_posterior,
    coefficient_spread,
    find_groups,
    mean_correlation_interval,
    outlier_tasks,
    rank_interval,
    read_evidence,
    spectrum_shares,
)
from polytask.inspection.related.words import method_of, paragraph
from polytask.inspection.roles import final_step
from polytask.inspection.sample import RowSample, read_sample, response_for, response_of
from polytask.responses import Response

__all__ = ["TaskRelatedness"]

_MOST_PAIRS = 100  # tasks whose correlations `to_dict` lists


@dataclass(frozen=True, eq=False)
class TaskRelatedness:
    """How m tasks with d features are related, with the noise of their estimates taken off.

    The correlation of tasks i and k is that of their predictions on the rows of all tasks,
    w_i'S w_k / sqrt(w_i'S w_i w_k'S w_k) with S the covariance of the features. The products are
    expectations given the rows under a mixed model, so that short tasks are neither called
    unlike the others because of their noise (attenuation, Spearman 1904) nor alike because of
    shrinkage: C_i is added to the square of the posterior mean.

    Attributes
    ----------
    tasks : ndarray of shape (m,), rows : ndarray of shape (m,)
        Ids and rows.
    correlation : ndarray of shape (m, m)
    mean_correlation : Interval
        Over all pairs. The interval is for tasks such as these; with fewer than ten tasks it is for
        these tasks, given the estimated variances, and too narrow.
    effective_rank : Interval
        1 / sum of squared shares of the singular directions, between 1 and min(m, d); ends are
        NaN where the tasks have too few rows.
    spectrum : ndarray
        Shares of the singular directions in the posterior means, the largest first.
    groups : Groups
        Clustering tree, order of leaves, labels, stability.
    outliers : DataFrame of m rows
        ``task``, ``rows``, ``group``, ``mean_correlation`` (with the other tasks), ``distance``,
        ``directions``, ``p``, ``q``, ``outlier``.
    coefficients : DataFrame of d + 1 rows
        What the tasks share and how much they differ, by feature; see `coefficient_spread`.
    coef, coef_std : ndarray of shape (m, d + 1)
        Posterior means and standard deviations per standard deviation of the feature, the level
        last.
    text : str
        The answer in words.
    method : tuple of str
        How it was computed, a sentence each.

    Examples
    --------
    >>> from polytask.datasets import make_clustered_tasks
    >>> from polytask.inspection import TaskRelatedness
    >>> X, y, truth = make_clustered_tasks(n_rows=40, n_clusters=2, random_state=1)
    >>> TaskRelatedness.from_data(X, y, task="task").groups.count
    2
    """

    tasks: np.ndarray
    rows: np.ndarray
    correlation: np.ndarray
    mean_correlation: Interval
    effective_rank: Interval
    spectrum: np.ndarray
    groups: Groups
    outliers: pd.DataFrame
    coefficients: pd.DataFrame
    coef: np.ndarray
    coef_std: np.ndarray
    text: str
    method: tuple[str, ...]

    @classmethod
    def from_data(
        cls,
        X: Any,
        y: Any,
        *,
        task: str | int,
        kind: str | None = None,
        n_draws: int = 100,
        random_state: int | None = 0,
    ) -> TaskRelatedness:
        """Estimate relatedness from a table.

        Parameters
        ----------
        X : table of shape (n, d + 1)
            Numbers without missing values, and the task column.
        y : array-like of shape (n,)
            Numbers, or two classes.
        task : str or int
            The task column.
        kind : {"regression", "classification"}, optional
            Told from y unless given.
        n_draws : int, default=100
            Posterior draws behind intervals; groups take a fifth of them, 39 at least.
        random_state : int or None, default=0

        Raises
        ------
        ValueError
            If there are fewer than two tasks, no feature varies, or values are missing.
        """
        sample = read_sample(X, y, task, _response(kind, y))
        return cls.from_sample(sample, n_draws=n_draws, random_state=random_state)

    @classmethod
    def from_sample(
        cls, sample: RowSample, prepare: Any = None, *, n_draws: int = 100,
        random_state: int | None = 0,
    ) -> TaskRelatedness:  # fmt: skip
        """The same for rows that were read; `prepare` makes the features of some at a time.

        Raises
        ------
        ValueError
            Of more than two classes, and of times to an event.
        """
        if sample.kind == "survival":
            raise ValueError(
                "TaskRelatedness: y must hold numbers or two classes; got times to an event, for "
                "which it is not written."
            )
        if sample.response.n_predictors > 1:
            raise ValueError(
                "TaskRelatedness: y must hold numbers or two classes; got "
                f"{len(sample.classes)} classes. Ask about one class against the others."
            )
        rng = np.random.default_rng(random_state)
        evidence = read_evidence(sample, prepare)
        posterior = coefficient_posterior(evidence)
        return _assemble(cls, sample, evidence, posterior, n_draws, rng)

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: Any, **options: Any) -> TaskRelatedness:
        """The same on the features and for the task column of a fitted estimator or Pipeline.

        A Pipeline's steps before the last prepare the features. The coefficients are estimated
        anew: those of a fitted model are shrunken by its own strengths, so their correlations
        would say as much about the strengths as about the tasks.
        """
        model = final_step(estimator)
        if getattr(model, "task", None) is None:
            raise ValueError(
                "TaskRelatedness: task of the estimator must name the task column; got None."
            )
        if isinstance(estimator, Pipeline):
            X = estimator[:-1].transform(X)
        loss = response_of({"": model}, y)
        if not (loss.has_labels or loss.is_quadratic):
            raise ValueError(
                "TaskRelatedness: the estimator's loss must be 'squared' or 'logistic'; got "
                f"{loss.name!r}, for which it is not written. Call from_data to judge the numbers "
                "as they are."
            )
        kind = "classification" if loss.has_labels else "regression"
        return cls.from_data(X, y, task=model.task, kind=kind, **options)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready; correlations only of up to 100 tasks, arrays of coefficients left out."""
        found = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("groups", "coef", "coef_std", "correlation", "tasks", "rows")
        }
        found["groups"] = {
            name: getattr(self.groups, name)
            for name in ("count", "candidate", "stability", "silhouette", "p")
        }
        if len(self.tasks) <= _MOST_PAIRS:
            found["correlation"] = self.correlation.round(4)
        plain: dict[str, Any] = to_json(found)
        return plain


def _assemble(
    cls: type[TaskRelatedness],
    sample: RowSample,
    evidence: TaskEvidence,
    posterior: Posterior,
    n_draws: int,
    rng: np.random.Generator,
) -> TaskRelatedness:
    correlation = _correlation(evidence, posterior)
    groups = find_groups(
        correlation,
        lambda: evidence.vectors(posterior.draw(rng)),
        lambda: evidence.vectors(posterior.draw_prior(rng)),
        max(39, n_draws // 5),
        rng,
    )
    value, low, high = rank_interval(evidence, posterior, n_draws, rng)
    apart = outlier_tasks(evidence, groups.labels if groups.count > 1 else None)
    m = sample.n_tasks
    apart.insert(0, "task", sample.ids)
    apart.insert(1, "rows", sample.rows)
    apart.insert(2, "group", groups.labels)
    apart.insert(3, "mean_correlation", (correlation.sum(axis=1) - 1) / (m - 1))
    found = cls(
        tasks=sample.ids,
        rows=sample.rows,
        correlation=correlation,
        mean_correlation=Interval(*mean_correlation_interval(evidence, posterior, n_draws, rng)),
        effective_rank=Interval(value, low, high),
        spectrum=spectrum_shares(evidence.vectors(posterior.mean)),
        groups=groups,
        outliers=apart,
        coefficients=coefficient_spread(evidence, posterior, n_draws, rng),
        coef=posterior.mean,
        coef_std=np.sqrt((posterior.root**2).sum(axis=2)),
        text="",
        method=method_of(sample.kind),
    )
    return dataclasses.replace(found, text=paragraph(found))


def _correlation(evidence: TaskEvidence, posterior: Posterior) -> np.ndarray:
    """E(w_i'S w_k | rows), scaled to a diagonal of one; positive semidefinite as a sum of such."""
    mean = evidence.vectors(posterior.mean)
    product = mean @ mean.T
    spread = evidence.root @ posterior.root[:, :-1, :]
    product[np.diag_indices(len(product))] += (spread**2).sum(axis=(1, 2))
    size = np.sqrt(np.maximum(np.diag(product), 1e-300))
    correlation: np.ndarray = product / np.outer(size, size)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _response(kind: str | None, y: Any) -> Response:
    return response_of({}, y) if kind is None else response_for(kind == "classification")
