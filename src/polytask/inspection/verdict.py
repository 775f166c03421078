"""From the evidence to a verdict: the rules. The words are in `words`."""

from __future__ import annotations

from collections.abc import Callable

from polytask.inspection.clear import MIN_GAIN, is_clear
from polytask.inspection.comparison import Gain, Recommendation, Verdict
from polytask.inspection.evidence import Evidence
from polytask.inspection.words import Findings, headline, paragraph

__all__ = ["MIN_GAIN", "decide"]

_UNKNOWN = Gain(float("nan"), float("nan"), float("nan"))


def decide(evidence: Evidence, recommended: Recommendation) -> Verdict:
    """The verdict on a comparison: what is proved; what to use is `recommended`.

    What is *clear* `is_clear` says: sure, large enough, and without any one row and any one task.
    The interval of the best of several models is taken from simultaneous intervals of them all,
    so that choosing it on the folds that score it is paid for.
    """
    if not evidence.complete:
        return _undetermined(evidence, recommended)
    found = _findings(evidence)
    label = _label(found, evidence)
    focus = found.focus
    return Verdict(
        text=paragraph(label, found, evidence),
        headline=headline(label, found, evidence),
        label=label,
        model=recommended.model,
        title=recommended.title,
        focus=focus,
        gain=found.gain,
        gain_over_pooled=found.over_pooled or _UNKNOWN,
        n_gains=evidence.count(focus, "gains"),
        n_harmed=evidence.count(focus, "harmed"),
        n_undecided=evidence.count(focus, "undecided"),
        n_better=evidence.signs(focus)[0],
        n_worse=evidence.signs(focus)[1],
        gain_over_means=found.over_means or _UNKNOWN,
        unlike=found.unlike or "",
        gain_over_alone=found.over_alone or _UNKNOWN,
    )


def _findings(evidence: Evidence) -> Findings:
    candidates = evidence.names("joint", "pooled")
    others = evidence.names("non-joint")
    focus = evidence.best(candidates or others)

    def over_single(name: str) -> Gain:
        return evidence.claim(evidence.baseline, candidates or others, name)

    pooled = next(iter(evidence.names("pooled")), None)
    joint = evidence.best(evidence.names("joint")) if evidence.names("joint") else None
    if _pooling_is_enough(evidence, pooled, focus, over_single):
        focus = str(pooled)
    elif focus == pooled and joint and _spares_tasks(evidence, joint, focus, over_single):
        focus = joint
    inside = evidence.best([evidence.baseline, *candidates])
    outside = evidence.best(others) if others and candidates else None
    everything = [evidence.baseline, *candidates, *others]
    unlike = _unlike(evidence, focus, candidates)
    alone = next(iter(evidence.names("alone")), None)
    best, means = evidence.best(everything), next(iter(evidence.names("means")), None)
    return Findings(
        focus=focus,
        baseline=evidence.baseline,
        gain=over_single(focus),
        compared=len(candidates or others),
        pooled=pooled,
        over_pooled=_over_pooled(evidence, pooled, focus),
        best_joint=joint,
        joint_over_pooled=_over_pooled(evidence, pooled, joint),
        unlike=unlike,
        alone=alone,
        over_alone=evidence.claim(alone, [unlike], unlike) if alone and unlike else None,
        inside=inside,
        outside=outside,
        best=best,
        over_means=evidence.claim(means, everything, best) if means else None,
        outside_gain=evidence.claim(inside, others, outside) if outside else None,
    )


def _unlike(evidence: Evidence, focus: str, candidates: list[str]) -> str | None:
    """The joint model whose shape may make most of the gain of ``focus``, if any may.

    None where lines learned together have half of that gain. A mixture of models only where
    nothing that it may be made of was compared.
    """
    unlike, base = evidence.unlike, evidence.mean_loss(evidence.baseline)
    if unlike is None or focus not in unlike:
        return None
    lines = [evidence.mean_loss(name) for name in candidates if name not in unlike]
    if 2 * (base - min(lines, default=base)) >= base - evidence.mean_loss(focus):
        return None
    shapes = [name for name in candidates if name in unlike and not unlike[name]]
    return evidence.best(shapes) if shapes else focus


def _over_pooled(evidence: Evidence, pooled: str | None, name: str | None) -> Gain | None:
    """Gain over pooled, its interval valid for the best of the joint models."""
    if pooled is None or name is None or name == pooled:
        return None
    family = list(dict.fromkeys([*evidence.names("joint"), name]))
    return evidence.claim(pooled, family, name)


def _pooling_is_enough(
    evidence: Evidence, pooled: str | None, focus: str, over_single: Callable[[str], Gain]
) -> bool:
    """Pooled helps clearly, the best model adds nothing clear, and spares no task either."""
    if pooled is None or focus == pooled or not is_clear(over_single(pooled)):
        return False
    more_harm = evidence.count(pooled, "harmed") > evidence.count(focus, "harmed")
    return not is_clear(_over_pooled(evidence, pooled, focus)) and not more_harm


def _spares_tasks(
    evidence: Evidence, joint: str, pooled: str, over_single: Callable[[str], Gain]
) -> bool:
    """The best joint model helps clearly, too, and harms fewer tasks than pooled does."""
    fewer = evidence.count(joint, "harmed") < evidence.count(pooled, "harmed")
    return fewer and is_clear(over_single(joint))


def _label(found: Findings, evidence: Evidence) -> str:
    if is_clear(found.outside_gain):
        return "non-joint-best"
    if is_clear(found.gain):
        role = evidence.roles[found.focus]
        if role == "joint" and found.over_alone and not is_clear(found.over_alone):
            return "no-clear-gain"
        return {"pooled": "pooling-suffices", "joint": "joint-helps"}.get(role, "non-joint-best")
    if is_clear(found.gain, -1):
        return "single-task-best"
    both = evidence.count(found.focus, "gains") and evidence.count(found.focus, "harmed")
    return "mixed" if both else "no-clear-gain"


def _undetermined(evidence: Evidence, recommended: Recommendation) -> Verdict:
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
        model=recommended.model,
        title=recommended.title,
        focus="",
        gain=_UNKNOWN,
        gain_over_pooled=_UNKNOWN,
        n_gains=0,
        n_harmed=0,
        n_undecided=evidence.n_tasks,
    )
