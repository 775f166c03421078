"""A comparison in the terminal: the verdict first, then models, tasks, notes, files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from polytask.cli.screen import number, plain, show_list, show_table

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from polytask.inspection.comparison import Comparison

__all__ = ["show_comparison"]

MOST_TASKS = 5  # on each side
ROOM_FOR_BOTH = 96  # columns that the averages over tasks and over rows need side by side


def show_comparison(
    console: Console,
    comparison: Comparison,
    paths: Sequence[str],
    best: str,
    answers: Mapping[str, str],
) -> None:
    """Print what a person wants to know before opening the report; `answers` are further ones."""
    from rich.text import Text

    verdict = comparison.verdict
    rest = verdict.text.removeprefix(verdict.headline).strip()
    console.print()
    show_list(console, "Take care", comparison.warnings, "yellow")
    console.print(Text(f"Proved: {plain(verdict.headline)}", style="bold"))
    if rest:
        console.print(plain(rest))
    console.print()
    if comparison.recommended.model:
        console.print(Text(f"Recommended: {plain(comparison.recommended.title)}", style="bold"))
        console.print(plain(comparison.recommended.text))
        console.print()
    _show_models(console, comparison)
    _show_tasks(console, comparison)
    for title, text in answers.items():
        show_list(console, title, [text])
    show_list(console, "Failed", _failures(comparison), "red")
    show_list(console, "Notes", comparison.notes)
    model = f"{paths[3]}  ({best}, fitted on all rows)"
    page = f"{paths[0]}  (open it in a browser)"
    show_list(console, "Written", [page, *paths[1:3], model, *paths[4:]])


def _show_models(console: Console, comparison: Comparison) -> None:
    fitted = comparison.models[comparison.models["status"] == "ok"]
    other = _other_average(comparison) if console.width >= ROOM_FOR_BOTH else []
    titles = [f"{comparison.metric_title} ({comparison.level:.0%} interval)"]
    titles += [title for _, title in other]
    titles += [f"less {comparison.loss_title}", "tasks better / worse", "s per fit"]
    rows = [
        (
            row["title"],
            f"{number(row['metric'])} ({number(row['low'])} to {number(row['high'])})",
            *(number(row[column]) for column, _ in other),
            *(("", "") if row["name"] == comparison.baseline else _against(row)),
            f"{row['seconds']:.2f}",
        )
        for _, row in fitted.iterrows()
    ]
    bold = [k for k, name in enumerate(fitted["name"]) if name == comparison.verdict.model]
    head = [("model", "left"), *((title, "right") for title in titles)]
    show_table(console, "Models, best first", head, rows, bold=bold)


def _other_average(comparison: Comparison) -> list[tuple[str, str]]:
    """The same metric averaged the other way: over rows where the primary is over tasks."""
    metrics = comparison.metrics
    primary = metrics[metrics["column"] == comparison.metric]
    if primary.empty:
        return []
    same = metrics[(metrics["metric"] == primary["metric"].iloc[0])
                   & (metrics["column"] != comparison.metric)]  # fmt: skip
    return [(row["column"], row["title"]) for _, row in same.iterrows()][:1]


def _against(row: pd.Series) -> tuple[str, str]:
    """Relative gain over the baseline, tasks that are clearly better and clearly worse."""
    gain = f"{row['gain']:+.1%}" if row["gain"] > -1e4 else "< −1,000,000%"
    return (gain, f"{row['n_gains']:.0f} / {row['n_harmed']:.0f}")


def _show_tasks(console: Console, comparison: Comparison) -> None:
    """The tasks that gain most and that lose most, by gains from which noise was taken out.

    The raw gain of a small task is mostly noise: ranked by it, small tasks would fill both ends.
    """
    known = comparison.tasks.dropna(subset=["gain", "shrunken"])
    ranked = known.sort_values("shrunken", ascending=False)
    most, least = ranked[ranked["shrunken"] > 0], ranked[ranked["shrunken"] < 0].iloc[::-1]
    titles = comparison.models.set_index("name")["title"]
    model = titles.get(comparison.verdict.focus, comparison.verdict.focus)
    names = ("rows", "likely gain", f"{comparison.level:.0%} interval", "as measured")
    head = [("task", "left"), *((name, "right") for name in names), ("", "left")]
    for words, tasks in (("gain most", most), ("lose most", least)):
        if not tasks.empty:
            rows = [_task_row(task) for _, task in tasks.head(MOST_TASKS).iterrows()]
            title = f"Tasks that {words} by {model} ({comparison.loss_title})"
            show_table(console, title, head, rows)


def _task_row(task: pd.Series) -> tuple[Any, ...]:
    label = {"gains": "clearly better", "harmed": "clearly worse"}.get(task["label"], "")
    span = f"{number(task['shrunken_low'])} to {number(task['shrunken_high'])}"
    likely, measured = number(task["shrunken"]), number(task["gain"])
    return (task["task"], f"{task['rows']:,}", likely, span, measured, label)


def _failures(comparison: Comparison) -> list[str]:
    failed = comparison.models[comparison.models["status"] != "ok"]
    return [f"{row['title']}: {row['reason']}" for _, row in failed.iterrows()]
