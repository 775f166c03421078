"""``polytask predict``: a saved model's answers for the rows of a table."""

from __future__ import annotations

import argparse
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.cli.inputs import conventions
from polytask.cli.outputs import check_file
from polytask.cli.progress import Progress
from polytask.cli.saved_model import ModelCard, load_model, unsuitable
from polytask.cli.screen import plain, screen, show_list

if TYPE_CHECKING:
    import pandas as pd

    from polytask.tables.reading import Reading

__all__ = ["run"]


def run(args: argparse.Namespace) -> int:
    """Predict and write."""
    from polytask.tables import write_table
    from polytask.tables.errors import find_column
    from polytask.tables.reading import read_whole
    from polytask.tables.text_values import without_commas
    from polytask.tables.writing import check_ending

    out = check_file(args.out, not_over=(args.model, args.table))
    check_ending(out)
    with Progress() as progress:
        progress.say("loading the model")
        model, card = load_model(args.model)
        _check_times(args.survival_at, card)
        # Numbers are read as numbers; every other column is passed on letter by letter.
        read = read_whole(
            args.table,
            as_text=lambda name: name not in card.numeric,
            given=conventions(args, card.missing),
        )
        columns = _columns(read.table, card)
        held = [find_column(name, list(read.table.columns), "TABLE") for name in card.columns]
        table, points = without_commas(read.table, held)
        X = _features(columns, card)
        unlike = _unlike(replace(read, table=columns), X, card, args.strict)
        if card.targets:
            X = _for_each_target(X, card)
        X = X[_in_order(model, list(X.columns))]
        unseen = ~X[card.task].isin(card.tasks)
        same = getattr(model[-1], "unseen", "error") == "common"  # one model for all tasks
        _check_unseen(X[card.task][unseen], columns, card, "common" if same else args.unseen)
        progress.say("predicting")
        try:
            found, told = _predict(model, X, card, args.unseen, args.survival_at)
        except Exception as error:  # the table was checked, so it is the model that fails
            raise unsuitable(args.model, card, error) from error
        if card.targets:
            found = _by_target(found, card)
        else:
            found["unseen_task"] = unseen.to_numpy()
        renamed = _free_names(list(found), list(table.columns))
        for name, values in found.items():
            table[renamed[name]] = values
        write_table(table, out)
    straight, narrow = _straight(model, X), _narrow(model, card, int(unseen.sum()))
    notes = (*read.notes, *unlike, *told, *straight, *narrow, *points, *_naming_notes(renamed))
    _show(str(out), card, int(unseen.sum()), len(table), notes)
    return 0


def _columns(table: pd.DataFrame, card: ModelCard) -> pd.DataFrame:
    """The columns that the model was fitted on, as they stand in the table, in its order."""
    from polytask.tables import TableError
    from polytask.tables.errors import find_column, name_list

    found, absent = {}, {}
    for name in card.columns:
        try:
            found[name] = find_column(name, list(table.columns), "TABLE")
        except TableError as error:
            absent[name] = error.message
    if absent:
        verb, hint = "are", f"Its columns are {name_list(table.columns)}."
        if len(absent) == 1:
            verb, hint = "is", next(iter(absent.values())).split(". ", 1)[1]
        raise TableError(
            "must have the columns that the model was fitted on; "
            f"{name_list(absent)} {verb} missing. {hint}",
            "TABLE",
        )
    return table[list(found.values())].set_axis(list(found), axis=1)


def _features(columns: pd.DataFrame, card: ModelCard) -> pd.DataFrame:
    """The same in the types that the model takes."""
    import pandas as pd

    from polytask.tables.columns import as_feature
    from polytask.tables.task_ids import match_ids

    kinds = {
        **dict.fromkeys(card.numeric, "numeric"),
        **dict.fromkeys(card.categorical, "categorical"),
    }
    made = {name: as_feature(columns[name], kind) for name, kind in kinds.items()}
    if not card.targets:
        made[card.task] = match_ids(columns[card.task], card.id_form, card.tasks)
    for name, known in card.groupings.items():
        made[name] = match_ids(columns[name], known.id_form, known.levels)
    return pd.DataFrame(made)


def _in_order(model: Any, columns: list[str]) -> list[str]:
    """The columns as the model met them in its fit, by which some tell them apart."""
    met = [str(name) for name in getattr(model, "feature_names_in_", ())]
    return sorted(columns, key=lambda name: met.index(name) if name in met else -1)


def _for_each_target(X: pd.DataFrame, card: ModelCard) -> pd.DataFrame:
    """The rows once for every target, below each other."""
    import pandas as pd

    from polytask.tables.task_ids import match_ids

    ids = pd.Series([name for name in card.targets for _ in range(len(X))], dtype=object)
    long = pd.concat([X] * len(card.targets), ignore_index=True)
    return long.assign(**{card.task: match_ids(ids, card.id_form, card.tasks)})


def _by_target(found: dict[str, Any], card: ModelCard) -> dict[str, Any]:
    """A column for every target: prediction_y1, prediction_y2, …"""
    parts = {name: np.split(np.asarray(v), len(card.targets)) for name, v in found.items()}
    return {
        f"{name}_{target}": part[k]
        for k, target in enumerate(card.targets)
        for name, part in parts.items()
    }


def _unlike(read: Reading, X: pd.DataFrame, card: ModelCard, strict: bool) -> tuple[str, ...]:
    """What the model did not see in training; an error where nothing of that is wanted."""
    from polytask.tables import TableError
    from polytask.tables.training import unlike_training

    told = unlike_training(read.table, X, card.seen, read.units)
    if told and strict:
        raise TableError(
            "TABLE must hold only what training had, because of --strict; " + " ".join(told)
        )
    return told


def _straight(model: Any, X: pd.DataFrame) -> tuple[str, ...]:
    """Where curves are lines: beyond the values of training."""
    from polytask.tables.errors import name_list, plural

    last = getattr(model[-1], "estimator_", model[-1])
    found = last.beyond(model[:-1].transform(X)) if hasattr(last, "beyond") else {}
    if not found:
        return ()
    rows = plural(int(np.any(list(found.values()), axis=0).sum()), "row")
    return (f"Beyond the training values of {name_list(found)}: {rows}. Curves are lines there.",)


def _check_unseen(ids: pd.Series, columns: pd.DataFrame, card: ModelCard, unseen: str) -> None:
    from polytask.tables import TableError
    from polytask.tables.errors import name_list, plural

    if unseen == "common" or ids.empty:
        return
    ids = columns.loc[ids.index, card.task]  # as they stand in the table
    names = ids.astype(object).fillna("no id").drop_duplicates()
    raise TableError(
        f"must be 'common' for tasks that were not in training; got 'error', and {card.task!r} "
        f"holds {name_list(names, 5)} ({plural(len(ids), 'row')}). Leave them out, or accept "
        "predictions from what the tasks share.",
        "unseen",
    )


def _check_times(times: list[float] | None, card: ModelCard) -> None:
    from polytask.tables import TableError

    if times and card.kind != "survival":
        raise TableError(
            f"must be left out for a {card.kind}; it is for times to an event (fit --event).",
            "survival-at",
        )


def _predict(
    model: Any, X: pd.DataFrame, card: ModelCard, unseen: str, times: list[float] | None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    if unseen == "common":
        for inner in (model[-1], *_inside(model[-1])):
            if "unseen" in inner.get_params(deep=False):
                inner.set_params(unseen="common")
    from polytask.inspection.roles import ask

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = {"prediction": model.predict(X)}
        if hasattr(model[-1], "predict_quantiles"):
            each = ask(model, "predict_quantiles", X).T
            names = [f"quantile_{q:g}" for q in model[-1].quantiles]
            found |= dict(zip(names, each, strict=True))
        if hasattr(model, "predict_proba"):
            p, levels = model.predict_proba(X), card.classes or card.levels or _levels(model[-1])
            if card.levels:
                found["prediction"] = np.asarray(levels, dtype=object)[p.argmax(axis=1)]
            many = {_of_level(level): p[:, k] for k, level in enumerate(levels)}
            found |= many if len(card.classes) != 2 else {"probability": p[:, 1]}
        if times:
            curves = model[-1].predict_survival(model[:-1].transform(X), times)
            found |= {f"survival_{t:g}": curves[:, k] for k, t in enumerate(times)}
    return found, tuple(dict.fromkeys(" ".join(str(w.message).split()) for w in caught))


def _inside(model: Any) -> tuple[Any, ...]:
    """Fitted models that it is around."""
    return tuple(
        getattr(model, "estimators_", None) or filter(None, [getattr(model, "estimator_", None)])
    )


def _levels(model: Any) -> Any:
    """Ordered levels without names."""
    return model.classes_ if hasattr(model, "classes_") else model.response_.levels


def _of_level(level: Any) -> str:
    """Name of the column with the probability of a class or an ordered level."""
    return f"probability_{level:g}" if isinstance(level, float) else f"probability_{level}"


def _free_names(new: list[str], taken: list[str]) -> dict[str, str]:
    """Names for new columns that overwrite none of the table's own."""
    free = {}
    for name in new:
        candidate, count = name, 1
        while candidate in taken:
            count += 1
            candidate = f"{name}_{count}"
        free[name] = candidate
    return free


def _naming_notes(renamed: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        f"The table has a column {name!r} already; the new one is called {new!r}."
        for name, new in renamed.items()
        if name != new
    )


def _narrow(model: Any, card: ModelCard, unseen: int) -> tuple[str, ...]:
    """A note on intervals of tasks that were not in training; pooled ones hold how tasks differ."""
    if not unseen or card.model == "pooled" or not hasattr(model[-1], "predict_quantiles"):
        return ()
    return (
        "Quantiles of tasks that were not in training are those of rows about what the tasks "
        "share: they leave out how far tasks differ, so that an interval holds fewer rows than it "
        "says.",
    )


def _show(out: str, card: ModelCard, unseen: int, rows: int, notes: tuple[str, ...]) -> None:
    from polytask.tables.errors import plural

    console = screen()
    show_list(console, "Notes", notes)
    share = f"{plural(unseen, 'row')} of tasks that were not in training"
    console.print(plain(f"{plural(rows, 'row')} predicted by {card.model}; {share}"))
    if len(card.classes) == 2:
        console.print(plain(f"probability is that of {card.target} = {card.classes[1]}"))
    if card.kind == "survival":
        words = f"the larger, the earlier the event ({card.event!r})"
        console.print(plain(f"prediction is the log of the relative hazard: {words}"))
    console.print(plain(f"written: {out}"))
