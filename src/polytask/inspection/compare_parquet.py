"""`compare_tasks` for Parquet files that are larger than memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.data.task_spec import spelled_out
from polytask.inspection.assemble import Question, assemble
from polytask.inspection.comparison import Comparison
from polytask.inspection.deal import held_words, splitter_words
from polytask.inspection.out_of_fold import Fit, Fits, Fold
from polytask.inspection.roles import strengths_of
from polytask.inspection.sample import Sample, response_for
from polytask.inspection.scores import metric_columns, primary_column
from polytask.inspection.task_means import TASK_MEANS, drawn_means, means_for
from polytask.models.fold_fits import EVERYTHING, FoldFit, fit_folds

if TYPE_CHECKING:
    from polytask.sources.dealing import Tally
    from polytask.sources.first_look import Look
    from polytask.sources.loss_totals import LossTotals
    from polytask.sources.passes import Progress, Runner
    from polytask.sources.prepare import StreamPreparer
    from polytask.sources.source import ParquetSource, Paths
    from polytask.sources.target_sums import TargetSums

__all__ = ["FOLDED", "StreamedComparison", "StreamedSample", "compare_parquet", "compare_source"]

FOLDED = "sums_by_fold"  # of estimators whose fits without a fold come from sums by fold


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
    weights: str | None = None,
    prepare: StreamPreparer | None = None,
    cv: int = 5,
    metric: str | None = None,
    baseline: str = "single-task",
    random_state: int = 0,
    client: Any = None,
    batch_rows: int = 1 << 17,
    progress: Progress | None = None,
) -> StreamedComparison:
    """Hold models to the same folds of Parquet files that are larger than memory.

    The files are passed over: once to scale and encode, once for the moments by fold of squared
    losses (once for every Newton step of logistic ones, which all models and folds share), once
    to predict every row by the models that have not seen it. The verdict, its intervals and the
    labels of tasks are those of `compare_tasks` on the same folds. What differs:

    * rows are dealt to folds by their place in the file, not by what they hold;
    * which categories are too rare for a column of their own is told from all rows;
    * strengths are chosen by the cv - 1 folds of a training part, not by leave-one-out; those of
      classifiers on the quadratic model of the loss at the level of all rows;
    * metrics that rank rows (AUC, average precision) are left out.

    Parameters
    ----------
    estimators : mapping of str to estimator
        Regressors with `fit_moments`, or classifiers with `fit_parquet`; ``task`` is theirs too.
    path, target, features, weights, prepare, client, batch_rows, progress
        As in `fit_parquet`. Rows without a task or a target, or of weight zero, are left out.
    task : str
    cv : int, default=5
        Folds; three or more where strengths are to be chosen.
    metric, baseline, random_state
        As in `compare_tasks`.

    Returns
    -------
    StreamedComparison

    Raises
    ------
    ValueError
        If an estimator cannot be fitted to moments or in passes, or has a loss other than squared
        or logistic, there are fewer than two tasks, or the metric ranks rows.
    """
    from sklearn.base import is_classifier

    if len(spelled_out(task)) > 1:
        raise ValueError(
            "compare_parquet: task must be one column, by which folds are dealt and losses summed; "
            f"got {task!r}. Use compare_tasks for rows in memory, or fit_parquet of one model."
        )
    from polytask.sources.first_look import FirstLookJob
    from polytask.sources.first_pass import prepared
    from polytask.sources.prepare import StreamPreparer
    from polytask.sources.runners import make_runner
    from polytask.sources.source import ParquetSource, kinds_of

    source = ParquetSource.open(
        path, task=task, target=target, features=features, weights=weights,
        batch_rows=batch_rows, complete=True,
    )  # fmt: skip
    runner = make_runner(client, progress)
    kinds = kinds_of(source)
    look = runner.run(FirstLookJob(prepare or StreamPreparer(task), kinds), source)
    if prepare is not None and not hasattr(prepare, "levels_"):
        prepare.settle(look.columns)
    source = prepared(source, runner, prepare)
    kind = "classification" if any(is_classifier(e) for e in estimators.values()) else "regression"
    classes = sorted(look.labels) if kind == "classification" else ()
    sample = StreamedSample.of_look(look, look.tally(classes), source, classes)
    return compare_source(
        estimators, source, sample, runner, cv=cv, metric=metric, baseline=baseline,
        random_state=random_state,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class StreamedSample(Sample):
    """Rows that are passed over, and how many of each task and class come before each part.

    ``weights`` is the column that says how much they count; None where all count alike.
    """

    tally: Tally
    weights: str | None

    @classmethod
    def of_look(
        cls, look: Look, tally: Tally, source: ParquetSource, classes: Sequence[Any]
    ) -> StreamedSample:
        """What a first look tells; two classes, or none for a regression."""
        from polytask.sources.column_sums import NumberSums

        missing = {
            name: found.missing if isinstance(found, NumberSums) else found.counts[None]
            for name, found in look.columns.items()
            if name in source.read_columns
        }
        mean, scale, _ = look.target.summary()
        if len(classes):
            mean = float(tally.counts[:, 1].sum() / tally.counts.sum())
            scale = float(np.sqrt(mean * (1.0 - mean)))
        response = response_for(len(classes) > 0)
        return cls(
            tally.ids, tally.rows, response, source.task, source.target, np.array(classes), mean,
            scale, missing, tally, source.weights,
        )  # fmt: skip


def compare_source(
    estimators: Mapping[str, Any],
    source: ParquetSource,
    sample: StreamedSample,
    runner: Runner,
    *,
    cv: int = 5,
    metric: str | None = None,
    baseline: str = "single-task",
    random_state: int = 0,
) -> StreamedComparison:
    """`compare_parquet` for files that were looked at."""
    from polytask.sources.score import ScoreJob
    from polytask.sources.target_sums import TargetJob

    columns = metric_columns(sample.response, primary_column(metric, sample.response), rows=False)
    _check(estimators, baseline, sample, cv)
    labels = sample.response.has_labels
    words = splitter_words(cv, 1, random_state, "class" if labels else "")
    means = means_for(sample.response, sample.unit)
    compared = {**estimators, TASK_MEANS: means}
    question = Question(
        compared, baseline, columns, 1, random_state, words, held=held_words(sample)
    )
    classes = tuple(sample.classes.tolist()) if labels else None
    source = replace(source, classes=classes).dealt(
        sample.tally, classes or (), cv, random_state, sample.tally.number
    )
    fits, rows = fit_folds(
        estimators, source, runner, sample.rows, sample.ids, sample.classes if labels else None, cv
    )
    told = {name: [_record(name, k, fits) for k in range(cv)] for name in estimators}
    models = Fits(told, []).succeeded(baseline)
    told[TASK_MEANS] = [Fit(TASK_MEANS, k, None, 0.0, {}, "") for k in range(cv)]
    p = len(rows.features) + 1
    stack = np.array([[fits[name, k].coefs for k in range(cv)] for name in models])
    stack = stack.reshape(len(models), cv, sample.n_tasks, p)
    targets: TargetSums = runner.run(TargetJob(sample.ids, cv, sample.target_mean), source)
    stack = np.concatenate([stack, _means(targets, sample, cv, means.least, p)[None]])
    job = ScoreJob(
        stack, sample.ids, sample.rows > 1, sample.response, question.metric, sample.target_mean,
        targets.weight.sum() / targets.rows.sum(),
    )  # fmt: skip
    totals: LossTotals = runner.run(job, rows)
    sample.refuse_flat("compare_parquet", totals.varies())
    sizes = targets.rows[sample.rows > 1].sum(axis=0).astype(int).tolist()
    folds = [Fold(0, k, int(sample.rows.sum()) - n, n) for k, n in enumerate(sizes)]
    comparison = assemble(
        question, sample, Fits(told, folds), totals, ranks={}, notes=_notes(sample)
    )
    fitted = {name: fits[name, EVERYTHING].model for name in models}
    return StreamedComparison(comparison, fitted, source.prepare)


def _record(name: str, k: int, fits: Mapping[tuple[str, int], FoldFit]) -> Fit:
    """The fit as a comparison keeps it, without predictions; all rows have to have one, too."""
    fit = fits[name, k]
    reason = fit.reason or fits[name, EVERYTHING].reason
    strengths = {} if fit.reason else strengths_of(fit.model)
    return Fit(name, k, None, fit.seconds, strengths, reason, fit.warnings)


def _check(estimators: Mapping[str, Any], baseline: str, sample: StreamedSample, cv: int) -> None:
    weighted = sample.weights is not None
    for name, estimator in estimators.items():
        several = len(spelled_out(estimator.task)) > 1
        able = hasattr(estimator, FOLDED)
        if several or not able or estimator._why_not_passed_over(sample.ids, weighted=weighted):
            raise ValueError(
                f"compare_parquet: estimators must be fitted to moments or in passes; {name!r} "
                f"needs {'several columns of ids' if several else 'all rows in memory'}. Leave it "
                "out."
            )
        said, loss = estimator._loss().name, sample.response.name
        if said != loss:
            raise ValueError(
                f"compare_parquet: loss must be {loss!r} for this target; got {said!r} of {name!r}"
                ". Use compare_tasks for rows in memory."
            )
        if not sample.response.has_labels and estimator._must_choose() and cv < 3:
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


def _means(sums: TargetSums, sample: Sample, cv: int, least: float, p: int) -> np.ndarray:
    """Coefficients (cv, m, p) of the means of the tasks without each fold."""
    coefs = np.zeros((cv, sample.n_tasks, p))
    for k in range(cv):
        part = sums.without(k, sample.rows == 1)
        unit = part.weight.sum() / part.rows.sum()
        square = float(part.square.sum() / unit)
        found, _ = drawn_means(part.weight[:, 0] / unit, part.total / unit, square, least)
        coefs[k, :, -1] = sample.response.link(sample.target_mean + found[:, 0])
    return coefs


def _notes(sample: Sample) -> tuple[str, ...]:
    chosen = "by the other folds of the training part"
    if sample.response.has_labels:
        chosen += ", on the quadratic model of the loss at the level of all rows"
    return (
        f"The file was passed over, not loaded; strengths are chosen {chosen}. Claims were tried "
        "without each of the tasks that matter most, not without single rows.",
    )
