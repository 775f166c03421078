"""Tables of users: reading files, kinds of columns, preprocessing, description, writing."""

from polytask.tables.columns import Column, inspect_column
from polytask.tables.describe import Finding, TableDescription, describe_table
from polytask.tables.errors import TableError
from polytask.tables.preprocess import make_task_pipeline
from polytask.tables.reading import read_table
from polytask.tables.suggest import Suggestion, suggest
from polytask.tables.task_table import TaskTable, make_task_table
from polytask.tables.writing import write_table

__all__ = [
    "Column",
    "Finding",
    "Suggestion",
    "TableDescription",
    "TableError",
    "TaskTable",
    "describe_table",
    "inspect_column",
    "make_task_pipeline",
    "make_task_table",
    "read_table",
    "suggest",
    "write_table",
]
