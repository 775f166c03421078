"""``polytask fit``: one model on all rows, saved with its preprocessing."""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

from polytask.cli.candidates import check_name, make_candidate
from polytask.cli.cluster import cluster
from polytask.cli.errors import refused
from polytask.cli.inputs import conventions, read_task_table, varying_names
from polytask.cli.outputs import check_file
from polytask.cli.progress import Progress
from polytask.cli.saved_model import card_in_words, make_card, save_model
from polytask.cli.screen import plain, screen, show_list
from polytask.cli.stream import fit_streamed, is_streamed

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from polytask.tables import TaskTable
    from polytask.tables.stream_table import StreamTable

__all__ = ["fit_on_all", "run"]


def run(args: argparse.Namespace) -> int:
    """Fit and save."""
    from polytask.data.files import replacing
    from polytask.tables import TableError

    out = check_file(args.out, not_over=(args.table,))
    if out.suffix != ".skops":
        raise TableError(f"must end in .skops; got {out.name!r}.", "out")
    check_name(args.model, "model")
    with Progress() as progress, cluster(args):
        fit = fit_streamed if is_streamed(args) else _fit_in_memory
        model, table, told = fit(args, progress)
        card = make_card(args.model, table, conventions(args).missing)
        words = card_in_words(model, card, args.table, (*table.notes, *told))
        beside = out.with_name(f"{out.stem}_card.md")
        with replacing(out) as archive, replacing(beside) as page:  # both whole before one appears
            save_model(model, card, archive, words)
            page.write_text(words, encoding="utf-8", errors="replace")
    console = screen()
    show_list(console, "Take care", table.warnings, "yellow")
    show_list(console, "Notes", [*table.notes, *told])
    words = f"{args.model} fitted on {table.n_rows:,} rows of {len(table.task_ids):,} tasks"
    console.print(plain(f"{words}; saved in {out}, its card in {beside.name}"))
    return 0


def _fit_in_memory(
    args: argparse.Namespace, progress: Progress
) -> tuple[Pipeline, TaskTable | StreamTable, tuple[str, ...]]:
    table = read_task_table(args)
    progress.say(f"fitting {args.model}")
    made = make_candidate(args.model, table, args.seed, varying_names(args))
    model, told = fit_on_all(made, args.model, table)
    return model, table, told


def fit_on_all(
    pipeline: Pipeline, name: str, table: TaskTable, like: Pipeline | None = None,
    quiet: type[Warning] | None = None,
) -> tuple[Pipeline, tuple[str, ...]]:  # fmt: skip
    """The pipeline fitted on every row, and the warnings that came.

    ``like`` is a fitted one that prepares alike: it is not prepared again; warnings of the class
    ``quiet`` are not told.
    """
    from sklearn.pipeline import Pipeline

    from polytask.models.held_fit import fit_held

    held = {"groups": table.groups, "time": table.time}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if quiet is not None:
            warnings.simplefilter("ignore", quiet)
        try:
            if like is None:
                fit_held(pipeline, table.X, table.y, **held)
            else:
                fit_held(pipeline[-1], like[:-1].transform(table.X), table.y, **held)
                pipeline = Pipeline([*like.steps[:-1], pipeline.steps[-1]])
        except (ValueError, ArithmeticError) as error:
            raise refused(error, f"{name} cannot be fitted to this table: ") from error
    return pipeline, tuple(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))
