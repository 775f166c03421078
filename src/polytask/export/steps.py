"""The steps before a model, each as nodes of the graph.

Steps are known by their exact type: a subclass may answer otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from onnx import TensorProto
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from polytask.export.errors import cannot
from polytask.export.graph import Column, Graph, Made
from polytask.export.lookups import add_encoder, add_stream_preparer
from polytask.sources.prepare import StreamPreparer

__all__ = ["add_step"]


def add_step(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    """The columns that a fitted transformer makes of others."""
    if isinstance(step, str):
        return list(columns) if step == "passthrough" else []  # "drop"
    add = STEPS.get(type(step))
    if add is None:
        known = ", ".join(sorted(t.__name__ for t in STEPS))
        raise cannot(step, "has no ONNX form here", f"Known steps are {known}.")
    return add(graph, step, columns)


def _pipeline(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    for _, inner in step.steps:
        columns = add_step(graph, inner, columns)
    return list(columns)


def _side_by_side(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    made: list[Column] = []
    if type(step) is FeatureUnion:
        for _, inner in step.transformer_list:
            made += add_step(graph, inner, columns)
        return made
    names = list(getattr(step, "feature_names_in_", ()))
    for _, inner, wanted in step.transformers_:
        chosen = _chosen(wanted, names, len(columns))
        made += add_step(graph, inner, [columns[j] for j in chosen]) if chosen else []
    return made


def _chosen(wanted: Any, names: list[str], n: int) -> list[int]:
    """Positions of the columns that a part of a ColumnTransformer takes."""
    wanted = [wanted] if isinstance(wanted, str | int) else wanted
    if not isinstance(wanted, slice) and len(wanted) and isinstance(wanted[0], str):
        return [names.index(name) for name in wanted]
    if not isinstance(wanted, slice) and not len(wanted):
        return []
    return [int(j) for j in np.arange(n)[wanted]]


def _same(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    if step.func is not None:
        raise cannot(step, "calls a Python function", "Apply it before the model.")
    return list(columns)


def _impute(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    filled = pd.to_numeric(pd.Series(step.statistics_), errors="coerce").to_numpy(dtype=float)
    if not _is_nan(step.missing_values) or (np.isnan(filled) != pd.isna(step.statistics_)).any():
        raise cannot(step, "fills more than gaps in numbers", "Fill the others before the model.")
    X = graph.matrix(columns)
    missing = graph.node("IsNaN", X)
    whole = graph.node("Where", missing, graph.constant(filled), X)
    kept = np.flatnonzero(~np.isnan(filled))  # columns that were empty in training are dropped
    parts = [_take(graph, whole, kept, len(filled))]
    if step.add_indicator and len(step.indicator_.features_):
        found = graph.node("Cast", missing, to=TensorProto.DOUBLE)
        parts.append(_take(graph, found, step.indicator_.features_, len(filled)))
    return list(parts)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _take(graph: Graph, X: str, positions: np.ndarray, width: int) -> Made:
    if len(positions) == width:
        return Made(X, width)
    taken = graph.node("Gather", X, graph.constant(np.asarray(positions, dtype=np.int64)), axis=1)
    return Made(taken, len(positions))


def _scale(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    """(x - center) / scale, as StandardScaler, RobustScaler and MaxAbsScaler do."""
    center = getattr(step, "mean_", None) if type(step) is StandardScaler else None
    center = step.center_ if type(step) is RobustScaler else center
    X = graph.matrix(columns)
    if center is not None and getattr(step, "with_mean", True):
        X = graph.node("Sub", X, graph.constant(center))
    if step.scale_ is not None:
        X = graph.node("Div", X, graph.constant(step.scale_))
    return [Made(X, step.n_features_in_)]


def _min_max(graph: Graph, step: Any, columns: Sequence[Column]) -> list[Column]:
    X = graph.node("Mul", graph.matrix(columns), graph.constant(step.scale_))
    X = graph.node("Add", X, graph.constant(step.min_))
    if step.clip:
        low, high = (graph.constant(np.float64(end)) for end in step.feature_range)
        X = graph.node("Clip", X, low, high)
    return [Made(X, step.n_features_in_)]


STEPS: dict[type, Callable[[Graph, Any, Sequence[Column]], list[Column]]] = {
    Pipeline: _pipeline,
    ColumnTransformer: _side_by_side,
    FeatureUnion: _side_by_side,
    FunctionTransformer: _same,
    SimpleImputer: _impute,
    StandardScaler: _scale,
    RobustScaler: _scale,
    MaxAbsScaler: _scale,
    MinMaxScaler: _min_max,
    OneHotEncoder: add_encoder,
    OrdinalEncoder: add_encoder,
    StreamPreparer: add_stream_preparer,
}
