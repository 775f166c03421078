"""Which models `AutoMultiTask` weighs where nobody names any."""

from __future__ import annotations

from polytask.data import TaskData
from polytask.models.mixed import why_not_mixed
from polytask.models.registry import formulations
from polytask.models.scaled_target import may_take_log
from polytask.responses import Response

__all__ = ["LOG", "REML", "TREES", "default_names", "must_earn"]

REML, TREES = "mean-regularized-reml", "gradient-boosting"  # beside the formulations
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
