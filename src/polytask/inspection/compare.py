"""Does learning tasks together help, and whom does it hurt?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from polytask.data.frames import frame_columns
from polytask.data.task_spec import Spec, spelled_out
from polytask.inspection.alike import rows_alike
from polytask.inspection.assemble import Question, assemble
from polytask.inspection.comparison import Comparison
from polytask.inspection.deal import deal, fold_count, held_words, tasks_are_known, words_of
from polytask.inspection.each_alone import alone_rival
from polytask.inspection.heavy_tails import robust_rivals
from polytask.inspection.influence import RowLosses
from polytask.inspection.log_target import log_rivals
from polytask.inspection.named_estimators import named_estimators, takes
from polytask.inspection.odd_cells import row_in_words
from polytask.inspection.out_of_fold import OutOfFold, predict_out_of_fold
from polytask.inspection.roles import final_step, title_of
from polytask.inspection.sample import RowSample, read_sample, response_of
from polytask.inspection.scores import metric_columns, primary_column, ranked
from polytask.inspection.task_means import TASK_MEANS, means_for
from polytask.inspection.wide import stack_wide
from polytask.inspection.words import percent
from polytask.models.estimator import Estimator
from polytask.models.held_fit import takes_held
from polytask.sources.loss_totals import LossTotals

__all__ = ["compare_sample", "compare_tasks"]


def compare_tasks(
    estimators: dict[str, Any] | None,
    X: Any,
    y: Any,
    *,
    task: Spec = None,
    groups: Any = None,
    time: Any = None,
    sample_weight: Any = None,
    cv: int | Any = 5,
    n_repeats: int = 1,
    metric: str | None = None,
    baseline: str = "single-task",
    random_state: int | None = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Comparison:
    """Hold models to the same folds and judge what learning together gains, task by task.

    Every model is fitted on the training part of every fold, chooses its own hyper-parameters
    there, and is scored on rows that it has not seen. Folds follow what rows hold, not their order,
    nor the names of tasks. Gains are differences of out-of-fold losses of the same rows against the
    baseline; `Comparison` says what each table holds and `Comparison.provenance.method` how each
    interval was made.

    Parameters
    ----------
    estimators : dict of str to estimator or None
        Unfitted regressors or classifiers, Pipelines included. A name with None takes
        the default estimator of that name; None instead of the dict takes all defaults:
        single-task, pooled, task-intercept, mean-regularized with the better of its two rules for
        strengths, curved, shared trees, low-rank, weighted candidates and gradient-boosting
        (`default_estimators`). What takes no ``task`` counts as a non-joint model. The
        mean of each task is always compared, too, the mean-regularized
        model with Huber's loss where residuals have heavy tails, and the curved model (or, where
        it is not compared, the mean-regularized one) of the logarithm of a positive and skewed
        target.
    X : table of shape (n, d + 1)
        With the task column; any container that the estimators take.
    y : array-like of shape (n,), or (n, m) without a task column
        Numbers, or classes. No missing values; in wide labels, a column for each task, they
        are what was not measured.
    task : str, int or list, optional
        The task column, a name or a position; None with wide labels. Of several groupings, as in
        `MultilevelRegressor`, the first is the task that is judged; the defaults gain a
        multilevel model of each grouping added in turn, and the notes say what each gains.
    groups : array-like of shape (n,), optional
        Who each row is of, such as a patient or a video. Rows of one stay in one fold, also in the
        folds by which models choose their strengths, and count as one observation of a gain.
    time : array-like of shape (n,), optional
        When each row was, numbers or dates: the later half is judged in ``cv`` steps, each by
        models of all rows before it, which choose their strengths likewise. Not with ``groups``.
    sample_weight : array-like of shape (n,), optional
        How much each row counts, in training, in every metric and in the gains: the loss of a task
        is its weighted mean. A row stays one observation whatever its weight, so that intervals
        widen where few rows carry most of it, and multiplying all weights changes no figure of the
        comparison but through models of labels and counts that take weights for numbers of rows.
        Rows of weight zero are left out. A model whose ``fit`` takes no weights is named in the
        notes.
    cv : int or splitter, default=5
        Folds; each keeps every task in training (`TaskKFold`), stratified for classes. Fewer where
        the largest task has fewer rows. A splitter
        that tests no row twice is taken as it is: with `LeaveTasksOut(n_support=k, task=...)` the
        comparison is about new tasks that bring k rows (`NewTasks` asks for several k at once).
    n_repeats : int, default=1
        How often the folds are drawn anew. More repeats take the luck of the folds out of the
        gains; they add no rows, so intervals shrink only a little.
    metric : str, optional
        What ranks the leaderboard: a name in `polytask.model_selection.METRICS`, with ``_tasks``
        (mean over tasks, default) or ``_rows`` (all rows at once) at its end. RMSE and log loss
        unless given. It also sets the loss that gains are measured in: absolute error for
        "mae", Brier score, wrong predictions for "accuracy", else squared error or log loss.
    baseline : str, default="single-task"
        Name of the model that gains are measured against.
    random_state : int or None, default=0
        Seed of the folds.
    n_jobs : int, optional
        Fits that run at once, as in joblib; -1 for all processors.
    progress : callable, optional
        Called as ``progress(done, total, text)`` after every fit.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there are fewer than two tasks, y has missing values or does not suit the estimators,
        the baseline is not among them, an estimator has ``task=None``, or a splitter tests a row
        twice.

    References
    ----------
    Nadeau and Bengio (2003), Machine Learning 52; Hothorn, Bretz and Westfall (2008),
    Biometrical Journal 50; Benjamini and Hochberg (1995), JRSS B 57; Smyth (2004); Hall (1992),
    JRSS B 54; Morris (1983), JASA 78. `polytask.inspection.statistics` says what each is used for.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask.inspection import compare_tasks
    >>> rng = np.random.default_rng(0)
    >>> task = np.repeat(np.arange(12), 8)
    >>> X = np.column_stack([rng.normal(size=(96, 3)), task])
    >>> y = X[:, :3] @ [1.0, -1.0, 0.5] + 0.1 * task + rng.normal(size=96)
    >>> found = compare_tasks(
    ...     {"single-task": None, "mean-regularized": None}, X, y, task=-1, cv=4
    ... )
    >>> found.verdict.label
    'joint-helps'
    """
    together = None
    if isinstance(task, list | tuple) or (isinstance(task, str) and "/" in task):
        task = spelled_out(task, frame_columns(X))
        task = task[0][0] if len(task) == len(task[0]) == 1 else task
    if task is None:
        estimators, X, y, task, together = stack_wide(estimators, X, y)
        groups, time, sample_weight = (
            None if v is None else np.asarray(v)[together] for v in (groups, time, sample_weight)
        )
    given = named_estimators("compare_tasks", estimators, None, y, task, baseline)
    response = response_of(given, y, baseline)
    sample = read_sample(
        X, y, task, response, together, groups=groups, time=time, sample_weight=sample_weight
    )
    if estimators is None:
        given = {name: model for name, model in given.items() if takes(model, sample.response)}
    found = compare_sample(
        given, sample, cv=cv, n_repeats=n_repeats, metric=metric, baseline=baseline,
        random_state=random_state, n_jobs=n_jobs, progress=progress,
    )  # fmt: skip
    return found.with_notes(warnings=rows_alike(sample))


def compare_sample(
    estimators: dict[str, Any],
    sample: RowSample,
    *,
    cv: int | Any = 5,
    n_repeats: int = 1,
    metric: str | None = None,
    baseline: str = "single-task",
    random_state: int | None = 0,
    n_jobs: int | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Comparison:
    """`compare_tasks` for rows that were read."""
    columns = metric_columns(sample.response, primary_column(metric, sample.response))
    cv, notes = fold_count(sample, cv)
    estimators, skewed = log_rivals(estimators, sample)
    folds = deal(sample, cv, n_repeats, random_state)
    known = tasks_are_known(sample, folds)
    estimators = estimators | {TASK_MEANS: means_for(sample.response, sample.unit)}
    if known:
        sample.refuse_flat("compare_tasks", sample.varies)
    words = words_of(sample, cv, n_repeats, random_state)
    question = Question(
        estimators, baseline, columns, n_repeats, random_state, words, known, held_words(sample)
    )
    found = predict_out_of_fold(estimators, sample, folds, n_jobs=n_jobs, progress=progress)
    rivals, told = robust_rivals(estimators, sample, found)
    if rivals:
        more = predict_out_of_fold(rivals, sample, folds, n_jobs=n_jobs, progress=progress)
        found, question = found.with_more(more), replace(question, estimators=estimators | rivals)
    said = (*sample.notes, *notes, *skewed, *told, *_untold(estimators, sample))
    answer = _answer(question, sample, found, said)
    rivals = alone_rival(question.estimators, answer.verdict.unlike, sample) if known else {}
    if rivals:
        more = predict_out_of_fold(rivals, sample, folds, n_jobs=n_jobs, progress=progress)
        found = found.with_more(more)
        question = replace(question, estimators={**question.estimators, **rivals})
        answer = _answer(question, sample, found, said)
    return answer


def _answer(
    question: Question, sample: RowSample, found: OutOfFold, notes: tuple[str, ...]
) -> Comparison:
    return assemble(
        question, sample, found, _totals(sample, found, question),
        ranks=_ranks(sample, found, question.columns), rows=_row_losses(sample, found, question),
        notes=(*notes, *_untested(sample, found), *_coverage(sample, found)),
    )  # fmt: skip


def _untold(estimators: dict[str, Any], sample: RowSample) -> tuple[str, ...]:
    """Models that do not hear of weights; or of groups or time, though they choose on rows."""

    def matters(told: str, estimator: Any) -> bool:
        model = final_step(estimator)
        chooses = isinstance(model, Estimator) or "cv" in model.get_params(deep=False)
        return told == "sample_weight" or chooses

    why = {"sample_weight": "in its training all rows count alike."}
    return tuple(
        f"{title_of(name)} does not take {told}: "
        + why.get(told, "what it chooses, it chooses on rows that it takes as independent.")
        for told, value in sample.told.items()
        for name, estimator in estimators.items()
        if value is not None and not takes_held(estimator, told) and matters(told, estimator)
    )


def _untested(sample: RowSample, found: OutOfFold) -> tuple[str, ...]:
    if sample.time is None:
        return ()
    tested = sum(fold.n_test for fold in found.folds)
    return (f"{tested:,} of {len(sample.y):,} rows are judged, by models of the rows before them.",)


def _coverage(sample: RowSample, found: OutOfFold) -> tuple[str, ...]:
    """How many of the held-out targets the intervals of several quantiles hold."""
    each = sample.response.quantiles
    if len(each) < 2:
        return ()
    told = []
    for name, answers in found.predictions.items():
        low, high = answers[..., 0], answers[..., -1]
        held = ((sample.y >= low) & (sample.y <= high))[np.isfinite(low)]
        told.append(f"{title_of(name)} {percent(float(held.mean()))}")
    return (
        f"Held-out targets between the predicted quantiles {each[0]:g} and {each[-1]:g} "
        f"({percent(each[-1] - each[0])} wanted): {', '.join(told)}.",
    )


def _row_losses(sample: RowSample, found: OutOfFold, question: Question) -> RowLosses | None:
    models = found.succeeded(question.baseline)
    if not models:
        return None
    tested = np.unique(np.concatenate([fold.test for fold in found.folds]))
    seen = np.array([found.predictions[name][:, tested] for name in models])
    loss = sample.response.row_loss(question.metric).of(sample.y[tested], seen).mean(axis=1)
    return RowLosses(
        sample.shares[tested] * loss, sample.codes[tested], tested,
        lambda row: _totals(sample, found, question, row),
        lambda row: row_in_words(sample, row),
    )  # fmt: skip


def _totals(
    sample: RowSample, found: OutOfFold, question: Question, without: int = -1
) -> LossTotals:
    """The rows summed up, but for one."""
    response, models = sample.response, found.succeeded(question.baseline)
    totals = LossTotals.zeros(
        sample.n_tasks, len(found.folds), len(models), len(response.row_losses)
    )
    shape = (len(models), question.n_repeats, len(sample.y))
    predictions = np.array([found.predictions[name] for name in models])
    predictions = predictions.reshape(*shape, *predictions.shape[3:])
    tested = np.zeros(len(sample.y), dtype=bool)
    for j, fold in enumerate(found.folds):
        test = fold.test[fold.test != without]
        tested[test] = True
        totals.add_losses(
            sample.codes[test], np.full(len(test), j), sample.y[test],
            predictions[:, fold.repeat, test], response, sample.target_mean, sample.shares[test],
        )  # fmt: skip
    if models:
        row_loss, seen = response.row_loss(question.metric), predictions[:, :, tested]
        codes, loss = sample.codes[tested], row_loss.of(sample.y[tested], seen).mean(axis=1)
        if response.asks == "predict_proba":
            totals.add_expected(
                codes, seen.mean(axis=1), row_loss, sample.shares[tested], response.levels
            )
        if sample.grouped or sample.weights is not None:
            units = sample.together if sample.grouped else np.arange(len(sample.y))
            assert units is not None
            codes, loss = _by_unit(codes, units[tested], sample.shares[tested], loss)
        totals.add_products(codes, loss)
    return totals


def _by_unit(
    codes: np.ndarray, unit: np.ndarray, weight: np.ndarray, loss: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Task of each unit in a task, its losses (M, G): their mean is the weighted one of rows.

    Rows of a group are no evidence of their own, as they err alike, and neither is weight.
    """
    size = int(unit.max()) + 1
    pairs, at = np.unique(codes * size + unit, return_inverse=True)
    task = pairs // size
    units = np.bincount(task, minlength=codes.max() + 1)
    each = np.bincount(codes, weight) / np.maximum(units, 1)
    sums = np.stack([np.bincount(at, weight * row, len(pairs)) for row in loss])
    return task, sums / each[task]


def _ranks(
    sample: RowSample, found: OutOfFold, columns: pd.DataFrame
) -> dict[tuple[str, int], dict[str, float]]:
    return {
        (name, j): ranked(
            columns,
            sample.response,
            sample.y[fold.test],
            predicted[fold.repeat, fold.test],
            sample.codes[fold.test],
            sample.shares[fold.test],
        )
        for name, predicted in found.predictions.items()
        for j, fold in enumerate(found.folds)
    }
