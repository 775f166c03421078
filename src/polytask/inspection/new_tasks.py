"""What would a new task with k rows get?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

from polytask.inspection._json import to_json
from polytask.inspection.evidence import Evidence
from polytask.inspection.named_estimators import named_estimators
from polytask.inspection.new_task_fits import Answer, HeldOut, answers_of, hold_out
from polytask.inspection.new_task_tables import answers_frame, best_joint, tasks_frame, text_of
from polytask.inspection.roles import role_of, title_of
from polytask.inspection.sample import RowSample, read_sample, response_of
from polytask.inspection.scores import primary_column
from polytask.inspection.statistics import overlap_inflation

__all__ = ["NewTasks"]

_MODELS = ("single-task", "pooled", "mean-regularized")
_ADDED = "{} (added)"


@dataclass(frozen=True, eq=False)
class NewTasks:
    """Losses on tasks that were held out whole, given k of their rows, for several k.

    All models, roads and k are judged on the same rows: those of the new tasks beyond the largest
    k. The roads to a new task: ``common``, without a row of its own, from what the others share;
    ``refit``, fitted to the others and to the k rows; ``added``, fitted to the others before, and
    given the k rows by `add_task`, which needs no old rows; ``alone``, the baseline on the k rows
    and nothing else (a strength that it chooses for all tasks, it chooses over the new ones that
    are held out together).

    Attributes
    ----------
    answers : DataFrame, a row per model, road and k
        ``answer`` (the model's name, with " (added)" where it was added); ``name``; ``title``;
        ``role``; ``road``; ``n_support`` (k); ``loss`` (mean over tasks), ``low``, ``high`` (95 %
        over tasks, what makes a task hard for all of them taken off); ``gain``, ``gain_low``,
        ``gain_high`` (share of the loss of the baseline alone on as many rows, NaN for k = 0);
        ``over_pooled``, ``over_pooled_low``, ``over_pooled_high`` (the same against pooled);
        ``n_gains``, ``n_harmed`` (tasks by their labels, against `reference` of that k);
        ``seconds`` (mean time of a fit).
    tasks : DataFrame, a row per new task and k, of `focus`
        ``task``, ``rows``, ``n_support``, ``reference`` (the baseline, pooled for k = 0),
        ``loss_reference``, ``loss``, and gains as in `Comparison.tasks`: ``gain``, ``low``,
        ``high``, ``relative_gain``, ``shrunken``, ``shrunken_low``, ``shrunken_high``, ``p``,
        ``q``, ``label``.
    focus : str
        The joint model with the least loss over all k ("" without one).
    baseline : str
    loss_title : str
    tasks_tested, tasks_known : int
        Tasks that were held out; all tasks.
    cv, n_repeats : int
    failed : dict of str to str
        Answers that could not be had, and why.
    text : str
        The answer in words.
    seconds : float

    Examples
    --------
    >>> from polytask.datasets import make_related_tasks
    >>> from polytask.inspection import NewTasks
    >>> X, y, truth = make_related_tasks(n_tasks=12, n_features=3, random_state=0)
    >>> found = NewTasks.from_data(None, X, y, task="task", n_support=(0, 5), cv=3)
    >>> found.answers.query("n_support == 0")["answer"].tolist()
    ['pooled', 'mean-regularized']
    """

    answers: pd.DataFrame
    tasks: pd.DataFrame
    focus: str
    baseline: str
    loss_title: str
    tasks_tested: int
    tasks_known: int
    cv: int
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
        n_support: Sequence[int] = (0, 5, 20),
        cv: int = 5,
        n_repeats: int = 1,
        metric: str | None = None,
        baseline: str = "single-task",
        random_state: int | None = 0,
        n_jobs: int | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> NewTasks:
        """Hold whole tasks out (`polytask.model_selection.LeaveTasksOut`) and measure.

        Parameters
        ----------
        estimators : dict of str to estimator or None
            Unfitted, as for `compare_tasks`; None takes single-task, pooled and mean-regularized.
            ``unseen="common"`` is set where a model has it.
        X, y, task, metric, n_jobs, progress
            As for `compare_tasks`; the metric sets the loss.
        n_support : sequence of int, default=(0, 5, 20)
            Numbers k of rows of the new task. Tasks with no more rows than the largest are never
            held out.
        cv : int, default=5
            Parts into which the tasks are dealt; each is held out once.
        n_repeats : int, default=1
            How often tasks and rows are drawn anew: takes the luck of the k rows out.
        baseline : str, default="single-task"
            The model that learns from the k rows alone.
        random_state : int or None, default=0

        Raises
        ------
        ValueError
            If the baseline is not among the estimators, `n_support` holds no number above 0 or a
            negative one, or fewer than two tasks have more rows than the largest of them.
        """
        start = time.perf_counter()
        given = named_estimators("NewTasks", estimators, _MODELS, y, task, baseline)
        sample = read_sample(X, y, task, response_of(given, y, baseline))
        if sample.kind == "survival":
            raise ValueError(
                "NewTasks: y must hold numbers or classes; got times to an event, of which a task "
                "without rows of its own has no risk sets to be judged in."
            )
        ks = _numbers(n_support)
        tested = np.flatnonzero(sample.rows > ks[-1])
        if len(tested) < 2:
            raise ValueError(
                f"NewTasks: n_support must leave rows to be judged on in 2 tasks at least; got "
                f"{ks[-1]}, and {len(tested)} tasks have more rows. Ask for fewer."
            )
        splits = hold_out(sample, ks[-1], min(cv, len(tested)), n_repeats, random_state)
        answers = _answer(given, baseline, sample, splits, ks, n_jobs, progress)
        primary = primary_column(metric, sample.response)
        loss = sample.response.row_loss(primary.rpartition("_")[0])
        roles = {name: role_of(name, model, baseline) for name, model in given.items()}
        evidence = _evidence(answers, sample, splits, loss.of, loss.title, roles, baseline)
        frame = answers_frame(evidence, answers, baseline)
        focus = best_joint(frame)
        tasks = tasks_frame(evidence, sample, focus)
        failed = {
            f"{title_of(a.name)}, {a.road}, {a.n_support} rows": a.reason
            for a in answers if a.reason and a.n_support in ks
        }  # fmt: skip
        return cls(
            answers=frame,
            tasks=tasks,
            focus=focus,
            baseline=baseline,
            loss_title=loss.title,
            tasks_tested=len(tested),
            tasks_known=sample.n_tasks,
            cv=min(cv, len(tested)),
            n_repeats=n_repeats,
            failed=failed,
            text=text_of(evidence, frame, focus, baseline, str(sample.unit)),
            seconds=time.perf_counter() - start,
        )

    def to_dict(self) -> dict[str, Any]:
        """Every field, JSON-ready."""
        plain: dict[str, Any] = to_json(self)
        return plain


def _numbers(n_support: Sequence[int]) -> list[int]:
    ks = sorted({int(k) for k in n_support})
    if not ks or ks[0] < 0 or ks[-1] < 1:
        raise ValueError(
            "NewTasks: n_support must hold numbers of rows, at least 0, and one above 0; got "
            f"{list(n_support)}."
        )
    return ks


def _answer(
    given: dict[str, Any],
    baseline: str,
    sample: RowSample,
    splits: list[HeldOut],
    ks: list[int],
    n_jobs: int | None,
    progress: Callable[[int, int, str], None] | None,
) -> list[Answer]:
    jobs = [(name, i) for i in range(len(splits)) for name in given]
    run = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(answers_of)(name, given[name], name == baseline, sample, splits[i], i, ks)
        for name, i in jobs
    )
    found = []
    for done, answers in enumerate(run, start=1):
        found += answers
        if progress is not None:
            name, i = jobs[done - 1]
            progress(done, len(jobs), f"new tasks, {name}, part {i + 1} of {len(splits)}")
    return found


def _evidence(
    answers: list[Answer],
    sample: RowSample,
    splits: list[HeldOut],
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray],
    loss_title: str,
    roles: dict[str, str],
    baseline: str,
) -> dict[int, Evidence]:
    """Row losses by k, means over the repeats in which a row was predicted."""
    found: dict[int, dict[str, np.ndarray]] = {}
    times = np.bincount(np.concatenate([held.test for held in splits]), minlength=len(sample.y))
    lost = {(a.name, a.road, a.n_support) for a in answers if a.reason}
    for a in answers:
        if (a.name, a.road, a.n_support) in lost or a.predictions is None:
            continue
        test = splits[a.split].test
        total = found.setdefault(a.n_support, {}).setdefault(
            _ADDED.format(a.name) if a.road == "added" else a.name, np.zeros(len(sample.y))
        )
        total[test] += loss(sample.y[test], a.predictions)
    n_train = float(np.mean([len(h.others) + len(h.support) for h in splits]))
    n_test = float(np.mean([len(h.test) for h in splits]))
    names = {name: name for name in roles} | {_ADDED.format(name): name for name in roles}
    never = np.where(times > 0, 0.0, np.nan)
    pooled = next((name for name, role in roles.items() if role == "pooled"), baseline)
    return {
        k: Evidence.of_rows(
            {a: total / np.maximum(times, 1) + never for a, total in by.items()},
            sample.codes,
            sample.n_tasks,
            roles={answer: roles[name] for answer, name in names.items()},
            titles={a: title_of(n) + a.removeprefix(n) for a, n in names.items()},
            baseline=baseline if baseline in by else pooled,
            inflation=overlap_inflation(n_train, n_test),
            loss_title=loss_title,
            rounding=sample.rounding(loss_title),
        )
        for k, by in sorted(found.items())
    }  # fmt: skip
