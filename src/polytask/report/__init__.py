"""One self-contained HTML page from a comparison of models over tasks."""

from polytask.report.card import as_markdown, model_card
from polytask.report.page import render_report, write_report

__all__ = ["as_markdown", "model_card", "render_report", "write_report"]
