"""`compare_tasks` for Parquet files that are larger than memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.inspection.assemble import assemble
from polytask.inspection.comparison import Comparison, DataSummary, Provenance
from polytask.inspection.out_of_fold import Fit, Fold, OutOfFold
from polytask.inspection.provenance import method_sentences, notes_on_tasks, versions
from polytask.inspection.roles import role_of, strengths_of, title_of
from polytask.inspection.row_losses import row_loss_for
from polytask.inspection.scores import primary_column
from polytask.inspection.statistics import FoldLosses, overlap_inflation
from polytask.inspection.summed_evidence import SummedEvidence
from polytask.inspection.summed_scores import (
    summed_columns,
    summed_fold_scores,
    summed_model_scores,
)
from polytask.models.fold_fits import EVERYTHING, FoldFit, fit_folds

if TYPE_CHECKING:
    from polytask.sources.first_look import Look
    from polytask.sources.passes import Progress, Runner
    from polytask.sources.prepare import StreamPreparer
    from polytask.sources.score import LossTotals
    from polytask.sources.source import ParquetSource, Paths

__all__ = ["StreamedComparison", "StreamedSample", "compare_parquet", "compare_source"]

LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class StreamedSample:
    """What is known of rows that were passed over.

    Attributes
    ----------
    ids, rows : ndarray of shape (m,)
        Tasks and their rows.
    kind, task, target : str
    classes : ndarray
        Two labels, or none.
    target_mean, target_std : float
        Of a regression's target.
    positive_share : float or None
    missing : dict of str to int
        Missing values of every feature column of the files.
    """

    ids: np.ndarray
    rows: np.ndarray
    kind: str
    task: str
    target: str
    classes: np.ndarray
    target_mean: float
    target_std: float
    missing: Mapping[str, int]

    @property
    def n_tasks(self) -> int:
        """How many tasks."""
        return len(self.ids)

    @classmethod
    def of_look(
        cls, look: Look, source: ParquetSource, kind: str, classes: Sequence[Any]
    ) -> StreamedSample:
        """From a first look."""
        from polytask.sources.column_sums import NumberSums

        ids, rows = look.by_task()
        missing = {
            name: found.missing if isinstance(found, NumberSums) else found.counts[None]
            for name, found in look.columns.items()
            if name in source.read_columns
        }
        mean, scale, _ = look.target.summary()
        return cls(
            ids, rows, kind, source.task, source.target, np.array(classes), mean, scale, missing
        )


@dataclass(frozen=True, eq=False)
class StreamedComparison:
    """A comparison, and what it fitted on the way.

    Attributes
    ----------
    comparison : Comparison
    fitted : dict of str to estimator
        Every model that did not fail, fitted on all rows, for features as ``prepare`` makes them.
    prepare : StreamPreparer or None
    """

    comparison: Comparison
    fitted: dict[str, Any]
    prepare: StreamPreparer | None


def compare_parquet(
    estimators: Mapping[str, Any],
    path: Paths,
    *,
    task: str,
    target: str,
    features: Sequence[str] | None = None,
    prepare: StreamPreparer | None = None,
    cv: int = 5,
    metric: str | None = None,
    baseline: str = "single-task",
    client: Any = None,
    batch_rows: int = 1 << 17,
    progress: Progress | None = None,
) -> StreamedComparison:
    """Hold models to the same folds of Parquet files that are larger than memory.

    The files are passed over: once to scale and encode, once for the moments by fold of squared
    losses (once for every Newton step of logistic ones, which all models and folds share), once
    to predict every row by the models that have not seen it. The verdict, its intervals and the
    labels of tasks are those of `compare_tasks` on the same folds. What differs:

    * rows are dealt to the folds in turn, task by task, in the order of the files, not shuffled;
    * scaling and categories come from all rows, not from each training part (targets never do);
    * strengths are chosen by the cv - 1 folds of a training part, not by leave-one-out; those of
      classifiers on the quadratic model of the loss at the level of all rows;
    * metrics that rank rows (AUC, average precision) are left out.

    Parameters
    ----------
    estimators : mapping of str to estimator
        Regressors with `fit_moments`, or classifiers with `fit_parquet`; ``task`` is theirs too.
    path, target, features, prepare, client, batch_rows, progress
        As in `fit_parquet`. Rows without a task or a target are left out.
    task : str
    cv : int, default=5
        Folds; three or more where strengths are to be chosen.
    metric, baseline
        As in `compare_tasks`.

    Returns
    -------
    StreamedComparison

    Raises
    ------
    ValueError
        If an estimator cannot be fitted to moments or in passes, there are fewer than two tasks,
        or the metric ranks rows.
    """
    from sklearn.base import is_classifier

    from polytask.models.from_parquet import make_runner
    from polytask.sources.first_look import FirstLookJob
    from polytask.sources.first_pass import prepared
    from polytask.sources.prepare import StreamPreparer
    from polytask.sources.source import ParquetSource, kinds_of

    source = ParquetSource.open(
        path, task=task, target=target, features=features, batch_rows=batch_rows, complete=True
    )
    runner = make_runner(client, progress)
    kinds = kinds_of(source)
    look = runner.run(FirstLookJob(prepare or StreamPreparer(task), kinds), source)
    if prepare is not None and not hasattr(prepare, "levels_"):
        prepare.settle(look.columns)
    source = prepared(source, runner, prepare)
    kind = "classification" if any(is_classifier(e) for e in estimators.values()) else "regression"
    classes = sorted(look.labels) if kind == "classification" else ()
    sample = StreamedSample.of_look(look, source, kind, classes)
    return compare_source(
        estimators, source, sample, runner, cv=cv, metric=metric, baseline=baseline
    )


def compare_source(
    estimators: Mapping[str, Any],
    source: ParquetSource,
    sample: StreamedSample,
    runner: Runner,
    *,
    cv: int = 5,
    metric: str | None = None,
    baseline: str = "single-task",
) -> StreamedComparison:
    """`compare_parquet` for files that were looked at."""
    date, begun = datetime.now().astimezone(), time.perf_counter()
    primary = primary_column(metric, sample.kind)
    columns = summed_columns(sample.kind, primary)
    _check(estimators, baseline, sample, cv)
    classes = sample.classes if sample.kind == "classification" else None
    fits = fit_folds(estimators, source, runner, sample.rows, sample.ids, classes, cv)
    names = _succeeded(estimators, fits, baseline, cv)
    loss_title = row_loss_for(primary.rpartition("_")[0], sample.kind).title
    totals = _score(fits, names, source, sample, runner, cv, loss_title)
    found = _records(estimators, fits, sample, totals, cv)
    evidence = _evidence(estimators, names, totals, found, sample, baseline, loss_title)
    folds = summed_fold_scores(found.records(), totals, names, columns, sample.kind)
    scores = summed_model_scores(folds, totals, names, columns, sample.kind, LEVEL)
    made = Provenance(
        date.isoformat(timespec="seconds"), time.perf_counter() - begun, cv, 1, None,
        f"{cv} folds, the rows of every task dealt in turn in the order of the files",
        versions(), method_sentences(evidence, cv),
    )  # fmt: skip
    comparison = assemble(
        evidence,
        sample,
        found,
        columns=columns,
        folds=folds,
        scores=scores,
        data=_summary(sample, totals),
        provenance=made,
        notes=_notes(sample),
    )
    fitted = {name: fits[name, EVERYTHING].model for name in names}
    return StreamedComparison(comparison, fitted, source.prepare)


def _check(estimators: Mapping[str, Any], baseline: str, sample: StreamedSample, cv: int) -> None:
    needed = "fit_moments" if sample.kind == "regression" else "_choose_by_passes"
    for name, estimator in estimators.items():
        if not hasattr(estimator, needed):
            raise ValueError(
                f"compare_parquet: estimators must be fitted to moments or in passes; {name!r} "
                "needs all rows in memory. Leave it out."
            )
        if sample.kind == "regression" and estimator._must_choose() and cv < 3:
            raise ValueError(
                f"compare_parquet: cv must be 3 or more to choose strengths of {name!r} by the "
                f"other folds; got {cv}."
            )
    if baseline not in estimators:
        raise ValueError(
            f"compare_parquet: baseline must be one of the estimators, {', '.join(estimators)}; "
            f"got {baseline!r}."
        )
    if cv < 2:
        raise ValueError(f"compare_parquet: cv must be 2 or more; got {cv}.")
    if sample.n_tasks < 2:
        raise ValueError(
            f"compare_parquet: the task column must hold at least 2 tasks; got {sample.n_tasks}."
        )


def _succeeded(
    estimators: Mapping[str, Any], fits: Mapping[tuple[str, int], FoldFit], baseline: str, cv: int
) -> list[str]:
    """Models without a failure, the baseline first."""
    ok = [n for n in estimators if not any(fits[n, k].reason for k in range(EVERYTHING, cv))]
    return sorted(ok, key=lambda name: name != baseline)


def _score(
    fits: Mapping[tuple[str, int], FoldFit], names: list[str], source: ParquetSource,
    sample: StreamedSample, runner: Runner, cv: int, loss_title: str,
) -> LossTotals:  # fmt: skip
    from polytask.sources.score import ScoreJob

    def coefs(name: str, k: int) -> np.ndarray:
        model = fits[name, k].model
        return np.column_stack([model.coef_, model.intercept_])

    p = len(source.features) + 1
    stack = np.array([[coefs(name, k) for k in range(cv)] for name in names])
    job = ScoreJob(
        stack.reshape(len(names), cv, sample.n_tasks, p), sample.ids, sample.rows > 1, sample.kind,
        loss_title, sample.classes if sample.kind == "classification" else None,
        sample.target_mean if sample.kind == "regression" else 0.0,
    )  # fmt: skip
    totals: LossTotals = runner.run(job, source)
    return totals


def _records(
    estimators: Mapping[str, Any], fits: Mapping[tuple[str, int], FoldFit],
    sample: StreamedSample, totals: LossTotals, cv: int,
) -> OutOfFold:  # fmt: skip
    """The fits as a comparison in memory keeps them, without predictions."""
    n_test = totals.rows.sum(axis=0).astype(int)
    total = int(sample.rows.sum())
    folds = [Fold(0, k, range(total - n), range(n)) for k, n in enumerate(n_test.tolist())]  # type: ignore[arg-type]
    found = {
        name: [
            Fit(
                name, k, None, fit.seconds, {} if fit.reason else strengths_of(fit.model),
                fit.reason, fit.warnings, (),
            )
            for k, fit in ((k, fits[name, k]) for k in range(cv))
        ]
        for name in estimators
    }  # fmt: skip
    return OutOfFold({}, found, folds)


def _evidence(
    estimators: Mapping[str, Any], names: list[str], totals: LossTotals, found: OutOfFold,
    sample: StreamedSample, baseline: str, loss_title: str,
) -> SummedEvidence:  # fmt: skip
    from polytask.sources.score import LOSSES

    rows = totals.rows.sum(axis=1)
    by_fold = totals.losses[..., list(LOSSES[sample.kind]).index(loss_title)]
    loss, each = by_fold.sum(axis=1), np.maximum(rows, 1.0)[:, None]
    parts = {name: by_fold[:, :, j] / each for j, name in enumerate(names)}
    sums = np.concatenate([loss[:, :1], loss[:, :1] - loss[:, 1:]], axis=1)
    mean = sums / np.maximum(rows, 1.0)[:, None]
    square = np.einsum("maa->ma", totals.products) / np.maximum(rows, 1.0)[:, None]
    cubes = totals.cubes / np.maximum(rows, 1.0)[:, None] - 3 * mean * square + 2 * mean**3
    scatter = totals.products - rows[:, None, None] * mean[:, :, None] * mean[:, None, :]
    train = np.mean([len(fold.train) for fold in found.folds])
    test = np.mean([len(fold.test) for fold in found.folds])
    return SummedEvidence(
        losses={name: np.zeros(0) for name in names},
        codes=np.zeros(0, dtype=int),
        n_tasks=sample.n_tasks,
        roles={name: role_of(name, model, baseline) for name, model in estimators.items()},
        titles={name: title_of(name) for name in estimators},
        baseline=baseline,
        inflation=overlap_inflation(float(train), float(test)),
        level=LEVEL,
        loss_title=loss_title,
        folds=FoldLosses(totals.rows / each, parts),
        rows=rows,
        mean=mean,
        covariance=scatter / np.maximum(rows - 1.0, 1.0)[:, None, None],
        cubes=cubes,
    )


def _summary(sample: StreamedSample, totals: LossTotals) -> DataSummary:
    regression = sample.kind == "regression"
    share = None if regression else float(totals.target.sum() / max(totals.rows.sum(), 1.0))
    return DataSummary(
        rows=int(sample.rows.sum()),
        tasks=sample.n_tasks,
        features=len(sample.missing),
        rows_min=int(sample.rows.min()),
        rows_median=float(np.median(sample.rows)),
        rows_max=int(sample.rows.max()),
        missing_cells=int(sum(sample.missing.values())),
        features_with_missing=tuple(name for name, count in sample.missing.items() if count),
        tasks_in_training_only=int((sample.rows == 1).sum()),
        classes=tuple(str(c) for c in sample.classes),
        positive_share=share,
        target_mean=sample.target_mean if regression else None,
        target_std=sample.target_std if regression else None,
    )


def _notes(sample: StreamedSample) -> tuple[str, ...]:
    chosen = "by the other folds of the training part"
    if sample.kind == "classification":
        chosen += ", on the quadratic model of the loss at the level of all rows"
    notes = (
        "The file was passed over, not loaded. Rows are dealt to the folds in turn in the order of "
        "the file, without shuffling; scaling, filling of gaps and categories come from all rows, "
        f"not from each training part; strengths are chosen {chosen}.",
    )
    single = int((sample.rows == 1).sum())
    return (*notes, *notes_on_tasks(sample.n_tasks, single))
