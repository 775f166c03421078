"""Polytask: multi-task learning for tables with a task column."""

__version__ = "0.1.0"
