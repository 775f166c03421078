"""What an estimator is in a comparison: its part, its title, the strengths it chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from polytask.inspection.task_means import TASK_MEANS
from polytask.models._candidates import LOG
from polytask.models.registry import Formulation, formulations
from polytask.tuning import fitted_strengths

ALONE = "-alone"  # ends the name of a model that is fitted to each task by itself
ROBUST = "-huber"  # ends the name of a model that is compared with Huber's loss, too

__all__ = [
    "ALONE",
    "LOG",
    "ROBUST",
    "ask",
    "feature_names",
    "final_step",
    "hedges_among",
    "role_of",
    "strengths_of",
    "strengths_text",
    "title_of",
    "unlike_among",
]


def final_step(estimator: Any) -> Any:
    """The model at the end of a Pipeline or search, or the estimator itself."""
    if isinstance(estimator, Pipeline):
        return final_step(estimator.steps[-1][1])
    if hasattr(estimator, "best_estimator_"):
        return final_step(estimator.best_estimator_)
    for name in ("estimator_", "regressor_", "estimator", "regressor"):  # around a model
        inner = getattr(estimator, name, None)
        if hasattr(inner, "fit"):
            return final_step(inner)
    return estimator


def ask(model: Any, method: str, X: Any) -> np.ndarray:
    """What a method of a model says of rows; pipelines know only some methods of their last step.

    Raises
    ------
    TypeError
        If there is no such method.
    """
    if isinstance(model, Pipeline) and not hasattr(model, method):
        X = model[:-1].transform(X) if len(model) > 1 else X
        model = model[-1]
    if not hasattr(model, method):
        raise TypeError(f"it has no {method}, which its losses need")
    return np.asarray(getattr(model, method)(X), dtype=float)


def role_of(name: str, estimator: Any, baseline: str) -> str:
    """One of baseline, means, alone, pooled, joint, non-joint.

    A formulation says itself whether its tasks learn from one another. Another estimator is
    joint if it takes a task column and does not deny it by ``joint = False``.
    """
    if name == baseline:
        return "baseline"
    if name == TASK_MEANS:
        return "means"
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if getattr(last, "role", "") == "alone":
        return "alone"
    model = final_step(estimator)
    formulation = _formulation_of(model)
    if name == "pooled" or (formulation is not None and formulation.name == "pooled"):
        return "pooled"
    if formulation is not None:
        return "joint" if formulation.joint else "non-joint"
    takes_tasks = "task" in model.get_params(deep=False)
    return "joint" if takes_tasks and getattr(model, "joint", True) else "non-joint"


def feature_names(model: Any, d: int) -> list[str]:
    """Names of the d features of a fitted model, without its task column."""
    given = getattr(model, "feature_names_in_", ())
    return [str(n) for n in given if n != model.task] or [f"x{j}" for j in range(d)]


def hedges_among(estimators: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the models whose formulations lose little anywhere, the simplest first.

    A robust one takes part only where residuals clearly have heavy tails: it comes before all.
    """
    found = {name: _formulation_of(final_step(model)) for name, model in estimators.items()}
    kept = {name: f for name, f in found.items() if f is not None and f.hedge}
    return tuple(sorted(kept, key=lambda name: (not name.endswith(ROBUST), kept[name].order)))


def unlike_among(estimators: Mapping[str, Any], baseline: str) -> dict[str, bool] | None:
    """Joint models of another shape than lines, and whether each is a mixture of others.

    Curves, trees, a logarithm or a robust loss gain over lines of each task alone without sharing.
    None where the baseline is not made of such lines.
    """
    found = {name: _formulation_of(final_step(model)) for name, model in estimators.items()}
    base = found.get(baseline)
    if base is None or base.name != "single-task":
        return None
    mixtures = {name for name, f in found.items() if f is not None and f.name == "auto"}
    curved = {name for name, f in found.items() if f is not None and f.joint and not f.linear}
    ends = {name for name in found if name.endswith((LOG, ROBUST))}
    return {name: name in mixtures for name in found if name in mixtures | curved | ends}


def _formulation_of(model: Any) -> Formulation | None:
    for formulation in formulations().values():
        if type(model) in (formulation.regressor, formulation.classifier):
            return formulation
    return None


def title_of(name: str) -> str:
    """The formulation's title, or the name as words: "Gradient boosting"."""
    if name in formulations():
        return formulations()[name].title
    if name.endswith(ALONE):
        return f"{title_of(name.removesuffix(ALONE))} of each task alone"
    if name.endswith(ROBUST):
        return f"{title_of(name.removesuffix(ROBUST))}, Huber's loss"
    if name.endswith(LOG):
        return f"{title_of(name.removesuffix(LOG))}, log target"
    return name[:1].upper() + name[1:].replace("_", " ").replace("-", " ")


def strengths_of(estimator: Any) -> dict[str, tuple[float, float]]:
    """Least and largest value of each hyper-parameter that a fitted estimator reports."""
    model = final_step(estimator)
    labels = {s.name: s.label or s.name for s in getattr(model, "strengths", ())}
    found = {}
    for name, value in fitted_strengths(model).items():
        numbers = np.atleast_1d(np.asarray(value, dtype=float)).ravel()
        if len(numbers) and np.isfinite(numbers).any():
            found[labels.get(name, name)] = (float(np.nanmin(numbers)), float(np.nanmax(numbers)))
    return found


def strengths_text(found: list[dict[str, tuple[float, float]]]) -> str:
    """One line for one fit or for many: "alpha 0.01 to 0.3, alpha_common 0"."""
    parts = []
    for name in dict.fromkeys(name for each in found for name in each):
        pairs = [each[name] for each in found if name in each]
        if pairs:
            low, high = min(p[0] for p in pairs), max(p[1] for p in pairs)
            span = f"{low:.3g}" if f"{low:.3g}" == f"{high:.3g}" else f"{low:.3g} to {high:.3g}"
            parts.append(f"{name} {span}")
    return ", ".join(parts)
