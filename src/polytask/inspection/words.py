"""The verdict in plain words; numbers as a reader says them."""

from __future__ import annotations

from dataclasses import dataclass

from polytask.inspection.comparison import Interval
from polytask.inspection.evidence import Evidence

__all__ = ["Findings", "headline", "paragraph", "percent", "span"]


@dataclass(frozen=True)
class Findings:
    """What the rules found; the words need nothing else but titles and counts.

    `focus`: the joint or pooled model in question, `gain` its gain over the baseline (valid for
    the best of `compared` models). `inside`: the best of baseline, pooled and joint models;
    `outside`: the best non-joint model, if any, `outside_gain` its gain over `inside`.
    """

    focus: str
    baseline: str
    gain: Interval
    compared: int
    pooled: str | None
    over_pooled: Interval | None
    best_joint: str | None
    joint_over_pooled: Interval | None
    inside: str
    outside: str | None
    outside_gain: Interval | None


def percent(share: float) -> str:
    """`share` as a percentage with two digits that count: "6.1 %", "0.34 %", "12 %"."""
    value = abs(100 * share)
    digits = 0 if value >= 9.95 else 1 if value >= 0.995 else 2
    return f"{value:.{digits}f} %"


def span(gain: Interval) -> str:
    """The interval of a gain: "95 % interval 4.0 to 8.3 %", signs where it needs them."""
    digits = 0 if max(abs(gain.low), abs(gain.high)) >= 0.0995 else 1
    low, high = f"{100 * gain.low:.{digits}f}", f"{100 * gain.high:.{digits}f}"
    return f"{100 * gain.level:.0f} % interval {low} to {high} %".replace("-", "−")


def headline(label: str, found: Findings, evidence: Evidence) -> str:
    """One sentence."""
    focus = evidence.titles[found.focus]
    if label == "non-joint-best":
        return f"A model that is not multi-task is best here: {_outside(found, evidence)}."
    return {
        "joint-helps": f"Learning the tasks together helps: {focus}.",
        "pooling-suffices": f"One model for all tasks suffices: {focus}.",
        "single-task-best": "Learning the tasks together does not help here, it hurts.",
        "mixed": "Learning the tasks together helps some tasks and harms others.",
        "no-clear-gain": "Learning the tasks together shows no clear gain here.",
    }[label]


def paragraph(label: str, found: Findings, evidence: Evidence) -> str:
    """Two to five sentences: the answer, the numbers behind it, whom it helps and hurts."""
    sentences = [headline(label, found, evidence)]
    if label == "non-joint-best" and found.outside and found.outside_gain:
        sentences.append(
            _difference(found.outside, found.inside, found.outside_gain, evidence) + "."
        )
    sentences.append(_main(found, evidence))
    sentences += _pooling(label, found, evidence)
    if label in ("no-clear-gain", "mixed"):
        sentences.append(_why_not_clear(found))
    sentences.append(_tasks(found, evidence))
    if label != "non-joint-best":
        sentences += _non_joint(found, evidence)
    return " ".join(sentences)


def _outside(found: Findings, evidence: Evidence) -> str:
    return evidence.titles[found.outside or found.focus]


def _difference(name: str, reference: str, gain: Interval, evidence: Evidence) -> str:
    word = "less" if gain.value >= 0 else "more"
    return (
        f"{evidence.titles[name]} has {percent(gain.value)} {word} {evidence.loss_title} than "
        f"{evidence.titles[reference]} ({span(gain)})"
    )


def _main(found: Findings, evidence: Evidence) -> str:
    text = _difference(found.focus, found.baseline, found.gain, evidence)
    if found.compared > 1:
        text = text[:-1] + f", corrected for choosing among {found.compared} models)"
    return text + "."


def _pooling(label: str, found: Findings, evidence: Evidence) -> list[str]:
    if label == "pooling-suffices" and found.best_joint and found.joint_over_pooled:
        text = _difference(found.best_joint, str(found.pooled), found.joint_over_pooled, evidence)
        clear = found.joint_over_pooled.low > 0
        end = "too little to matter" if clear else "no clear difference"
        return [f"The best joint model adds nothing: {text}, {end}."]
    if label == "joint-helps" and found.over_pooled and found.pooled:
        text = _difference(found.focus, found.pooled, found.over_pooled, evidence)
        unclear = found.over_pooled.low <= 0
        return [text + (", which is no clear difference." if unclear else ".")]
    return []


def _why_not_clear(found: Findings) -> str:
    if found.gain.low > 0 or found.gain.high < 0:
        return "The difference is real but too small to matter."
    half = (found.gain.high - found.gain.low) / 2
    # 1.43 = (1.96 + 0.84) / 1.96: what is found with probability 0.8
    return f"A gain below about {percent(1.43 * half)} could hardly be seen with these data."


def _tasks(found: Findings, evidence: Evidence) -> str:
    counts = {k: evidence.count(found.focus, k) for k in ("gains", "harmed", "undecided")}
    name = evidence.titles[found.focus]
    better, worse = (counts[k] or "none" for k in ("gains", "harmed"))
    text = f"Of {evidence.n_tasks} tasks, {name} is clearly better on {better}"
    text += f", clearly worse on {worse}"
    if not counts["undecided"]:
        return text + "."
    return text + f"; on the other {counts['undecided']} the data cannot tell."


def _non_joint(found: Findings, evidence: Evidence) -> list[str]:
    if found.outside is None or found.outside_gain is None:
        return []
    text = _difference(found.outside, found.inside, found.outside_gain, evidence)
    unclear = found.outside_gain.low <= 0 <= found.outside_gain.high
    return [text + (", which is no clear difference." if unclear else ".")]
