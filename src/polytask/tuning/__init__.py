"""How strengths are chosen: grids from the data, leave-one-out, folds, the search."""

from polytask.tuning.choice import TUNING_TOL, choose_strengths
from polytask.tuning.folds import (
    KFoldRisk,
    few_labels,
    fold_predictions,
    held_out_folds,
)
from polytask.tuning.grids import (
    beyond_paths,
    common_grid,
    deviation_grid,
    intercept_grid,
    with_zero,
)
from polytask.tuning.loo import LeaveOneOut, leave_one_out
from polytask.tuning.low_rank import (
    level_grid,
    rank_grid,
    rank_strengths,
    trace_alpha_max,
    trace_grid,
    trace_path,
)
from polytask.tuning.new_tasks import new_task_coefs
from polytask.tuning.noise import precision_shares
from polytask.tuning.norms import difference_grid, norm_grid, norm_path, trace_limits
from polytask.tuning.one_class import held_out_risk, judged_labels
from polytask.tuning.repeats import of_one_row, repeats
from polytask.tuning.search import Choice, Risks, choose, one_by_one
from polytask.tuning.strengths import Strength, fitted_strengths, given_strengths

__all__ = [
    "TUNING_TOL",
    "Choice",
    "KFoldRisk",
    "LeaveOneOut",
    "Risks",
    "Strength",
    "beyond_paths",
    "choose",
    "choose_strengths",
    "common_grid",
    "deviation_grid",
    "difference_grid",
    "few_labels",
    "fitted_strengths",
    "fold_predictions",
    "given_strengths",
    "held_out_folds",
    "held_out_risk",
    "intercept_grid",
    "judged_labels",
    "leave_one_out",
    "level_grid",
    "new_task_coefs",
    "norm_grid",
    "norm_path",
    "of_one_row",
    "one_by_one",
    "precision_shares",
    "rank_grid",
    "rank_strengths",
    "repeats",
    "trace_alpha_max",
    "trace_grid",
    "trace_limits",
    "trace_path",
    "with_zero",
]
