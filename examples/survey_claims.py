"""Two claims of the multi-task learning survey, on tasks whose truth is known.

1. With related tasks and few rows per task, learning together is far ahead of learning alone.
2. With independent tasks it has no advantage, whatever the number of rows.

Run it: `python examples/survey_claims.py` writes `survey_claims.png` and prints the numbers.

Rows are standard normal, so the expected squared error on new rows, beyond the noise, is exactly
the squared distance of the estimated coefficients to the true ones. No test set is drawn. A model
that predicts zero everywhere has an error of about one.

The survey's models have no intercept, and the tasks here need none: every level is zero. A model
that fits one all the same would gain by sharing it, for a good reason: a level that all tasks share
is something in common.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd

from polytask import MeanRegularizedRegressor, PooledRegressor, SingleTaskRegressor
from polytask.datasets import Truth, make_independent_tasks, make_related_tasks

WORLDS = {
    "Related tasks": make_related_tasks,
    "Independent tasks": partial(make_independent_tasks, level=0.0),
}
MODELS = {
    "single-task": SingleTaskRegressor,
    "pooled": PooledRegressor,
    "mean-regularized": MeanRegularizedRegressor,
}
# Single-task is drawn first and wide, so that it shows where another line lies on it.
WIDTHS = {"single-task": 5, "pooled": 1.8, "mean-regularized": 1.8}
COLOURS = {"single-task": "#b0b0b0", "pooled": "#c77c11", "mean-regularized": "#0b62a4"}
ROWS = (4, 6, 10, 20, 40, 80, 160)


def excess_error(model: Any, truth: Truth) -> float:
    """Expected squared error on new rows beyond the noise, averaged over tasks."""
    return float(((model.coef_ - truth.coef) ** 2).sum(axis=1).mean())


def measure(
    rows: Sequence[int] = ROWS, n_repeats: int = 10, n_tasks: int = 30, n_features: int = 10
) -> pd.DataFrame:
    """Fit every model in both worlds: one line per world, rows per task, repeat and model."""
    lines = []
    for world, make in WORLDS.items():
        for n_rows in rows:
            for repeat in range(n_repeats):
                X, y, truth = make(n_tasks, n_features, n_rows, random_state=repeat)
                for name, model in MODELS.items():
                    fitted = model(task="task", fit_intercept=False).fit(X, y)
                    error = excess_error(fitted, truth)
                    lines.append((world, n_rows, repeat, name, error))
    return pd.DataFrame(lines, columns=["world", "rows", "repeat", "model", "error"])


def draw(errors: pd.DataFrame) -> plt.Figure:
    """One panel per world: error against rows per task, mean and range over the repeats."""
    figure, panels = plt.subplots(
        1, len(WORLDS), figsize=(9, 3.8), sharey=True, layout="constrained"
    )
    for panel, world in zip(panels, WORLDS, strict=True):
        for name in MODELS:
            one = errors[(errors["world"] == world) & (errors["model"] == name)]
            by_rows = one.groupby("rows")["error"]
            mean, low, high = by_rows.mean(), by_rows.min(), by_rows.max()
            style = {"color": COLOURS[name], "linewidth": WIDTHS[name], "label": name}
            panel.plot(mean.index, mean, marker="o", markersize=2 + WIDTHS[name], **style)
            panel.fill_between(mean.index, low, high, color=COLOURS[name], alpha=0.15, linewidth=0)
        panel.set_xscale("log")
        ticks = sorted(errors["rows"].unique())
        panel.set_xticks(ticks, [str(n) for n in ticks])
        panel.minorticks_off()
        panel.set(title=world, xlabel="rows per task", ylim=(0, None))
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("squared error on new rows,\nbeyond the noise")
    panels[-1].legend(frameon=False)
    return figure


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the means, and save the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=10, help="samples per point (default 10)")
    parser.add_argument("--out", type=Path, default=Path("survey_claims.png"))
    options = parser.parse_args(arguments)
    errors = measure(n_repeats=options.repeats)
    means = errors.pivot_table(index=["world", "rows"], columns="model", values="error", sort=False)
    print(means[list(MODELS)].round(3).to_string())
    draw(errors).savefig(options.out, dpi=150)
    print(f"figure: {options.out}")


if __name__ == "__main__":
    main()
