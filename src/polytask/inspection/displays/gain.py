"""Gain of each task over single-task learning, against the size of the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.inspection.displays._names import free_places
from polytask.inspection.displays.style import (
    MARKS,
    PALETTE,
    axes_for,
    house_style,
    plain,
    signed,
    tick_digits,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from polytask.inspection.comparison import Comparison

_REACH = 1.5  # intervals may widen the frame to this multiple of the gains' own range


class TaskGainDisplay:
    """Gain per task with its interval, against the number of rows of the task.

    A gain is the loss of the baseline minus the loss of the model, so above zero is better.
    Blue triangles point up for tasks that gain, vermilion ones point down for tasks that are
    harmed, open grey circles are undecided: the label is in the shape and in the colour.
    The dotted line is the mean gain of all tasks.
    Where all tasks have about the same size, tasks stand in the order of their gain instead.

    Parameters
    ----------
    tasks : sequence of length m
        Ids of the tasks.
    rows : array-like of shape (m,)
        Rows of each task.
    gain, low, high : array-like of shape (m,)
        Gain and the ends of its interval, in units of the loss; NaN where unknown.
    label : sequence of {"gains", "harmed", "undecided"}, of length m
        What the interval says after control of false discoveries.
    loss_title : str, default="loss"
        The loss in words, such as "squared error".
    model, baseline : str
        Names of the two models, for the axis and the description.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    n_beyond_ : int
        Tasks whose gain or interval runs out of the frame, after :meth:`plot`.

    Examples
    --------
    >>> from polytask.inspection.displays import TaskGainDisplay
    >>> display = TaskGainDisplay(
    ...     ["a", "b"], [20, 80], [0.1, -0.2], [0.0, -0.3], [0.2, -0.1], ["undecided", "harmed"]
    ... )
    >>> display.counts
    {'gains': 0, 'undecided': 1, 'harmed': 1}
    """

    def __init__(
        self,
        tasks: Sequence[Any],
        rows: ArrayLike,
        gain: ArrayLike,
        low: ArrayLike,
        high: ArrayLike,
        label: Sequence[str],
        *,
        loss_title: str = "loss",
        model: str = "the joint model",
        baseline: str = "single-task",
    ) -> None:
        self.tasks = tasks
        self.rows = rows
        self.gain = gain
        self.low = low
        self.high = high
        self.label = label
        self.loss_title = loss_title
        self.model = model
        self.baseline = baseline

    @classmethod
    def from_results(
        cls, comparison: Comparison, *, model: str | None = None, estimate: str = "gain"
    ) -> TaskGainDisplay:
        """Take the gains from what :func:`polytask.inspection.compare_tasks` found.

        Parameters
        ----------
        comparison : Comparison
        model : str, optional
            Name of a model in ``comparison.gains``; by default the one of the verdict.
        estimate : {"gain", "shrunken"}, default="gain"
            Each task's own gain, or the gain after partial pooling over tasks, which tells
            the truth about small tasks better.

        Raises
        ------
        ValueError
            Unknown model or estimate.
        """
        focus = comparison.verdict.focus
        frame = comparison.tasks
        if model is not None and model != focus:
            frame = comparison.gains[comparison.gains["name"] == model]
            if frame.empty:
                known = ", ".join(comparison.gains["name"].unique())
                raise ValueError(f"{cls.__name__}: model must be one of {known}; got {model!r}.")
        ends = {"gain": ("low", "high"), "shrunken": ("shrunken_low", "shrunken_high")}
        if estimate not in ends:
            raise ValueError(
                f"{cls.__name__}: estimate must be 'gain' or 'shrunken'; got {estimate!r}."
            )
        low, high = ends[estimate]
        return cls(
            frame["task"].tolist(),
            frame["rows"].to_numpy(),
            frame[estimate].to_numpy(dtype=float),
            frame[low].to_numpy(dtype=float),
            frame[high].to_numpy(dtype=float),
            frame["label"].tolist(),
            loss_title=comparison.loss_title,
            model=focus if model is None else model,
            baseline=comparison.baseline,
        )

    @property
    def counts(self) -> dict[str, int]:
        """Number of tasks with each label."""
        labels = list(self.label)
        return {name: labels.count(name) for name in MARKS}

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        n = self.counts
        return (
            f"Gain of {plain(self.model)} over {plain(self.baseline)} in "
            f"{plain(self.loss_title)} for "
            f"{len(list(self.tasks))} tasks. {n['gains']} gain, {n['harmed']} are harmed, "
            f"{n['undecided']} are undecided. The table below holds the same numbers."
        )

    def plot(self, ax: Axes | None = None, *, name_extremes: int = 2) -> TaskGainDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        name_extremes : int, default=2
            How many tasks to name at the top and at the bottom; tasks with a clear label only.

        Returns
        -------
        self : TaskGainDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax)
            x = self._positions()
            gain, low, high = (np.asarray(v, dtype=float) for v in (self.gain, self.low, self.high))
            self.ax_.axhline(0, color=PALETTE["ink"], lw=0.8, zorder=1)
            if np.isfinite(gain).any():
                mean = float(np.nanmean(gain))
                self.ax_.axhline(mean, color=PALETTE["accent"], lw=1.1, ls=(0, (1, 2)), zorder=1)
            for name in MARKS:
                self._draw_label(name, x, gain, low, high)
            self._frame(gain, low, high)
            self._words()
            self._names(x, np.column_stack([low, gain, high]), name_extremes)
        return self

    def _by_size(self) -> bool:
        rows = np.asarray(self.rows, dtype=float)
        return bool(rows.size and rows.max() > 1.2 * rows.min())

    def _positions(self) -> NDArray[np.floating]:
        if self._by_size():
            return np.asarray(self.rows, dtype=float)
        gain = np.nan_to_num(np.asarray(self.gain, dtype=float), nan=np.inf)
        return np.argsort(np.argsort(gain, kind="stable"), kind="stable") + 1.0

    def _draw_label(
        self, name: str, x: NDArray, gain: NDArray, low: NDArray, high: NDArray
    ) -> None:
        mark = MARKS[name]
        mine = np.array([label == name for label in self.label], dtype=bool)
        gap = np.full(mine.sum(), np.nan)  # breaks one line into an interval per task
        self.ax_.plot(
            np.column_stack([x[mine], x[mine], gap]).ravel(),
            np.column_stack([low[mine], high[mine], gap]).ravel(),
            color=mark.colour if mark.filled else PALETTE["faint"],
            lw=0.9,
            alpha=0.75,
            solid_capstyle="butt",
            zorder=2,
        )
        self.ax_.plot(
            x[mine],
            gain[mine],
            linestyle="none",
            marker=mark.marker,
            markersize=5.5 if mark.filled else 4.2,
            markerfacecolor=mark.colour if mark.filled else PALETTE["paper"],
            markeredgecolor=mark.colour,
            markeredgewidth=0.9,
            label=f"{mine.sum()} {name}",
            zorder=4 if mark.filled else 3,
        )

    def _frame(self, gain: NDArray, low: NDArray, high: NDArray) -> None:
        """Fit the frame to the gains; a few endless intervals may run out of it."""
        known = gain[np.isfinite(gain)]
        if known.size == 0:
            self.n_beyond_ = 0
            return
        bottom, top = min(known.min(), 0.0), max(known.max(), 0.0)
        room = (_REACH - 1) / 2 * max(top - bottom, 1e-12)
        ends = np.concatenate([known, low[np.isfinite(low)], high[np.isfinite(high)]])
        bottom, top = max(bottom - room, ends.min()), min(top + room, ends.max())
        pad = 0.06 * max(top - bottom, 1e-12)
        bottom, top = bottom - pad, top + pad
        self.n_beyond_ = int(np.sum((low < bottom) | (high > top)))
        self.ax_.set_ylim(bottom, top)

    def _names(self, x: NDArray, spans: NDArray, count: int) -> None:
        """Name the clearest winners and losers, where a name does not hit another point."""
        names = [plain(task, 18) for task in self.tasks]
        labels, gain = list(self.label), spans[:, 1]
        order = [int(i) for i in np.argsort(gain) if np.isfinite(gain[i])]
        for label, ranked in (("gains", order[::-1]), ("harmed", order)):
            wanted = [(i, names[i]) for i in ranked[:12] if labels[i] == label]
            for i, left in free_places(self.ax_, x, spans, wanted, count):
                self.ax_.annotate(
                    names[i],
                    (x[i], gain[i]),
                    xytext=(-6 if left else 6, 0),
                    textcoords="offset points",
                    ha="right" if left else "left",
                    va="center",
                    fontsize=8,
                    color=PALETTE["ink"],
                    parse_math=False,
                    zorder=5,
                )

    def _words(self) -> None:
        from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

        axis = self.ax_.xaxis
        if self._by_size():
            rows = np.asarray(self.rows, dtype=float)
            self.ax_.set_xscale("log")
            ends = max(rows.min(), 1) / 1.15, rows.max() * 1.15
            self.ax_.set_xlim(*ends)
            axis.set_major_locator(FixedLocator(_round_sizes(*ends)))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            self.ax_.set_xlabel("rows of the task (log scale)", parse_math=False)
        else:
            axis.set_major_locator(MaxNLocator(6, integer=True))
            self.ax_.set_xlabel("tasks in the order of their gain", parse_math=False)
        digits = tick_digits(self.ax_.get_yticks())
        self.ax_.yaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(value, digits)))
        self.ax_.grid(axis="y", color=PALETTE["rule"], lw=0.7)
        self.ax_.set_ylabel(f"gain in {plain(self.loss_title)}", parse_math=False)
        self.ax_.legend(
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=3,
            handletextpad=0.1,
            columnspacing=0.9,
            borderaxespad=0.2,
            handlelength=1.2,
        )


def _round_sizes(low: float, high: float) -> list[float]:
    """Return sizes 1, 2, 5, 10 … inside the axis, thinned to seven at most."""
    decades = range(int(np.log10(max(high, 1))) + 1)
    sizes = [s * 10.0**k for k in decades for s in (1, 2, 5) if low <= s * 10.0**k <= high]
    if len(sizes) > 7:
        sizes = [10.0**k for k in decades if low <= 10.0**k <= high]
    return sizes or [round(low), round(high)]
