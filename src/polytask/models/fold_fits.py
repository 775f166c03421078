"""Several estimators fitted without each fold of Parquet files, and on everything."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone, is_classifier

from polytask.data import task_shares
from polytask.problem import ObjectiveAt
from polytask.solvers import Newton, one_blas_thread
from polytask.solvers.newton import solution_of

if TYPE_CHECKING:
    from polytask.data import TaskMoments
    from polytask.models._curves_in_passes import BentRows
    from polytask.sources.fold_scales import Affine
    from polytask.sources.loss_sums import LossSums
    from polytask.sources.passed import Passed
    from polytask.sources.passes import Runner
    from polytask.sources.source import ParquetSource

__all__ = ["EVERYTHING", "FoldFit", "fit_folds"]

EVERYTHING = -1  # the fold that a fit to all rows leaves out
Key = tuple[str, int]


@dataclass(eq=False)
class FoldFit:
    """One estimator without one fold.

    Parameters
    ----------
    model : estimator
        Fitted, unless there is a ``reason``.
    seconds : float
        Without the passes over the rows, which all fits share.
    reason : str
        Why the fit failed, else "".
    warnings : tuple of str
    scales : Affine or None
        Of the features that the model was fitted to, from those of the source.
    bent : BentRows or None
        The rows as lines and bends, where one of the models is of these.
    """

    model: Any
    seconds: float = 0.0
    reason: str = ""
    warnings: tuple[str, ...] = field(default=())
    scales: Affine | None = None
    bent: BentRows | None = None

    @property
    def coefs(self) -> np.ndarray:
        """Coefficients of the rows' columns, the intercept last, shape (m, p)."""
        if _is_bent(self.model):
            heads = self.model.model_
            return np.column_stack([heads.coef_, heads.intercept_])
        own = np.column_stack([self.model.coef_, self.model.intercept_])
        own = own if self.scales is None else own @ self.scales.turn(True)
        return own if self.bent is None else self.bent.coefs(own)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Takes note of the time, of warnings, and of an error, which ends this fit only."""
        begun = time.perf_counter()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                yield
            except (ValueError, np.linalg.LinAlgError) as error:
                self.reason = f"{type(error).__name__}: {error}"
        self.seconds += time.perf_counter() - begun
        told = (f"{w.category.__name__}: {w.message}" for w in caught)
        self.warnings = tuple(dict.fromkeys([*self.warnings, *told]))


def fit_folds(
    estimators: Mapping[str, Any], source: ParquetSource, runner: Runner, counts: np.ndarray,
    tasks: np.ndarray, classes: np.ndarray | None, n_folds: int,
) -> tuple[dict[Key, FoldFit], ParquetSource | BentRows]:  # fmt: skip
    """A fit of every estimator without each fold, and to all rows (the fold `EVERYTHING`).

    Strengths are chosen by the folds that a fit may see. Squared losses need one pass over the
    rows for all fits together; others a pass for every Newton step, which all fits share too.

    Parameters
    ----------
    estimators : mapping of str to estimator
        With `fit_moments` (regressors) or `fit_parquet` (classifiers).
    source : ParquetSource
    counts, tasks : ndarray of shape (m,)
        Tasks, sorted, and their rows. A task of one row is in training always.
    classes : ndarray of shape (2,) or None
        For classifiers.

    Returns
    -------
    fits : dict
    rows : ParquetSource or BentRows
        With the columns that `FoldFit.coefs` are of: lines and bends where a model has curves.
    """
    with one_blas_thread():
        if any(is_classifier(estimator) for estimator in estimators.values()):
            assert classes is not None
            work = _Passes(source, runner, tasks, counts, classes, n_folds)
            return work.fit(estimators), source
        return _by_moments(estimators, source, runner, counts == 1, n_folds)


def _by_moments(
    estimators: Mapping[str, Any], source: ParquetSource, runner: Runner, always: np.ndarray,
    n_folds: int,
) -> tuple[dict[Key, FoldFit], ParquetSource | BentRows]:  # fmt: skip
    """Curves have the knots and the scales of all rows, which their penalties do not see."""
    from polytask.sources.moments import MomentJob, moments_of

    moments = moments_of(source, runner, n_folds)
    alike = _counted_alike(moments, source, runner)
    bent = _bent(estimators, source, runner)
    more = None if bent is None else runner.run(MomentJob(n_folds), bent)
    fits: dict[Key, FoldFit] = {}
    for k in (EVERYTHING, *range(n_folds)):
        part, scales = _part(moments, alike, source, k, always)
        for name, estimator in estimators.items():
            fit = fits[name, k] = FoldFit(clone(estimator), scales=scales, bent=bent)
            with fit.working():
                if _is_bent(estimator):
                    assert more is not None
                    own = more if k == EVERYTHING else more.without_fold(k, always)
                    fit.model._fit_bent(bent, own, source)
                else:
                    fit.model.fit_moments(part)
                    del fit.model.moments_
    return fits, bent or source


def _is_bent(model: Any) -> bool:
    """Whether a model is fitted to lines and bends of the features."""
    return hasattr(model, "_fit_bent")


def _bent(estimators: Mapping[str, Any], source: ParquetSource, runner: Runner) -> BentRows | None:
    from polytask.models._curves_in_passes import bent_rows

    knots = {e.n_knots for e in estimators.values() if _is_bent(e)}
    if len(knots) > 1:
        raise ValueError(
            "compare_parquet: estimators must have curves of the same n_knots, so that one pass "
            f"serves all; got {sorted(knots)}."
        )
    return bent_rows(source, runner, *knots) if knots else None


def _counted_alike(moments: TaskMoments, source: ParquetSource, runner: Runner) -> TaskMoments:
    """The moments with all rows alike, by which features are scaled, whatever rows count."""
    from polytask.sources.moments import MomentJob

    if source.prepare is None or source.weights is None:
        return moments
    alike: TaskMoments = runner.run(MomentJob(moments.n_folds, weighted=False), source)
    return alike


def _part(
    moments: TaskMoments, alike: TaskMoments, source: ParquetSource, k: int, always: np.ndarray
) -> tuple[TaskMoments, Affine | None]:
    """Moments without a fold, of features that the other rows scale, as they do all ``alike``."""
    from polytask.sources.fold_scales import Affine

    if k == EVERYTHING:
        return moments, None
    part = moments.without_fold(k, always)
    if source.prepare is None:
        return part, None
    others = part if alike is moments else alike.without_fold(k, always)
    scales = Affine.of_part(source.prepare, others)
    return scales.moments(part), scales


class _Passes:
    """Classifiers: the passes are shared by all estimators and folds."""

    def __init__(
        self, source: ParquetSource, runner: Runner, tasks: np.ndarray, counts: np.ndarray,
        classes: np.ndarray, n_folds: int,
    ) -> None:  # fmt: skip
        self.source = replace(source, classes=tuple(classes.tolist()))
        self.runner, self.classes, self.n_folds = runner, classes, n_folds
        self.always = counts == 1

    def fit(self, estimators: Mapping[str, Any]) -> dict[Key, FoldFit]:
        """All of them; a pass serves all fits that have not ended."""
        from polytask.sources.moments import moments_of
        from polytask.sources.passed import about_far_means

        moments = moments_of(self.source, self.runner, self.n_folds)
        self.alike = _counted_alike(moments, self.source, self.runner)
        if self.source.prepare is None:  # else they are scaled
            share = np.full(len(moments.tasks), 1.0 / len(moments.tasks))  # one center for all fits
            self.source, moments = about_far_means(self.source, moments, share)
        self.moments = moments
        runs = {
            (name, k): _Run(self, clone(estimator), k)
            for name, estimator in estimators.items()
            for k in (EVERYTHING, *range(self.n_folds))
        }
        for run in runs.values():
            run.begin()
        while asking := [run for run in runs.values() if run.theta is not None]:
            self._look(asking)
        return {key: run.fit for key, run in runs.items()}

    def passed(self, fold: int, model: Any) -> tuple[Passed, Affine | None]:
        """The rows without a fold, their features as the fit sees them, and how those are made."""
        from polytask.sources.fold_scales import Affine
        from polytask.sources.passed import Passed

        moments, scales = _part(self.moments, self.alike, self.source, fold, self.always)
        source = self.source
        if source.center is not None and not model.fit_intercept:
            scales = Affine.shift(source.center)  # nothing to make up for what is taken off
            moments, source = scales.moments(moments), replace(source, center=None)
        always = None if fold == EVERYTHING else self.always
        share = task_shares(moments.counts, model._weight_rule)
        passed = Passed(
            self.runner, source, moments, share, model.fit_intercept, fold, always, shared=True
        )  # fmt: skip
        return passed, scales

    def _look(self, asking: list[_Run]) -> None:
        from polytask.sources.fold_scales import turned
        from polytask.sources.sums_job import FoldPoint, SumsJob, look_at

        loss = asking[0].fit.model._loss()
        job = SumsJob((), self.moments.tasks, loss, True, self.n_folds, self.always)
        points = [FoldPoint(run.theta @ run.turn, run.fold) for run in asking]  # type: ignore[operator]
        found = look_at(points, job, self.runner, self.source)
        for run, (outside, _) in zip(asking, found, strict=True):
            run.go_on(turned(outside, run.turn))


class _Run:
    """One fit, which asks for sums at a point and is given them."""

    def __init__(self, passes: _Passes, model: Any, fold: int) -> None:
        self.passes, self.fold, self.fit = passes, fold, FoldFit(model)
        self.theta: np.ndarray | None = None  # where it wants to know the sums; None at the end

    def begin(self) -> None:
        """Strengths, and the first step, for which nothing need be asked."""
        with self.fit.working():
            model = self.fit.model
            self.passed, scales = self.passes.passed(self.fold, model)
            d, intercept = self.passed.n_features, model.fit_intercept
            self.turn = np.eye(d + intercept, d + 1) if scales is None else scales.turn(intercept)
            if self.passes.source.center is None:  # else the model itself takes it off
                self.fit.scales = scales
            model._begin(self.passes.source.model_columns, self.passes.classes)
            model.response_ = loss = model._loss()
            self.strengths = model._choose_strengths(self.passed, loss)
            self.problem = model._make_problem(self.passed, loss, self.strengths)
            self.descent = Newton().descent(self.problem, None, model.tol, model.max_iter)
            self.descent.tell(self.problem.at(self.problem.start()))
            self._advance()

    def go_on(self, sums: LossSums) -> None:
        """Another step."""
        theta, self.theta = self.theta, None
        with self.fit.working():
            assert theta is not None
            assert self.descent.asked is not None
            risk = sums.weighted(self.passed.omega)
            self.descent.tell(ObjectiveAt(self.problem, self.descent.asked, theta, risk))
            self._advance()

    def _advance(self) -> None:
        if self.descent.asked is not None:
            self.theta = self.problem.structure.assemble(self.descent.asked)
            return
        solution = solution_of(self.problem, self.descent, Newton.name)
        self.fit.model._keep(solution, self.passed, self.strengths)
