"""Parquet files as partitions of row groups, read batch by batch in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from polytask.data import read_task_ids, repeated_names
from polytask.data.cells import combined
from polytask.data.folds import FoldRule
from polytask.data.task_spec import Spec, column_names, spelled_out
from polytask.sources.column_sums import is_number
from polytask.sources.dealing import Before, Dealing, Tally
from polytask.sources.marks import AS_STORED, Marks, settled
from polytask.sources.prepare import StreamPreparer
from polytask.sources.weights import check_weights_column, rows_that_count, weights_in

__all__ = ["Batch", "ParquetSource", "Partition", "Paths", "kinds_of", "task_codes"]

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
_BUFFER = 1 << 20  # bytes read ahead of each column
_PARTITION_ROWS = 1 << 20


@dataclass(frozen=True, eq=False)
class Partition:
    """Consecutive row groups of one file: what one worker works on.

    ``before`` says how many rows of its tasks and classes came earlier, see `Dealing`.
    """

    path: str
    row_groups: tuple[int, ...]
    n_rows: int
    number: int
    before: Before | None = None


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows as columns; row k is of task ``ids[local[k]]``, in fold ``fold[k]`` if that is known.

    It counts ``weight[k]`` times.
    """

    columns: list[np.ndarray]
    y: np.ndarray
    local: np.ndarray
    ids: list[Any]
    weight: np.ndarray | None = None
    fold: np.ndarray | None = None

    def cells(self, code: np.ndarray, n_folds: int) -> np.ndarray:
        """``task * n_folds + fold`` of each row."""
        if n_folds == 1:
            return code
        assert self.fold is not None, "the source deals no folds"
        return code * n_folds + self.fold


@dataclass(frozen=True)
class ParquetSource:
    """Where rows come from, and which columns are what.

    Parameters
    ----------
    partitions : tuple of Partition
    columns : tuple of str
        Columns of X in the order of the file, the task column among them.
    task, target : str
    further : tuple of str
        More columns of ids: batches are then by combinations of all, as `combined` writes them.
    weights : str or None
        Column that says how much a row counts; rows of weight zero are left out.
    batch_rows : int
        Rows read at a time.
    other : tuple of str
        Columns of X that are not numbers.
    prepare : StreamPreparer or None
        Makes the features of the columns.
    complete : bool
        Whether rows without a task or a target are left out; otherwise they are errors.
    center : ndarray of shape (d,) or None
        What is taken off the features.
    classes : tuple or None
        Two labels that are read as 0 and 1.
    marks : Marks
        How gaps and numbers are written.
    folds : Dealing or None
        Says the fold of every row.
    """

    partitions: tuple[Partition, ...]
    columns: tuple[str, ...]
    task: str
    target: str
    batch_rows: int
    other: tuple[str, ...]
    prepare: StreamPreparer | None = None
    complete: bool = False
    classes: tuple[Any, ...] | None = None
    marks: Marks = AS_STORED
    center: np.ndarray | None = None
    folds: Dealing | None = None
    further: tuple[str, ...] = ()
    weights: str | None = None

    @classmethod
    def open(
        cls, paths: Paths, *, task: Spec, target: str, features: Sequence[str] | None = None,
        weights: str | None = None, batch_rows: int = 1 << 17, complete: bool = False,
        several: bool = False,
    ) -> ParquetSource:  # fmt: skip
        """Look into the files; reads no rows.

        Parameters
        ----------
        paths : path or list of paths
            Parquet files, or directories of them.
        task : str, or groupings
        target : str
        features : sequence of str or None
            Feature columns; None is every column but those of ids, the target and the weights.
        weights : str or None
        batch_rows : int
        complete : bool
            See the class.
        several : bool
            Whether the task may be of several columns.

        Raises
        ------
        ValueError, FileNotFoundError
            If a file or column is absent, or files differ in their columns.
        """
        if batch_rows < 1:
            raise ValueError(f"fit_parquet: batch_rows must be 1 or more; got {batch_rows}.")
        files = _files(paths)
        partitions: list[Partition] = []
        schema = None
        for path in files:
            found = _open(path)
            schema = _same_schema(schema, found.schema_arrow, path, files[0])
            partitions += _partitions(found.metadata, path, len(partitions))
        assert schema is not None
        if told := repeated_names(schema.names, f" in {files[0]!r}"):
            raise ValueError(f"fit_parquet: a table {told}")
        ids = _ids(task, schema.names, several)
        if weights is not None:
            check_weights_column(schema, weights, (*ids, target))
        names = _choose(schema, ids, target, features, weights)
        kept = tuple(n for n in schema.names if n in {*names, *ids})
        other = tuple(n for n in names if not is_number(schema.field(n).type))
        return cls(
            tuple(partitions), kept, ids[0], target, int(batch_rows), other, complete=complete,
            further=ids[1:], weights=weights,
        )  # fmt: skip

    @property
    def ids(self) -> tuple[str, ...]:
        """Columns of ids, that of the task first."""
        return (self.task, *self.further)

    @property
    def read_columns(self) -> tuple[str, ...]:
        """Columns of the file that features are made of."""
        return tuple(name for name in self.columns if name not in self.ids)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        if self.prepare is None:
            return self.read_columns
        return tuple(self.prepare.features_made())

    @property
    def model_columns(self) -> tuple[str, ...]:
        """Columns of X that a model sees: of the file, or those made, the ids last."""
        return self.columns if self.prepare is None else (*self.features, *self.ids)

    @property
    def n_rows(self) -> int:
        """Rows in all partitions."""
        return sum(part.n_rows for part in self.partitions)

    def dealt(
        self, tally: Tally, classes: Sequence[Any], n_splits: int, seed: int | None,
        number: np.ndarray | None = None,
    ) -> Self:  # fmt: skip
        """The source with its rows in folds: those that `task_folds` deals in memory.

        Tasks are numbered in the order of their ids, or by ``number`` (m,).
        """
        parts = tuple(replace(p, before=tally.before.get(p.number)) for p in self.partitions)
        rule = FoldRule.make(tally.counts, n_splits, seed, number)
        return replace(self, partitions=parts, folds=Dealing(tally.ids, tuple(classes), rule))

    def tables(self, part: Partition, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Record batches of some columns of a partition."""
        weights = [] if self.weights is None else [self.weights]
        roles = [*self.ids, self.target] if self.complete else []
        columns = list(dict.fromkeys([*columns, *roles, *weights]))
        with pq.ParquetFile(part.path, pre_buffer=False, buffer_size=_BUFFER) as file:
            for table in _ahead(
                file.iter_batches(
                    self.batch_rows, row_groups=list(part.row_groups), columns=columns
                )
            ):
                table = settled(table, self.marks, self.ids, self.target)
                if self.weights is not None:
                    table = rows_that_count(table, self.weights)
                yield self._complete_rows(table) if self.complete else table

    def _complete_rows(self, table: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that have all ids and a target."""
        known = [pc.is_valid(table.column(name)) for name in (*self.ids, self.target)]
        for name in (*self.ids, self.target):
            if pa.types.is_floating(table.column(name).type):
                known.append(pc.invert(pc.is_nan(table.column(name))))
        keep = known[0]
        for mask in known[1:]:
            keep = pc.and_(keep, pc.fill_null(mask, False))
        return table if pc.all(keep).as_py() else table.filter(keep)

    def batches(self, part: Partition, *, features: bool = True) -> Iterator[Batch]:
        """Batches of a partition; without ``features`` only tasks and targets are read."""
        wanted = self.read_columns if features else ()
        dealer = None if self.folds is None else self.folds.begin(part.before)
        for table in self.tables(part, [*wanted, *self.ids, self.target]):
            if features and self.prepare is not None:
                columns = self.prepare.columns_of({name: table.column(name) for name in wanted})
            else:
                columns = [table.column(n).to_numpy(zero_copy_only=False) for n in wanted]
            if features and self.center is not None:
                columns = [x - mean for x, mean in zip(columns, self.center, strict=True)]
            local, ids = combined([task_codes(table.column(name), name) for name in self.ids])
            y = _target(table.column(self.target))
            fold = None if dealer is None else dealer.folds(local, ids, y)
            if self.classes is not None:
                y = (y == self.classes[1]).astype(np.float64)
            weight = None if self.weights is None else weights_in(table, self.weights)
            yield Batch(columns, y, local, ids, weight, fold)


def kinds_of(source: ParquetSource) -> dict[str, pa.DataType]:
    """Types of the columns that features are made of."""
    schema = pq.read_schema(source.partitions[0].path)
    return {name: _kind_of(name, schema.field(name).type, source.marks)
            for name in source.read_columns}  # fmt: skip


def _kind_of(name: str, stored: pa.DataType, marks: Marks) -> pa.DataType:
    """The type of a column as batches have it."""
    if name in marks.truths:
        return pa.bool_()
    written = [*marks.numbers, *(reader.name for reader in marks.written)]
    return pa.float64() if name in written or pa.types.is_decimal(stored) else stored


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches; the next is read while the last is worked on."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


def task_codes(column: pa.Array, task: str) -> tuple[np.ndarray, list[Any]]:
    """Position of each row's id in a short list of ids, cleaned as `fit` cleans them."""
    if column.null_count:
        read_task_ids(pa.table({task: column}), task)  # says what is wrong
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    used = pc.unique(column.indices)
    named = column.dictionary.take(used)
    whole = pa.types.is_integer(named.type)
    ids = named.to_numpy() if whole else read_task_ids(pa.table({task: named}), task)
    if len(used) == len(column.dictionary):  # in order of first use: nothing to renumber
        position = np.empty(len(used), dtype=np.intp)
    else:
        position = np.zeros(len(column.dictionary), dtype=np.intp)
    position[used.to_numpy()] = np.arange(len(used))
    return position[column.indices.to_numpy()], ids.tolist()


def _target(column: pa.Array) -> np.ndarray:
    if is_number(column.type):
        return column.to_numpy(zero_copy_only=False)
    return np.asarray(column.to_pylist(), dtype=object)


def _files(paths: Paths) -> list[str]:
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    files: list[str] = []
    for path in map(Path, given):
        found = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not found or not all(f.exists() for f in found):
            raise FileNotFoundError(
                f"fit_parquet: path must be a Parquet file, a directory of them, or a list; "
                f"nothing found at {str(path)!r}."
            )
        files += [str(f) for f in found]
    if not files:
        raise ValueError("fit_parquet: path must name at least one file; got an empty list.")
    return files


def _open(path: str) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise ValueError(
            f"fit_parquet: path must be a Parquet file; {path!r} is none ({error})."
        ) from error


def _same_schema(schema: Any, found: Any, path: str, first: str) -> Any:
    if schema is not None and schema.names != found.names:
        raise ValueError(
            f"fit_parquet: files must have the same columns in one order; {path!r} has "
            f"{found.names}, {first!r} has {schema.names}. Rewrite it."
        )
    return found if schema is None else schema


def _partitions(metadata: pq.FileMetaData, path: str, number: int) -> list[Partition]:
    """Row groups in runs of about a million rows."""
    out: list[Partition] = []
    groups: list[int] = []
    rows = 0
    for g in range(metadata.num_row_groups):
        groups.append(g)
        rows += metadata.row_group(g).num_rows
        if rows >= _PARTITION_ROWS or g == metadata.num_row_groups - 1:
            out.append(Partition(path, tuple(groups), rows, number + len(out)))
            groups, rows = [], 0
    return out


def _ids(task: Spec, columns: Sequence[str], several: bool) -> tuple[str, ...]:
    """The columns of ids."""
    names = column_names(spelled_out(task, columns))
    if not names or not all(isinstance(n, str) for n in names) or (len(names) > 1 and not several):
        raise ValueError(
            f"fit_parquet: task must be the name of a column; got task={task!r}. Make the "
            "estimator with task='...'."
        )
    return tuple(map(str, names))


def _choose(
    schema: pa.Schema, ids: Sequence[str], target: str, features: Sequence[str] | None,
    weights: str | None,
) -> list[str]:  # fmt: skip
    wanted = list(features) if features is not None else None
    for role, name in [
        *(("task", task) for task in ids),
        ("target", target),
        *(("features", f) for f in wanted or ()),
    ]:
        if name not in schema.names:
            raise ValueError(
                f"fit_parquet: {role} must be a column of the file; got {name!r}. Columns are "
                f"{schema.names[:20]}."
            )
    names = wanted
    if names is None:  # without the unnamed index that pandas stores
        others = (n for n in schema.names if n not in (*ids, target, weights))
        names = [n for n in others if not n.startswith("__index_level_")]
    roles, several = {*ids, target}, len(ids) > 1
    if target in ids or roles.intersection(names) or not (names or several):
        raise ValueError(
            "fit_parquet: features, task and target must be different columns, with one feature "
            f"or more; got task={list(ids) if several else ids[0]!r}, target={target!r}, "
            f"features={names[:20]}."
        )
    return names
