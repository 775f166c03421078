"""scikit-learn's callbacks (progress bars, monitors), where the installed version has them.

In that interface a "task" is a step of a fit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polytask.models.steps import is_watched

__all__ = ["EpochWatch"]


class EpochWatch:
    """Tells callbacks about each epoch; calling it says whether one of them wants to stop.

    Parameters
    ----------
    estimator : estimator
    n_epochs : int
        The budget.
    fitted : callable () -> dict
        Fitted attributes as of now, made only if a callback asks for them.
    X, y
        What `fit` was given.
    """

    def __init__(
        self, estimator: Any, n_epochs: int, fitted: Callable[[], dict[str, Any]], X: Any, y: Any
    ) -> None:
        self.estimator, self.fitted, self.data = estimator, fitted, {"X": X, "y": y}
        self.root: Any = None
        self.epoch: Any = None
        if is_watched(estimator):
            self.root = estimator._init_callback_context(max_subtasks=n_epochs)
            self.root.call_on_fit_task_begin(estimator=estimator, **self.data)
            self._begin()

    def _begin(self) -> None:
        self.epoch = self.root.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def __call__(self, n_iter: int, run: Any) -> bool:
        """After an epoch."""
        if self.estimator.verbose and n_iter % max(1, self.estimator.max_iter // 10) == 0:
            loss = run.history["train_loss"][-1]
            print(f"[{type(self.estimator).__name__}] epoch {n_iter}: training loss {loss:.4g}")
        if self.root is None or self.epoch is None:
            return False
        stop = self.epoch.call_on_fit_task_end(
            estimator=self.estimator, reconstruction_attributes=self.fitted, **self.data
        )
        self.epoch = None
        if not stop and n_iter < self.root.max_subtasks:
            self._begin()
        return bool(stop)

    def close(self) -> None:
        """After the last epoch."""
        if self.root is not None:
            self.root.call_on_fit_task_end(
                estimator=self.estimator, reconstruction_attributes=self.fitted, **self.data
            )
