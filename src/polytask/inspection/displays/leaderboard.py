"""Models side by side: the primary metric of each with its interval."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from polytask.inspection.displays.style import (
    PALETTE,
    axes_for,
    digits_for,
    house_style,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from polytask.inspection.comparison import Comparison


class LeaderboardDisplay:
    """The metric of every model with its interval, best at the top.

    Parameters
    ----------
    titles : sequence of str, of length k
        The models, best first.
    metric, low, high : array-like of shape (k,)
        Value of the metric and the ends of its interval; NaN where unknown.
    metric_title : str
        The metric in words.
    greater_is_better : bool
        Whether to the right is better.
    baseline : int, optional
        Position of the model that the dashed line marks.
    recommended : int, optional
        Position of the model that the verdict names; a filled mark.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.

    Examples
    --------
    >>> from polytask.inspection.displays import LeaderboardDisplay
    >>> display = LeaderboardDisplay(
    ...     ["Joint", "Single-task"], [0.72, 0.75], [0.70, 0.73], [0.74, 0.77],
    ...     metric_title="RMSE", greater_is_better=False, baseline=1, recommended=0,
    ... )
    >>> display.description.split(".")[0]
    'RMSE of 2 models, lower is better'
    """

    def __init__(
        self,
        titles: Sequence[str],
        metric: ArrayLike,
        low: ArrayLike,
        high: ArrayLike,
        *,
        metric_title: str,
        greater_is_better: bool,
        baseline: int | None = None,
        recommended: int | None = None,
    ) -> None:
        self.titles = titles
        self.metric = metric
        self.low = low
        self.high = high
        self.metric_title = metric_title
        self.greater_is_better = greater_is_better
        self.baseline = baseline
        self.recommended = recommended

    @classmethod
    def from_results(cls, comparison: Comparison) -> LeaderboardDisplay:
        """Take the models that could be fitted from a comparison."""
        models = comparison.models[comparison.models["status"] == "ok"].reset_index(drop=True)
        baseline = np.flatnonzero(models["name"] == comparison.baseline)
        recommended = np.flatnonzero(models["recommended"].astype(bool))
        return cls(
            models["title"].tolist(),
            models["metric"].to_numpy(dtype=float),
            models["low"].to_numpy(dtype=float),
            models["high"].to_numpy(dtype=float),
            metric_title=comparison.metric_title,
            greater_is_better=comparison.greater_is_better,
            baseline=int(baseline[0]) if baseline.size else None,
            recommended=int(recommended[0]) if recommended.size else None,
        )

    @property
    def height(self) -> float:
        """A height in inches that suits the number of models."""
        return 0.95 + 0.36 * max(len(list(self.titles)), 1)

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        better = "higher" if self.greater_is_better else "lower"
        values = np.asarray(self.metric, dtype=float)
        digits = digits_for(values)
        pairs = [
            f"{plain(t)} {v:.{digits}f}"
            for t, v in zip(self.titles, values, strict=True)
            if np.isfinite(v)
        ]
        return (
            f"{plain(self.metric_title)} of {len(list(self.titles))} models, {better} is better. "
            f"Best first: {', '.join(pairs)}."
        )

    def plot(self, ax: Axes | None = None, *, wrap: int = 24) -> LeaderboardDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        wrap : int, default=24
            Titles longer than this are broken into lines.

        Returns
        -------
        self : LeaderboardDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax, height=self.height)
            values = np.asarray(self.metric, dtype=float)
            for position, value in enumerate(values):
                self._draw_model(position, value)
            if self.baseline is not None and np.isfinite(values[self.baseline]):
                self.ax_.axvline(
                    values[self.baseline], color=PALETTE["muted"], lw=0.9, ls=(0, (3, 3)), zorder=1
                )
            self._words(values, wrap)
        return self

    def _draw_model(self, position: int, value: float) -> None:
        best = position == self.recommended
        colour = PALETTE["accent"] if best else PALETTE["muted"]
        low = np.asarray(self.low, dtype=float)[position]
        high = np.asarray(self.high, dtype=float)[position]
        self.ax_.plot(
            [low, high], [position] * 2, color=colour, lw=2.2 if best else 1.4,
            solid_capstyle="round", zorder=2, alpha=0.9,
        )  # fmt: skip
        self.ax_.plot(
            [value], [position], linestyle="none", marker="D" if best else "o",
            markersize=6.5 if best else 6, markerfacecolor=colour if best else PALETTE["paper"],
            markeredgecolor=colour, markeredgewidth=1.3, zorder=3,
        )  # fmt: skip

    def _words(self, values: np.ndarray, wrap: int) -> None:
        from matplotlib.ticker import MaxNLocator

        titles = ["\n".join(textwrap.wrap(plain(t), wrap)[:2]) for t in self.titles]
        self.ax_.set_yticks(np.arange(len(titles)), titles, parse_math=False)
        for position, tick in enumerate(self.ax_.get_yticklabels()):
            best = position == self.recommended
            tick.set_color(PALETTE["accent"] if best else PALETTE["ink"])
            tick.set_fontweight("bold" if best else "normal")
        self.ax_.set_ylim(max(len(titles), 1) - 0.4, -0.6)
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.spines["left"].set_visible(False)
        self.ax_.grid(axis="x", color=PALETTE["rule"], lw=0.7)
        self.ax_.xaxis.set_major_locator(MaxNLocator(5))
        better = "higher" if self.greater_is_better else "lower"
        self.ax_.set_xlabel(
            "\n".join(textwrap.wrap(f"{plain(self.metric_title)} ({better} is better)", 2 * wrap)),
            parse_math=False,
        )
