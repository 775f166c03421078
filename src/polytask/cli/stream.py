"""Tables larger than memory: `fit` and `compare` pass over them instead of loading them."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.cli.candidates import (
    BASELINE,
    MULTILEVEL,
    check_metric,
    check_name,
    check_varying,
    choose_models,
    formulation_for,
)
from polytask.cli.errors import refused
from polytask.cli.inputs import (
    groupings_of,
    several_targets,
    split_names,
    varying_names,
    wanted_models,
)
from polytask.data.many import summed_up
from polytask.tables.database import is_query
from polytask.tables.errors import TableError

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from polytask.cli.progress import Progress
    from polytask.inspection.comparison import Comparison
    from polytask.sources.passes import Runner
    from polytask.tables.stream_table import StreamTable

__all__ = ["compare_streamed", "fit_streamed", "is_streamed", "read_stream_table", "stream_runner"]

SHARE = 8  # a table is streamed where it would take more than this part of the memory
_PASSES = {("fit", "regression"): 2, ("fit", "classification"): 10,
           ("compare", "regression"): 3, ("compare", "classification"): 11}  # fmt: skip


def is_streamed(args: argparse.Namespace) -> bool:
    """Whether the table is passed over; a choice that nobody asked for is told on stderr."""
    if is_query(args.table):
        if args.stream:
            raise TableError("must be left out for the query of a database.", "stream")
        return False
    if args.stream is not None:
        return bool(args.stream)
    if args.dask is not None and args.command == "fit":
        return True  # one fit has nothing else to spread
    path = Path(args.table)
    if path.is_dir():
        return any(path.glob("*.parquet"))
    needed, memory = _size_in_memory(path), _memory()
    if needed * SHARE <= memory:
        return False
    print(
        f"polytask: {path.name} would take {needed / 2**30:.1f} GB in memory, more than an eighth "
        f"of {memory / 2**30:.1f} GB: it is streamed (--no-stream loads it).",
        file=sys.stderr,
        flush=True,
    )
    return True


def _size_in_memory(path: Path) -> float:
    """Bytes of the table as 8-byte values; 0 for what is no Parquet file."""
    if path.suffix.lower() not in (".parquet", ".pq", ".parq") or not path.is_file():
        return 0.0
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        about = pq.read_metadata(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return 0.0  # reading says what is wrong with it
    return 8.0 * about.num_rows * about.num_columns


def _memory() -> float:
    """Bytes of memory that this process may use: the machine's, or its control group's limit."""
    try:
        total = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):  # no such thing on this system
        return float("inf")
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = Path(limit).read_text().strip() if os.path.exists(limit) else "max"
        total = min(total, float(text)) if text.isdigit() else total
    return total


class _Passes:
    """Progress over several passes as one count of rows; how many there will be is a guess."""

    def __init__(self, progress: Progress, passes: int) -> None:
        self.progress, self.passes = progress, passes
        self.number, self.last = 0, 0

    def __call__(self, what: str, done: int, n_rows: int) -> None:
        if self.number == 0 or done <= self.last:
            self.number += 1
        self.last = done
        self.passes = max(self.passes, self.number)
        before = (self.number - 1) * n_rows
        self.progress(before + done, self.passes * n_rows, f"rows; pass {self.number}: {what}")


def stream_runner(args: argparse.Namespace, progress: Progress) -> tuple[Runner, _Passes]:
    """Who makes the passes: this process, or the cluster that is active."""
    from polytask.sources.runners import make_runner

    told = _Passes(progress, _PASSES[args.command, "regression"])
    return make_runner(None, told), told


def read_stream_table(args: argparse.Namespace, runner: Runner, told: _Passes) -> StreamTable:
    """The table after a first look."""
    from polytask.tables.stream_schema import stream_schema, table_columns
    from polytask.tables.stream_table import make_stream_table

    if args.command == "compare" and args.loss not in ("auto", "squared"):
        raise TableError(
            f"must be squared in a comparison that is streamed; got {args.loss!r}. Load the table "
            "with --no-stream, or take fit.",
            "loss",
        )
    for argument in (
        "groups", "time", "event", "transform", "scale-target", "levels", "quantiles",
        "within-between", *(["varying"] if args.command == "compare" else []),
    ):  # fmt: skip
        if getattr(args, argument.replace("-", "_")) is not None:
            raise TableError(
                "must be left out in a table that is streamed. Load it with --no-stream.", argument
            )
    features = split_names(args.features)
    if features == ():
        raise TableError("must name at least one column; got an empty list.", "features")
    if args.task is None:
        several_targets(args)
        raise TableError(
            "must name one column in a table that is streamed; got several. Load it with "
            "--no-stream, or make a long table with a task column.",
            "target",
        )
    task, groupings = groupings_of(args.task, table_columns(stream_schema(args.table)))
    if groupings and (args.command == "compare" or args.model != MULTILEVEL):
        why = ", whose folds are dealt and losses summed by it" if args.command == "compare" else ""
        raise TableError(
            f"must name one column in a table that is streamed{why}; got {args.task!r}. Load it "
            f"with --no-stream, or take fit --model {MULTILEVEL}.",
            "task",
        )
    table = make_stream_table(
        args.table, task, args.target, features=features,
        categorical=split_names(args.categorical) or (), kind=args.kind, loss=args.loss,
        missing=split_names(args.missing) or (), decimal=args.decimal or "",
        groupings=groupings, weights=args.weights, runner=runner,
    )  # fmt: skip
    told.passes = _PASSES[args.command, table.kind]
    return _as_likely(table, compared=args.command == "compare")


def _as_likely(table: StreamTable, *, compared: bool) -> StreamTable:
    """With the loss that the target speaks for where nobody said one; a comparison tells of it."""
    from polytask.tables.targets import find_loss, taken_for

    (name, why), ends = table.likely, table.look.target
    if table.loss != "auto" or not why:
        return table
    if find_loss(name).targets.first_outside(np.array([ends.low, ends.high])) is not None:
        return table  # later rows speak against it
    if compared:
        told = (
            f"The target {table.target!r} holds {why}, but a comparison that is streamed takes it "
            f"for plain numbers; --no-stream compares with --loss {name}."
        )
        return replace(table, notes=(*table.notes, told))
    told = taken_for(table.target, name, why)
    return replace(table, loss=name, notes=(*table.notes, told))


def streamed_model(name: str, table: StreamTable, door: str) -> Any:
    """The model called ``name``, unfitted; an error where it needs all rows at once.

    ``door`` is a method that only those have that can be fitted so.
    """
    check_name(name, "models")
    loss = table.loss
    model = formulation_for(name, table.spec, table.kind, loss=loss, streamed=True)
    few = not summed_up(table.n_rows, len(table.source.features), len(table.task_ids))
    held = door == "_fit_source" and few  # then strengths are those in memory
    weighted = table.source.weights is not None
    able = hasattr(model, door)
    if able and not held:
        able = not model._why_not_passed_over(table.tally.ids, weighted=weighted)
    if not able:
        said = "" if loss in ("auto", "squared") else f" with --loss {loss}"
        said += " with weights" if weighted else ""
        raise TableError(
            f"must name models that can be streamed; {name!r} needs all rows of a {table.kind}"
            f"{said} in memory. Leave it out, or load the table with --no-stream.",
            "models",
        )
    return formulation_for(name, table.spec, table.kind, loss=loss) if held else model


def fit_streamed(
    args: argparse.Namespace, progress: Progress
) -> tuple[Pipeline, StreamTable, tuple[str, ...]]:
    """One model on all rows, behind its preprocessing; the warnings that came."""
    from polytask.solvers import one_blas_thread

    runner, told = stream_runner(args, progress)
    table = read_stream_table(args, runner, told)
    model = streamed_model(args.model, table, "_fit_source")
    varying = varying_names(args)
    if varying is not None:
        check_varying(varying, [[model]], table)
        model.set_params(varying=list(varying))
    with warnings.catch_warnings(record=True) as caught, one_blas_thread():
        warnings.simplefilter("always")
        try:
            model._fit_source(table.source, runner)
        except (ValueError, ArithmeticError) as error:
            raise refused(error, f"{args.model} cannot be fitted to this table: ") from error
    words = tuple(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))
    return _pipeline(model, table), table, words


def compare_streamed(
    args: argparse.Namespace, progress: Progress
) -> tuple[Comparison, dict[str, Pipeline], StreamTable]:
    """The comparison, and its models fitted on all rows."""
    from polytask.inspection.compare_parquet import FOLDED, StreamedSample, compare_source

    if args.repeats > 1:
        raise TableError("must be 1 for a table that is streamed; rows are dealt once.", "repeats")
    runner, told = stream_runner(args, progress)
    table = read_stream_table(args, runner, told)
    check_metric(args.metric, table.kind)
    largest = int(table.tally.counts.sum(axis=1).max())
    if args.cv > largest:
        raise TableError(f"must be at most {largest}, the rows of the largest task.", "cv")
    names, notes = _names(args, table)
    models = {name: streamed_model(name, table, FOLDED) for name in names}
    sample = StreamedSample.of_look(table.look, table.tally, table.source, table.classes)
    try:
        found = compare_source(
            models, table.source, sample, runner, cv=args.cv, metric=args.metric,
            baseline=BASELINE, random_state=args.seed,
        )  # fmt: skip
    except ValueError as error:
        raise refused(error) from error
    if args.learning_curve:
        notes = (*notes, "There is no learning curve: it needs all rows in memory.")
    if args.new_tasks:
        notes = (*notes, "Nothing is said of new tasks: that needs all rows in memory.")
    comparison = found.comparison.with_notes(*table.notes, *notes, warnings=table.warnings)
    return comparison, {n: _pipeline(m, table) for n, m in found.fitted.items()}, table


def _names(args: argparse.Namespace, table: StreamTable) -> tuple[list[str], tuple[str, ...]]:
    """The models asked for, or those of the defaults that can be streamed."""
    from polytask.inspection.compare_parquet import FOLDED

    wanted = wanted_models(args)
    names, notes = choose_models(wanted, args.fast)
    if wanted is not None:
        return list(names), notes
    able, left = [], []
    for name in names:
        try:
            streamed_model(name, table, FOLDED)
            able.append(name)
        except TableError:
            left.append(name)
    more = f"Left out, because they need all rows in memory: {', '.join(left)}."
    return able, (*notes, more) if left else notes


def _pipeline(model: Any, table: StreamTable) -> Pipeline:
    from sklearn.pipeline import Pipeline

    return Pipeline([("prepare", table.source.prepare), ("model", model)])
