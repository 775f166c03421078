"""How the tasks' deviations shrink as the strength grows, from single-task to pooled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from polytask.inspection.displays.style import PALETTE, axes_for, house_style, plain
from polytask.tuning import fitted_strengths

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

_MOST_TASKS = 150


class ShrinkagePathDisplay:
    """A line per task: its deviation from the common coefficients along the path of alpha.

    Parameters
    ----------
    alphas : array-like of shape (k,)
        Strengths.
    deviations : array-like of shape (k, m)
        Of each task at each strength: the length of Δw_i, or the deviation of one coefficient.
    chosen : float, optional
        Strength to mark.
    label : str
        What is drawn, for the axis.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        What was drawn on, after :meth:`plot`.

    Examples
    --------
    >>> from polytask import MeanRegularizedRegressor
    >>> from polytask.datasets import make_related_tasks
    >>> from polytask.inspection.displays import ShrinkagePathDisplay
    >>> X, y, _ = make_related_tasks(5, 3, 20, random_state=0)
    >>> model = MeanRegularizedRegressor(task="task").fit(X, y)
    >>> display = ShrinkagePathDisplay.from_estimator(model, X, y, n_alphas=4)
    >>> display.deviations.shape
    (4, 5)
    """

    def __init__(
        self,
        alphas: ArrayLike,
        deviations: ArrayLike,
        chosen: float | None = None,
        label: str = "length of Δw",
    ) -> None:
        self.alphas = np.asarray(alphas, dtype=float)
        self.deviations = np.asarray(deviations, dtype=float)
        self.chosen = chosen
        self.label = label

    @classmethod
    def from_results(
        cls, alphas: ArrayLike, deviations: ArrayLike, chosen: float | None = None
    ) -> ShrinkagePathDisplay:
        """Draw a path that was computed elsewhere."""
        return cls(alphas, deviations, chosen)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        alphas: Sequence[float] | None = None,
        n_alphas: int = 25,
        feature: str | int | None = None,
    ) -> ShrinkagePathDisplay:
        """Refit clones of a fitted estimator along alpha, its other strengths as it chose them.

        Parameters
        ----------
        estimator : fitted estimator
            With a parameter ``alpha`` and ``coef_`` (m, d), such as `MeanRegularizedRegressor`.
        X, y : table and target
        alphas : sequence of float, optional
            Three decades to each side of the chosen strength unless given.
        n_alphas : int, default=25
        feature : str or int, optional
            Draw the deviation of this coefficient instead of the length of Δw_i.
        """
        if not (hasattr(estimator, "coef_") and "alpha" in estimator.get_params()):
            raise ValueError(
                f"{cls.__name__}: estimator must be fitted, with alpha and coef_; got "
                f"{type(estimator).__name__}."
            )
        chosen = _middle(getattr(estimator, "alpha_", estimator.alpha))
        path = np.geomspace(1e-3 * chosen, 1e3 * chosen, n_alphas) if alphas is None else alphas
        model = clone(estimator)
        own = model.get_params(deep=False)
        given = {
            name: value
            for name, value in fitted_strengths(estimator).items()
            if name in own and name != "alpha" and np.ndim(value) == 0 and np.isfinite(value)
        }
        if own.get("task_weight") == "auto":  # the fit's own; numbers alone would mean another
            given["task_weight"] = estimator._weight_rule
        column = _column(estimator, feature)
        found = [_deviations(model.set_params(alpha=float(a), **given).fit(X, y)) for a in path]
        if column is None:
            return cls(path, [np.linalg.norm(D, axis=1) for D in found], chosen)
        return cls(path, [D[:, column] for D in found], chosen, f"Δw, {plain(feature)}")

    @property
    def description(self) -> str:
        """The figure in words, for those who do not see it."""
        size = np.abs(self.deviations).mean(axis=1)
        return (
            f"{self.label} of {self.deviations.shape[1]} tasks at alpha from "
            f"{self.alphas[0]:.2g} to {self.alphas[-1]:.2g}: {size[0]:.2g} on average at the "
            f"first, {size[-1]:.2g} at the last."
        )

    def plot(self, ax: Axes | None = None) -> ShrinkagePathDisplay:
        """Draw on `ax`, or on a new figure.

        Returns
        -------
        self : ShrinkagePathDisplay
        """
        with house_style():
            self.figure_: Figure
            self.ax_: Axes
            self.figure_, self.ax_ = axes_for(ax)
            m = self.deviations.shape[1]
            keep = np.unique(np.linspace(0, m - 1, min(m, _MOST_TASKS)).round().astype(int))
            lines = self.deviations[:, keep]
            self.ax_.plot(self.alphas, lines, color=PALETTE["accent"], lw=0.8, alpha=0.45)
            mean = np.abs(self.deviations).mean(axis=1)
            if (self.deviations >= 0).all():
                self.ax_.plot(self.alphas, mean, color=PALETTE["ink"], lw=1.8, label="mean")
            if self.chosen is not None and np.isfinite(self.chosen) and self.chosen > 0:
                self.ax_.axvline(
                    self.chosen, color=PALETTE["harmed"], lw=1.1, ls="--", label="chosen"
                )
            self._words()
        return self

    def _words(self) -> None:
        self.ax_.set_xscale("log")
        self.ax_.minorticks_off()
        self.ax_.set_xlabel("alpha (to the left each task alone, to the right all alike)")
        self.ax_.set_ylabel(self.label, parse_math=False)
        self.ax_.grid(axis="y", color=PALETTE["rule"], lw=0.7)
        if self.ax_.get_legend_handles_labels()[0]:
            self.ax_.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.2)


def _middle(alpha: Any) -> float:
    """Geometric mean of the positive finite strengths, 1 where there is none."""
    values: Any = np.ravel(np.asarray(alpha, dtype=float)) if not isinstance(alpha, str) else []
    used = [v for v in values if np.isfinite(v) and v > 0]
    return float(np.exp(np.mean(np.log(used)))) if used else 1.0


def _column(estimator: Any, feature: str | int | None) -> int | None:
    if feature is None or isinstance(feature, int):
        return feature
    names = [str(n) for n in estimator.feature_names_in_ if n != estimator.task]
    if feature not in names:
        raise ValueError(
            f"ShrinkagePathDisplay: feature must be one of {', '.join(names)}; got {feature!r}."
        )
    return names.index(feature)


def _deviations(model: Any) -> NDArray:
    if hasattr(model, "deviation_coef_"):
        return np.asarray(model.deviation_coef_)
    coef = np.atleast_2d(model.coef_)
    return np.asarray(coef - coef.mean(axis=0))
