"""The metrics, in one table that scorers, comparison and reports share."""

from __future__ import annotations

from typing import Any

import numpy as np

from polytask.model_selection import _by_task as by_task
from polytask.model_selection._by_task import ByTask
from polytask.model_selection.log_loss_explained import LOG_LOSS, LOG_LOSS_EXPLAINED
from polytask.model_selection.metric import Metric
from polytask.model_selection.survival import concordance_by_task, concordance_inside_tasks
from polytask.responses import Response, responses

__all__ = ["METRICS", "get_metric"]


def get_metric(name: str) -> Metric:
    """The metric of that name; an error lists the names."""
    if name not in METRICS:
        raise ValueError(f"metric must be one of {', '.join(METRICS)}; got {name!r}.")
    return METRICS[name]


def _regression(
    name: str, title: str, better: bool, unit: Any, text: str, *how: Any, **more: Any
) -> Metric:
    return Metric(name, title, "regression", better, "predict", unit, text, *how, **more)


def _probability(
    name: str, title: str, better: bool, unit: Any, text: str, compute: ByTask, **more: Any
) -> Metric:
    return Metric(
        name, title, "classification", better, "predict_proba", unit, text, compute, **more
    )


def _survival(
    name: str, title: str, better: bool, unit: Any, needs: Any, text: str, *how: Any, **more: Any
) -> Metric:
    return Metric(name, title, "survival", better, needs, unit, text, *how, **more)


def _mean_of_scores(y: Any, scores: Any, codes: Any, weight: Any, m: int) -> Any:
    """Of scores of rows, which their training part decides with them."""
    return by_task.mean(scores, codes, weight, m)


def _deviance(name: str, response: type[Response]) -> tuple[Metric, Metric]:
    """The mean over rows of a response's own loss, and the share that predictions explain."""
    loss = response.row_losses[name]

    def compute(y: Any, pred: Any, codes: Any, weight: Any, m: int) -> Any:
        response.targets.check(y, f"Metric {name!r}", f"for a {loss.title}")
        return by_task.mean(loss.of(y, pred), codes, weight, m)

    text = f"mean {loss.title} of a row: twice what the likelihood loses against a perfect answer"
    words = f"1 - {loss.title} / that of the mean of all rows that are judged together"

    def explained(y: Any, pred: Any, codes: Any, weight: Any, m: int) -> Any:
        level = np.full(len(y), np.average(y, weights=weight) if len(y) else np.nan)
        whole = compute(y, level, np.zeros_like(codes), weight, 1)
        return 1.0 - compute(y, pred, codes, weight, m) / np.where(whole > 0, whole, np.nan)

    return (
        _regression(name, loss.title, False, "", text, compute),
        _regression(f"{name}_explained", "deviance explained", True, "share", words, explained),
    )


def _deviances() -> list[Metric]:
    """Of the responses that are judged by one."""
    return [
        metric
        for response in responses().values()
        for name in response.metrics
        if name.endswith("_deviance")
        for metric in _deviance(name, response)
    ]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _regression(
            "rmse", "RMSE", False, "target",
            "root mean squared error, in the units of the target",
            by_task.rmse,
        ),
        _regression(
            "mae", "MAE", False, "target",
            "mean absolute error, in the units of the target",
            by_task.mae,
        ),
        _regression(
            "explained_variance", "explained variance (pooled)", True, "share",
            "1 - squared error / variance of the target about its mean over all tasks; "
            "of a task: its mean squared error against that same variance",
            by_task.explained_of_grand,
        ),
        _regression(
            "explained_variance_within", "explained variance within tasks", True, "share",
            "1 - squared error / sum of the target's squares about each task's own mean; "
            "differences between the tasks' levels do not count as explained",
            by_task.explained_within, by_task.explained_within_pooled,
        ),
        _regression(
            "nmse", "normalized MSE", False, "share",
            "mean squared error / variance of the target; of a task: its own variance",
            by_task.nmse,
        ),
        _regression(
            "pinball", "pinball loss", False, "target",
            "mean of q times what a prediction is too low and 1 - q times what it is too high; "
            "q is that of the loss, outside a comparison 1/2",
            by_task.pinball,
        ),
        _regression(
            "kappa", "quadratic-weighted kappa", True, "share",
            "agreement of ordered levels beyond chance, predictions taken to the nearest level: "
            "1 - mean squared distance / that of pairs of the two put together at random",
            by_task.kappa, by_rank=True,
        ),
        LOG_LOSS,
        LOG_LOSS_EXPLAINED,
        _probability(
            "brier", "Brier score", False, "share",
            "mean squared difference between the probability and what occurred (0 or 1)",
            by_task.brier,
        ),
        _probability(
            "auc", "AUC", True, "share",
            "chance that a random positive is ranked above a random negative; "
            "tasks with one class have none",
            by_task.auc, by_rank=True,
        ),
        _probability(
            "average_precision", "average precision", True, "share",
            "area under the precision-recall curve; tasks with one class have none",
            by_task.average_precision, by_rank=True,
        ),
        Metric(
            "accuracy", "accuracy", "classification", True, "predict", "share",
            "share of rows whose class is predicted", by_task.accuracy,
        ),
        _survival(
            "partial_deviance", "partial deviance", False, "", "training rows",
            "twice the log partial likelihood that a held-out row costs beside the training rows "
            "of its task (Verweij and van Houwelingen); the baseline hazard plays no part",
            _mean_of_scores,
        ),
        _survival(
            "concordance", "concordance", True, "share", "predict",
            "chance that of two rows of a task the one with the larger risk has the earlier event "
            "(Harrell's C); pairs whose order censoring hides do not count",
            concordance_by_task, concordance_inside_tasks, by_rank=True,
        ),
        _survival(
            "integrated_brier", "integrated Brier score", False, "share", "training rows",
            "mean over time, from the 5 % to the 90 % quantile of all times, of the squared error "
            "of survival probabilities, censored rows weighed away",
            _mean_of_scores,
        ),
        *_deviances(),
    )
}  # fmt: skip
