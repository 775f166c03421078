"""The frames of a `Comparison` from scores and evidence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from polytask.inspection.comparison import Verdict
from polytask.inspection.evidence import Evidence
from polytask.inspection.out_of_fold import Fits
from polytask.inspection.roles import strengths_text
from polytask.inspection.sample import Sample

__all__ = ["gains_frame", "models_frame", "tasks_frame"]

_GAIN_COLUMNS = [
    "gain", "low", "high", "relative_gain", "shrunken", "shrunken_low", "shrunken_high", "p", "q",
    "label",
]  # fmt: skip


def _task_ids(sample: Sample) -> pd.Series:
    plain = [value.item() if hasattr(value, "item") else value for value in sample.ids]
    return pd.Series(plain, dtype=object)


def gains_frame(evidence: Evidence, sample: Sample) -> pd.DataFrame:
    """Gains over the baseline, a row per model and task."""
    columns = ["name", "task", "rows", "loss", *_GAIN_COLUMNS]
    if not evidence.complete:
        return pd.DataFrame(columns=columns)
    frames = []
    for name in evidence.models:
        if name == evidence.baseline:
            continue
        frame = evidence.by_task(name)[_GAIN_COLUMNS].copy()
        frame["name"], frame["task"], frame["rows"] = name, _task_ids(sample), sample.rows
        frame["loss"] = evidence.task_losses(name)
        frames.append(frame[columns])
    return pd.concat(frames, ignore_index=True)


def tasks_frame(evidence: Evidence, sample: Sample, verdict: Verdict) -> pd.DataFrame:
    """A row per task: losses of baseline, pooled and focus, and the gains of the focus."""
    pooled = next(iter(evidence.names("pooled")), "")
    frame = pd.DataFrame({"task": _task_ids(sample), "rows": sample.rows})
    frame["loss_baseline"] = evidence.task_losses(evidence.baseline)
    frame["loss_pooled"] = evidence.task_losses(pooled)
    frame["loss_focus"] = evidence.task_losses(verdict.focus)
    columns = [*_GAIN_COLUMNS, "rows_to_decide"]
    if verdict.focus:
        frame[columns] = evidence.by_task(verdict.focus)[columns]
        frame["rows_to_decide"] *= evidence.unit_rows
    else:
        frame[columns] = np.nan
        frame["label"] = "undecided"
    return frame


def models_frame(
    scores: pd.DataFrame,
    columns: pd.DataFrame,
    evidence: Evidence,
    found: Fits,
    verdict: Verdict,
) -> pd.DataFrame:
    """The leaderboard: a row per model, best first, failed models last."""
    others = [name for name in evidence.models if name != evidence.baseline]
    gains = evidence.over(evidence.baseline, others, together=False)
    primary = columns["column"].iloc[0]
    rows = []
    for score in scores.to_dict("records"):
        name = score["name"]
        gain = gains.get(name)
        value = score[primary]
        rows.append(
            {
                "name": name,
                "title": evidence.titles[name],
                "role": evidence.roles[name],
                "status": "failed" if found.reason(name) else "ok",
                "reason": found.reason(name),
                "recommended": name == verdict.model,
                "metric": value,
                "low": score["low"],
                "high": score["high"],
                "spread": score["spread"],
                "gain": gain.value if gain else np.nan,
                "gain_low": gain.low if gain else np.nan,
                "gain_high": gain.high if gain else np.nan,
                "gain_p": gain.p if gain else np.nan,
                **_counts(evidence, name),
                "seconds": float(np.mean([fit.seconds for fit in found.fits[name]])),
                "strengths": strengths_text([fit.strengths for fit in found.fits[name]]),
                **{column: score[column] for column in columns["column"]},
            }
        )
    ascending = not bool(columns["greater_is_better"].iloc[0])
    frame = pd.DataFrame(rows)
    return frame.sort_values("metric", ascending=ascending, kind="stable", ignore_index=True)


def _counts(evidence: Evidence, name: str) -> dict[str, int]:
    known = evidence.complete
    found = {
        f"n_{label}": evidence.count(name, label) if known else 0
        for label in ("gains", "harmed", "undecided")
    }
    found["n_better"], found["n_worse"] = evidence.signs(name) if known else (0, 0)
    return found
