"""Rows that are only passed over: what R is at given coefficients costs a pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from polytask.data import TaskData, TaskMoments
from polytask.data.kept import kept
from polytask.data.moment_rows import mean_if_far, rows_of_grams
from polytask.data.oracle import Pointwise
from polytask.sources.loss_sums import LossSums, sums_at_level
from polytask.sources.passes import Runner, Source
from polytask.sources.source import ParquetSource
from polytask.sources.sums_job import EVERYTHING, FoldPoint, SumsJob, look_at

__all__ = ["FoldSums", "Passed", "about_far_means"]


@dataclass(frozen=True, eq=False)
class FoldSums:
    """The loss near Theta (m, p): unweighted sums over the rows outside of a fold, and inside."""

    theta: np.ndarray
    outside: LossSums
    inside: LossSums


def about_far_means(
    source: ParquetSource, moments: TaskMoments, share: np.ndarray
) -> tuple[ParquetSource, TaskMoments]:
    """A source and its moments, features that lie far from zero taken about their mean in R."""
    center = mean_if_far(moments, share)
    if center is None:
        return source, moments
    moved = moments.standardized(center, np.ones_like(center))
    return replace(source, center=center), moved


@dataclass(frozen=True, eq=False)
class Passed:
    """An oracle for rows that are passed over; the first pass has made their moments.

    Parameters
    ----------
    runner : Runner
    source : Source
        Its targets are numbers.
    moments : TaskMoments
        Of all rows that count, by fold.
    share : ndarray of shape (m,)
        Weight of each task in R.
    intercept : bool
    held : int
        The fold that is left out, if any; the moments are without it.
    always : bool ndarray of shape (m,) or None
        Tasks whose rows are never left out.
    shared : bool
        Whether passes are for several models together, so that a choice of strengths makes none.
    """

    runner: Runner
    source: Source
    moments: TaskMoments
    share: np.ndarray
    intercept: bool
    held: int = EVERYTHING
    always: np.ndarray | None = None
    shared: bool = False

    @classmethod
    def of_moments(
        cls, runner: Runner, source: ParquetSource, moments: TaskMoments, share: np.ndarray,
        intercept: bool,
    ) -> Passed:  # fmt: skip
        """The rows of a source; features far from zero are taken about their mean."""
        if intercept:
            source, moments = about_far_means(source, moments, share)
        return cls(runner, source, moments, share, intercept)

    @property
    def center(self) -> np.ndarray | None:
        """What is taken off the features, shape (d,); None for nothing."""
        return self.source.center

    @property
    def tasks(self) -> np.ndarray:
        """Task ids, shape (m,)."""
        return self.moments.tasks

    @property
    def counts(self) -> np.ndarray:
        """Rows of each task, shape (m,)."""
        return self.moments.counts

    @property
    def n_tasks(self) -> int:
        """Number of tasks m."""
        return len(self.tasks)

    @property
    def n_features(self) -> int:
        """Number of features d."""
        return self.moments.n_features

    @property
    def n_coefs(self) -> int:
        """Coefficients per task, the intercept included."""
        return self.n_features + int(self.intercept)

    @cached_property
    def omega(self) -> np.ndarray:
        """Weight in R of each row of the tasks, shape (m,)."""
        return np.asarray(self.share / np.where(self.counts > 0, self.counts, 1.0))

    @cached_property
    def grams(self) -> np.ndarray:
        """Sum omega x x' in each task, shape (m, p, p)."""
        every, x = np.ones(self.moments.n_folds, dtype=bool), self.moments.places(self.intercept)
        sums = self.moments.about_zero(every) * self.omega[:, None, None]
        return np.asarray(sums[:, x[:, None], x])

    @property
    def column_norms(self) -> np.ndarray:
        """sqrt(sum_k omega_k x_k²) of each column in each task, shape (m, p)."""
        return np.sqrt(np.maximum(np.einsum("mpp->mp", self.grams), 0.0))

    def level(self, loss: Pointwise) -> float:
        """Intercept of all tasks at which a search begins: that of the mean target."""
        if not self.intercept:
            return 0.0
        return loss.start(np.array([self.mean]), np.ones(1))

    def null_curvature(self, loss: Pointwise) -> float:
        """Curvature of the loss at the mean target: the unit of penalty strengths."""
        return loss.null_curvature(np.array([self.mean]), np.ones(1))

    @cached_property
    def mean(self) -> float:
        """Weighted mean target."""
        every = np.ones(self.moments.n_folds, dtype=bool)
        return float(self.omega @ self.moments.about_zero(every)[:, 0, -1])

    @property
    def stand_in(self) -> TaskData:
        """Few rows with the same Gram matrices, each with the mean target: grids ask no more."""
        return rows_of_grams(self.grams, self.share, self.tasks, self.intercept, self.mean)

    def at(self, loss: Pointwise, theta: np.ndarray) -> LossSums:
        """R at coefficients Theta (m, p): a pass, but at zero once at most."""
        if theta.any():
            return self._look(loss, theta)
        return kept(self, ("at zero", loss), lambda: self._at_zero(loss, theta))

    def folds_at(self, loss: Pointwise, theta: Mapping[int, np.ndarray]) -> dict[int, FoldSums]:
        """The loss without some folds at Theta of each, and inside of them: one pass."""
        points = [FoldPoint(at, k) for k, at in theta.items()]
        found = look_at(points, self.job(loss), self.runner, self.source)
        return {k: FoldSums(theta[k], *sums) for k, sums in zip(theta, found, strict=True)}

    def fold_at_level(self, loss: Pointwise, fold: int, level: float) -> FoldSums:
        """The same where all predictors are ``level``, from the moments: no pass."""
        keep = np.arange(self.moments.n_folds) != fold
        theta = np.zeros((self.n_tasks, self.n_coefs))
        theta[:, self.n_features :] = level
        outside, inside = (
            sums_at_level(self.moments, which, loss, level, self.intercept)
            for which in (keep, ~keep)
        )
        return FoldSums(theta, outside, inside)

    def job(self, loss: Pointwise) -> SumsJob:
        """The job of a pass, its points to be named."""
        always = np.zeros(self.n_tasks, dtype=bool) if self.always is None else self.always
        folds = self.moments.n_folds + (self.held != EVERYTHING)
        return SumsJob((), self.tasks, loss, self.intercept, folds, always)

    def _look(self, loss: Pointwise, theta: np.ndarray) -> LossSums:
        job = replace(self.job(loss), above=loss.has_kinks)
        points = [FoldPoint(theta, self.held)]
        ((outside, _),) = look_at(points, job, self.runner, self.source)
        return outside.weighted(self.omega)

    def _at_zero(self, loss: Pointwise, theta: np.ndarray) -> LossSums:
        if not (loss.is_canonical and loss.has_labels):  # of counts moments tell no y log y
            return self._look(loss, theta)
        every = np.ones(self.moments.n_folds, dtype=bool)
        return sums_at_level(self.moments, every, loss, 0.0, self.intercept).weighted(self.omega)
