"""How a comparison was computed, and what a reader should be told about it."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from polytask.inspection.evidence import Evidence
from polytask.inspection.installed import versions_of
from polytask.inspection.out_of_fold import Fits
from polytask.inspection.sample import Sample
from polytask.inspection.statistics.simultaneous import FEW_TASKS

__all__ = ["method_sentences", "notes_of_fits", "notes_on_tasks", "versions", "warnings_on"]

_PACKAGES = ("scikit-learn", "numpy", "scipy", "pandas")
_MOST_WARNINGS = 3  # of one model


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that the numbers depend on."""
    return versions_of(_PACKAGES)


def method_sentences(evidence: Evidence, n_folds: int, *, known: bool = True) -> tuple[str, ...]:
    """How intervals, p-values and labels were computed, one sentence each.

    `known` says whether every tested task was in training.
    """
    share = f"{100 * (1 - evidence.level):.0f} %"
    many = evidence.n_tasks >= FEW_TASKS
    unit = (
        "treat the tasks as the sampling unit, their variance corrected for overlapping training "
        "sets, and what all tasks of a fold provably share as a second source of error (Cameron, "
        "Gelbach and Miller 2011): they speak about tasks such as these"
        if many
        else "treat the rows inside the tasks as the sampling unit: they speak about these tasks"
    )
    tasks = "every fold keeps every task in training" if known else "tasks were held out whole"
    return (
        f"All models were fitted and scored on the same {n_folds} folds; {tasks}, and each model "
        "chose its strengths inside the training part.",
        f"A gain is the baseline's {evidence.loss_title} minus the model's, on rows that were "
        "not in training; tasks count alike in the overall gain.",
        f"Intervals of the overall gain {unit}; that of the best model is corrected for the "
        "choice among several (Hothorn, Bretz and Westfall 2008).",
        "Intervals of a task's gain are corrected for overlapping training sets (Nadeau and "
        f"Bengio 2003, variance times {evidence.inflation:.3g}); tasks with few rows borrow their "
        "variance from the others (Smyth 2004), and the skewness of the differences is taken out "
        "(Hall 1992).",
        f"Labels control the false discovery rate over the tasks at {share} (Benjamini and "
        "Hochberg 1995).",
        "Shrunken gains pool the tasks' relative gains partially, towards what tasks of their "
        "size gain (normal-normal model, Morris 1983).",
        "A model's interval comes from its spread over folds (corrected resampled t).",
    )


def notes_of_fits(found: Fits) -> tuple[str, ...]:
    """What the models say was done that a reader should know."""
    return tuple(
        dict.fromkeys(n for fits in found.fits.values() for fit in fits for n in fit.notes)
    )


def notes_on_tasks(n_tasks: int, unscored: int) -> tuple[str, ...]:
    """Where tasks have a single row, or are few."""
    notes = []
    if unscored:
        notes.append(
            f"{unscored} of {n_tasks} tasks have a single row: it trains the models, but "
            "cannot be predicted out of fold, so these tasks have no gain."
        )
    if 0 < n_tasks - unscored < FEW_TASKS:
        notes.append(
            f"With fewer than {FEW_TASKS} tasks the overall intervals speak about these tasks only."
        )
    return tuple(notes)


def warnings_on(evidence: Evidence, sample: Sample, found: Fits) -> tuple[str, ...]:
    """What may make the answer wrong: failures, warnings of the fits, tasks of unlike scale."""
    told = [
        f"{evidence.titles[name]} failed and is left out: {found.reason(name)}"
        for name in found.fits
        if found.reason(name)
    ]
    for name in evidence.models:
        told += _warnings_of(evidence.titles[name], found, name)
    return (*told, *evidence.leanings(), *_scale_warning(evidence, sample))


def _warnings_of(title: str, found: Fits, name: str) -> list[str]:
    """A line per kind of warning; the same words with other numbers are one kind."""
    fits = found.fits[name]
    first: dict[str, str] = {}
    times: Counter[str] = Counter()
    for fit in fits:
        kinds = {re.sub(r"[-+.\de]*\d", "#", text): text for text in reversed(fit.warnings)}
        times.update(kinds.keys())
        first = kinds | first
    shown = [f"{title}, {k} of {len(fits)} fits: {first[kind]}" for kind, k in times.most_common()]
    if len(shown) <= _MOST_WARNINGS:
        return shown
    return [*shown[:_MOST_WARNINGS], f"{title}: {len(shown) - _MOST_WARNINGS} more warnings."]


def _scale_warning(evidence: Evidence, sample: Sample) -> tuple[str, ...]:
    """Tasks in different units: a mean over tasks is then the mean of the largest ones."""
    if sample.response.has_labels or evidence.baseline not in evidence.models:
        return ()
    loss = np.sort(evidence.task_losses(evidence.baseline))[::-1]
    loss = loss[np.isfinite(loss)]
    most = max(1, round(0.1 * len(loss)))
    share = loss[:most].sum() / loss.sum() if loss.sum() > 0 else 0.0
    if share < 0.8:
        return ()
    count = "one task makes" if most == 1 else f"{most} tasks make"
    return (
        f"{count[:1].upper()}{count[1:]} {100 * share:.0f} % of the loss: the overall figures are "
        "mostly about that. Are the targets in different units? --metric nmse judges each task by "
        "its own variance, --scale-target task (ScaledTargetRegressor) learns from them alike.",
    )
