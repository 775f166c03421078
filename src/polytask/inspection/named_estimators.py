"""The models of a question, by name: defaults filled in, and refused before any work starts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn.base import clone

from polytask.data.task_spec import Spec
from polytask.inspection.groupings import ladder
from polytask.inspection.roles import final_step
from polytask.inspection.sample import response_for, response_of
from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor
from polytask.models.registry import formulations
from polytask.responses import Response

__all__ = ["default_estimators", "named_estimators", "takes"]


def default_estimators(
    kind: str, task: Spec, loss: str | Response = "auto", *, fast: bool = False
) -> dict[str, Any]:
    """The models of an honest comparison: the default formulations and gradient boosting.

    Parameters
    ----------
    kind : {"regression", "classification", "survival"}
    task : str, int or list of groupings
        The task column; several groupings add a multilevel model for each of them in turn.
    loss : str or Response, default="auto"
        What the targets are, as in the estimators.
    fast : bool, default=False
        Without those that cost most: curved, shared trees, low-rank and the weighted
        candidates.

    Returns
    -------
    dict of str to unfitted estimator

    Examples
    --------
    >>> from polytask.inspection import default_estimators
    >>> list(default_estimators("regression", task="school", fast=True))
    ['single-task', 'pooled', 'task-intercept', 'mean-regularized', 'gradient-boosting']
    """
    boosting = BoostedTreesRegressor if kind == "regression" else BoostedTreesClassifier
    found: dict[str, Any] = {
        name: formulation.estimator(kind, task=task, loss=loss)
        for name, formulation in formulations().items()
        if formulation.default and not (fast and formulation.costly)
    }
    if kind != "survival":
        found |= ladder(kind, task, loss)
        found["gradient-boosting"] = boosting(task=task, loss=loss)
    return {name: model for name, model in found.items() if model is not None}


def takes(estimator: Any, response: Response) -> bool:
    """Whether an estimator takes as many classes as there are, and the loss."""
    model = final_step(estimator)
    if hasattr(model, "takes_loss"):
        return bool(model.takes_loss(response))
    return response.n_predictors == 1 or getattr(model, "many_classes", True)


def named_estimators(
    caller: str,
    given: dict[str, Any] | None,
    names: Iterable[str] | None,
    y: Any,
    task: Spec,
    baseline: str,
) -> dict[str, Any]:
    """The estimators to compare; a name with None takes the default model of that name.

    ``names`` are the models where none are given; None takes all defaults.
    """
    if given is not None and not given:
        raise ValueError(f"{caller}: estimators must name at least one model; got {{}}.")
    chosen = _filled(caller, given, names, y, task, baseline)
    if baseline not in chosen:
        raise ValueError(
            f"{caller}: baseline must be one of the estimators, {', '.join(chosen)}; "
            f"got {baseline!r}. Add it, or name another baseline."
        )
    for name, estimator in chosen.items():
        clone(estimator)  # what cannot be cloned is refused before the work starts
        model = final_step(estimator)
        params = model.get_params(deep=False)
        if "task" in params and params["task"] is None:
            raise ValueError(
                f"{caller}: task of {name!r} must be the task column; got None. "
                f"Write {type(model).__name__}(task=...)."
            )
    return chosen


def _filled(
    caller: str, given: dict[str, Any] | None, names: Iterable[str] | None, y: Any,
    task: Spec, baseline: str,
) -> dict[str, Any]:  # fmt: skip
    if given is not None and all(model is not None for model in given.values()):
        return dict(given)
    said = response_of(given or {}, y, baseline)
    plain = said == response_for(said.has_labels)
    defaults = default_estimators(said.kind, task, "auto" if plain else said)
    wanted = dict.fromkeys(names or defaults) if given is None else given
    unknown = [n for n, e in wanted.items() if e is None and n not in defaults]
    if unknown:
        raise ValueError(
            f"{caller}: a name without an estimator must be one of {', '.join(defaults)}; "
            f"got {unknown[0]!r}."
        )
    return {name: defaults[name] if model is None else model for name, model in wanted.items()}
