"""How a model relates every pair of tasks: learned correlations, or clusters that come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from polytask.inspection.displays.style import axes_for, diverging_colours, house_style, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from polytask.inspection.cluster_stability import ClusterStability

_MOST_NAMES = 40


class TaskPairsDisplay:
    """A map of all pairs of tasks, tasks that belong together side by side.

    Parameters
    ----------
    values : array-like of shape (m, m)
        From -1 to 1, symmetric; NaN, for a task without coefficients, stays blank.
    tasks : array-like of shape (m,)
        Ids.
    label : str
        What the numbers are.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    order_ : ndarray of shape (m,)
        Tasks from the top, after :meth:`plot`.

    Examples
    --------
    >>> from polytask import TaskCovarianceRegressor
    >>> from polytask.datasets import make_clustered_tasks
    >>> from polytask.inspection.displays import TaskPairsDisplay
    >>> X, y, _ = make_clustered_tasks(6, 5, 30, n_clusters=2, random_state=0)
    >>> model = TaskCovarianceRegressor(0.01, task="task").fit(X, y)
    >>> TaskPairsDisplay.from_estimator(model).values.shape
    (6, 6)
    """

    def __init__(self, values: ArrayLike, tasks: ArrayLike, label: str = "correlation") -> None:
        self.values = np.asarray(values, dtype=float)
        self.tasks = np.asarray(tasks)
        self.label = label

    @classmethod
    def from_results(cls, stability: ClusterStability) -> TaskPairsDisplay:
        """Draw how often two tasks are in one cluster (`cluster_stability`)."""
        label = f"share of {stability.n_folds} refits in one cluster"
        return cls(stability.together, stability.tasks, label)

    @classmethod
    def from_estimator(cls, estimator: Any) -> TaskPairsDisplay:
        """Draw the ``task_correlation_`` of a fitted `TaskCovarianceRegressor` or classifier.

        Raises
        ------
        ValueError
            If the estimator has none.
        """
        if not hasattr(estimator, "task_correlation_"):
            raise ValueError(
                f"{cls.__name__}: estimator must be fitted, with task_correlation_, such as "
                f"TaskCovarianceRegressor; got {type(estimator).__name__}."
            )
        return cls(estimator.task_correlation_, estimator.tasks_, "learned correlation")

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        pairs = self.values[np.triu_indices(len(self.tasks), 1)]
        pairs = pairs[np.isfinite(pairs)]
        if not len(pairs):
            return f"{self.label.capitalize()} of {len(self.tasks)} tasks: there are none."
        low, middle, high = np.quantile(pairs, [0.0, 0.5, 1.0]).round(2)
        return (
            f"{self.label.capitalize()} of the pairs of {len(self.tasks)} tasks: from {low:g} to "
            f"{high:g}, half of them below {middle:g}."
        )

    def height(self) -> float:
        """A height in inches that suits the number of tasks."""
        return float(np.clip(2.2 + 0.16 * len(self.tasks), 3.2, 7.0))

    def plot(self, ax: Axes | None = None) -> TaskPairsDisplay:
        """Draw on `ax`, or on a new figure.

        Returns
        -------
        self : TaskPairsDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax, width=6.4, height=self.height())
            self.order_ = self._order()
            image = self.ax_.imshow(
                np.ma.masked_invalid(self.values[np.ix_(self.order_, self.order_)]),
                cmap=diverging_colours(), vmin=-1, vmax=1, interpolation="nearest",
            )  # fmt: skip
            bar = self.figure_.colorbar(image, ax=self.ax_, fraction=0.04, pad=0.03, aspect=16)
            below = np.nanmin(self.values, initial=0.0) < 0
            bar.ax.set_ylim(-1.0 if below else 0.0, 1.0)
            bar.set_ticks([-1, 0, 1] if below else [0, 1])
            bar.set_label(self.label)
            bar.outline.set_visible(False)
            self._words()
        return self

    def _order(self) -> NDArray[np.intp]:
        """Leaves of the tree of average distances."""
        if len(self.tasks) < 3:
            return np.arange(len(self.tasks))
        distance = 1.0 - np.nan_to_num((self.values + self.values.T) / 2)
        np.fill_diagonal(distance, 0.0)
        near = squareform(np.maximum(distance, 0.0), checks=False)
        leaves: NDArray[np.intp] = leaves_list(linkage(near, "average"))
        return leaves

    def _words(self) -> None:
        m = len(self.tasks)
        self.ax_.set_xticks([])
        if m <= _MOST_NAMES:
            ids = [plain(self.tasks[i], 18) for i in self.order_]
            self.ax_.set_yticks(np.arange(m), ids, parse_math=False, fontsize=7.5)
        else:
            self.ax_.set_yticks([])
            self.ax_.set_ylabel(f"{m:,} tasks, those that belong together side by side")
        self.ax_.tick_params(length=0)
        for side in ("left", "bottom"):
            self.ax_.spines[side].set_visible(False)
