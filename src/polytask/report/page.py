"""Write the one-page report of a comparison."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from polytask.data.files import replacing
from polytask.inspection import NewLevels, NewTasks, TaskLearningCurve, TaskRelatedness
from polytask.inspection.comparison import Comparison
from polytask.inspection.displays import LeaderboardDisplay, ShrinkageDisplay, TaskGainDisplay
from polytask.report import formats, tables
from polytask.report.card import Section, harm_section, reached_section, use_section
from polytask.report.curves import curve_content
from polytask.report.definitions import metric_definitions, word_definitions
from polytask.report.figures import draw
from polytask.report.fitted import (
    bent_curves,
    fitted_table,
    found_table,
    importance_table,
    mixed_tables,
    objectives_table,
)
from polytask.report.newcomers import new_levels_content, new_tasks_content
from polytask.report.patterns import pattern_figures
from polytask.report.relations import relatedness_content
from polytask.report.summary import data_facts, how_facts, key_numbers, rest_of_verdict, title_of

_CITATION = (
    "Polytask, version {version}: multi-task learning for tables with a task column. BSD-3-Clause."
)


def write_report(
    comparison: Comparison,
    path: str | os.PathLike[str],
    *,
    shrinkage: ShrinkageDisplay | None = None,
    relatedness: TaskRelatedness | None = None,
    learning_curve: TaskLearningCurve | None = None,
    new_tasks: NewTasks | None = None,
    new_levels: NewLevels | None = None,
    fitted: Mapping[str, Any] | None = None,
    tasks_csv: str | None = None,
    citation: str | None = None,
) -> Path:
    """Write the report: one HTML file that asks nothing of anywhere.

    Parameters
    ----------
    comparison : Comparison
        What :func:`polytask.inspection.compare_tasks` found.
    path : path-like
        The file, by custom ``report.html``; written under a temporary name and renamed.
    shrinkage : ShrinkageDisplay, optional
        Coefficients alone and together; the section is left out without it.
    relatedness : TaskRelatedness, optional
        Correlations, groups, tasks that stand apart, coefficients; left out without it.
    learning_curve : TaskLearningCurve, optional
        What sharing is worth in rows; left out without it.
    new_tasks : NewTasks, optional
        What a new task with k rows would get; left out without it.
    new_levels : NewLevels, optional
        What a new level of each grouping costs; left out without it.
    fitted : mapping of str to estimator, optional
        Models fitted on all rows, by name: their strengths and certificates are shown.
    tasks_csv : str, optional
        Name of a CSV file beside the report that holds every task; the report points to it.
    citation : str, optional
        Line at the foot instead of the package's own.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        The folder does not exist or cannot be written.

    Examples
    --------
    >>> from polytask.report import write_report
    >>> write_report(comparison, "report.html")  # doctest: +SKIP
    PosixPath('report.html')
    """
    text = render_report(
        comparison,
        shrinkage,
        relatedness=relatedness,
        learning_curve=learning_curve,
        new_tasks=new_tasks,
        new_levels=new_levels,
        fitted=fitted,
        tasks_csv=tasks_csv,
        citation=citation,
    )
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    return Path(path)


def render_report(
    comparison: Comparison,
    shrinkage: ShrinkageDisplay | None = None,
    *,
    relatedness: TaskRelatedness | None = None,
    learning_curve: TaskLearningCurve | None = None,
    new_tasks: NewTasks | None = None,
    new_levels: NewLevels | None = None,
    fitted: Mapping[str, Any] | None = None,
    tasks_csv: str | None = None,
    citation: str | None = None,
) -> str:
    """Return the page as text, as in `write_report`; the same comparison gives the same bytes."""
    from markupsafe import Markup

    style, script = _asset("report.css"), _asset("report.js")  # no user text in these two
    version = comparison.provenance.versions.get("polytask", "")
    text: str = (
        _environment()
        .get_template("report.html.j2")
        .render(
            _content(comparison),
            figures=_figures(comparison, shrinkage),
            relations=relatedness and relatedness_content(relatedness),
            curve=learning_curve and curve_content(learning_curve),
            newcomers=new_tasks and new_tasks_content(new_tasks),
            levels=new_levels and new_levels_content(new_levels),
            fitted=fitted_table(fitted or {}),
            mixed=mixed_tables(fitted or {}),
            found=found_table(fitted or {}),
            bends=bent_curves(fitted or {}),
            patterns=pattern_figures(fitted or {}),
            importance=importance_table(fitted or {}),
            card=_card(comparison, fitted or {}),
            objectives=objectives_table(comparison.models["name"].tolist()),
            coefficients=shrinkage and tables.coefficients_table(shrinkage.summary()),
            tasks_csv=tasks_csv,
            citation=citation or _CITATION.format(version=version),
            style=Markup(style),
            script=Markup(script),
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
    )
    return text.replace("\0", "\ufffd")  # the one character that HTML has no way to write


def _content(comparison: Comparison) -> dict[str, Any]:
    """Return every table, number and sentence that the page shows."""
    return {
        "comparison": comparison,
        "verdict": comparison.verdict,
        "focus": title_of(comparison, comparison.verdict.focus),
        "lead": rest_of_verdict(comparison.verdict),
        "numbers": key_numbers(comparison),
        "date": formats.moment(comparison.provenance.date),
        "models": tables.models_table(comparison),
        "metrics": tables.metrics_table(comparison),
        "tasks": tables.tasks_table(comparison),
        "strengths": tables.strengths_table(comparison),
        "folds": tables.folds_table(comparison),
        "data": data_facts(comparison),
        "how": how_facts(comparison),
        "words": word_definitions(comparison),
        "metric_words": metric_definitions(comparison),
    }


def _card(comparison: Comparison, fitted: Mapping[str, Any]) -> list[Section]:
    """What a reader of the model's card has to know and the page does not say elsewhere."""
    name = next((n for n in (comparison.verdict.model, *fitted) if n in fitted), None)
    if name is None:
        return []
    estimator = fitted[name]
    return [
        use_section(estimator, str(comparison.task), comparison.target),
        harm_section(name, comparison),
        reached_section(estimator),
    ]


def _figures(comparison: Comparison, shrinkage: ShrinkageDisplay | None) -> dict[str, Any]:
    """Draw every figure that the page shows, with what its caption has to admit."""
    board = LeaderboardDisplay.from_results(comparison)
    gain = TaskGainDisplay.from_results(comparison)
    found = {
        "models": draw(
            board, key="models", title="Models", height=board.height, narrow={"wrap": 14}
        ),
        "tasks": draw(gain, key="tasks", title="Gain of each task", height=4.0),
        "tasks_beyond": gain.n_beyond_,
    }
    if shrinkage is not None:
        height = shrinkage.height()
        found["shrinkage"] = draw(shrinkage, key="shrink", title="Coefficients", height=height)
        found["shrinkage_beyond"] = shrinkage.n_beyond_
        found["shrinkage_shown"] = len(shrinkage.shown_)
    return found


def _environment() -> Any:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("polytask.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    return files("polytask.report").joinpath("templates", name).read_text(encoding="utf-8")
