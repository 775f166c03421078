"""What a multi-task sample is: one frozen TaskData, whatever door it came through."""

from polytask.data.callers import callers_level
from polytask.data.columns import as_table, drop_task_column, read_task_ids
from polytask.data.design import Design, make_design
from polytask.data.frames import is_frame, repeated_names, to_array
from polytask.data.moment_rows import MomentData
from polytask.data.moments import TaskMoments
from polytask.data.oracle import Oracle, RiskAt, RowsAt
from polytask.data.parse import (
    Rows,
    make_task_data,
    read_raw_rows,
    read_rows,
    read_target,
    read_weight,
    task_codes,
)
from polytask.data.refit import all_or_nothing, forget
from polytask.data.stack import stack_tasks
from polytask.data.task_data import TaskData, task_shares

__all__ = [
    "Design",
    "MomentData",
    "Oracle",
    "RiskAt",
    "Rows",
    "RowsAt",
    "TaskData",
    "TaskMoments",
    "all_or_nothing",
    "as_table",
    "callers_level",
    "drop_task_column",
    "forget",
    "is_frame",
    "make_design",
    "make_task_data",
    "read_raw_rows",
    "read_rows",
    "read_target",
    "read_task_ids",
    "read_weight",
    "repeated_names",
    "stack_tasks",
    "task_codes",
    "task_shares",
    "to_array",
]
