"""Data to try things on: one real table, and generators that return the truth."""

from polytask.datasets.answer import make_from_answer
from polytask.datasets.crossed import make_crossed_rows
from polytask.datasets.exam import exam_path, load_exam
from polytask.datasets.sparse import make_changing_tasks, make_sparse_tasks
from polytask.datasets.synthetic import (
    make_clustered_tasks,
    make_independent_tasks,
    make_low_rank_tasks,
    make_outlier_tasks,
    make_related_tasks,
)
from polytask.datasets.truth import Truth

__all__ = [
    "Truth",
    "exam_path",
    "load_exam",
    "make_changing_tasks",
    "make_clustered_tasks",
    "make_crossed_rows",
    "make_from_answer",
    "make_independent_tasks",
    "make_low_rank_tasks",
    "make_outlier_tasks",
    "make_related_tasks",
    "make_sparse_tasks",
]
