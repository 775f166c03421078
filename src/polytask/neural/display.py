"""Losses by epoch as a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LearningHistoryDisplay"]

_LINES = {
    "train_loss": ("training", "#5c6876", "-"),
    "validation_loss": ("validation", "#0b5f9c", "-"),
}


class LearningHistoryDisplay:
    """Training and validation loss of a network by epoch.

    Parameters
    ----------
    history : mapping of str to array of shape (epochs,)
        ``history_`` of a fitted network.
    title : str, optional

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
    lines_ : dict of str to matplotlib Line2D

    Examples
    --------
    >>> from polytask.neural import LearningHistoryDisplay
    >>> display = LearningHistoryDisplay({"train_loss": [1.0, 0.5], "validation_loss": [1.1, 0.7]})
    >>> sorted(display.plot().lines_)
    ['train_loss', 'validation_loss']
    """

    def __init__(self, history: Mapping[str, Any], title: str | None = None) -> None:
        self.history, self.title = history, title

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Axes | None = None) -> LearningHistoryDisplay:
        """Draw the history of a fitted network, or of the one at the end of a Pipeline."""
        model = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator
        check_is_fitted(model)
        return cls(model.history_, type(model).__name__).plot(ax=ax)

    def plot(self, ax: Axes | None = None) -> LearningHistoryDisplay:
        """Draw the losses, and a mark where validation was best.

        Parameters
        ----------
        ax : Axes, optional
            A new figure if not given.
        """
        if ax is None:
            from matplotlib import pyplot as plt

            _, ax = plt.subplots(figsize=(6.0, 3.6), layout="constrained")
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, {}
        for name, (label, colour, style) in _LINES.items():
            if name in self.history:
                values = np.asarray(self.history[name])
                epochs = np.arange(1, len(values) + 1)
                (line,) = ax.plot(epochs, values, style, color=colour, label=label, linewidth=1.3)
                self.lines_[name] = line
        self._mark_best()
        ax.set(xlabel="epoch", ylabel="R: mean loss over tasks", title=self.title or "")
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False)
        return self

    def _mark_best(self) -> None:
        values = np.asarray(self.history.get("validation_loss", []), dtype=float)
        if np.isfinite(values).any():
            best = int(np.nanargmin(values))
            text = f"best epoch {best + 1}"
            self.ax_.plot([best + 1], [values[best]], "o", color="#0b5f9c", label=text)
