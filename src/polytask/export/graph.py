"""A graph under construction: nodes, constants, and inputs that appear when first used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper

from polytask.export.errors import ExportError

__all__ = ["Column", "Graph", "Made", "Source"]

# The oldest versions that have every operator used here in float64: runtimes since 2023 know them.
OPSETS = (helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3))
IR_VERSION = 8
KINDS = {
    "number": TensorProto.DOUBLE,
    "integer": TensorProto.INT64,
    "text": TensorProto.STRING,
    "boolean": TensorProto.BOOL,
}


@dataclass(frozen=True)
class Source:
    """A column of the user's table; who uses it first says of which kind it is."""

    name: str
    width: int = 1


@dataclass(frozen=True)
class Made:
    """Columns that a step made, a float64 tensor of shape (n, width)."""

    tensor: str
    width: int


Column = Source | Made


@dataclass
class Graph:
    """Collects what an ONNX model is made of; every method returns the name of a tensor."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)
    inputs: dict[str, tuple[str, int]] = field(default_factory=dict)
    outputs: list[ValueInfoProto] = field(default_factory=list)

    def node(self, op: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """The output of one operator."""
        name = f"polytask/{op}_{len(self.nodes)}"  # no column of a table is called that
        self.nodes.append(helper.make_node(op, inputs, [name], domain=domain, **attributes))
        return name

    def constant(self, value: Any) -> str:
        """Numbers or text that the graph carries."""
        array = np.asarray(value)
        if array.dtype.kind in "OSU":
            array = array.astype(object)
        name = f"polytask/constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def input(self, name: str, kind: str, width: int = 1) -> str:
        """A column of the table, shape (n, width)."""
        if self.inputs.setdefault(name, (kind, width)) != (kind, width):
            raise ExportError(
                f"to_onnx: columns must be used in one way; {name!r} is used both as "
                f"{self.inputs[name][0]} and as {kind}. Copy it under another name."
            )
        return name

    def matrix(self, columns: Sequence[Column]) -> str:
        """Columns side by side, as float64 of shape (n, width)."""
        parts = [c.tensor if isinstance(c, Made) else self.input(c.name, "number", c.width)
                 for c in columns]  # fmt: skip
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=1)

    def code(self, tensor: str, known: np.ndarray, codes: Iterable[int], otherwise: int) -> str:
        """``codes[k]`` where a value is ``known[k]``, else ``otherwise``; shape (n,)."""
        keys = "keys_int64s" if known.dtype.kind in "iu" else "keys_strings"
        found = self.node(
            "LabelEncoder", tensor, domain="ai.onnx.ml", default_int64=otherwise,
            values_int64s=[int(c) for c in codes], **{keys: known.tolist()},
        )  # fmt: skip
        return self.node("Reshape", found, self.constant(np.array([-1])))

    def output(self, tensor: str, name: str, kind: str, *, wide: bool = False) -> None:
        """Give a tensor of shape (n,), or (n, m) if ``wide``, to the user under a free name."""
        while name in self.inputs:
            name += "_2"
        self.nodes.append(helper.make_node("Identity", [tensor], [name]))
        shape = ["rows", "tasks"] if wide else ["rows"]
        self.outputs.append(helper.make_tensor_value_info(name, KINDS[kind], shape))

    def finish(self, about: Mapping[str, str]) -> ModelProto:
        """The checked model, with facts about it in its metadata."""
        inputs = [helper.make_tensor_value_info(name, KINDS[kind], ["rows", width])
                  for name, (kind, width) in self.inputs.items()]  # fmt: skip
        graph = helper.make_graph(self.nodes, "polytask", inputs, self.outputs, self.constants)
        model = helper.make_model(
            graph, opset_imports=OPSETS, ir_version=IR_VERSION, producer_name="polytask"
        )
        helper.set_model_props(model, dict(about))
        checker.check_model(model, full_check=True)
        return model
