"""From evidence to a `Comparison`: what a table in memory and one that is passed over share."""

from __future__ import annotations

import pandas as pd

from polytask.inspection.comparison import Comparison, DataSummary, Provenance
from polytask.inspection.evidence import Evidence
from polytask.inspection.out_of_fold import OutOfFold
from polytask.inspection.provenance import warnings_on
from polytask.inspection.sample import TaskRows
from polytask.inspection.tables import gains_frame, models_frame, tasks_frame
from polytask.inspection.verdict import decide

__all__ = ["assemble"]


def assemble(
    evidence: Evidence,
    sample: TaskRows,
    found: OutOfFold,
    *,
    columns: pd.DataFrame,
    folds: pd.DataFrame,
    scores: pd.DataFrame,
    data: DataSummary,
    provenance: Provenance,
    notes: tuple[str, ...],
) -> Comparison:
    """Decide, and put the tables beside the verdict; the first of the metrics leads."""
    verdict = decide(evidence)
    return Comparison(
        kind=sample.kind,
        task=sample.task,
        target=sample.target,
        baseline=evidence.baseline,
        metric=str(columns["column"].iloc[0]),
        metric_title=str(columns["title"].iloc[0]),
        greater_is_better=bool(columns["greater_is_better"].iloc[0]),
        loss_title=evidence.loss_title,
        level=evidence.level,
        verdict=verdict,
        models=models_frame(scores, columns, evidence, found, verdict),
        metrics=columns,
        folds=folds,
        tasks=tasks_frame(evidence, sample, verdict),
        gains=gains_frame(evidence, sample),
        data=data,
        provenance=provenance,
        notes=notes,
        warnings=warnings_on(evidence, sample, found),
    )
