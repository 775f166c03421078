"""Does learning tasks together help, and whom does it hurt?"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from polytask.inspection.assemble import assemble
from polytask.inspection.comparison import Comparison, Provenance
from polytask.inspection.evidence import Evidence
from polytask.inspection.named_estimators import named_estimators
from polytask.inspection.out_of_fold import Fold, OutOfFold, predict_out_of_fold
from polytask.inspection.provenance import method_sentences, notes_on, versions
from polytask.inspection.roles import role_of, title_of
from polytask.inspection.row_losses import row_loss_for
from polytask.inspection.sample import Sample, kind_of, read_sample, summarize
from polytask.inspection.scores import fold_scores, metric_columns, model_scores, primary_column
from polytask.inspection.statistics import FoldLosses, overlap_inflation
from polytask.model_selection import TaskKFold

__all__ = ["compare_tasks"]

LEVEL = 0.95


def compare_tasks(
    estimators: dict[str, Any] | None,
    X: Any,
    y: Any,
    *,
    task: str | int,
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
        Unfitted regressors or binary classifiers, Pipelines included. A name with None takes
        the default estimator of that name; None instead of the dict takes all defaults:
        single-task, pooled, task-intercept, mean-regularized and gradient-boosting. What takes
        no ``task`` counts as a non-joint model.
    X : table of shape (n, d + 1)
        With the task column; any container that the estimators take.
    y : array-like of shape (n,)
        Numbers, or two classes. No missing values.
    task : str or int
        The task column, a name or a position.
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
    date, start = datetime.now().astimezone(), time.perf_counter()
    given = named_estimators("compare_tasks", estimators, None, y, task, baseline)
    sample = read_sample(X, y, task, kind_of(given, y))
    primary = primary_column(metric, sample.kind)
    folds = _make_folds(sample, cv, n_repeats, random_state)
    n_folds = len(folds) // n_repeats
    found = predict_out_of_fold(given, sample, folds, n_jobs=n_jobs, progress=progress)
    evidence = _evidence(given, sample, found, primary, baseline)
    made = Provenance(
        date=date.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - start,
        cv=n_folds,
        n_repeats=n_repeats,
        random_state=random_state,
        splitter=_splitter_words(sample, cv, n_repeats, random_state),
        versions=versions(),
        method=method_sentences(evidence, n_folds, known=_tasks_are_known(sample, folds)),
    )
    columns = metric_columns(sample.kind, primary)
    scores = fold_scores(found, sample, columns)
    scored = found.scored(len(sample.y))
    return assemble(
        evidence,
        sample,
        found,
        columns=columns,
        folds=scores,
        scores=model_scores(found, sample, columns, scores, LEVEL),
        data=summarize(sample, scored),
        provenance=made,
        notes=notes_on(evidence, sample, found, scored),
    )


def _make_folds(sample: Sample, cv: Any, n_repeats: int, random_state: int | None) -> list[Fold]:
    if n_repeats < 1:
        raise ValueError(f"compare_tasks: n_repeats must be at least 1; got {n_repeats}.")
    if hasattr(cv, "split"):
        return _given_folds(sample, cv, n_repeats)
    seeds = [random_state, *np.random.RandomState(random_state).randint(2**31 - 1, size=n_repeats)]
    folds = []
    for repeat in range(n_repeats):
        splitter = TaskKFold(
            cv,
            task=sample.task,
            stratify=sample.kind == "classification",
            random_state=None if seeds[repeat] is None else int(seeds[repeat]),
        )
        for k, (train, test) in enumerate(splitter.split(sample.X, sample.labels)):
            folds.append(Fold(repeat, k, train, test))
    return folds


def _given_folds(sample: Sample, cv: Any, n_repeats: int) -> list[Fold]:
    splits = cv.split(sample.X, sample.labels)
    folds = [Fold(0, k, train, test) for k, (train, test) in enumerate(splits)]
    tested = np.concatenate([fold.test for fold in folds])
    if n_repeats > 1 or len(np.unique(tested)) < len(tested):
        raise ValueError(
            "compare_tasks: cv must be a splitter that tests no row twice, with n_repeats=1; got "
            f"{cv!r} and n_repeats={n_repeats}. Give a number of folds to repeat them."
        )
    return folds


def _tasks_are_known(sample: Sample, folds: list[Fold]) -> bool:
    """Whether the tasks of all tested rows were in training."""
    return all(np.isin(sample.codes[f.test], sample.codes[f.train]).all() for f in folds)


def _splitter_words(sample: Sample, cv: Any, n_repeats: int, seed: int | None) -> str:
    if hasattr(cv, "split"):
        return " ".join(repr(cv).split())
    kind = "stratified by class, " if sample.kind == "classification" else ""
    times = f", {n_repeats} times" if n_repeats > 1 else ""
    return f"TaskKFold with {cv} folds{times}, {kind}shuffled, seed {seed}"


def _evidence(
    estimators: dict[str, Any], sample: Sample, found: OutOfFold, primary: str, baseline: str
) -> Evidence:
    row_loss = row_loss_for(primary.rpartition("_")[0], sample.kind)
    repeats = {name: row_loss.of(sample.y, p) for name, p in found.predictions.items()}
    losses = {name: loss.mean(axis=0) for name, loss in repeats.items()}
    scored = found.scored(len(sample.y))
    tested = [(f.repeat, f.test[scored[f.test]]) for f in found.folds]
    for loss in losses.values():
        loss[~scored] = np.nan
    n_train = float(np.mean([len(f.train) for f in found.folds]))
    n_test = float(np.mean([len(f.test) for f in found.folds]))
    return Evidence(
        losses=losses,
        codes=sample.codes,
        n_tasks=sample.n_tasks,
        roles={name: role_of(name, model, baseline) for name, model in estimators.items()},
        titles={name: title_of(name) for name in estimators},
        baseline=baseline,
        inflation=overlap_inflation(n_train, n_test),
        level=LEVEL,
        loss_title=row_loss.title,
        folds=FoldLosses.from_rows(repeats, tested, sample.codes, sample.n_tasks),
    )
