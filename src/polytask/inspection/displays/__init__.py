"""Figures of a comparison, for notebooks and for the report; matplotlib loads on first use."""

from polytask.inspection.displays.gain import TaskGainDisplay
from polytask.inspection.displays.leaderboard import LeaderboardDisplay
from polytask.inspection.displays.shrinkage import ShrinkageDisplay

__all__ = ["LeaderboardDisplay", "ShrinkageDisplay", "TaskGainDisplay"]
