"""From the evidence to a verdict: the rules. The words are in `words`."""

from __future__ import annotations

from polytask.inspection.comparison import Interval, Verdict
from polytask.inspection.evidence import Evidence
from polytask.inspection.words import MIN_GAIN, Findings, headline, paragraph

__all__ = ["MIN_GAIN", "decide"]

_UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


def decide(evidence: Evidence) -> Verdict:
    """The verdict on a comparison.

    A difference is *clear* when its interval excludes zero and it is at least 1 % of the loss.
    The interval of the best of several models is taken from simultaneous intervals of them all,
    so that choosing it on the folds that score it is paid for. Of two models without a clear
    difference the simpler is recommended: single-task before pooled before joint before others.
    """
    if not evidence.complete:
        return _undetermined(evidence)
    found = _findings(evidence)
    label = _label(found, evidence)
    model = _recommended(label, found)
    focus = found.focus
    return Verdict(
        text=paragraph(label, found, evidence),
        headline=headline(label, found, evidence),
        label=label,
        model=model,
        title=evidence.titles[model],
        focus=focus,
        gain=found.gain,
        gain_over_pooled=found.over_pooled or _UNKNOWN,
        n_gains=evidence.count(focus, "gains"),
        n_harmed=evidence.count(focus, "harmed"),
        n_undecided=evidence.count(focus, "undecided"),
        n_better=evidence.signs(focus)[0],
        n_worse=evidence.signs(focus)[1],
    )


def is_clear(gain: Interval | None) -> bool:
    """Whether a gain is clear: surely above zero, and large enough to matter."""
    return gain is not None and gain.low > 0 and gain.value >= MIN_GAIN


def _is_clear_loss(gain: Interval) -> bool:
    return gain.high < 0 and gain.value <= -MIN_GAIN


def _findings(evidence: Evidence) -> Findings:
    candidates = evidence.names("joint", "pooled")
    others = evidence.names("non-joint")
    focus = evidence.best(candidates or others)
    over_single = evidence.over(evidence.baseline, candidates or others)
    pooled = next(iter(evidence.names("pooled")), None)
    if _pooling_is_enough(evidence, pooled, focus, over_single):
        focus = str(pooled)
    joint = evidence.best(evidence.names("joint")) if evidence.names("joint") else None
    inside = evidence.best([evidence.baseline, *candidates])
    outside = evidence.best(others) if others and candidates else None
    return Findings(
        focus=focus,
        baseline=evidence.baseline,
        gain=over_single[focus],
        compared=len(over_single),
        pooled=pooled,
        over_pooled=_over_pooled(evidence, pooled, focus),
        best_joint=joint,
        joint_over_pooled=_over_pooled(evidence, pooled, joint),
        inside=inside,
        outside=outside,
        outside_gain=evidence.over(inside, others)[outside] if outside else None,
    )


def _over_pooled(evidence: Evidence, pooled: str | None, name: str | None) -> Interval | None:
    """Gain over pooled, its interval valid for the best of the joint models."""
    if pooled is None or name is None or name == pooled:
        return None
    family = list(dict.fromkeys([*evidence.names("joint"), name]))
    return evidence.over(pooled, family)[name]


def _pooling_is_enough(
    evidence: Evidence, pooled: str | None, focus: str, over_single: dict[str, Interval]
) -> bool:
    """Pooled helps clearly, the best model adds nothing clear, and spares no task either."""
    if pooled is None or focus == pooled or not is_clear(over_single.get(pooled)):
        return False
    more_harm = evidence.count(pooled, "harmed") > evidence.count(focus, "harmed")
    return not is_clear(_over_pooled(evidence, pooled, focus)) and not more_harm


def _label(found: Findings, evidence: Evidence) -> str:
    if is_clear(found.outside_gain):
        return "non-joint-best"
    if is_clear(found.gain):
        role = evidence.roles[found.focus]
        return {"pooled": "pooling-suffices", "joint": "joint-helps"}.get(role, "non-joint-best")
    if _is_clear_loss(found.gain):
        return "single-task-best"
    both = evidence.count(found.focus, "gains") and evidence.count(found.focus, "harmed")
    return "mixed" if both else "no-clear-gain"


def _recommended(label: str, found: Findings) -> str:
    if label == "non-joint-best":
        return found.outside or found.focus
    if label in ("joint-helps", "pooling-suffices"):
        return found.focus
    return found.baseline


def _undetermined(evidence: Evidence) -> Verdict:
    failed = evidence.baseline not in evidence.models
    why = (
        f"{evidence.titles[evidence.baseline]} failed, and without it there is no gain to measure."
        if failed
        else f"No model but {evidence.titles[evidence.baseline]} could be scored."
    )
    return Verdict(
        text=f"No verdict: {why}",
        headline="No verdict.",
        label="undetermined",
        model="" if failed else evidence.baseline,
        title="" if failed else evidence.titles[evidence.baseline],
        focus="",
        gain=_UNKNOWN,
        gain_over_pooled=_UNKNOWN,
        n_gains=0,
        n_harmed=0,
        n_undecided=evidence.n_tasks,
    )
