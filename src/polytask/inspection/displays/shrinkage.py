"""How learning together moves the tasks' coefficients: from single-task to joint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from polytask.inspection.displays.style import (
    PALETTE,
    axes_for,
    digits_for,
    house_style,
    plain,
    signed,
    tick_digits,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

_MOST_TASKS = 150  # more lines than this are a blur


class ShrinkageDisplay:
    """Each task's coefficients learned alone (top of a row) and together (bottom of the row).

    A line per task joins w_i of single-task learning to w_i = w0 + Δw_i of the joint model;
    the vertical bar is the common coefficient w0. A fan that closes towards the bar means that
    the tasks share that coefficient; parallel lines mean that they keep their own.

    Parameters
    ----------
    single_coef, joint_coef : array-like of shape (m, d)
        Coefficients of m tasks, the tasks and features in the same order.
    common_coef : array-like of shape (d,), optional
        w0 of the joint model; the mean of `joint_coef` over tasks where there is none.
    feature_names : sequence of str, of length d, optional
        ``x0``, ``x1``, … where absent.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.
    shown_ : ndarray of int
        Features that were drawn, after :meth:`plot`.
    n_beyond_ : int
        Coefficients outside the frame, drawn at its edge, after :meth:`plot`.

    Examples
    --------
    >>> import numpy as np
    >>> from polytask.inspection.displays import ShrinkageDisplay
    >>> display = ShrinkageDisplay([[1.0, 0.0], [3.0, 0.2]], [[1.9, 0.1], [2.1, 0.1]])
    >>> display.summary()["spread_joint"].round(3).tolist()
    [0.1, 0.0]
    """

    def __init__(
        self,
        single_coef: ArrayLike,
        joint_coef: ArrayLike,
        common_coef: ArrayLike | None = None,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.single_coef = single_coef
        self.joint_coef = joint_coef
        self.common_coef = common_coef
        self.feature_names = feature_names

    @classmethod
    def from_estimators(
        cls, single: Any, joint: Any, feature_names: Sequence[str] | None = None
    ) -> ShrinkageDisplay:
        """Take the coefficients from two fitted estimators.

        Parameters
        ----------
        single, joint : fitted estimators
            With ``coef_`` (m, d), of K classes (m, K, d), and ``tasks_`` (m,); ``common_coef_`` of
            `joint` is used where it exists. Tasks that only one of them knows are left out.
        feature_names : sequence of str, optional
            By default ``feature_names_in_`` of `joint` without its task column.

        Raises
        ------
        ValueError
            No task in common, or coefficients of different length.
        """
        ours = {task: i for i, task in enumerate(np.asarray(single.tasks_).tolist())}
        tasks = np.asarray(joint.tasks_).tolist()
        pairs = [(ours[task], i) for i, task in enumerate(tasks) if task in ours]
        if not pairs:
            raise ValueError(f"{cls.__name__}: single and joint must share tasks; got none.")
        mine, theirs = (list(side) for side in zip(*pairs, strict=True))
        if feature_names is None and hasattr(joint, "feature_names_in_"):
            column = getattr(joint, "task", None)
            feature_names = [str(n) for n in joint.feature_names_in_ if n != column]
        if np.ndim(joint.coef_) == 3:  # of classes
            d = np.shape(joint.coef_)[2]
            named = feature_names or [f"x{j}" for j in range(d)]
            feature_names = [f"{name} for {c}" for c in joint.classes_ for name in named]
        common = getattr(joint, "common_coef_", None)
        return cls(
            _by_feature(single.coef_)[mine],
            _by_feature(joint.coef_)[theirs],
            None if common is None else np.ravel(common),
            feature_names,
        )

    from_estimator = from_estimators

    def summary(self) -> pd.DataFrame:
        """Return a row per feature, the largest coefficients first.

        Returns
        -------
        DataFrame
            ``feature``, ``common`` (w0), ``spread_single`` and ``spread_joint`` (standard
            deviation over tasks), ``low_joint`` and ``high_joint`` (smallest and largest task),
            ``position`` (column of the coefficient arrays).
        """
        single, joint, common = self._arrays()
        frame = pd.DataFrame(
            {
                "feature": self._names(),
                "common": common,
                "spread_single": single.std(axis=0),
                "spread_joint": joint.std(axis=0),
                "low_joint": joint.min(axis=0),
                "high_joint": joint.max(axis=0),
                "position": np.arange(joint.shape[1]),
            }
        )
        size = np.hypot(frame["common"], frame["spread_joint"])
        return frame.iloc[np.argsort(-np.asarray(size), kind="stable")].reset_index(drop=True)

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        table = self.summary()
        before, after = table["spread_single"].mean(), table["spread_joint"].mean()
        digits = digits_for([before, after])
        tasks, features = self._arrays()[1].shape
        return (
            f"Coefficients of {tasks} tasks for {features} features, learned alone and together. "
            f"Their spread over tasks goes from {before:.{digits}f} to {after:.{digits}f} on "
            "average. The table below holds the numbers."
        )

    def height(self, max_features: int = 8) -> float:
        """A height in inches that suits the number of features."""
        return 1.0 + 0.56 * min(max_features, self._arrays()[1].shape[1])

    def plot(self, ax: Axes | None = None, *, max_features: int = 8) -> ShrinkageDisplay:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        max_features : int, default=8
            The largest coefficients to show.

        Returns
        -------
        self : ShrinkageDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax, height=self.height(max_features))
            single, joint, common = self._arrays()
            self.shown_ = np.asarray(self.summary()["position"], dtype=int)[:max_features]
            low, high = self._frame(single, joint, common)
            keep = _evenly(joint.shape[0], _MOST_TASKS)
            for row, feature in enumerate(self.shown_):
                alone, together = (np.clip(c[keep, feature], low, high) for c in (single, joint))
                self._draw_feature(row, alone, together, common[feature])
            self._words(low, high)
        return self

    def _arrays(self) -> tuple[NDArray, NDArray, NDArray]:
        single = np.atleast_2d(np.asarray(self.single_coef, dtype=float))
        joint = np.atleast_2d(np.asarray(self.joint_coef, dtype=float))
        if single.shape != joint.shape:
            raise ValueError(
                "ShrinkageDisplay: single_coef and joint_coef must have one shape (tasks, "
                f"features); got {single.shape} and {joint.shape}."
            )
        common = joint.mean(axis=0) if self.common_coef is None else np.asarray(self.common_coef)
        return single, joint, np.ravel(common).astype(float)

    def _names(self) -> list[str]:
        count = self._arrays()[1].shape[1]
        names = list(self.feature_names) if self.feature_names is not None else []
        return [str(names[i]) if i < len(names) else f"x{i}" for i in range(count)]

    def _frame(self, single: NDArray, joint: NDArray, common: NDArray) -> tuple[float, float]:
        """Return a frame with every joint coefficient and the bulk of the single-task ones."""
        alone = single[:, self.shown_]
        bulk = np.quantile(alone, [0.02, 0.98], axis=0)
        inside = np.concatenate([bulk.ravel(), joint[:, self.shown_].ravel(), common[self.shown_]])
        low, high = min(inside.min(), 0.0), max(inside.max(), 0.0)
        pad = 0.02 * max(high - low, 1e-12)
        self.n_beyond_ = int(np.sum((alone < low - pad) | (alone > high + pad)))
        return low - pad, high + pad

    def _draw_feature(self, row: int, alone: NDArray, together: NDArray, common: float) -> None:
        top, bottom = row - 0.27, row + 0.27
        gap = np.full(alone.size, np.nan)
        self.ax_.plot(
            np.column_stack([alone, together, gap]).ravel(),
            np.tile([top, bottom, np.nan], alone.size),
            color=PALETTE["accent"], lw=0.6, alpha=0.3, zorder=2,
        )  # fmt: skip
        for x, y, colour, size in (
            (alone, top, PALETTE["undecided"], 2.6),
            (together, bottom, PALETTE["accent"], 3.2),
        ):
            self.ax_.plot(
                x, np.full(x.size, y), linestyle="none", marker="o", markersize=size,
                markerfacecolor=colour, markeredgewidth=0, alpha=0.7, zorder=3,
            )  # fmt: skip
        self.ax_.plot(
            [common] * 2, [bottom - 0.13, bottom + 0.13], color=PALETTE["ink"], lw=1.8, zorder=4,
            solid_capstyle="butt",
        )  # fmt: skip

    def _words(self, low: float, high: float) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        names = self._names()
        self.ax_.axvline(0, color=PALETTE["muted"], lw=0.7, zorder=1)
        labels = [plain(names[i], 22) for i in self.shown_]
        self.ax_.set_yticks(np.arange(len(labels)), labels, parse_math=False)
        for tick in self.ax_.get_yticklabels():
            tick.set_color(PALETTE["ink"])
        self.ax_.set_ylim(len(labels) - 0.45, -0.55)
        self.ax_.set_xlim(low, high)
        self.ax_.tick_params(axis="y", length=0)
        self.ax_.spines["left"].set_visible(False)
        self.ax_.grid(axis="x", color=PALETTE["rule"], lw=0.7)
        self.ax_.xaxis.set_major_locator(MaxNLocator(6))
        digits = tick_digits(self.ax_.get_xticks())
        self.ax_.xaxis.set_major_formatter(FuncFormatter(lambda value, _: signed(value, digits)))
        self.ax_.set_xlabel("coefficient", parse_math=False)
        dot: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgewidth": 0}
        handles = [
            Line2D([], [], color=PALETTE["undecided"], markersize=4, **dot, label="alone"),
            Line2D([], [], color=PALETTE["accent"], markersize=4.5, **dot, label="together"),
            Line2D([], [], color=PALETTE["ink"], linestyle="none", marker="|", markersize=8,
                   markeredgewidth=1.8, label="common (w0)"),
        ]  # fmt: skip
        self.ax_.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3,
            handletextpad=0.2, columnspacing=1.2, borderaxespad=0.2, handlelength=1.4,
        )  # fmt: skip


def _by_feature(coef: ArrayLike) -> NDArray:
    """Coefficients of every task in one row, also those of several classes."""
    found = np.atleast_2d(np.asarray(coef))
    return found.reshape(len(found), -1)


def _evenly(count: int, most: int) -> NDArray[np.intp]:
    """Return at most `most` positions of `count`, evenly spaced and the same each time."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))
