"""Which coefficients differ between tasks, and by how much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.inspection.displays.style import (
    PALETTE,
    axes_for,
    house_style,
    plain,
    signed,
    tick_digits,
)
from polytask.inspection.roles import feature_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    from polytask.inspection.relatedness import TaskRelatedness

_MOST_TASKS = 300
_LEVEL = "(level)"


class CoefficientSpreadDisplay:
    """The common coefficient with its interval, the spread of the tasks about it, every task.

    A row per coefficient: the bar is w0 ± the standard deviation between tasks, the diamond and
    its line are w0 with its 95 % interval, the dots are tasks.

    Parameters
    ----------
    table : DataFrame
        ``feature``, ``common``, ``common_low``, ``common_high``, ``spread``.
    coef : array-like of shape (m, rows of `table`)
        Coefficients of the tasks, columns as the rows of `table`.
    unit : str
        What a coefficient is per, for the axis.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    shown_ : ndarray of int
        Rows of `table` that were drawn, the largest spread first, after :meth:`plot`.
    """

    def __init__(self, table: pd.DataFrame, coef: ArrayLike, unit: str = "") -> None:
        self.table = table
        self.coef = coef
        self.unit = unit

    @classmethod
    def from_results(cls, relatedness: TaskRelatedness) -> CoefficientSpreadDisplay:
        """Draw `TaskRelatedness.coefficients`, per standard deviation of each feature."""
        return cls(
            relatedness.coefficients, relatedness.coef, "per standard deviation of the feature"
        )

    @classmethod
    def from_estimator(cls, estimator: Any) -> CoefficientSpreadDisplay:
        """Draw a ``MeanRegularizedRegressor(alpha="reml")``, in the units of its features.

        Raises
        ------
        ValueError
            If the estimator knows no variances.
        """
        if not hasattr(estimator, "deviation_covariance_"):
            raise ValueError(
                f"{cls.__name__}: estimator must be fitted with alpha='reml'; got "
                f"{type(estimator).__name__}, which knows no variances."
            )
        d = estimator.coef_.shape[1]
        names = feature_names(estimator, d)
        error = 1.96 * np.sqrt(np.diag(estimator.common_covariance_))[:d]
        spread = np.sqrt(np.diag(estimator.deviation_covariance_))[:d]
        common = np.asarray(estimator.common_coef_)
        columns = {"common": common, "common_low": common - error, "common_high": common + error}
        table = pd.DataFrame({"feature": names, **columns, "spread": spread})
        return cls(table, estimator.coef_)

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        top = self.table.iloc[self._order()[:3]]
        parts = [f"{row['feature']} {row['spread']:.3g}" for _, row in top.iterrows()]
        return (
            f"Coefficients of {np.shape(self.coef)[0]} tasks. Largest standard deviations between "
            f"tasks: {', '.join(parts)}. The table below holds the numbers."
        )

    def height(self, max_features: int = 12) -> float:
        """A height in inches that suits the number of features."""
        return 1.1 + 0.38 * min(max_features, len(self._order()))

    def plot(self, ax: Axes | None = None, *, max_features: int = 12) -> CoefficientSpreadDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        max_features : int, default=12
            Coefficients to show, the largest spread first.

        Returns
        -------
        self : CoefficientSpreadDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax, height=self.height(max_features))
            self.shown_ = self._order()[:max_features]
            coef = np.atleast_2d(np.asarray(self.coef, dtype=float))
            step = max(1, len(coef) // _MOST_TASKS)
            for row, position in enumerate(self.shown_):
                self._draw(row, self.table.iloc[position], coef[::step, position])
            self._words()
        return self

    def _order(self) -> NDArray[np.intp]:
        """Rows by spread; the level is another kind of number and stays out of the figure."""
        slopes = np.flatnonzero((self.table["feature"] != _LEVEL).to_numpy())
        spread = self.table["spread"].to_numpy()[slopes]
        ordered: NDArray[np.intp] = slopes[np.argsort(-spread, kind="stable")]
        return ordered

    def _draw(self, row: int, entry: pd.Series, coef: NDArray) -> None:
        common, spread = entry["common"], entry["spread"]
        self.ax_.barh(
            row, 2 * spread, left=common - spread, height=0.56, color=PALETTE["rule"], zorder=1
        )
        self.ax_.plot(
            coef, np.full(len(coef), row), linestyle="none", marker="|", markersize=7,
            markeredgewidth=0.7, color=PALETTE["accent"], alpha=0.45, zorder=2,
        )  # fmt: skip
        self.ax_.plot(
            [entry["common_low"], entry["common_high"]], [row, row], color=PALETTE["ink"], lw=1.6,
            zorder=3,
        )  # fmt: skip
        self.ax_.plot(common, row, marker="D", markersize=4.2, color=PALETTE["ink"], zorder=4)

    def _words(self) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        names = [plain(self.table["feature"].iloc[i], 22) for i in self.shown_]
        self.ax_.axvline(0, color=PALETTE["muted"], lw=0.7, zorder=0)
        self.ax_.set_yticks(np.arange(len(names)), names, parse_math=False)
        self.ax_.set_ylim(len(names) - 0.4, -0.6)
        self.ax_.tick_params(axis="y", length=0, labelcolor=PALETTE["ink"])
        self.ax_.spines["left"].set_visible(False)
        self.ax_.xaxis.set_major_locator(MaxNLocator(6))
        digits = tick_digits(self.ax_.get_xticks())
        self.ax_.xaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(value, digits)))
        self.ax_.set_xlabel(f"coefficient {self.unit}".strip(), parse_math=False)
        ink, accent = PALETTE["ink"], PALETTE["accent"]
        handles = [
            Line2D([], [], color=ink, marker="D", markersize=4.2, lw=1.6, label="common (w0)"),
            Patch(color=PALETTE["rule"], label="± spread"),
            Line2D([], [], color=accent, linestyle="none", marker="|", markersize=7, label="tasks"),
        ]
        self.ax_.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3,
            columnspacing=1.2, borderaxespad=0.2, handlelength=1.4, handletextpad=0.5,
        )  # fmt: skip
