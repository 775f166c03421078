"""Several groupings in a comparison: the models that know one more each, and what that gains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polytask.data.task_spec import Spec, grouping_names, spelled_out
from polytask.inspection.evidence import Evidence
from polytask.inspection.roles import final_step, title_of
from polytask.inspection.words import percent, span
from polytask.models.multilevel import MultilevelClassifier, MultilevelRegressor

__all__ = ["gains_of_groupings", "ladder", "variances_in_words"]


def ladder(kind: str, task: Spec, loss: Any) -> dict[str, Any]:
    """A multilevel model of the first grouping, of the first two, ..., of all; none for one."""
    groupings = spelled_out(task)
    if len(groupings) < 2:
        return {}
    made = MultilevelRegressor if kind == "regression" else MultilevelClassifier
    names = grouping_names(groupings)
    return {
        f"multilevel: {' + '.join(names[:k])}": made(
            task=groupings, n_groupings=k, loss=loss, unseen="common", weights="precision"
        )
        for k in range(1, len(names) + 1)
    }


def gains_of_groupings(estimators: Mapping[str, Any], evidence: Evidence) -> tuple[str, ...]:
    """A sentence on each grouping that one model knows beyond another."""
    told = []
    known = {
        name: spelled_out(model.task)[: model.n_groupings]
        for name, model in ((name, final_step(e)) for name, e in estimators.items())
        if isinstance(model, MultilevelRegressor | MultilevelClassifier) and name in evidence.models
    }
    for less, few in known.items():
        for more, many in known.items():
            if len(many) != len(few) + 1 or many[: len(few)] != few:
                continue
            gain = evidence.over(less, [more], together=False)[more]
            word = "less" if gain.value >= 0 else "more"
            names = grouping_names(many)
            told.append(
                f"{names[-1]} on top of {' and '.join(names[:-1])}: {percent(gain.value)} {word} "
                f"{evidence.loss_title} ({span(gain)})."
            )
    return tuple(told)


def variances_in_words(models: Mapping[str, Any]) -> tuple[str, ...]:
    """How the variance of the target's level divides among groupings, of fitted models.

    With what is left where that has a variance on the scale of the model: of numbers and log odds,
    not of counts and amounts, whose variance goes with their mean.
    """
    told = []
    for name, pipeline in models.items():
        model = final_step(pipeline)
        if not isinstance(model, MultilevelRegressor | MultilevelClassifier):
            continue
        noise = getattr(model, "noise_variance_", model.response_.latent_variance)
        levels = {grouping: float(model.variances_[grouping][-1]) for grouping in model.groupings_}
        total = (sum(levels.values()) + noise) or 1.0
        shares = [f"{grouping} {percent(value / total)}" for grouping, value in levels.items()]
        vary = [f"slopes of {g} vary too" for g in model.groupings_ if model.varying_[g]]
        told.append(
            f"{title_of(name)}: beyond its features the target varies by {', '.join(shares)}"
            + (f", rest {percent(noise / total)}" if noise else ", rows aside")
            + "".join(f"; {v}" for v in vary)
            + "."
        )
    return tuple(told)
