"""Which task keeps which feature: what is shared, what is a task's own, who stands apart."""

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
from polytask.inspection.roles import feature_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

_MOST_NAMES = 40  # of tasks beside the rows
_MOST_TASKS = 160


class CoefficientPatternDisplay:
    """A row per task, a column per feature: its sign and size, blank where it is exactly zero.

    Colours are shares of the feature's largest coefficient, which stands beside its name, so that
    units do not matter: blue is positive, vermilion negative. A dot marks a part that is the task's
    own, a triangle at the edge a task that stands apart; lines part clusters of tasks, or mark
    where ordered tasks change.

    Parameters
    ----------
    coef : array-like of shape (m, d)
        Coefficients of the tasks.
    tasks : array-like of shape (m,)
        Ids.
    features : sequence of str
        Names of the d features.
    own : array-like of shape (m, d), optional
        The tasks' own parts of the coefficients.
    clusters : array-like of shape (m,), optional
        Cluster of each task; rows are ordered by it.
    changes : array-like, optional
        Ids of tasks at which coefficients change.
    outliers : array-like, optional
        Ids of tasks that stand apart.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    shown_ : ndarray of int
        Features that were drawn, those kept by most tasks first, after :meth:`plot`.
    rows_ : ndarray of int
        Tasks that were drawn, from the top, after :meth:`plot`.

    Examples
    --------
    >>> from polytask import SparseGroupRegressor
    >>> from polytask.datasets import make_sparse_tasks
    >>> from polytask.inspection.displays import CoefficientPatternDisplay
    >>> X, y, _ = make_sparse_tasks(6, 8, 60, n_shared=2, n_own=1, random_state=0)
    >>> model = SparseGroupRegressor(0.05, task="task").fit(X, y)
    >>> CoefficientPatternDisplay.from_estimator(model).description
    '6 tasks, 8 features: 2 are kept by every task, 3 by some, 3 by none.'
    """

    def __init__(
        self,
        coef: ArrayLike,
        tasks: ArrayLike,
        features: Any,
        *,
        own: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        changes: ArrayLike = (),
        outliers: ArrayLike = (),
    ) -> None:
        self.coef = np.asarray(coef, dtype=float)
        self.tasks = np.asarray(tasks)
        self.features = [str(name) for name in features]
        self.own = np.zeros_like(self.coef) if own is None else np.asarray(own, dtype=float)
        self.clusters = None if clusters is None else np.asarray(clusters)
        self.changes = np.asarray(changes)
        self.outliers = np.asarray(outliers)

    @classmethod
    def from_estimator(cls, estimator: Any) -> CoefficientPatternDisplay:
        """Draw a fitted linear model, with the parts, clusters, changes and outliers that it has.

        Raises
        ------
        ValueError
            If the estimator has no coefficients of tasks.
        """
        coef: Any = getattr(estimator, "coef_", None)
        if np.ndim(coef) != 2 or not hasattr(estimator, "tasks_"):
            raise ValueError(
                f"{cls.__name__}: estimator must be fitted, with coef_ of shape (tasks, features); "
                f"got {type(estimator).__name__}."
            )
        return cls(
            coef,
            estimator.tasks_,
            feature_names(estimator, np.shape(coef)[1]),
            own=getattr(estimator, "own_coef_", None),
            clusters=getattr(estimator, "clusters_", None),
            changes=getattr(estimator, "change_points_", ()),
            outliers=getattr(estimator, "outlier_tasks_", ()),
        )

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        m, d = self.coef.shape
        count = (self.coef != 0).sum(axis=0)
        every, none = int((count == m).sum()), int((count == 0).sum())
        parts = [
            f"{m} tasks, {d} features: {every} are kept by every task, {d - every - none} by some, "
            f"{none} by none."
        ]
        if self.own.any():
            parts.append(f"{int((self.own != 0).sum())} coefficients have a task's own part.")
        if self.outliers.size:
            parts.append(f"{self.outliers.size} tasks stand apart.")
        if self.clusters is not None:
            parts.append(f"{len(np.unique(self.clusters))} clusters of tasks.")
        if self.changes.size:
            parts.append(f"Coefficients change at {self.changes.size} tasks.")
        return " ".join(parts)

    def height(self) -> float:
        """A height in inches that suits the number of tasks."""
        return float(np.clip(1.5 + 0.17 * len(self.tasks), 2.4, 7.0))

    def plot(self, ax: Axes | None = None, *, max_features: int = 40) -> CoefficientPatternDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        max_features : int, default=40
            Features to show, those kept by most tasks first; of tasks 160 at most.

        Returns
        -------
        self : CoefficientPatternDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax, height=self.height())
            self.shown_ = self._order()[:max_features]
            self.rows_ = self._row_order()
            self._cells()
            self._marks()
            self._words()
        return self

    def _order(self) -> NDArray[np.intp]:
        kept: NDArray[np.intp] = np.argsort(-(self.coef != 0).sum(axis=0), kind="stable")
        return kept

    def _row_order(self) -> NDArray[np.intp]:
        m = len(self.tasks)
        rows = np.arange(m) if self.clusters is None else np.argsort(self.clusters, kind="stable")
        taken: NDArray[np.intp] = rows[:: int(np.ceil(m / _MOST_TASKS))]
        return taken

    def _cells(self) -> None:
        W = self.coef[np.ix_(self.rows_, self.shown_)]
        largest = np.abs(self.coef).max(axis=0)[self.shown_]
        share = np.divide(W, largest, out=np.zeros_like(W), where=largest > 0)
        image = self.ax_.imshow(
            np.ma.masked_equal(share, 0.0), cmap=diverging_colours(), vmin=-1, vmax=1,
            aspect="auto", interpolation="nearest",
        )  # fmt: skip
        own = self.own[np.ix_(self.rows_, self.shown_)] != 0
        y, x = np.nonzero(own & (W != 0))
        self.ax_.plot(x, y, ".", color=PALETTE["ink"], markersize=3, gid="own")
        bar = self.figure_.colorbar(image, ax=self.ax_, fraction=0.03, pad=0.05, aspect=16)
        bar.set_ticks([-1, 0, 1], labels=["−1", "0", "1"])
        bar.set_label("share of the feature's largest")
        bar.outline.set_visible(False)

    def _marks(self) -> None:
        """Lines between clusters and at changes, triangles at tasks that stand apart."""
        if self.clusters is None:
            cut = np.isin(self.tasks[self.rows_], self.changes)[1:]
        else:
            cut = np.diff(self.clusters[self.rows_]) != 0
        for row in np.flatnonzero(cut):
            self.ax_.axhline(row + 0.5, color=PALETTE["ink"], lw=1.1, gid="cut")
        apart = np.flatnonzero(np.isin(self.tasks[self.rows_], self.outliers))
        edge = len(self.shown_) - 0.5 + 0.015 * len(self.shown_)
        self.ax_.plot(
            np.full(len(apart), edge), apart, linestyle="none", marker="<", clip_on=False,
            color=PALETTE["harmed"], markersize=4.5, gid="apart",
        )  # fmt: skip

    def _words(self) -> None:
        largest = np.abs(self.coef).max(axis=0, initial=0.0)
        names = [f"{plain(self.features[j], 18)}  {largest[j]:.2g}" for j in self.shown_]
        self.ax_.set_xlim(-0.5, len(names) - 0.5)
        self.ax_.set_ylim(len(self.rows_) - 0.5, -0.5)
        self.ax_.set_xticks(np.arange(len(names)), names, rotation=90, parse_math=False)
        if len(names) < len(self.features):
            self.ax_.set_xlabel(f"{len(names)} of {len(self.features):,} features")
        if len(self.tasks) <= _MOST_NAMES:
            ids = [plain(self.tasks[i], 18) for i in self.rows_]
            self.ax_.set_yticks(np.arange(len(ids)), ids, parse_math=False, fontsize=7.5)
        else:
            self.ax_.set_yticks([])
            self.ax_.set_ylabel(f"{len(self.rows_)} of {len(self.tasks):,} tasks")
        self.ax_.tick_params(length=0)
        for side in ("left", "bottom"):
            self.ax_.spines[side].set_visible(False)
