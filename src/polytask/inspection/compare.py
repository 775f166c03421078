"""Does learning tasks together help, and whom does it hurt?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from polytask.inspection.assemble import Question, assemble
from polytask.inspection.comparison import Comparison
from polytask.inspection.influence import RowLosses
from polytask.inspection.named_estimators import named_estimators
from polytask.inspection.odd_cells import row_in_words
from polytask.inspection.out_of_fold import OutOfFold, Split, predict_out_of_fold
from polytask.inspection.sample import RowSample, read_sample, response_of
from polytask.inspection.scores import metric_columns, primary_column, ranked
from polytask.inspection.wide import row_folds, stack_wide
from polytask.model_selection import TaskKFold
from polytask.sources.loss_totals import LossTotals

__all__ = ["compare_sample", "compare_tasks", "splitter_words"]


def compare_tasks(
    estimators: dict[str, Any] | None,
    X: Any,
    y: Any,
    *,
    task: str | int | None = None,
    rows: Any = None,
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
    there, and is scored on rows that it has not seen. Gains are differences of out-of-fold
    losses of the same rows against the baseline; `Comparison` says what each table holds and
    `Comparison.provenance.method` how each interval was made.

    Parameters
    ----------
    estimators : dict of str to estimator or None
        Unfitted regressors or classifiers, Pipelines included. A name with None takes
        the default estimator of that name; None instead of the dict takes all defaults:
        single-task, pooled, task-intercept, mean-regularized and gradient-boosting. What takes
        no ``task`` counts as a non-joint model.
    X : table of shape (n, d + 1)
        With the task column; any container that the estimators take.
    y : array-like of shape (n,), or (n, m) without a task column
        Numbers, or classes. No missing values; in wide labels, a column for each task, they
        are what was not measured.
    task : str or int, optional
        The task column, a name or a position; None with wide labels.
    rows : array-like of shape (n,), optional
        Numbers of things that several rows are about, as the entries of one row of wide labels:
        rows with one number stay in one fold. They hold one row of a task each.
    cv : int or splitter, default=5
        Folds; each keeps every task in training (`TaskKFold`), stratified for classes. A splitter
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
    if task is None:
        estimators, X, y, task, rows = stack_wide(estimators, X, y)
    given = named_estimators("compare_tasks", estimators, None, y, task, baseline)
    sample = read_sample(X, y, task, response_of(given, y, baseline), rows)
    return compare_sample(
        given, sample, cv=cv, n_repeats=n_repeats, metric=metric, baseline=baseline,
        random_state=random_state, n_jobs=n_jobs, progress=progress,
    )  # fmt: skip


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
    folds = _make_folds(sample, cv, n_repeats, random_state)
    known = _tasks_are_known(sample, folds)
    if known:
        sample.refuse_flat("compare_tasks", sample.varies)
    question = Question(
        estimators,
        baseline,
        columns,
        n_repeats,
        random_state,
        splitter_words(
            cv,
            n_repeats,
            random_state,
            sample.response.has_labels and sample.together is None,
            whole_rows=sample.together is not None,
        ),
        known,
    )
    found = predict_out_of_fold(estimators, sample, folds, n_jobs=n_jobs, progress=progress)
    return assemble(
        question, sample, found, _totals(sample, found, question),
        ranks=_ranks(sample, found, columns), rows=_row_losses(sample, found, question),
    )  # fmt: skip


def _make_folds(
    sample: RowSample, cv: Any, n_repeats: int, random_state: int | None
) -> list[Split]:
    if n_repeats < 1:
        raise ValueError(f"compare_tasks: n_repeats must be at least 1; got {n_repeats}.")
    if hasattr(cv, "split"):
        return _given_folds(sample, cv, n_repeats)
    seeds = [random_state, *np.random.RandomState(random_state).randint(2**31 - 1, size=n_repeats)]
    folds = []
    for repeat in range(n_repeats):
        seed = None if seeds[repeat] is None else int(seeds[repeat])
        for k, (train, test) in enumerate(_deal(sample, cv, seed)):
            folds.append(Split.of(repeat, k, train, test))
    return folds


def _deal(sample: RowSample, cv: int, seed: int | None) -> Iterable[tuple[np.ndarray, np.ndarray]]:
    if sample.together is not None:
        return row_folds(sample.together, sample.codes, cv, seed)
    labels = sample.response.has_labels
    splitter = TaskKFold(cv, task=sample.task, stratify=labels, random_state=seed)
    return splitter.split(sample.X, sample.labels)


def _given_folds(sample: RowSample, cv: Any, n_repeats: int) -> list[Split]:
    splits = cv.split(sample.X, sample.labels)
    folds = [Split.of(0, k, train, test) for k, (train, test) in enumerate(splits)]
    tested = np.concatenate([fold.test for fold in folds])
    if n_repeats > 1 or len(np.unique(tested)) < len(tested):
        raise ValueError(
            "compare_tasks: cv must be a splitter that tests no row twice, with n_repeats=1; got "
            f"{cv!r} and n_repeats={n_repeats}. Give a number of folds to repeat them."
        )
    return folds


def _tasks_are_known(sample: RowSample, folds: list[Split]) -> bool:
    """Whether the tasks of all tested rows were in training."""
    return all(np.isin(sample.codes[f.test], sample.codes[f.train]).all() for f in folds)


def splitter_words(
    cv: Any, n_repeats: int, seed: int | None, stratified: bool, *, whole_rows: bool = False
) -> str:
    """The splitter in a report."""
    if hasattr(cv, "split"):
        return " ".join(repr(cv).split())
    kind = "stratified by class, " if stratified else ""
    kind += "all labels of a row in one fold, " if whole_rows else ""
    times = f", {n_repeats} times" if n_repeats > 1 else ""
    return f"TaskKFold with {cv} folds{times}, {kind}shuffled, seed {seed}"


def _row_losses(sample: RowSample, found: OutOfFold, question: Question) -> RowLosses | None:
    models = found.succeeded(question.baseline)
    if not models:
        return None
    tested = np.unique(np.concatenate([fold.test for fold in found.folds]))
    seen = np.array([found.predictions[name][:, tested] for name in models])
    loss = sample.response.row_loss(question.metric).of(sample.y[tested], seen).mean(axis=1)
    return RowLosses(
        loss, sample.codes[tested], tested, lambda row: _totals(sample, found, question, row),
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
            predictions[:, fold.repeat, test], response, sample.target_mean,
        )  # fmt: skip
    if models:
        loss, seen = response.row_loss(question.metric), predictions[:, :, tested]
        totals.add_products(sample.codes[tested], loss.of(sample.y[tested], seen).mean(axis=1))
        if response.has_labels:
            totals.add_expected(sample.codes[tested], seen.mean(axis=1), loss)
    return totals


def _ranks(
    sample: RowSample, found: OutOfFold, columns: pd.DataFrame
) -> dict[tuple[str, int], dict[str, float]]:
    return {
        (name, j): ranked(
            columns, sample.y[fold.test], predicted[fold.repeat, fold.test], sample.codes[fold.test]
        )
        for name, predicted in found.predictions.items()
        for j, fold in enumerate(found.folds)
    }
