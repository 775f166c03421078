"""Does learning tasks together help, and whom does it hurt: comparisons, gains, verdicts."""

from polytask.inspection.cluster_stability import ClusterStability, cluster_stability
from polytask.inspection.compare import compare_tasks
from polytask.inspection.compare_parquet import StreamedComparison, compare_parquet
from polytask.inspection.comparison import (
    Comparison,
    DataSummary,
    Interval,
    Provenance,
    Verdict,
)
from polytask.inspection.learning_curve import TaskLearningCurve
from polytask.inspection.likelihood_ratio import LikelihoodRatioTest, likelihood_ratio_test
from polytask.inspection.named_estimators import default_estimators
from polytask.inspection.new_levels import NewLevels
from polytask.inspection.new_tasks import NewTasks
from polytask.inspection.relatedness import TaskRelatedness
from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor

__all__ = [
    "BoostedTreesClassifier",
    "BoostedTreesRegressor",
    "ClusterStability",
    "Comparison",
    "DataSummary",
    "Interval",
    "LikelihoodRatioTest",
    "NewLevels",
    "NewTasks",
    "Provenance",
    "StreamedComparison",
    "TaskLearningCurve",
    "TaskRelatedness",
    "Verdict",
    "cluster_stability",
    "compare_parquet",
    "compare_tasks",
    "default_estimators",
    "likelihood_ratio_test",
]
