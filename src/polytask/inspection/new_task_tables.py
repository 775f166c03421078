"""What was measured on new tasks, as tables and in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from polytask.inspection.comparison import Gain, Interval
from polytask.inspection.evidence import Evidence
from polytask.inspection.new_task_fits import Answer
from polytask.inspection.sample import RowSample
from polytask.inspection.words import percent, span

__all__ = ["answers_frame", "best_joint", "tasks_frame", "text_of"]

_NONE = Interval(np.nan, np.nan, np.nan)
_GAINS = ["gain", "low", "high", "relative_gain", "shrunken", "shrunken_low", "shrunken_high",
          "p", "q", "label"]  # fmt: skip


def answers_frame(
    evidence: dict[int, Evidence], answers: Sequence[Answer], baseline: str
) -> pd.DataFrame:
    """`NewTasks.answers`."""
    hard = np.median(
        [one.task_losses(name) for one in evidence.values() for name in one.models], axis=0
    )
    rows = []
    for k, one in evidence.items():
        alone = _gains(one, baseline)
        pooled = _gains(one, next(iter(one.names("pooled")), ""))
        for answer in one.models:
            rows.append(
                {
                    "answer": answer,
                    **_model(answer, one, answers, k),
                    "n_support": k,
                    **_loss(one.task_losses(answer), hard),
                    **_ends("gain", alone.get(answer, _NONE)),
                    **_ends("over_pooled", pooled.get(answer, _NONE)),
                    "n_gains": one.count(answer, "gains"),
                    "n_harmed": one.count(answer, "harmed"),
                }
            )
    return pd.DataFrame(rows)


def _model(answer: str, evidence: Evidence, answers: Sequence[Answer], k: int) -> dict[str, object]:
    added = answer.endswith(" (added)")
    name = answer.removesuffix(" (added)")
    mine = [a for a in answers if a.name == name and a.n_support == k]
    mine = [a for a in mine if (a.road == "added") == added]
    return {
        "name": name,
        "title": evidence.titles[answer],
        "role": evidence.roles[answer],
        "road": mine[0].road,
        "seconds": float(np.mean([a.seconds for a in mine])),
    }


def _gains(evidence: Evidence, reference: str) -> dict[str, Gain]:
    others = [name for name in evidence.models if name != reference]
    return evidence.over(reference, others, together=False)


def _ends(name: str, gain: Interval) -> dict[str, float]:
    return {name: gain.value, f"{name}_low": gain.low, f"{name}_high": gain.high}


def _loss(loss: np.ndarray, hard: np.ndarray) -> dict[str, float]:
    """Mean over the tasks; a task that is hard for every answer says nothing about any of them."""
    there = np.isfinite(loss)
    around, count = (loss - hard)[there], there.sum()
    half = stats.t.ppf(0.975, count - 1) * around.std(ddof=1) / np.sqrt(count)
    value = float(loss[there].mean())
    return {"loss": value, "low": value - half, "high": value + half}


def best_joint(frame: pd.DataFrame) -> str:
    """The joint model with the least loss over all k, relative to the least of each k."""
    joint = frame[(frame["role"] == "joint") & (frame["road"] != "added")]
    if joint.empty:
        return ""
    least = frame.groupby("n_support")["loss"].min()
    ratio = joint["loss"] / joint["n_support"].map(least)
    complete = joint.groupby("answer")["n_support"].transform("size")
    best = ratio[complete == complete.max()].groupby(joint["answer"], sort=False).mean()
    return str(best.idxmin())


def tasks_frame(evidence: dict[int, Evidence], sample: RowSample, focus: str) -> pd.DataFrame:
    """`NewTasks.tasks`."""
    columns = ["task", "rows", "n_support", "reference", "loss_reference", "loss", *_GAINS]
    frames = []
    for k, one in evidence.items():
        if focus not in one.models or one.baseline not in one.models:
            continue
        frame = one.by_task(focus)[_GAINS].copy()
        plain = [value.item() if hasattr(value, "item") else value for value in sample.ids]
        frame["task"] = pd.Series(plain, dtype=object)
        frame["rows"], frame["n_support"], frame["reference"] = sample.rows, k, one.baseline
        frame["loss_reference"] = one.task_losses(one.baseline)
        frame["loss"] = one.task_losses(focus)
        frames.append(frame.loc[frame["loss"].notna(), columns])
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def text_of(
    evidence: dict[int, Evidence], frame: pd.DataFrame, focus: str, baseline: str, task: str
) -> str:
    """What the focus gains at every k, and what adding costs against fitting again."""
    if not focus:
        return "No model that shares could be judged on new tasks."
    told: dict[str, list[str]] = {}
    for k, one in reversed(evidence.items()):
        if focus in one.models and one.baseline in one.models:
            family = [a for a in one.names("joint", "pooled") if a != one.baseline]
            against = "the same rows alone" if one.baseline == baseline else _title(one)
            told.setdefault(against, []).append(_clause(k, one.over(one.baseline, family)[focus]))
    title = frame.set_index("answer").loc[[focus], "title"].iloc[0]
    head = f"{title} on a new {task}, {next(iter(evidence.values())).loss_title} against"
    sentences = [f"{against}: {', '.join(reversed(c))}." for against, c in told.items()]
    rest = [f"Against {text}" for text in sentences[1:]]
    return " ".join([f"{head} {sentences[0]}", *rest, *_cost_of_adding(evidence, frame, focus)])


def _title(evidence: Evidence) -> str:
    return evidence.titles[evidence.baseline]


def _clause(k: int, gain: Interval) -> str:
    """A part of a sentence: "37 % less with 5 rows (95 % interval 33 to 40 %)"."""
    rows = "without a row of its own" if k == 0 else f"with {_rows(k)}"
    word = "less" if gain.value >= 0 else "more"
    unclear = "; no clear difference" if gain.low <= 0 <= gain.high else ""
    return f"{percent(gain.value)} {word} {rows} ({span(gain)}{unclear})"


def _cost_of_adding(evidence: dict[int, Evidence], frame: pd.DataFrame, focus: str) -> list[str]:
    """What `add_task` changes against fitting again, at every k; of the focus if it has it."""
    able = frame.loc[frame["road"] == "added", "name"].drop_duplicates().tolist()
    if not able:
        return []
    name = focus if focus in able else able[0]
    added = f"{name} (added)"
    costs = {
        k: -one.over(name, [added])[added].value
        for k, one in evidence.items()
        if added in one.models and name in one.models
    }
    told = ", ".join(
        f"{'+' if cost >= 0 else '−'}{percent(cost)} ({_rows(k)})" for k, cost in costs.items()
    )
    one = next(iter(evidence.values()))
    text = (
        f"Adding it to a fitted {one.titles[name]} without the old rows, instead of fitting "
        f"again, changes the {one.loss_title} by {told}."
    )
    return [text] if costs else []


def _rows(k: int) -> str:
    return f"{k} row{'' if k == 1 else 's'}"
