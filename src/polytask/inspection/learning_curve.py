"""How many rows single-task learning would need to do as well as joint learning."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from polytask.inspection._json import to_json
from polytask.inspection.equivalence import equivalence_frame, sentence
from polytask.inspection.named_estimators import named_estimators
from polytask.inspection.out_of_fold import OutOfFold, Split, predict_out_of_fold
from polytask.inspection.roles import role_of, title_of
from polytask.inspection.sample import RowSample, read_sample, response_of
from polytask.model_selection import TaskShuffleSplit

__all__ = ["TaskLearningCurve"]

_MODELS = ("single-task", "pooled", "mean-regularized")
_MOST_POINTS = 6
_LEAST_TEST = 5  # rows of a task that are left for testing, at least
_DRAWS = 1000


@dataclass(frozen=True, eq=False)
class TaskLearningCurve:
    """Losses of models at several numbers of training rows per task.

    In each repeat the rows of every task are shuffled once; the first n of them train and the
    same last ones are tested at every n, so that the points of a curve, and the models, differ
    by nothing but what they learned from. Tasks with fewer rows train with all that they have,
    but only tasks with enough rows for every point are tested.

    Attributes
    ----------
    curve : DataFrame, a row per model and number of rows
        ``name``, ``title``, ``rows``, ``loss`` (mean over the tested tasks), ``low``, ``high``
        (95 % over tasks drawn anew, what makes a task easy or hard taken off), ``gain``,
        ``gain_low``, ``gain_high`` (share of the baseline's loss at the same rows).
    equivalence : DataFrame, a row per model (but the baseline) and number of rows
        ``name``, ``title``, ``rows``, ``equal_rows`` (at which the baseline does as well, on the
        logarithmic axis between measured points; NaN beyond them), ``low``, ``high``,
        ``beyond`` ("", "above" or "below" the measured range).
    baseline : str
    loss_title : str
    tasks_tested, tasks : int
    n_repeats : int
    failed : dict of str to str
        Models that could not be fitted, and why.
    text : str
        "Mean-regularized at 20 rows per task does as well as single-task at 75 ..."
    seconds : float

    Examples
    --------
    >>> from polytask.datasets import make_related_tasks
    >>> from polytask.inspection import TaskLearningCurve
    >>> X, y, _ = make_related_tasks(12, 4, 60, random_state=0)
    >>> found = TaskLearningCurve.from_data(None, X, y, task="task", rows=[5, 40], n_repeats=2)
    >>> found.curve["rows"].unique().tolist()
    [5, 40]
    """

    curve: pd.DataFrame
    equivalence: pd.DataFrame
    baseline: str
    loss_title: str
    tasks_tested: int
    tasks: int
    n_repeats: int
    failed: dict[str, str]
    text: str
    seconds: float

    @classmethod
    def from_data(
        cls,
        estimators: dict[str, Any] | None,
        X: Any,
        y: Any,
        *,
        task: str | int,
        rows: Sequence[int] | None = None,
        n_repeats: int = 5,
        metric: str | None = None,
        baseline: str = "single-task",
        random_state: int | None = 0,
        n_jobs: int | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> TaskLearningCurve:
        """Measure the curve.

        Parameters
        ----------
        estimators : dict of str to estimator or None
            Unfitted, as for `compare_tasks`; None takes single-task, pooled and mean-regularized.
        X, y, task, metric, n_jobs, progress
            As for `compare_tasks`; the metric sets the loss.
        rows : sequence of int, optional
            Training rows per task, at least 2; up to six points evenly spaced on the logarithmic
            axis unless given, up to what three quarters of the tasks can spare.
        n_repeats : int, default=5
            Shuffles.
        baseline : str, default="single-task"
            The model whose rows are counted.
        random_state : int or None, default=0

        Raises
        ------
        ValueError
            If the baseline is not among the estimators or fails, or if fewer than two tasks
            have rows left for testing at the largest of `rows`.
        """
        start = time.perf_counter()
        given = named_estimators("TaskLearningCurve", estimators, _MODELS, y, task, baseline)
        sample = read_sample(X, y, task, response_of(given, y, baseline))
        points = _points(sample, rows)
        folds, tested = _folds(sample, points, n_repeats, random_state)
        found = predict_out_of_fold(given, sample, folds, n_jobs=n_jobs, progress=progress)
        loss = sample.response.row_loss((metric or "").removesuffix("_tasks").removesuffix("_rows"))
        losses = _task_losses(found, sample, loss.of, len(points), tested)
        failed = {name: found.reason(name) for name in given if found.reason(name)}
        if baseline in failed:
            raise ValueError(f"TaskLearningCurve: {baseline} failed: {failed[baseline]}")
        rng = np.random.default_rng(random_state)
        draws = rng.integers(len(tested), size=(_DRAWS, len(tested)))
        equivalence = equivalence_frame(losses, points, baseline, draws)
        roles = {name: role_of(name, model, baseline) for name, model in given.items()}
        return cls(
            curve=_curve(losses, points, baseline, draws),
            equivalence=equivalence,
            baseline=baseline,
            loss_title=loss.title,
            tasks_tested=len(tested),
            tasks=sample.n_tasks,
            n_repeats=n_repeats,
            failed=failed,
            text=sentence(equivalence, points, baseline, roles, loss.title),
            seconds=time.perf_counter() - start,
        )

    def to_dict(self) -> dict[str, Any]:
        """Every field, JSON-ready."""
        plain: dict[str, Any] = to_json(self)
        return plain


def _points(sample: RowSample, rows: Sequence[int] | None) -> np.ndarray:
    """Training rows per task, ascending."""
    if rows is not None:
        points = np.unique(np.asarray(rows, dtype=int))
        if len(points) < 2 or points[0] < 2:
            raise ValueError(
                "TaskLearningCurve: rows must hold at least two different numbers of rows per "
                f"task, each at least 2; got {list(rows)}."
            )
        return points
    size = float(np.quantile(sample.rows, 0.25))
    largest = int(min(0.8 * size, size - _LEAST_TEST))
    if largest < 4:
        raise ValueError(
            "TaskLearningCurve: three quarters of the tasks must have at least 9 rows; got "
            f"{size:g} rows at the first quartile. Give rows, and larger tasks."
        )
    smallest = min(5, largest // 2)
    return np.unique(np.geomspace(smallest, largest, _MOST_POINTS).round().astype(int))


def _folds(
    sample: RowSample, points: np.ndarray, n_repeats: int, seed: int | None
) -> tuple[list[Split], np.ndarray]:
    """Splits by number of rows inside repeats, and the tasks that are tested at every number.

    One seed gives one shuffle whatever the training size, and the training rows come first: so
    the rest after the largest size is the same test set for all sizes of a repeat.
    """
    tested = np.flatnonzero(sample.rows - points[-1] >= 2)
    if len(tested) < 2:
        raise ValueError(
            f"TaskLearningCurve: rows must leave 2 rows for testing in 2 tasks at least; got "
            f"{points[-1]} rows per task, which leave that in {len(tested)}."
        )
    seeds = np.random.RandomState(seed).randint(2**31 - 1, size=n_repeats)
    folds = []
    for k, shuffle in enumerate(seeds):
        splits = [
            next(sample.splits(TaskShuffleSplit(1, train_size=int(n), random_state=int(shuffle))))
            for n in points
        ]
        test = splits[-1][1]
        test = test[np.isin(sample.codes[test], tested)]
        folds += [
            Split.of(k * len(points) + j, 0, train, test) for j, (train, _) in enumerate(splits)
        ]
    met = pd.unique(sample.codes[sample.order])
    return folds, met[np.isin(met, tested)]  # drawn by place, whatever they are called


def _task_losses(
    found: OutOfFold,
    sample: RowSample,
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    n_points: int,
    tested: np.ndarray,
) -> dict[str, np.ndarray]:
    """Loss of each model by number of rows and tested task, mean over repeats: (points, tasks)."""
    losses = {}
    for name, predictions in found.predictions.items():
        total = np.zeros((n_points, sample.n_tasks))
        for j, predicted in enumerate(predictions):
            there = np.isfinite(predicted).reshape(len(predicted), -1).all(axis=1)
            codes = sample.codes[there]
            rows = np.maximum(np.bincount(codes, minlength=sample.n_tasks), 1)
            each = loss(sample.y[there], predicted[there])
            total[j % n_points] += np.bincount(codes, each, minlength=sample.n_tasks) / rows
        losses[name] = total[:, tested] * n_points / len(predictions)
    return losses


def _curve(
    losses: dict[str, np.ndarray], points: np.ndarray, baseline: str, draws: np.ndarray
) -> pd.DataFrame:
    """Means over tasks with bootstrap intervals over tasks."""
    base = losses[baseline]
    # a task that is hard for all models at all rows says nothing about any of them
    hard = np.mean(list(losses.values()), axis=(0, 1))
    frames = []
    for name, loss in losses.items():
        around = np.quantile((loss - hard)[:, draws].mean(axis=2), [0.025, 0.975], axis=1)
        gain = 1 - loss.mean(axis=1) / base.mean(axis=1)
        drawn = 1 - loss[:, draws].mean(axis=2) / base[:, draws].mean(axis=2)
        ends = np.quantile(drawn, [0.025, 0.975], axis=1)
        frames.append(
            pd.DataFrame(
                {
                    "name": name,
                    "title": title_of(name),
                    "rows": points,
                    "loss": loss.mean(axis=1),
                    "low": around[0] + hard.mean(),
                    "high": around[1] + hard.mean(),
                    "gain": gain,
                    "gain_low": ends[0],
                    "gain_high": ends[1],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
