"""How strengths are chosen: grids from the data, leave-one-out, folds, the search."""

from polytask.tuning.folds import KFoldRisk
from polytask.tuning.grids import common_grid, deviation_grid, intercept_grid, with_zero
from polytask.tuning.loo import LeaveOneOut, leave_one_out
from polytask.tuning.search import Choice, choose

__all__ = [
    "Choice",
    "KFoldRisk",
    "LeaveOneOut",
    "choose",
    "common_grid",
    "deviation_grid",
    "intercept_grid",
    "leave_one_out",
    "with_zero",
]
