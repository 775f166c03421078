"""Loss on new tasks against the rows that they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.inspection.displays.style import PALETTE, axes_for, digits_for, house_style, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from polytask.inspection.new_tasks import NewTasks

_LOOKS = {"baseline": ("undecided", "o"), "pooled": ("harmed", "s"), "non-joint": ("faint", "P")}
_JOINT = [("accent", "D"), ("ink", "^"), ("muted", "v")]
_REACH = 2.5  # of the largest loss of a model that shares: where the frame ends at the latest
_BESIDE = 0.05  # so that intervals at one number of rows stand side by side


class NewTasksDisplay:
    """Mean loss over tasks that were held out whole, for each number of rows that they bring.

    A model that was added to without its old rows (`add_task`) is dotted, hollow, and has the
    colour of its new fit.

    Parameters
    ----------
    result : NewTasks

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    """

    def __init__(self, result: NewTasks) -> None:
        self.result = result

    @classmethod
    def from_results(cls, result: NewTasks) -> NewTasksDisplay:
        """Draw what `NewTasks.from_data` measured."""
        return cls(result)

    @classmethod
    def from_data(
        cls, estimators: dict[str, Any] | None, X: Any, y: Any, **options: Any
    ) -> NewTasksDisplay:
        """Measure first (`NewTasks.from_data`)."""
        from polytask.inspection.new_tasks import NewTasks

        return cls(NewTasks.from_data(estimators, X, y, **options))

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        found = self.result
        return (
            f"{plain(found.loss_title)} of {found.answers['answer'].nunique()} answers on "
            f"{found.tasks_tested} new tasks with {found.answers['n_support'].min()} to "
            f"{found.answers['n_support'].max()} rows. {found.text}"
        )

    def plot(self, ax: Axes | None = None, *, columns: int = 3) -> NewTasksDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        columns : int, default=3
            Of the legend.

        Returns
        -------
        self : NewTasksDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax)
            looks = self._looks()
            groups = list(self.result.answers.groupby("answer", sort=False))
            for place, (_, one) in enumerate(groups):
                self._draw(one, looks[one["name"].iloc[0]], _BESIDE * (place - len(groups) / 2))
            self._words(columns)
        return self

    def _looks(self) -> dict[str, tuple[str, str]]:
        """Colour and marker by model; joint models in turn."""
        found: dict[str, tuple[str, str]] = {}
        for name, role in self.result.answers[["name", "role"]].itertuples(index=False):
            joint = sum(look in _JOINT for look in found.values())
            if name not in found:
                found[name] = _LOOKS.get(role, _JOINT[joint % len(_JOINT)])
        return found

    def _draw(self, one: pd.DataFrame, look: tuple[str, str], beside: float) -> None:
        colour, added = PALETTE[look[0]], one["road"].iloc[0] == "added"
        points = np.unique(self.result.answers["n_support"])
        x = np.searchsorted(points, one["n_support"]) + beside
        here = (one["loss"] <= self._top()).to_numpy()
        self.ax_.vlines(
            x[here], one["low"][here], one["high"][here], color=colour, lw=1.0, alpha=0.6
        )
        self.ax_.plot(
            x, one["loss"], color=colour, marker=look[1], markersize=5, lw=1.2,
            linestyle=":" if added else "--" if one["role"].iloc[0] == "baseline" else "-",
            markerfacecolor=PALETTE["paper"] if added else colour,
            label=plain(one["title"].iloc[0], 28),
        )  # fmt: skip

    def _words(self, columns: int) -> None:
        from matplotlib.ticker import FuncFormatter

        frame = self.result.answers
        points = np.unique(frame["n_support"])
        self.ax_.set_xticks(np.arange(len(points)), [f"{k:,}" for k in points])
        self.ax_.set_xlim(-0.4, len(points) - 0.6)
        self._frame(frame)
        digits = digits_for(self.ax_.get_yticks(), 2)
        self.ax_.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.{digits}f}"))
        self.ax_.grid(axis="y", color=PALETTE["rule"], lw=0.7)
        self.ax_.set_xlabel("rows of the new task")
        self.ax_.set_ylabel(plain(self.result.loss_title), parse_math=False)
        self.ax_.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=columns, columnspacing=1.2,
            borderaxespad=0.2, handlelength=2.2,
        )  # fmt: skip

    def _top(self) -> float:
        """The largest loss that is drawn."""
        frame = self.result.answers
        shares = frame[frame["role"] != "baseline"]
        return _REACH * float((shares if len(shares) else frame)["loss"].max())

    def _frame(self, frame: pd.DataFrame) -> None:
        """Leave out losses that would press the others together; their values stand at the top."""
        top = self._top()
        inside = frame[frame["loss"] <= top]
        bottom, high = float(inside["low"].min()), min(float(inside["high"].max()), top)
        self.ax_.set_ylim(max(bottom, 0.0) - 0.05 * (high - bottom), high + 0.05 * (high - bottom))
        points = np.unique(frame["n_support"])
        for _, row in frame[frame["loss"] > top].iterrows():
            x = float(np.searchsorted(points, row["n_support"]))
            self.ax_.annotate(
                f"{plain(row['title'], 20)} {row['loss']:.3g} \u2191", (x, 1.0),
                xycoords=("data", "axes fraction"), ha="center", va="top",
                color=PALETTE["undecided"],
            )  # fmt: skip
