"""The regressor and the classifier half of a neural formulation: targets, answers, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import assert_all_finite
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from polytask.data import all_or_nothing, read_target
from polytask.neural.answers import answers_of, probabilities_of
from polytask.neural.coding import encode_task, read_kinds
from polytask.neural.kinds import KINDS
from polytask.neural.predictions import NetworkPredictions
from polytask.neural.scores import score_table
from polytask.responses import Response, find_response

__all__ = ["NetworkClassifierRole", "NetworkRegressorRole"]

_NUMBERS = tuple(name for name, kind in KINDS.items() if not kind.classes)


class _Role(NetworkPredictions):
    """What both roles do with outputs."""

    def score_tasks(self, X: Any, y: Any) -> pd.DataFrame:
        """Score of each task, by the metric of its kind.

        R² for squared and Huber, explained deviance (D²) for other numbers, AUC for logistic and
        accuracy for multinomial tasks; NaN where a task's rows do not define its metric.

        Returns
        -------
        DataFrame with the columns task, kind, metric, score, rows
        """
        z, code = self._outputs(X)
        target, _ = read_target(self, y)
        return score_table(z, code, target, self.tasks_, list(self.kinds_), self.task_classes_)


def _remedy(owner: str, loss: Any) -> str:
    """What to do about a loss that networks do not have."""
    try:
        find_response(owner, loss, has_labels=False)
    except (TypeError, ValueError):
        return "For labels in all tasks take the classifier."
    return "Linear models take this one: MeanRegularizedRegressor and its like."


class NetworkRegressorRole(_Role, RegressorMixin):
    """A loss of numbers for all tasks, or a loss per task."""

    @staticmethod
    def takes_loss(response: Response) -> bool:
        """Whether networks have the loss of a kind of target."""
        return response.name in _NUMBERS

    def _encode(
        self, y: np.ndarray, tasks: np.ndarray, code: np.ndarray | None, reset: bool
    ) -> tuple[np.ndarray, Sequence[str], Sequence[Any]]:
        owner = type(self).__name__
        loss = "squared" if self.loss == "auto" else self.loss
        if isinstance(loss, Mapping):
            return self._encode_each(y, tasks, code, read_kinds(owner, loss, tasks), reset)
        if loss not in _NUMBERS:
            names = ", ".join(map(repr, _NUMBERS))
            raise ValueError(
                f"{owner}: loss must be 'auto', {names} or a dict of a kind per task; got "
                f"{loss!r}. {_remedy(owner, loss)}"
            )
        numbers = y.astype(np.float64)
        find_response(owner, loss, has_labels=False).targets.check(
            numbers, owner, f"with loss={loss!r}"
        )
        return numbers, [loss] * len(tasks), [None] * len(tasks)

    def _encode_each(
        self, y: np.ndarray, tasks: np.ndarray, code: np.ndarray | None, kinds: list[str],
        reset: bool,
    ) -> tuple[np.ndarray, Sequence[str], Sequence[Any]]:  # fmt: skip
        owner, known = type(self).__name__, {}
        if not reset:
            known = dict(zip(self.tasks_.tolist(), self.task_classes_, strict=True))
        out, classes = np.full(y.shape, np.nan), []
        parts = _parts(y, code, len(tasks))
        for task, kind, part in zip(tasks.tolist(), kinds, parts, strict=True):
            values, labels = encode_task(owner, task, kind, y[part], known.get(task))
            out[part] = values
            classes.append(labels)
        return out, kinds, classes

    @all_or_nothing
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Train one more epoch on these rows; the first call names the tasks.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`. Later calls may hold some of the tasks only.

        Returns
        -------
        self
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X: Any) -> np.ndarray:
        """Expected targets, labels in tasks of labels; (n,), or (n, m) after a wide y."""
        z, code = self._outputs(X)
        return answers_of(z, code, self._groups())

    @available_if(lambda self: any(KINDS[kind].classes for kind in getattr(self, "kinds_", ())))
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the labels of each task, in the order of ``task_classes_``.

        Shape (n, most labels) with NaN for labels that the row's task does not have; after a
        wide y a list with an array (n, labels) for each task. All NaN in tasks of numbers.
        """
        z, code = self._outputs(X)
        return probabilities_of(z, code, self._groups(), len(self.tasks_))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² over rows; the mean of `score_tasks` with a wide y or a loss per task."""
        target, _ = read_target(self, y)
        if target.ndim == 2 or isinstance(self.loss, Mapping):
            return float(self.score_tasks(X, y)["score"].mean())
        return float(r2_score(target, self.predict(X), sample_weight=sample_weight))


class NetworkClassifierRole(_Role, ClassifierMixin):
    """The same labels in all tasks: logistic loss for two of them, multinomial for more."""

    def _encode(
        self, y: np.ndarray, tasks: np.ndarray, code: np.ndarray | None, reset: bool
    ) -> tuple[np.ndarray, Sequence[str], Sequence[Any]]:
        if self.loss != "auto":
            raise ValueError(
                f"{type(self).__name__}: loss must be 'auto', logistic for two labels and "
                f"multinomial for more; got {self.loss!r}. A loss per task is the regressor's."
            )
        if y.dtype.kind == "f":  # before labels are made of what is no label
            assert_all_finite(y[~np.isnan(y)] if y.ndim == 2 else y, input_name="y")
        if y.ndim == 1:
            check_classification_targets(y)
        known = y == y if y.ndim == 2 else np.ones(y.shape, dtype=bool)  # NaN is not itself
        if reset:
            self.classes_ = np.unique(y[known])
        numbers = np.full(y.shape, np.nan)
        numbers[known] = self._code(y[known])
        kind = "logistic" if len(self.classes_) == 2 else "multinomial"
        return numbers, [kind] * len(tasks), [self.classes_] * len(tasks)

    def _code(self, y: np.ndarray) -> np.ndarray:
        classes = self.classes_
        if len(classes) < 2:
            raise ValueError(
                f"{type(self).__name__}: y must hold two classes or more; got one class, "
                f"{classes.tolist()}. There is nothing to tell apart."
            )
        code = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
        if (classes[code] != y).any():
            raise ValueError(
                f"{type(self).__name__}: y must hold the classes {classes.tolist()} only; got "
                f"{np.unique(y[classes[code] != y])[:5].tolist()}."
            )
        return code

    @all_or_nothing
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Train one more epoch on these rows; the first call names the tasks.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`. Later calls may hold some of the tasks and classes only.
        classes : array, optional
            All classes, in the first call; those of its y if not given.

        Returns
        -------
        self
        """
        if not hasattr(self, "weights_") and classes is not None:
            self.classes_ = np.unique(classes)
            return self._partial_fit(X, y, sample_weight, reset_labels=False)
        return self._partial_fit(X, y, sample_weight)

    def decision_function(self, X: Any) -> np.ndarray:
        """Log odds of ``classes_[1]``, (n,) or (n, m); an output per class if there are more."""
        z, _ = self._outputs(X)
        return z[..., 0] if z.shape[-1] == 1 else z

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, shape (n, classes) in the order of ``classes_``.

        After a fit to a wide y: (n, m), the probability of ``classes_[1]`` in each task, or
        (n, m, classes) with more than two.
        """
        z, _ = self._outputs(X)
        p = KINDS[self.kinds_[0]].mean(z)
        return p[..., 1] if p.ndim == 3 and z.shape[-1] == 1 else p

    def predict(self, X: Any) -> np.ndarray:
        """Predicted classes, shape (n,), or (n, m) after a fit to a wide y."""
        z, _ = self._outputs(X)
        best = (z[..., 0] > 0).astype(int) if z.shape[-1] == 1 else z.argmax(axis=-1)
        return self.classes_[best]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy over rows; with a wide y the mean over tasks on measured entries."""
        target, _ = read_target(self, y)
        prediction = self.predict(X)
        if target.ndim == 1:
            return float(accuracy_score(target, prediction, sample_weight=sample_weight))
        right = np.where(target == target, target == prediction, np.nan)
        return float(np.nanmean(np.nanmean(right.astype(float), axis=0)))

    def __sklearn_tags__(self) -> Any:
        """Tags: labels in one column, two or more."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = False
        return tags


def _parts(y: np.ndarray, code: np.ndarray | None, n_tasks: int) -> list[Any]:
    """Where the targets of each task stand in y."""
    if code is None:
        measured = y == y
        return [(np.flatnonzero(measured[:, i]), i) for i in range(n_tasks)]
    order = np.argsort(code, kind="stable")
    ends = np.cumsum(np.bincount(code, minlength=n_tasks))
    return np.split(order, ends[:-1])
