"""What the models that were fitted on all rows say of themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from polytask.inspection.displays import CurveDisplay
from polytask.inspection.roles import final_step, strengths_of, strengths_text, title_of
from polytask.models.registry import formulations
from polytask.report import formats as f
from polytask.report.figures import draw
from polytask.report.tables import Cell, Column, Table

__all__ = [
    "CERTIFICATES",
    "as_formula",
    "bent_curves",
    "fitted_table",
    "found_table",
    "importance_table",
    "mixed_tables",
    "objectives_table",
]

_MOST_CURVES, _MOST_FEATURES = 3, 12
_LEAST_WEIGHT = 0.05  # of a candidate that is shown by itself
_MOST_COEFFICIENTS = 40  # of which a table is read
_MOST_PROFILED = 12  # whose deviations have intervals, which take longer with every other
CERTIFICATES = {"global": "global optimum", "stationary": "stationary point"}


def objectives_table(names: list[str]) -> Table | None:
    """What each model minimizes; None where none of them is a formulation."""
    known = formulations()
    rows = [
        [Cell(known[name].title), Cell(as_formula(known[name].objective))]
        for name in names
        if name in known
    ]
    columns = [Column("Model", "text"), Column("Objective", "words")]
    caption = "Objectives; R is the mean over tasks of the mean loss over rows"
    return Table("objectives", caption, columns, rows) if rows else None


def as_formula(text: str) -> str:
    """Write a formula as the papers do.

    Examples
    --------
    >>> as_formula("min over DW: R(w0 + Dw_i) + alpha ||DW||_F^2")
    'min over ΔW: R(w0 + Δw_i) + alpha ‖ΔW‖_F²'
    """
    return re.sub(r"\bD(?=[Wwb])", "Δ", text).replace("||", "‖").replace("^2", "²")


def fitted_table(fitted: Mapping[str, Any]) -> Table | None:
    """Strengths, optimality and certificate of models fitted on all rows."""
    rows = []
    for name, estimator in fitted.items():
        model = final_step(estimator)
        if not hasattr(model, "certificate_"):
            continue
        rows.append(
            [
                Cell(title_of(name)),
                Cell(strengths_text([strengths_of(estimator)]) or f.MISSING),
                Cell(_plain(getattr(model, "objective_", None))),
                Cell(_plain(getattr(model, "violation_", None))),
                Cell(CERTIFICATES.get(str(model.certificate_), str(model.certificate_))),
                Cell(str(getattr(model, "solver_", f.MISSING))),
            ]
        )
    columns = [
        Column("Model", "text"),
        Column("Strengths", "words"),
        Column("Objective"),
        Column("Violation"),
        Column("Certificate", "text"),
        Column("Solver", "words"),
    ]
    caption = "Fitted on all rows: chosen strengths, and how near the optimum the solver came"
    return Table("fitted", caption, columns, rows) if rows else None


def mixed_tables(fitted: Mapping[str, Any]) -> list[Table]:
    """Of every mixed model fitted on all rows: w0 and the deviations between tasks."""
    found: list[Table] = []
    for name, estimator in fitted.items():
        model = final_step(estimator)
        groupings = getattr(model, "groupings_", ())
        mixed = hasattr(model, "_mixed_state_") or groupings
        if not mixed or not hasattr(model, "summary"):
            continue
        if len(model.common_coef_) > _MOST_COEFFICIENTS:
            continue
        profiled = not groupings and len(model.common_coef_) <= _MOST_PROFILED
        table = model.summary() if groupings else model.summary(profiles=profiled)
        columns = [
            Column("Coefficient", "text"),
            Column("Common part"),
            Column("95\u00a0% interval", "interval"),
        ]
        for of in groupings or ("tasks",):
            columns.append(Column(f"Deviation between {of}"))
        if profiled:
            columns += [Column("95\u00a0% interval", "interval"), Column("p of no deviation")]
        rows = [
            [
                Cell(str(at)),
                Cell(_plain(line["common"])),
                Cell(f.interval(line["low"], line["high"], 3)),
                *(Cell(_plain(line[of])) for of in groupings or ("deviation",)),
                *(_deviation_test(line) if profiled else ()),
            ]
            for at, line in table.iterrows()
        ]
        caption = f"{title_of(name)}: what tasks share, and how far they differ"
        found.append(Table(f"mixed-{len(found)}", caption, columns, rows))
    return found


def _deviation_test(line: Any) -> tuple[Cell, Cell]:
    """The interval of a deviation between tasks, and the p-value of none."""
    ends = f.interval(line["deviation_low"], line["deviation_high"], 3)
    return Cell(ends), Cell(_plain(line["deviation_p"]))


def found_table(fitted: Mapping[str, Any]) -> Table | None:
    """Tasks that models which were fitted on all rows name: outliers, clusters, change points."""
    rows = []
    for name, estimator in fitted.items():
        model = final_step(estimator)
        for attribute, words in getattr(model, "tells", {}).items():
            named = np.asarray(getattr(model, attribute))
            found = _tasks_named(model.tasks_, named, model._told_sizes())
            rows.append([Cell(title_of(name)), Cell(words), Cell(found)])
    columns = [Column("Model", "text"), Column("What", "words"), Column("Tasks", "words")]
    caption = (
        "What models fitted on all rows found, the largest part or change first, with its share of "
        "all; a larger strength names fewer"
    )
    return Table("found", caption, columns, rows) if rows else None


def _with_candidates(fitted: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Key, title and model of each, and of the candidates that weigh something in it."""
    for name, estimator in fitted.items():
        model = final_step(estimator)
        yield name, title_of(name), model
        weights = dict(
            zip(
                getattr(model, "candidates_", ()),
                getattr(model, "common_weights_", ()),
                strict=False,
            )
        )
        for each, weight in weights.items():
            if weight >= _LEAST_WEIGHT and each not in fitted:
                title = f"{title_of(each)} ({f.percent(weight)} of {title_of(name).lower()})"
                yield f"{name}-{each}", title, model.estimators_[each]


def bent_curves(fitted: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Figures of the features that bend most, in models that have curves."""
    found = []
    for name, called, model in _with_candidates(fitted):
        for k in getattr(model, "bending", list)()[:_MOST_CURVES]:
            names = [n for n in getattr(model, "feature_names_in_", ()) if n != model.task]
            feature = names[k] if names else k
            display = CurveDisplay.from_estimator(model, feature, unit="as the model sees it")
            title = f"{called}: {feature}"
            drawn = draw(display, key=f"bend-{name}-{k}", title=title, height=2.8)
            found.append({"figure": drawn, "feature": str(feature), "tasks": display.names})
    return found


def importance_table(fitted: Mapping[str, Any]) -> Table | None:
    """How much the features matter that matter most, in models that say so."""
    rows = []
    for _, called, model in _with_candidates(fitted):
        share = getattr(model, "importance_", np.zeros(0))
        names = [n for n in getattr(model, "feature_names_in_", ()) if n != model.task]
        for k in np.argsort(-share, kind="stable")[:_MOST_FEATURES]:
            feature = str(names[k]) if names else f"feature {k}"
            rows.append([Cell(called), Cell(feature), Cell(f.percent(share[k]))])
    columns = [Column("Model", "text"), Column("Feature", "words"), Column("Total effect")]
    caption = "Share of the predictions' variance that goes through a feature, alone or with others"
    return Table("importance", caption, columns, rows) if rows else None


def _tasks_named(tasks: np.ndarray, value: np.ndarray, sizes: np.ndarray | None) -> str:
    """Ids with shares of the sizes, or where every task has a label the ids of each label."""
    if sizes is not None:
        share = sizes / max(float(sizes.sum()), np.finfo(float).tiny)
        first = [i for i in np.argsort(-share, kind="stable") if np.isin(tasks[i], value)]
        return ", ".join(f"{tasks[i]} ({f.percent(share[i], 0)})" for i in first) or "none"
    groups = [tasks[value == label] for label in np.unique(value)]
    return "; ".join(f"{k}: {', '.join(map(str, group))}" for k, group in enumerate(groups, 1))


def _plain(value: Any) -> str:
    return f.MISSING if value is None or value != value else f"{float(value):.2g}"
