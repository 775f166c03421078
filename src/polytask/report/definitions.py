"""What the words of the report mean, in sentences."""

from __future__ import annotations

from polytask.inspection.comparison import Comparison
from polytask.model_selection import METRICS
from polytask.report.formats import sentence

AVERAGES: dict[str, str] = {
    "tasks": "“Mean over tasks” computes it inside each task, then averages, so that each "
    "task counts alike.",
    "rows": "“Over all rows” computes it once on all rows, so that large tasks count more.",
    "worst": "“Worst task” is its value on the task where the model does worst.",
}


def metric_definitions(comparison: Comparison) -> list[tuple[str, str]]:
    """Return (title, meaning) of every metric in the comparison, then of the averages."""
    names = dict.fromkeys(comparison.metrics["metric"])
    known = [METRICS[name] for name in names if name in METRICS]
    pairs = [
        (sentence(metric.title), sentence(metric.text).replace(" - ", " − ") + ".")
        for metric in known
    ]
    averages = [AVERAGES[a] for a in dict.fromkeys(comparison.metrics["average"]) if a in AVERAGES]
    return [*pairs, ("Averages", " ".join(averages))] if averages else pairs


def word_definitions(comparison: Comparison) -> list[tuple[str, str]]:
    """Return (word, meaning) of gain, interval, labels and the other words of the tables."""
    level = f"{100 * comparison.level:g}\u00a0%"
    nominal = f"{100 * (1 - comparison.level):g}\u00a0%"
    base, loss = comparison.baseline, comparison.loss_title
    return [
        (
            "Gain",
            f"The {loss} of {base} minus the {loss} of the model, on rows that neither saw in "
            f"training. Above zero is better. In per cent it is a share of {base}’s loss.",
        ),
        (
            "Interval",
            f"A {level} confidence interval: over many repetitions of the study, that share of "
            "such intervals would hold the truth.",
        ),
        (
            "gains, harmed, undecided",
            "A task gains (or is harmed) where its gain differs from zero after control of false "
            f"discoveries: of all tasks so called, about {nominal} or fewer are expected to be "
            "called so by chance. Undecided means that its rows cannot tell, not that the gain "
            "is zero.",
        ),
        (
            "q",
            "The smallest false discovery rate at which the task would still be called.",
        ),
        (
            "Shrunken gain",
            "The task’s gain drawn towards the mean gain of all tasks, the more so the less "
            "its own rows prove; the best single guess for small tasks.",
        ),
        (
            "Rows to decide",
            "About how many rows the task would need for a clear label, if its true gain is the "
            "shrunken one.",
        ),
        (
            "Spread",
            "Standard deviation of the metric over folds; how much it moves from one split to "
            "the next, not an interval.",
        ),
    ]
