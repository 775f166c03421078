"""What the words of the report mean, in sentences."""

from __future__ import annotations

from polytask.inspection.comparison import Comparison

METRICS: dict[str, str] = {
    "rmse": "Square root of the mean squared error, in units of the target; lower is better.",
    "mse": "Mean squared error, in squared units of the target; lower is better.",
    "mae": "Mean absolute error, in units of the target; lower is better.",
    "ev": "Share of the variance of the target that the predictions explain, "
    "1 − SSE / total; higher is better, 0 is what a constant reaches.",
    "ev_pooled": "Explained variance about the grand mean, 1 − SSE / variance of all rows; "
    "differences between the levels of the tasks count as something to explain.",
    "ev_within": "Explained variance inside tasks, 1 − SSE / sum of the variances about each "
    "task's own mean; knowing the tasks' levels earns nothing.",
    "r2": "1 − SSE / sum of squares about the mean; higher is better.",
    "log_loss": "Mean negative logarithm of the probability given to what happened; "
    "lower is better.",
    "auc": "Probability that a random positive row gets a higher score than a random negative "
    "one; 0.5 is chance.",
    "accuracy": "Share of rows whose class was predicted; higher is better.",
    "brier": "Mean squared difference between probability and outcome; lower is better.",
}
AVERAGES: dict[str, str] = {
    "tasks": "“Mean over tasks” computes it inside each task, then averages, so that each "
    "task counts alike.",
    "rows": "“Over all rows” computes it once on all rows, so that large tasks count more.",
    "worst": "“Worst task” is its value on the task where the model does worst.",
}


def metric_definitions(comparison: Comparison) -> list[tuple[str, str]]:
    """Return (title, meaning) of every metric in the comparison, then of the averages."""
    frame = comparison.metrics.drop_duplicates("metric")
    pairs = [
        (str(title).split(",")[0], METRICS[metric])
        for metric, title in zip(frame["metric"], frame["title"], strict=True)
        if metric in METRICS
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
