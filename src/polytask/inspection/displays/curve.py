"""How the target bends with one feature: the common curve, and those tasks that differ most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polytask.inspection.displays.style import PALETTE, axes_for, house_style, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

_POINTS = 80


class CurveDisplay:
    """What one feature adds to the prediction, in common and in the tasks that differ most.

    Parameters
    ----------
    x : array-like of shape (n,)
    common, error : array-like of shape (n,)
        The common curve and its standard error.
    tasks : array-like of shape (t, n)
        Curves of tasks.
    names : sequence of str, length t
        Their ids.
    feature : str
    unit : str
        What x is in, for the axis.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    """

    def __init__(
        self,
        x: ArrayLike,
        common: ArrayLike,
        error: ArrayLike,
        tasks: ArrayLike,
        names: list[str],
        feature: str = "",
        unit: str = "",
    ) -> None:
        self.x = x
        self.common = common
        self.error = error
        self.tasks = tasks
        self.names = names
        self.feature = feature
        self.unit = unit

    @classmethod
    def from_estimator(
        cls, estimator: Any, feature: int | str, n_tasks: int = 5, unit: str = ""
    ) -> CurveDisplay:
        """Draw a fitted `CurvedRegressor` or `CurvedClassifier`.

        Parameters
        ----------
        estimator : CurvedRegressor or CurvedClassifier
        feature : int or str
            Position among the features, or name.
        n_tasks : int, default=5
            Tasks to draw, those whose curves lie farthest from the common one.
        unit : str, default=""
            What the feature is in, for the axis.
        """
        first, last = estimator.range_of(feature)
        x = np.linspace(first, last, _POINTS)
        common, error = estimator.curve(feature, x, return_std=True)
        curves = np.array([estimator.curve(feature, x, task=task) for task in estimator.tasks_])
        far = np.argsort(-((curves - common) ** 2).mean(axis=1), kind="stable")[:n_tasks]
        names = [str(estimator.tasks_[i]) for i in far]
        return cls(x, common, error, curves[far], names, str(feature), unit)

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        common = np.asarray(self.common)
        return (
            f"What {self.feature} adds to the prediction: the common curve goes from "
            f"{common[0]:.3g} to {common[-1]:.3g}, between {common.min():.3g} and "
            f"{common.max():.3g}. Tasks that differ most: {', '.join(self.names) or 'none'}."
        )

    def plot(self, ax: Axes | None = None) -> CurveDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        self : CurveDisplay
        """
        x, common, half = self.x, np.asarray(self.common), 1.96 * np.asarray(self.error)
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax, height=3.0)
            self.ax_.axhline(0, color=PALETTE["rule"], lw=0.7, zorder=0)
            self.ax_.fill_between(
                np.asarray(x), common - half, common + half, color=PALETTE["rule"], lw=0, zorder=1,
                label="95 % band",
            )  # fmt: skip
            for i, curve in enumerate(np.asarray(self.tasks)):
                label = "tasks that differ most" if i == 0 else None
                self.ax_.plot(x, curve, color=PALETTE["accent"], lw=0.9, alpha=0.7, label=label)
            self.ax_.plot(x, common, color=PALETTE["ink"], lw=1.8, zorder=4, label="common")
            unit = f", {self.unit}" if self.unit else ""
            self.ax_.set_xlabel(f"{plain(self.feature, 40)}{unit}", parse_math=False)
            self.ax_.set_ylabel("adds to the prediction")
            self.ax_.legend(
                loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, columnspacing=1.2,
                borderaxespad=0.2, handlelength=1.4, handletextpad=0.5,
            )  # fmt: skip
        return self
