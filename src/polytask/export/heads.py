"""The end of the graph: coefficients of each row's task, the link, the labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto
from scipy.special import expit
from sklearn.base import is_classifier

from polytask.export.bends import add_bends
from polytask.export.errors import ExportError, cannot
from polytask.export.graph import Column, Graph, Source

__all__ = ["add_model", "linear_part", "link_operator", "split_task"]

_LINKS = {"Identity": lambda f: f, "Sigmoid": expit, "Exp": np.exp}  # operators of ONNX
_SOME = np.linspace(-4.0, 4.0, 17)


def linear_part(model: Any) -> Any:
    """The model on lines and bends of a curved one; else the model itself."""
    return model.model_ if hasattr(model, "bends_") else model


def link_operator(model: Any) -> str | None:
    """The operator that turns linear predictors into expected targets; None where ONNX has none."""
    mean = model._loss().inverse_link(_SOME)
    return next((op for op, f in _LINKS.items() if np.allclose(mean, f(_SOME), 1e-12, 0)), None)


def add_model(
    graph: Graph, model: Any, columns: Sequence[Column], task: Column | None, unseen: str
) -> None:
    """A linear or curved multi-task model on these columns, with the outputs that a user sees."""
    X, linear = graph.matrix(columns), linear_part(model)
    if linear is not model:
        X = add_bends(graph, model, X)
    if model._wide:
        f = graph.node("MatMul", X, graph.constant(linear.coef_.T))
        _add_outputs(graph, linear, graph.node("Add", f, graph.constant(linear.intercept_)))
    elif task is None:
        first = graph.constant(np.zeros(1, dtype=np.int64))
        _add_outputs(graph, linear, _by_task(graph, linear, X, first, "error"))
    else:
        code, is_unseen = _task_code(graph, model, task)
        _add_outputs(graph, linear, _by_task(graph, linear, X, code, unseen))
        graph.output(is_unseen, "unseen_task", "boolean")


def split_task(model: Any, columns: Sequence[Column]) -> tuple[list[Column], Column | None]:
    """The features, and the task column, of what the steps before a model have made."""
    if model.task is None:
        return list(columns), None
    at = _task_position(model, columns)
    return [c for j, c in enumerate(columns) if j != at], columns[at]


def _task_position(model: Any, columns: Sequence[Column]) -> int:
    """Where the task is among the columns, of which some are several."""
    names = list(getattr(model, "feature_names_in_", ()))
    named = model.task in names
    at = names.index(model.task) if named else int(model.task) % model.n_features_in_
    starts = np.cumsum([0, *(c.width for c in columns)])[:-1].tolist()
    if at not in starts:
        raise cannot(model, "has a task column that a step changed", "Let it pass untouched.")
    return starts.index(at)


def _task_code(graph: Graph, model: Any, task: Column) -> tuple[str, str]:
    """Position of each row's task, that of the row for unseen ones, and whether it is."""
    if not isinstance(task, Source):
        raise cannot(model, "has a task column that a step changed", "Let it pass untouched.")
    ids = model.tasks_
    if ids.dtype.kind not in "iuOU":
        raise cannot(model, "has task ids with fractions", "Use text or whole numbers.")
    tensor = graph.input(task.name, "integer" if ids.dtype.kind in "iu" else "text")
    code = graph.code(tensor, ids, range(len(ids)), len(ids))
    return code, graph.node("Equal", code, graph.constant(np.int64(len(ids))))


def _by_task(graph: Graph, model: Any, X: str, code: str, unseen: str) -> str:
    """w_i'x + b_i; one more row of coefficients answers for unseen tasks."""
    common, level = model._common() if unseen == "common" else (np.nan, np.nan)
    d = model.coef_.shape[1]
    coef = np.vstack([model.coef_, np.broadcast_to(common, d)])
    rows = graph.node("Gather", graph.constant(coef), code, axis=0)
    product = graph.node("Mul", X, rows)
    f = graph.node("ReduceSum", product, graph.constant(np.array([1])), keepdims=0)
    levels = graph.constant(np.append(model.intercept_, level))
    return graph.node("Add", f, graph.node("Gather", levels, code, axis=0))


def _add_outputs(graph: Graph, model: Any, f: str) -> None:
    mean = graph.node(str(link_operator(model)), f)
    if not is_classifier(model):
        graph.output(mean, "prediction", "number", wide=model._wide)
        return
    labels, none, kind = _labels(model.classes_)
    above = graph.node("Greater", f, graph.constant(np.float64(0)))
    label = graph.node("Cast", above, to=TensorProto.INT64)
    label = graph.node("Where", graph.node("IsNaN", f), graph.constant(np.int64(2)), label)
    table = graph.constant(np.array([*labels, none], dtype=np.asarray(labels).dtype))
    graph.output(graph.node("Gather", table, label), "prediction", kind, wide=model._wide)
    graph.output(mean, "probability", "number", wide=model._wide)


def _labels(classes: np.ndarray) -> tuple[list[Any], Any, str]:
    """Labels, the label of a row without an answer, and their kind."""
    if classes.dtype.kind in "iu":
        return classes.astype(np.int64).tolist(), np.iinfo(np.int64).min, "integer"
    if classes.dtype.kind == "f":
        return classes.astype(float).tolist(), np.nan, "number"
    if not all(isinstance(c, str | bool | np.bool_) for c in classes):
        raise ExportError(
            f"to_onnx: labels must be text or numbers; got {classes.tolist()}. Convert them."
        )
    return [str(c) for c in classes], "", "text"
