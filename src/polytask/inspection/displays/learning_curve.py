"""Loss against rows per task, and how many rows sharing saves."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.inspection.displays.style import PALETTE, axes_for, digits_for, house_style, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from polytask.inspection.learning_curve import TaskLearningCurve

_POOLED = ("harmed", "s")
_LOOKS = [("accent", "D"), ("ink", "^"), ("faint", "v"), ("muted", "P")]


class TaskLearningCurveDisplay:
    """Mean loss of each model over the tasks, at several numbers of training rows per task.

    An arrow shows the answer: from a joint model's point to the rows at which the baseline does
    as well.

    Parameters
    ----------
    result : TaskLearningCurve

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    """

    def __init__(self, result: TaskLearningCurve) -> None:
        self.result = result

    @classmethod
    def from_results(cls, result: TaskLearningCurve) -> TaskLearningCurveDisplay:
        """Draw what `TaskLearningCurve.from_data` measured."""
        return cls(result)

    @classmethod
    def from_data(
        cls, estimators: dict[str, Any] | None, X: Any, y: Any, **options: Any
    ) -> TaskLearningCurveDisplay:
        """Measure first (`TaskLearningCurve.from_data`)."""
        from polytask.inspection.learning_curve import TaskLearningCurve

        return cls(TaskLearningCurve.from_data(estimators, X, y, **options))

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        rows = self.result.curve["rows"]
        return (
            f"{plain(self.result.loss_title)} of {self.result.curve['name'].nunique()} models at "
            f"{rows.min()} to {rows.max()} training rows per task. {self.result.text}"
        )

    def plot(self, ax: Axes | None = None, *, columns: int = 4) -> TaskLearningCurveDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        columns : int, default=4
            Of the legend.

        Returns
        -------
        self : TaskLearningCurveDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax)
            self.ax_.set_xscale("log")
            looks = cycle(_LOOKS)
            for name, one in self.result.curve.groupby("name", sort=False):
                base = name == self.result.baseline
                look = ("undecided", "o") if base else _POOLED
                if not base and name != "pooled":
                    look = next(looks)
                self._draw(one, *look, base)
            self._draw_answer()
            self._words(columns)
        return self

    def _draw(self, one: pd.DataFrame, colour: str, marker: str, base: bool) -> None:
        x = one["rows"].to_numpy(dtype=float)
        self.ax_.fill_between(
            x, one["low"], one["high"], color=PALETTE[colour], alpha=0.13, linewidth=0
        )
        self.ax_.plot(
            x, one["loss"], color=PALETTE[colour], marker=marker, markersize=4,
            lw=1.3, linestyle="--" if base else "-", label=plain(one["title"].iloc[0], 24),
        )  # fmt: skip

    def _draw_answer(self) -> None:
        """Point from the model and rows of the text to the baseline's rows."""
        found = self.result.equivalence
        inside = found[(found["beyond"] == "") & (found["low"] > found["rows"])]
        mine = inside[[self.result.text.startswith(str(t)) for t in inside["title"]]]
        if mine.empty:
            return
        row = mine.iloc[(len(mine) - 1) // 2]
        curve = self.result.curve
        at = curve[(curve["name"] == row["name"]) & (curve["rows"] == row["rows"])]
        y = float(at["loss"].iloc[0])
        self.ax_.annotate(
            "", xy=(row["equal_rows"], y), xytext=(row["rows"], y),
            arrowprops={"arrowstyle": "->", "color": PALETTE["ink"], "lw": 1.0},
        )  # fmt: skip

    def _words(self, columns: int) -> None:
        from matplotlib.ticker import FuncFormatter

        points = np.unique(self.result.curve["rows"])
        self.ax_.set_xticks(points, [f"{n:,}" for n in points])
        self.ax_.minorticks_off()
        digits = digits_for(self.ax_.get_yticks(), 2)
        self.ax_.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.{digits}f}"))
        self.ax_.grid(axis="y", color=PALETTE["rule"], lw=0.7)
        self.ax_.set_xlabel("training rows per task")
        self.ax_.set_ylabel(plain(self.result.loss_title), parse_math=False)
        self.ax_.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, columnspacing=1.2,
            borderaxespad=0.2, handlelength=2.2,
        )  # fmt: skip
