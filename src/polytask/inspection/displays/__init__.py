"""Figures of a comparison, for notebooks and for the report; matplotlib loads on first use."""

from polytask.inspection.displays.coefficient_pattern import CoefficientPatternDisplay
from polytask.inspection.displays.coefficient_spread import CoefficientSpreadDisplay
from polytask.inspection.displays.curve import CurveDisplay
from polytask.inspection.displays.gain import TaskGainDisplay
from polytask.inspection.displays.leaderboard import LeaderboardDisplay
from polytask.inspection.displays.learning_curve import TaskLearningCurveDisplay
from polytask.inspection.displays.new_tasks import NewTasksDisplay
from polytask.inspection.displays.relatedness import TaskRelatednessDisplay
from polytask.inspection.displays.shrinkage import ShrinkageDisplay
from polytask.inspection.displays.shrinkage_path import ShrinkagePathDisplay
from polytask.inspection.displays.task_pairs import TaskPairsDisplay

__all__ = [
    "CoefficientPatternDisplay",
    "CoefficientSpreadDisplay",
    "CurveDisplay",
    "LeaderboardDisplay",
    "NewTasksDisplay",
    "ShrinkageDisplay",
    "ShrinkagePathDisplay",
    "TaskGainDisplay",
    "TaskLearningCurveDisplay",
    "TaskPairsDisplay",
    "TaskRelatednessDisplay",
]
