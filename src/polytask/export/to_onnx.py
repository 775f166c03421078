"""From a fitted model, alone or at the end of a pipeline, to one ONNX graph."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from polytask.export.errors import ExportError

if TYPE_CHECKING:
    from onnx import ModelProto

    from polytask.export.graph import Column

__all__ = ["to_onnx"]


def to_onnx(
    model: BaseEstimator, *, unseen: str | None = None, metadata: Mapping[str, str] | None = None
) -> ModelProto:
    """One ONNX graph that answers as ``predict`` of a linear or curved model does, in float64.

    The graph holds the preprocessing, so its inputs are the columns of the table, each of shape
    (n, 1): float64 for numbers (NaN where missing), text for categories (empty where missing),
    text or int64 for the task. A model that was fitted to an array has the inputs ``X``, of shape
    (n, d), and ``task``.

    Outputs: ``prediction`` of shape (n,), or (n, m) after a fit to a wide y; for a classifier also
    ``probability``, that of ``classes_[1]``; with a task column ``unseen_task``.

    Parameters
    ----------
    model : estimator
        A fitted linear formulation or curved model, or a Pipeline or a search that ends with one.
    unseen : {"error", "common"}, optional
        What an unseen task gets: no answer (NaN; the empty text or the smallest int64 as a
        label), or the answer of what the tasks share. Default: the model's own choice.
    metadata : dict of str to str, optional
        Facts to be kept in the file.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    ExportError
        If the model is neither linear nor curved, or a step before it has no ONNX form here.
    ImportError
        If the package onnx is not installed.

    Examples
    --------
    >>> from polytask import MeanRegularizedRegressor, to_onnx
    >>> from polytask.datasets import make_related_tasks
    >>> X, y, truth = make_related_tasks(n_tasks=3, n_features=2, random_state=0)
    >>> model = MeanRegularizedRegressor(0.1, task="task").fit(X, y)
    >>> [column.name for column in to_onnx(model).graph.input]
    ['x0', 'x1', 'task']
    """
    if unseen not in (None, "error", "common"):
        raise ExportError(f"to_onnx: unseen must be 'error' or 'common'; got {unseen!r}.")
    _need_onnx()
    from polytask.export.graph import Graph, Source
    from polytask.export.heads import add_model, split_task
    from polytask.export.steps import add_step

    found: Any = getattr(model, "best_estimator_", model)
    steps = [step for _, step in found.steps] if isinstance(found, Pipeline) else [found]
    last = steps[-1]
    check_is_fitted(last)
    _check_linear(last)
    graph = Graph()
    if not hasattr(steps[0], "feature_names_in_"):
        features, task = _of_an_array(steps[0], last)
    else:
        columns: list[Column] = [Source(str(name)) for name in steps[0].feature_names_in_]
        for step in steps[:-1]:
            columns = add_step(graph, step, columns)
        features, task = split_task(last, columns)
    add_model(graph, last, features, task, unseen or last.unseen)
    return graph.finish(metadata or {})


def _check_linear(model: Any) -> None:
    from polytask.export.heads import linear_part, link_operator

    part = linear_part(model)
    linear = np.ndim(getattr(part, "coef_", 0.0)) == 2 and hasattr(part, "_common")
    if not linear or link_operator(part) is None:
        raise ExportError(
            "to_onnx: model must be a linear or curved multi-task model, or a pipeline that ends "
            f"with one; got {type(model).__name__}, fitted to what makes no linear model. Every "
            "linear formulation of one target or of two classes can be exported, and curves."
        )


def _of_an_array(first: Any, model: Any) -> tuple[list[Column], Column | None]:
    """Inputs of a model that was fitted to columns without names."""
    from polytask.export.graph import Source

    if first is not model:
        raise ExportError(
            "to_onnx: a pipeline must have been fitted to a table with column names; "
            f"{type(first).__name__} saw an array. Fit it to a DataFrame."
        )
    width = model.n_features_in_ - (model.task is not None)
    return [Source("X", width)], None if model.task is None else Source("task")


def _need_onnx() -> None:
    try:
        importlib.import_module("onnx")
    except ImportError as error:
        raise ImportError(
            "to_onnx: the package onnx must be installed. Run: pip install 'polytask[onnx]'."
        ) from error
