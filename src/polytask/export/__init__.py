"""Fitted models as ONNX graphs, for programs that have neither Python nor scikit-learn."""

from polytask.export.errors import ExportError
from polytask.export.to_onnx import to_onnx

__all__ = ["ExportError", "to_onnx"]
