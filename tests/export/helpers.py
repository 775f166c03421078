"""Runs a graph in onnxruntime on the columns of a table."""

import numpy as np
import onnxruntime

from polytask import to_onnx

TYPES = {"tensor(double)": float, "tensor(int64)": np.int64, "tensor(string)": object}
EXACT = {"rtol": 1e-10, "atol": 1e-10}  # both sides in float64; sums run in other orders


def run_graph(graph, table):
    """Outputs by name; gaps in text are the empty text."""
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    feed = {}
    for column in session.get_inputs():
        values = table[column.name]
        values = values if hasattr(values, "fillna") else np.asarray(values)
        if column.type == "tensor(string)" and hasattr(values, "fillna"):
            values = values.fillna("")
        values = np.asarray(values).astype(TYPES[column.type])
        feed[column.name] = values.reshape(len(values), -1)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, feed), strict=True))


def exported(model, table, **options):
    """The outputs of a model's graph."""
    return run_graph(to_onnx(model, **options), table)
