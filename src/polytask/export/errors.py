"""What cannot be exported says so."""

from __future__ import annotations

from typing import Any

__all__ = ["ExportError", "cannot"]


class ExportError(ValueError):
    """A model, or a step before it, that has no ONNX graph of the same answers."""


def cannot(step: Any, reason: str, remedy: str) -> ExportError:
    """The error about one step of a pipeline."""
    return ExportError(
        f"to_onnx: model must consist of steps that can be exported; {type(step).__name__} "
        f"{reason}. {remedy}"
    )
