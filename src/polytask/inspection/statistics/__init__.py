"""The statistics of a comparison, one idea a file: what is random, what intervals say."""

from polytask.inspection.statistics.loss_moments import LossMoments
from polytask.inspection.statistics.partial_pooling import partial_pooling
from polytask.inspection.statistics.resampled_t import (
    overlap_inflation,
    resampled_interval,
    resampled_t,
)
from polytask.inspection.statistics.shared_folds import FoldLosses, shared_variance
from polytask.inspection.statistics.simultaneous import overall_gains
from polytask.inspection.statistics.task_gains import task_gains
from polytask.inspection.statistics.variance import moderated_variance

__all__ = [
    "FoldLosses",
    "LossMoments",
    "moderated_variance",
    "overall_gains",
    "overlap_inflation",
    "partial_pooling",
    "resampled_interval",
    "resampled_t",
    "shared_variance",
    "task_gains",
]
