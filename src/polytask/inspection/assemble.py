"""From sums of losses to a `Comparison`, wherever the rows were."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from polytask.inspection.comparison import Comparison, Provenance
from polytask.inspection.evidence import LEVEL, Evidence
from polytask.inspection.groupings import gains_of_groupings
from polytask.inspection.influence import Influence, RowLosses
from polytask.inspection.out_of_fold import Fits
from polytask.inspection.provenance import (
    method_sentences,
    notes_of_fits,
    notes_on_tasks,
    versions,
    warnings_on,
)
from polytask.inspection.recommendation import recommend
from polytask.inspection.roles import hedges_among, role_of, title_of, unlike_among
from polytask.inspection.sample import Sample
from polytask.inspection.scores import fold_scores, model_scores
from polytask.inspection.statistics import overlap_inflation
from polytask.inspection.tables import gains_frame, models_frame, tasks_frame
from polytask.inspection.verdict import decide
from polytask.sources.loss_totals import LossTotals

__all__ = ["Question", "assemble"]


@dataclass(frozen=True, eq=False)
class Question:
    """What was asked, and when.

    Attributes
    ----------
    estimators : mapping of str to estimator
    baseline : str
    columns : DataFrame
        The metrics, the one that ranks models first.
    n_repeats : int
    random_state : int or None
    splitter : str
        In words.
    known : bool
        Whether every tested task was in training.
    held : str
        What is said of the dependence of rows.
    date, begun
        The start.
    """

    estimators: Mapping[str, Any]
    baseline: str
    columns: pd.DataFrame
    n_repeats: int
    random_state: int | None
    splitter: str
    known: bool = True
    held: str = ""
    date: datetime = field(default_factory=lambda: datetime.now().astimezone())
    begun: float = field(default_factory=time.perf_counter)

    @property
    def metric(self) -> str:
        """The leading one."""
        return str(self.columns["metric"].iloc[0])


def assemble(
    question: Question,
    sample: Sample,
    found: Fits,
    totals: LossTotals,
    *,
    ranks: Mapping[tuple[str, int], dict[str, float]],
    rows: RowLosses | None = None,
    notes: tuple[str, ...] = (),
) -> Comparison:
    """Decide, and put the tables beside the verdict; ``ranks`` are the metrics that need rows."""
    evidence = _evidence(question, sample, found, totals, rows)
    recommended = recommend(evidence)
    verdict, columns = decide(evidence, recommended), question.columns
    verdict = replace(verdict, text=f"{verdict.text} {question.held}".rstrip())
    about = totals, evidence.models, columns, sample.response
    folds = fold_scores(found.records(), *about, ranks)
    unscored = int((evidence.moments.rows == 0).sum())
    return Comparison(
        kind=sample.kind,
        task=sample.unit,
        target=sample.target,
        baseline=evidence.baseline,
        metric=str(columns["column"].iloc[0]),
        metric_title=str(columns["title"].iloc[0]),
        greater_is_better=bool(columns["greater_is_better"].iloc[0]),
        loss_title=evidence.loss_title,
        level=evidence.level,
        verdict=verdict,
        models=models_frame(model_scores(folds, *about, LEVEL), columns, evidence, found, verdict),
        metrics=columns,
        folds=folds,
        tasks=tasks_frame(evidence, sample, verdict),
        gains=gains_frame(evidence, sample),
        data=sample.summary(unscored),
        provenance=_provenance(question, evidence, len(found.folds) // question.n_repeats),
        notes=(
            *notes,
            *gains_of_groupings(question.estimators, evidence),
            *notes_of_fits(found),
            *notes_on_tasks(sample.n_tasks, unscored),
        ),
        warnings=warnings_on(evidence, sample, found),
        recommended=recommended,
    )


def _evidence(
    question: Question, sample: Sample, found: Fits, totals: LossTotals, rows: RowLosses | None
) -> Evidence:
    losses, metric = list(sample.response.row_losses), question.metric
    n_train = float(np.mean([fold.n_train for fold in found.folds]))
    n_test = float(np.mean([fold.n_test for fold in found.folds]))
    make = partial(
        Evidence.of_totals,
        models=found.succeeded(question.baseline),
        at=losses.index(metric) if metric in losses else 0,
        repeats=question.n_repeats,
        roles={n: role_of(n, model, question.baseline) for n, model in question.estimators.items()},
        titles={n: getattr(e, "title", title_of(n)) for n, e in question.estimators.items()},
        baseline=question.baseline,
        hedges=hedges_among(question.estimators),
        unlike=unlike_among(question.estimators, question.baseline),
        inflation=overlap_inflation(n_train, n_test),
        loss_title=sample.response.row_loss(metric).title,
        by_variance=metric == "nmse",
        rounding=sample.rounding(sample.response.row_loss(metric).title, metric == "nmse"),
    )
    if metric == "nmse" and rows is not None:
        rows = replace(rows, losses=rows.losses / totals.variance()[rows.codes])
    influence = Influence(make, totals, lambda i: f"task {sample.ids[i]}", rows)
    return make(totals, influence=influence.of)


def _provenance(question: Question, evidence: Evidence, n_folds: int) -> Provenance:
    return Provenance(
        date=question.date.isoformat(timespec="seconds"),
        seconds=time.perf_counter() - question.begun,
        cv=n_folds,
        n_repeats=question.n_repeats,
        random_state=question.random_state,
        splitter=question.splitter,
        versions=versions(),
        method=method_sentences(evidence, n_folds, known=question.known),
    )
