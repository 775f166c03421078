"""Candidates of `AutoMultiTask` by name, and which they are where nobody names any."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from polytask.data import TaskData
from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor
from polytask.models.mixed import why_not_mixed
from polytask.models.registry import Formulation, formulations, neural_formulations
from polytask.models.scaled_target import ScaledTargetRegressor, may_take_log
from polytask.responses import Response

__all__ = ["LOG", "REML", "candidate", "default_names", "must_earn"]

REML, TREES = "mean-regularized-reml", "gradient-boosting"  # beside the formulations
_ITSELF = "auto"
LOG = "-log"  # ends the name of a model that is fitted to the logarithm of the target
_LOG_OF = "curved"
_ROWS_FOR_TREES = 60  # fewer make no two leaves


def default_names(data: TaskData, response: Response, wide: bool) -> list[str]:
    """Candidates that can differ: of one task, all are single-task learning."""
    if data.n_tasks == 1:
        return ["single-task"]
    independent = data.group is None and data.time is None
    names = [name for name, found in formulations().items() if found.serves(data, response)]
    if _LOG_OF in names and response.is_quadratic and not wide and may_take_log(data.y):
        names.append(_LOG_OF + LOG)
    if independent and why_not_mixed(response) is None:
        names.append(REML)
    enough = not wide and not data.design.sparse and len(data.y) >= _ROWS_FOR_TREES
    if enough and (
        response.has_labels or response.is_quadratic or response.trees != Response.trees
    ):
        names.append(TREES)  # whose predictions the link takes
    return names


def must_earn(name: str) -> bool:
    """Whether a default candidate has to show that it is worth its cost: one that is not linear."""
    straight = name == REML or (name in formulations() and formulations()[name].linear)
    return not straight


def candidate(caller: str, name: str, role: str) -> Any:
    """The unfitted model of a name in a role, "regressor" or "classifier"."""
    if name.endswith(LOG) and role == "regressor":
        of_log = candidate(caller, name.removesuffix(LOG), role)
        return ScaledTargetRegressor(of_log, transform="log")
    if name == REML:
        return getattr(formulations()["mean-regularized"], role)(alpha="reml")
    if name == TREES:
        return BoostedTreesClassifier() if role == "classifier" else BoostedTreesRegressor()
    known: Mapping[str, Formulation] = formulations()
    if name not in known and find_spec("torch") is not None:
        known = neural_formulations()
    found = getattr(known.get(name), role, None)
    if found is None or name == _ITSELF:
        names = sorted(n for n in (*formulations(), REML, TREES) if n != _ITSELF)
        raise ValueError(
            f"{caller}: candidates must be names of formulations; got {name!r}. "
            f"Known here: {', '.join(names)}."
        )
    return found()
