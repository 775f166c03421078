"""``polytask export``: a saved model as an ONNX graph, for programs without Python."""

from __future__ import annotations

import argparse
import dataclasses
import json
from typing import TYPE_CHECKING

from polytask.cli.outputs import check_file
from polytask.cli.progress import Progress
from polytask.cli.saved_model import load_model
from polytask.cli.screen import plain, screen, show_table

if TYPE_CHECKING:
    from onnx import ModelProto

__all__ = ["run"]

TYPES = {8: "text", 7: "int64"}  # of ONNX's tensors; the others are float64
FILLS = {"text": "empty text", "float64": "NaN", "int64": ""}


def run(args: argparse.Namespace) -> int:
    """Convert and write."""
    from polytask.data.files import replacing
    from polytask.export import ExportError, to_onnx
    from polytask.tables import TableError

    out = check_file(args.out, not_over=(args.model,), argument="OUT")
    if out.suffix != ".onnx":
        raise TableError(f"must end in .onnx; got {out.name!r}.", "OUT")
    with Progress() as progress:
        progress.say("loading the model")
        model, card = load_model(args.model)
        about = {"polytask": json.dumps(dataclasses.asdict(card), ensure_ascii=False)}
        try:
            graph = to_onnx(model, unseen=args.unseen, metadata=about)
        except (ExportError, ImportError) as error:
            raise TableError(str(error)) from error
        with replacing(out) as temporary:
            temporary.write_bytes(graph.SerializeToString())
    _show(str(out), graph, args.unseen or getattr(model[-1], "unseen", "error"))
    return 0


def _show(out: str, graph: ModelProto, unseen: str) -> None:
    """What a program has to feed, and what it gets."""
    console = screen()
    rows = []
    for column in graph.graph.input:
        kind = TYPES.get(column.type.tensor_type.elem_type, "float64")
        rows.append((column.name, kind, FILLS[kind]))
    head = [("input", "left"), ("type", "left"), ("where missing", "left")]
    show_table(console, "", head, rows)
    given = ", ".join(column.name for column in graph.graph.output)
    answer = "NaN or an empty label" if unseen == "error" else "what the tasks share"
    console.print("every input has the shape (rows, 1)")
    console.print(plain(f"outputs: {given}; a task that was not in training gets {answer}"))
    console.print(plain(f"written: {out}"))
