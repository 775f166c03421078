"""``polytask fit``: one model on all rows, saved with its preprocessing."""

from __future__ import annotations

import argparse
import warnings
from typing import TYPE_CHECKING

from polytask.cli.candidates import check_name, check_varying, make_candidate
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

    from polytask.models.shared_fits import SharedFits
    from polytask.tables import TaskTable
    from polytask.tables.stream_table import StreamTable

__all__ = ["OnAllRows", "run"]


def run(args: argparse.Namespace) -> int:
    """Fit and save."""
    from polytask.data.files import replacing
    from polytask.inspection.groupings import variances_in_words
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
    show_list(console, "Notes", [*table.notes, *told, *variances_in_words({args.model: model})])
    words = f"{args.model} fitted on {table.n_rows:,} rows of {len(table.task_ids):,} tasks"
    console.print(plain(f"{words}; saved in {out}, its card in {beside.name}"))
    return 0


def _fit_in_memory(
    args: argparse.Namespace, progress: Progress
) -> tuple[Pipeline, TaskTable | StreamTable, tuple[str, ...]]:
    table = read_task_table(args)
    progress.say(f"fitting {args.model}")
    varying = varying_names(args)
    candidate = make_candidate(args.model, table, args.seed, varying)
    check_varying(varying, [candidate], table)
    rows, table = OnAllRows(table), table.without_features()
    model, told = rows.fit(candidate, args.model)
    return model, table, told


class OnAllRows:
    """Fits Pipelines that prepare alike to every row; the first one prepares for all.

    Warnings of the class ``quiet`` are not told.
    """

    def __init__(self, table: TaskTable, quiet: type[Warning] | None = None) -> None:
        self.table, self.quiet = table, quiet

    def fit(self, pipeline: Pipeline, name: str) -> tuple[Pipeline, tuple[str, ...]]:
        """A fitted Pipeline, and the warnings that came."""
        from sklearn.pipeline import Pipeline

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if self.quiet is not None:
                warnings.simplefilter("ignore", self.quiet)
            try:
                model = self._fits(pipeline).fitted(pipeline[-1])
            except (ValueError, ArithmeticError) as error:
                raise refused(error, f"{name} cannot be fitted to this table: ") from error
        told = tuple(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))
        return Pipeline([*self._steps, (pipeline.steps[-1][0], model)]), told

    def _fits(self, pipeline: Pipeline) -> SharedFits:
        from polytask.data.memory import give_back
        from polytask.models.shared_fits import SharedFits

        if not hasattr(self, "_shared"):
            self._steps, X = pipeline.steps[:-1], self.table.X
            if self._steps:
                X = pipeline[:-1].fit_transform(X, self.table.y)
            self._shared = SharedFits(
                X, self.table.y, self.table.weights, groups=self.table.groups, time=self.table.time
            )
            del self.table  # the rows as read, where nobody else wants them
            give_back()
        return self._shared
