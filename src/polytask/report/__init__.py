"""One self-contained HTML page from a comparison of models over tasks."""

from polytask.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
