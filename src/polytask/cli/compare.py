"""``polytask compare``: models held to the same folds, the report, the best model."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polytask.cli.candidates import (
    BASELINE,
    MULTILEVEL,
    check_metric,
    check_varying,
    choose_models,
    make_candidate,
    names_of_groupings,
    suiting,
    with_groupings,
)
from polytask.cli.cluster import cluster
from polytask.cli.errors import refused
from polytask.cli.fit import OnAllRows
from polytask.cli.inputs import conventions, read_task_table, varying_names, wanted_models
from polytask.cli.leaderboard import show_comparison
from polytask.cli.outputs import check_directory
from polytask.cli.progress import Progress
from polytask.cli.questions import learning_curve_of, new_levels_of, new_tasks_of
from polytask.cli.relations import relatedness_of
from polytask.cli.saved_model import WORDS, card_in_words, make_card, save_model
from polytask.cli.screen import screen, without_nan
from polytask.cli.stream import compare_streamed, is_streamed
from polytask.tables.database import without_password

if TYPE_CHECKING:
    from polytask.inspection import NewLevels, NewTasks, TaskLearningCurve, TaskRelatedness
    from polytask.inspection.comparison import Comparison
    from polytask.inspection.displays import ShrinkageDisplay
    from polytask.inspection.sample import RowSample
    from polytask.tables import TaskTable
    from polytask.tables.stream_table import StreamTable

__all__ = ["run"]

FILES = ("report.html", "results.json", "tasks.csv", "model.skops", WORDS)


def run(args: argparse.Namespace) -> int:
    """Compare, write, show."""
    from polytask.inspection.groupings import variances_in_words
    from polytask.tables import TableError

    out = check_directory(args.out, FILES)
    names, added = choose_models(wanted_models(args), args.fast)
    if is_streamed(args):
        return _run_streamed(args, out)
    table = read_task_table(args)
    check_metric(args.metric, table.kind, table.loss)
    if table.groupings and args.models is None:
        names = (*names, MULTILEVEL)
    if table.kind == "survival" and args.weights:
        raise TableError(
            "must be left out with --event: a row is judged beside all that are at risk with it. "
            "polytask fit takes it.", "weights",
        )  # fmt: skip
    names = with_groupings(suiting(names, wanted_models(args), table.kind), table)
    table = dataclasses.replace(table, notes=(*table.notes, *added, *_one_grouping(table)))
    with Progress() as progress, cluster(args):
        comparison, sample = _compare(args, names, table, progress)
        best = best_model(comparison)
        progress.say(f"fitting {best} on all rows")
        whole = names_of_groupings(table)[-1:]
        models, told = _fit_all(args, comparison, (best, *whole), table)
        comparison = comparison.with_notes(*variances_in_words(models), warnings=told)
        progress.say("how the tasks are related")
        relatedness, untold = relatedness_of(models, sample)
        names = tuple(name for name in names if name in set(comparison.models["name"]))
        curve, short = learning_curve_of(args, names, table, progress)
        newcomers, missing = new_tasks_of(args, names, table, progress)
        levels, unasked = new_levels_of(models, "".join(whole), sample, args.metric)
        comparison = comparison.with_notes(*untold, *short, *missing, *unasked)
        progress.say("writing the report")
        _write(out, args, comparison, best, models, table, relatedness, curve, newcomers, levels)
    console = screen()
    extra = {"Learning curve": curve, "New tasks": newcomers, "New levels": levels}
    answers = {title: found.text for title, found in extra.items() if found is not None}
    show_comparison(console, comparison, [str(out / name) for name in FILES], best, answers)
    return 0


def _run_streamed(args: argparse.Namespace, out: Path) -> int:
    """The same for a table that is passed over."""
    with Progress() as progress, cluster(args):
        comparison, fitted, table = compare_streamed(args, progress)
        best = best_model(comparison)
        names = dict.fromkeys([best, BASELINE, comparison.verdict.focus])
        models = {name: fitted[name] for name in names if name in fitted}
        comparison = comparison.with_notes(
            "How the tasks are related is left out: it needs all rows in memory."
        )
        progress.say("writing the report")
        _write(out, args, comparison, best, models, table, None, None, None, None)
    show_comparison(screen(), comparison, [str(out / name) for name in FILES], best, {})
    return 0


def _one_grouping(table: TaskTable) -> tuple[str, ...]:
    """What models see that know one grouping, where there are several."""
    if not table.groupings:
        return ()
    further = ", ".join(repr("/".join(columns)) for columns in table.groupings[1:])
    return (
        f"Models other than multilevel ones know one grouping, {table.task!r}: {further} is left "
        "out of them.",
    )


def best_model(comparison: Comparison) -> str:
    """The recommended model."""
    from polytask.tables import TableError

    if comparison.recommended.model:
        return comparison.recommended.model
    models = comparison.models
    reasons = models.loc[models["status"] != "ok", "reason"].drop_duplicates().tolist()
    raise TableError(f"No model could be fitted to this table: {reasons[0]}")


def _compare(
    args: argparse.Namespace,
    names: tuple[str, ...],
    table: TaskTable,
    progress: Callable[[int, int, str], None],
) -> tuple[Comparison, RowSample]:
    import numpy as np

    from polytask.inspection.compare import compare_sample
    from polytask.inspection.named_estimators import takes
    from polytask.inspection.sample import read_sample, response_of
    from polytask.tables import TableError

    if len(table.sizes) < 2:
        raise TableError(
            f"must name a column with at least two tasks; {table.task!r} holds one. Choose the "
            "column that says which rows belong together.",
            "task",
        )
    varying = varying_names(args)
    candidates = {name: make_candidate(name, table, args.seed, varying) for name in names}
    check_varying(varying, candidates.values(), table)
    try:
        response = response_of(candidates, table.y, BASELINE)
        sample = read_sample(
            table.X, table.y, table.spec, response, table.together,
            groups=table.groups, time=table.time, sample_weight=table.weights,
        )  # fmt: skip
        rows = table.X.index if table.together is None else table.together
        sample = dataclasses.replace(sample, called=np.asarray(rows) + 1)
        able = {n: e for n, e in candidates.items() if takes(e, sample.response)}
        added = _left_out([n for n in candidates if n not in able], wanted_models(args), table)
        comparison = compare_sample(
            able,
            sample,
            cv=args.cv,
            n_repeats=args.repeats,
            metric=args.metric,
            baseline=BASELINE,
            random_state=args.seed,
            n_jobs=args.jobs,
            progress=progress,
        )
    except TableError:
        raise
    except ValueError as error:  # what the library refuses about a table or a choice
        raise refused(error) from error
    return comparison.with_notes(*table.notes, *added, warnings=table.warnings), sample


def _left_out(
    names: list[str], wanted: tuple[str, ...] | None, table: TaskTable
) -> tuple[str, ...]:
    """A note on models of a group that cannot take the target; one asked for by name is an error.

    Nothing is said of the models that nobody asked for.
    """
    from polytask.tables import TableError

    target = f"a target of {len(table.classes)} classes" if table.classes else "this target"
    named = [name for name in names if name in (wanted or ())]
    if named:
        raise TableError(
            f"must name models that take {target}; {named[0]!r} does not. Leave it out.", "models"
        )
    if not names or wanted is None:
        return ()
    return (f"Models that do not take {target} were left out: {', '.join(names)}.",)


def _fit_all(
    args: argparse.Namespace, comparison: Comparison, wanted: tuple[str, ...], table: TaskTable
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """On all rows: models wanted, the two whose shrinkage is drawn, those of a pattern."""
    from polytask.data.parse import LeftOutGrouping
    from polytask.inspection.preparations import by_preparation
    from polytask.models import formulations

    ok = set(comparison.models.loc[comparison.models["status"] == "ok", "name"])
    patterned = [name for name, formulation in formulations().items() if formulation.group]
    asked = dict.fromkeys([*wanted, BASELINE, comparison.verdict.focus, *patterned])
    names = [name for name in asked if name in ok]
    models, told = {}, {}
    varying = varying_names(args)
    made = {name: make_candidate(name, table, args.seed, varying) for name in names}
    for group in by_preparation(made):
        rows = OnAllRows(table, LeftOutGrouping)
        for name, pipeline in group.items():
            models[name], warned = rows.fit(pipeline, name)
            told.update(dict.fromkeys(f"{name}, fitted on all rows: {w}" for w in warned))
    return models, tuple(told)


def _write(
    out: Path,
    args: argparse.Namespace,
    comparison: Comparison,
    best: str,
    models: dict[str, Any],
    table: TaskTable | StreamTable,
    relatedness: TaskRelatedness | None,
    curve: TaskLearningCurve | None,
    newcomers: NewTasks | None,
    levels: NewLevels | None,
) -> None:
    from polytask.data.folders import staged
    from polytask.report import render_report

    with staged(out) as stage:
        picture = _shrinkage(models, comparison.verdict.focus, table.task)
        page = render_report(
            comparison,
            picture,
            relatedness=relatedness,
            learning_curve=curve,
            new_tasks=newcomers,
            new_levels=levels,
            fitted=models,
            tasks_csv="tasks.csv",
        )
        _write_text(stage / "report.html", page)
        content = {"table": without_password(args.table), "model": best, **comparison.to_dict()}
        content["relatedness"] = relatedness and relatedness.to_dict()
        content["learning_curve"] = curve and curve.to_dict()
        content["new_tasks"] = newcomers and newcomers.to_dict()
        content["new_levels"] = levels and levels.to_dict()
        _write_text(
            stage / "results.json",
            json.dumps(without_nan(content), indent=1, ensure_ascii=False, allow_nan=False),
        )
        comparison.tasks.to_csv(stage / "tasks.csv", index=False)
        card = make_card(best, table, conventions(args).missing)
        words = card_in_words(models[best], card, args.table, comparison.notes, comparison)
        save_model(models[best], card, stage / "model.skops", words)
        _write_text(stage / WORDS, words)


def _write_text(path: Path, text: str) -> None:
    """UTF-8, also where the name of a table is none."""
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")


def _shrinkage(models: dict[str, Any], focus: str, task: str) -> ShrinkageDisplay | None:
    """Coefficients alone and together, where both models have some for every task."""
    from polytask.inspection.displays import ShrinkageDisplay

    if focus == BASELINE or BASELINE not in models or focus not in models:
        return None
    single, joint = models[BASELINE][-1], models[focus][-1]
    if not (hasattr(single, "coef_") and hasattr(joint, "coef_") and hasattr(joint, "tasks_")):
        return None
    names = [name for name in joint.feature_names_in_ if name != task]
    if not names:  # levels only
        return None
    return ShrinkageDisplay.from_estimators(single, joint, feature_names=names)
