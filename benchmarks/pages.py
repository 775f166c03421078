"""Figures in the documentation: what a script writes stands between two equal lines, its mark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

__all__ = ["figures", "put"]


def figures(page: Path, mark: str) -> list[str]:
    """Lines between the two marks of a page, without the blank ones around them."""
    return _parts(page, mark)[1].strip("\n").split("\n")


def put(page: Path, mark: str, lines: Sequence[str]) -> None:
    """Write lines between the two marks of a page, in place of what stands there."""
    before, _, after = _parts(page, mark)
    page.write_text("\n".join([before + mark, "", *lines, "", mark + after]), encoding="utf-8")


def _parts(page: Path, mark: str) -> list[str]:
    parts = page.read_text(encoding="utf-8").split(mark)
    if len(parts) != 3:
        raise SystemExit(
            f"{page} must hold the line {mark} twice, around the place of the figures; it holds it "
            f"{len(parts) - 1} times."
        )
    return parts
