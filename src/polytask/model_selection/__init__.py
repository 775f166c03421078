"""Splitters, metrics and scorers that know tasks, for scikit-learn's ``cv=`` and ``scoring=``."""

from polytask.model_selection.kfold import TaskKFold
from polytask.model_selection.leave_out import LeaveTasksOut
from polytask.model_selection.metric import Metric, TaskSummary
from polytask.model_selection.metrics import METRICS, get_metric
from polytask.model_selection.scorers import TaskScorer, task_scorer
from polytask.model_selection.shuffle import TaskShuffleSplit
from polytask.model_selection.survival import concordance, integrated_brier_score, partial_deviance

__all__ = [
    "METRICS",
    "LeaveTasksOut",
    "Metric",
    "TaskKFold",
    "TaskScorer",
    "TaskShuffleSplit",
    "TaskSummary",
    "concordance",
    "get_metric",
    "integrated_brier_score",
    "partial_deviance",
    "task_scorer",
]
