"""Which tasks predict alike: a heat map of correlations in the order of the clustering tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.inspection.displays.style import (
    PALETTE,
    axes_for,
    diverging_colours,
    house_style,
    plain,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from polytask.inspection.relatedness import TaskRelatedness

_MOST_CELLS = 160  # more tasks are averaged into blocks along the tree
_MOST_NAMES = 40
_TREE = 0.16  # height of the tree as a share of the map


class TaskRelatednessDisplay:
    """Correlation of every pair of tasks, related tasks side by side, with the clustering tree.

    Blue pairs predict alike, white ones have nothing in common, vermilion ones predict the
    opposite. Tasks that stand apart are marked at the right edge.

    Parameters
    ----------
    relatedness : TaskRelatedness

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    block_ : int
        Tasks that share a cell, after :meth:`plot`; 1 up to 160 tasks.
    """

    def __init__(self, relatedness: TaskRelatedness) -> None:
        self.relatedness = relatedness

    @classmethod
    def from_results(cls, relatedness: TaskRelatedness) -> TaskRelatednessDisplay:
        """Draw what `TaskRelatedness.from_data` found."""
        return cls(relatedness)

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any, **options: Any
    ) -> TaskRelatednessDisplay:
        """Estimate the relatedness of an estimator's tasks first (`TaskRelatedness`)."""
        from polytask.inspection.relatedness import TaskRelatedness

        return cls(TaskRelatedness.from_estimator(estimator, X, y, **options))

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        return f"Correlations of {len(self.relatedness.tasks)} tasks. {self.relatedness.text}"

    def height(self) -> float:
        """A height in inches that suits the number of tasks."""
        return float(np.clip(2.2 + 0.16 * len(self.relatedness.tasks), 4.2, 7.0))

    def plot(self, ax: Axes | None = None) -> TaskRelatednessDisplay:
        """Draw on `ax`, or on a new figure.

        Returns
        -------
        self : TaskRelatednessDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax, width=6.4, height=self.height())
            values = self._blocks()
            image = self.ax_.imshow(
                values, cmap=diverging_colours(), vmin=-1, vmax=1, aspect="equal"
            )
            self._draw_tree(len(values))
            self._mark_apart(len(values))
            self._words(len(values))
            # below the map itself: a colorbar of the axes' room would leave a gap under a square
            below = self.ax_.inset_axes((0.25, -0.05, 0.5, 0.022))
            bar = self.figure_.colorbar(image, cax=below, orientation="horizontal")
            bar.set_ticks([-1, 0, 1], labels=["−1 opposite", "0", "1 alike"])
            bar.outline.set_visible(False)
        return self

    def _blocks(self) -> NDArray:
        order = self.relatedness.groups.order
        values = self.relatedness.correlation[np.ix_(order, order)]
        self.block_ = int(np.ceil(len(values) / _MOST_CELLS))
        starts = np.arange(0, len(values), self.block_)
        sizes = np.diff([*starts, len(values)])
        summed = np.add.reduceat(np.add.reduceat(values, starts, axis=0), starts, axis=1)
        blocks: NDArray = summed / np.outer(sizes, sizes)
        return blocks

    def _draw_tree(self, count: int) -> None:
        """Join the branches above the map; a branch stands over the middle of its tasks."""
        tree, order = self.relatedness.groups.tree, self.relatedness.groups.order
        m = len(order)
        place = np.empty(2 * m - 1)
        place[order] = np.arange(m)
        height = np.zeros(2 * m - 1)
        height[m:] = tree[:, 2] / max(float(tree[-1, 2]), 1e-300)
        lines = []
        for node, (a, b) in enumerate(tree[:, :2].astype(int), start=m):
            place[node] = 0.5 * (place[a] + place[b])
            if height[node] > 0.03 or m <= _MOST_CELLS:
                up = [height[a], height[node], height[node], height[b], np.nan]
                lines.append(np.column_stack([place[[a, a, b, b, b]], up]))
        if not lines:
            return
        x, y = np.concatenate(lines).T
        top = -0.5 - 0.02 * count
        self.ax_.plot(
            (x + 0.5) / self.block_ - 0.5, top - _TREE * count * y, color=PALETTE["muted"], lw=0.7
        )
        self.ax_.set_ylim(count - 0.5, top - 1.06 * _TREE * count)
        self.ax_.set_xlim(-0.5, count - 0.5)

    def _mark_apart(self, count: int) -> None:
        apart = self.relatedness.outliers["outlier"].to_numpy()[self.relatedness.groups.order]
        rows = (np.flatnonzero(apart) + 0.5) / self.block_ - 0.5
        self.ax_.plot(
            np.full(len(rows), count - 0.5 + 0.02 * count), rows, linestyle="none", marker="<",
            color=PALETTE["harmed"], markersize=4.5, clip_on=False, gid="apart",
        )  # fmt: skip

    def _words(self, count: int) -> None:
        found = self.relatedness
        names = [plain(found.tasks[i], 18) for i in found.groups.order]
        for side in ("left", "bottom"):
            self.ax_.spines[side].set_visible(False)
        self.ax_.set_xticks([])
        if len(names) <= _MOST_NAMES:
            self.ax_.set_yticks(np.arange(count), names, parse_math=False, fontsize=7.5)
        else:
            self.ax_.set_yticks([])
            self.ax_.set_ylabel(f"{len(names):,} tasks, in the order of the tree")
        self.ax_.tick_params(length=0)
