"""Something to know about a table."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SEVERITIES", "Finding"]

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """Something to know about a table.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        An error stops a comparison; a warning may make its answer wrong or weak.
    what : str
        What was found.
    remedy : str
        What to do about it, "" for nothing.
    """

    severity: str
    what: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """Both, as sentences."""
        return f"{self.what} {self.remedy}".strip()
