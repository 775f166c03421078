"""The verdict in plain words; numbers as a reader says them."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from polytask.inspection.clear import MIN_GAIN, is_clear, is_sure, matters
from polytask.inspection.comparison import Gain, Interval
from polytask.inspection.evidence import Evidence

__all__ = ["Findings", "headline", "paragraph", "percent", "span"]


_MOST = 1e6  # percent, beyond which a number says no more
_SHARE_ALONE = "As a difference it is not clear: tasks or rows with much loss make the share."


@dataclass(frozen=True)
class Findings:
    """What the rules found; the words need nothing else but titles and counts.

    `focus`: the joint or pooled model in question, `gain` its gain over the baseline (valid for
    the best of `compared` models). `inside`: the best of baseline, pooled and joint models;
    `outside`: the best non-joint model, if any, `outside_gain` its gain over `inside`. `best`: of
    them all, `over_means` its gain over the mean of each task. `unlike`: a joint model whose shape,
    not sharing, may make the gain; `alone` is the same of each task alone.
    """

    focus: str
    baseline: str
    gain: Gain
    compared: int
    pooled: str | None
    over_pooled: Gain | None
    best_joint: str | None
    joint_over_pooled: Gain | None
    unlike: str | None
    alone: str | None
    over_alone: Gain | None
    inside: str
    outside: str | None
    outside_gain: Gain | None
    best: str
    over_means: Gain | None


def percent(share: float) -> str:
    """`share` as a percentage with two digits that count: "6.1 %", "0.34 %", "12 %"."""
    value = abs(100 * share)
    if value > _MOST:
        return f"over {_MOST:,.0f} %"
    digits = 0 if value >= 9.95 else 1 if value >= 0.995 else 2
    return f"{value:,.{digits}f} %"


def span(gain: Interval) -> str:
    """The interval of "less" or "more": "95 % interval 4.0 to 8.3 %"."""
    ends = (gain.low, gain.high) if gain.value >= 0 else (-gain.high, -gain.low)
    if not all(map(isfinite, ends)):
        return "the rows allow no interval"
    digits = 0 if max(abs(end) for end in ends) >= 0.0995 else 1
    if digits and min(abs(end) for end in ends) < 0.0005:
        digits = 2  # on which side of zero an end lies is what matters
    low, high = (_end(100 * end, digits) for end in ends)
    return f"{100 * gain.level:.0f} % interval {low} to {high} %"


def _end(value: float, digits: int) -> str:
    """An end of an interval, in percent."""
    if abs(value) > _MOST:
        return f"{'over ' if value > 0 else 'under −'}{_MOST:,.0f}"
    while digits < 2 and round(value, digits) == 0:  # its side of zero matters
        digits += 1
    return f"{value + 0.0:,.{digits}f}".replace("-", "−")


def amount(difference: Interval) -> str:
    """A difference and its interval: "0.21 less (0.12 to 0.30)"."""
    less = difference.value >= 0
    ends = (difference.low, difference.high) if less else (-difference.high, -difference.low)
    low, high = (_three_digits(end).replace("-", "−") for end in ends)
    word = "less" if less else "more"
    return f"{_three_digits(abs(difference.value))} {word} ({low} to {high})"


def _three_digits(value: float) -> str:
    """Three digits that count: "0.21", "38,400"."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if 1e3 <= abs(rounded) < 1e9 else f"{rounded:.3g}"


def rests_on(gain: Gain) -> str:
    """The sentence on the row or task that a gain rests on."""
    assert gain.rests_on is not None
    without = gain.rests_on.without
    word = "less" if without.value >= 0 else "more"
    return (
        f"It does not stand without {gain.rests_on.what}: it is then {percent(without.value)} "
        f"{word} ({span(without)})."
    )


def headline(label: str, found: Findings, evidence: Evidence) -> str:
    """One sentence."""
    focus = evidence.titles[found.focus]
    over = f" over {evidence.titles[found.alone]}" if found.alone and is_clear(found.gain) else ""
    return {
        "joint-helps": f"Learning the tasks together helps: {focus} is best.",
        "pooling-suffices": f"One model for all tasks suffices: {focus}.",
        "single-task-best": "Learning the tasks together does not help here, it hurts.",
        "mixed": "Learning the tasks together helps some tasks and harms others.",
        "no-clear-gain": f"Learning the tasks together shows no clear gain here{over}.",
        "non-joint-best": "A model that is not multi-task is best here: "
        f"{evidence.titles[found.outside or found.focus]}.",
    }[label]


def paragraph(label: str, found: Findings, evidence: Evidence) -> str:
    """Two to five sentences: the answer, the numbers behind it, whom it helps and hurts."""
    sentences = [headline(label, found, evidence), *_nothing_beats_the_means(found, evidence)]
    outside = _non_joint(label, found, evidence)
    if label == "non-joint-best":
        sentences += outside
    sentences.append(_main(label, found, evidence))
    sentences += _pooling(label, found, evidence)
    sentences += _sharing(found, evidence)
    if label in ("no-clear-gain", "mixed"):
        sentences += [] if is_clear(found.gain) else [_why_not_clear(found.gain)]
    if not _is_rounding(found.gain):
        sentences.append(_tasks(found, evidence))
    if label != "non-joint-best":
        sentences += outside
    return " ".join(sentences)


def _nothing_beats_the_means(found: Findings, evidence: Evidence) -> list[str]:
    gain = found.over_means
    if gain is None or is_clear(gain):
        return []
    best, means = evidence.titles[found.best], evidence.names("means")[0]
    told = _difference(f"the best, {best},", means, gain, evidence)
    end = _if_unclear(gain) if gain.rests_on else "."
    if not gain.rests_on and _in_share_alone(gain):
        end = f". {_SHARE_ALONE}"
    level = evidence.titles[means].lower().replace("task ", "the ").removesuffix("s")
    return [f"But nothing clearly beats {level} of each task: {told}{end}"]


def _difference(name: str, reference: str, gain: Interval, evidence: Evidence) -> str:
    """A clause: how much less or more loss, with the interval."""
    if _is_rounding(gain):
        return (
            f"{name} has the same {evidence.loss_title} as {evidence.titles[reference]} but for "
            "rounding"
        )
    if abs(gain.value) < 0.0005:
        return (
            f"{name} has practically the same {evidence.loss_title} as "
            f"{evidence.titles[reference]} ({span(gain)})"
        )
    word = "less" if gain.value >= 0 else "more"
    return (
        f"{name} has {percent(gain.value)} {word} {evidence.loss_title} than "
        f"{evidence.titles[reference]} ({span(gain)})"
    )


def _is_rounding(gain: Interval) -> bool:
    """Whether a difference is none but for rounding (`Evidence.equals`)."""
    return gain.low == gain.high == 0.0


def _main(label: str, found: Findings, evidence: Evidence) -> str:
    focus = evidence.titles[found.focus]
    among = f", the best of the {found.compared} models that share," if found.compared > 1 else ""
    best = focus + among
    name = "It" if label in ("joint-helps", "pooling-suffices") else best
    text = _difference(name, found.baseline, found.gain, evidence)
    if _is_rounding(found.gain):
        return f"{text}."
    if found.compared > 1:
        text = text[:-1] + ", corrected for the choice)"
    return f"{text}: {amount(found.gain.difference)} per row."


def _pooling(label: str, found: Findings, evidence: Evidence) -> list[str]:
    if label == "pooling-suffices" and found.best_joint and found.joint_over_pooled:
        best = f"The best joint model, {evidence.titles[found.best_joint]},"
        text = _difference(best, str(found.pooled), found.joint_over_pooled, evidence)
        if found.joint_over_pooled.low > 0:
            return [f"{text}: too little to matter."]
        return [text + _if_unclear(found.joint_over_pooled)]
    if label == "joint-helps" and found.over_pooled and found.pooled:
        text = _difference("It", found.pooled, found.over_pooled, evidence)
        spares = found.over_pooled.high < 0
        return [text + (", which harms more tasks." if spares else _if_unclear(found.over_pooled))]
    return []


def _if_unclear(gain: Gain) -> str:
    """The end of a sentence about a difference."""
    if gain.rests_on:
        return f". {rests_on(gain)}"
    return ", no clear difference." if gain.low <= 0 <= gain.high else "."


def _in_share_alone(gain: Gain) -> bool:
    """Whether it is clear in percent and not as a difference."""
    return gain.low > 0 > gain.difference.low or gain.high < 0 < gain.difference.high


def _sharing(found: Findings, evidence: Evidence) -> list[str]:
    """What of a clear gain is sharing, where lines learned together have little of it."""
    if found.unlike is None or not is_clear(found.gain):
        return []
    shape = evidence.titles[found.unlike]
    if found.alone is None or found.over_alone is None:
        return [
            f"What of this gain is sharing is not known: lines learned together have less than "
            f"half of it, and {shape} of each task alone was not compared."
        ]
    over_lines = evidence.claim(found.baseline, [found.alone], found.alone)
    apart = _difference(evidence.titles[found.alone], found.baseline, over_lines, evidence)
    shared = _difference(f"Learned together, {shape}", found.alone, found.over_alone, evidence)
    return [f"{apart}.", shared + _why_not_shared(found.over_alone)]


def _why_not_shared(gain: Gain) -> str:
    """The end of the sentence on what is sharing."""
    if gain.rests_on is None and _in_share_alone(gain):
        return f". {_SHARE_ALONE}"
    small = is_sure(gain, 1) and not matters(gain, 1)
    return ": too little to matter." if small else _if_unclear(gain)


def _why_not_clear(gain: Gain) -> str:
    if _is_rounding(gain):
        return "Both predict the target as exactly as numbers are kept."
    if gain.rests_on:
        return rests_on(gain)
    if _in_share_alone(gain):
        return _SHARE_ALONE
    if gain.low > 0 or gain.high < 0:
        return "The difference is real but too small to matter."
    # 1.43 = (1.96 + 0.84) / 1.96: what is found with probability 0.8
    visible = 1.43 * (gain.high - gain.low) / 2
    if visible < MIN_GAIN:
        return f"A gain of {percent(MIN_GAIN)} would have been seen."
    return f"A gain below about {percent(visible)} could hardly be seen with these data."


def _tasks(found: Findings, evidence: Evidence) -> str:
    better = evidence.signs(found.focus)[0]
    gains, harmed = (evidence.count(found.focus, k) or "none" for k in ("gains", "harmed"))
    title, loss = evidence.titles[found.focus], evidence.loss_title
    start = f"With {title} {better} of {evidence.n_tasks} tasks have less {loss}"
    if gains == harmed == "none":
        return f"{start}, though no task alone has the rows to prove a gain or a harm."
    text = f"{start}; tested one by one, it is clearly better on {gains}, clearly worse on {harmed}"
    undecided = evidence.count(found.focus, "undecided")
    return f"{text}, and {undecided} cannot be told from chance." if undecided else f"{text}."


def _non_joint(label: str, found: Findings, evidence: Evidence) -> list[str]:
    if found.outside is None or found.outside_gain is None:
        return []
    name = "It" if label == "non-joint-best" else evidence.titles[found.outside]
    text = _difference(name, found.inside, found.outside_gain, evidence)
    return [text + _if_unclear(found.outside_gain)]
