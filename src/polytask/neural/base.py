"""What every neural estimator does: parse, train, keep plain arrays, predict from them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from polytask.data import (
    Rows,
    TaskData,
    all_or_nothing,
    callers_level,
    make_task_data,
    read_rows,
    read_target,
)
from polytask.models._fields import FromFields
from polytask.models.estimator import TaskEstimator
from polytask.models.steps import with_callbacks
from polytask.neural.body import ACTIVATIONS
from polytask.neural.callbacks import EpochWatch
from polytask.neural.judge import Run
from polytask.neural.network import Architecture
from polytask.neural.predictions import NetworkPredictions
from polytask.neural.session import Session
from polytask.neural.targets import Targets, hold_out, targets_of
from polytask.neural.training import Recipe

__all__ = ["MultiTaskNetwork"]


class MultiTaskNetwork(FromFields, NetworkPredictions, TaskEstimator):
    """Base of the neural formulations; a formulation says how its heads are tied."""

    hidden_layer_sizes: int | Sequence[int] = field(default=(64,), kw_only=False)
    activation: str = field(default="relu", kw_only=False)
    loss: str | Mapping[Any, str] = "auto"
    huber_delta: float = 1.35
    alpha: float | str = "auto"
    weight_decay: float = 0.0
    task: str | int | None = None
    task_weight: str | Mapping[Any, float] = "equal"
    unseen: str = "error"
    optimizer: str = "adam"
    learning_rate: float = 0.003
    batch_size: int | str | None = "auto"
    max_iter: int = 200
    tol: float = 1e-4
    early_stopping: bool = True
    validation_fraction: float = 0.1
    n_iter_no_change: int = 20
    warm_start: bool = False
    device: str = "auto"
    dtype: str = "float32"
    random_state: int | np.random.RandomState | None = None
    verbose: int = 0

    fit_intercept: ClassVar[bool] = False  # heads have a bias; the table needs no column of ones
    _auto_alpha: ClassVar[float] = 10.0  # alpha times rows (a weight is that many rows)

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "loss": [str, Mapping],
        "huber_delta": [Interval(Real, 0, None, closed="neither")],
        "alpha": [StrOptions({"auto"}), Interval(Real, 0, None, closed="left")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "task": [None, str, Integral, list, tuple],
        "task_weight": [StrOptions({"equal", "size"}), Mapping],
        "unseen": [StrOptions({"error", "common"})],
        "optimizer": [StrOptions({"adam", "sgd", "lbfgs"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [None, StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "verbose": ["verbose"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 0.5, closed="right")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "device": [str],
        "dtype": [StrOptions({"float32", "float64"})],
        "random_state": ["random_state"],
    }

    # What the role (regressor or classifier) says.

    def _encode(
        self, y: np.ndarray, tasks: np.ndarray, code: np.ndarray | None, reset: bool
    ) -> tuple[np.ndarray, Sequence[str], Sequence[Any]]:
        """Targets as numbers, and kind and labels of each task; ``code`` is None if y is wide.

        ``reset`` is False where the labels are known from an earlier call.
        """
        raise NotImplementedError

    # The same for all.

    @all_or_nothing
    @with_callbacks
    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None, time: Any = None
    ) -> Self:
        """Fit to a long table with a task column, or to a wide y with a column per task.

        Parameters
        ----------
        X : table, array or sparse matrix of shape (n, d) or (n, d + 1)
            Features, and the task column that the parameter ``task`` names.
        y : array of shape (n,), or of shape (n, m) with ``task=None``
            Targets. In a wide y NaN means not measured.
        sample_weight : array of shape (n,) or, with a wide y, (n, m)
            Weights of rows inside their task; zero leaves a row out.
        groups, time : array of shape (n,), optional
            Who each row is of, or when it was: the validation part then holds whole groups, or the
            latest rows. Not both.

        Returns
        -------
        self
        """
        self._validate_params()
        rows, data = self._parse(X, y, sample_weight, held={"groups": groups, "time": time})
        again = self.warm_start and hasattr(self, "weights_") and self._fits(rows, data)
        start = self.weights_ if again else None
        self.tasks_ = data.tasks
        targets = self._weigh(targets_of(data))
        rng = check_random_state(self.random_state)
        held: Targets | None = None
        everything = targets
        if self.early_stopping:
            targets, held = hold_out(
                targets, self.validation_fraction, self._wide, rng, data.group, data.time
            )
        session = self._session(rows, targets, held, everything, rng)
        session.start(start)
        watch = EpochWatch(self, self.max_iter, lambda: self._attributes(session), X, y)
        session.train(watch, self.n_iter_no_change)
        self._keep(session)
        watch.close()
        self._warn(session.run)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, reset_labels: bool = True) -> Any:
        """One more epoch, on all rows given."""
        self._validate_params()
        first = not hasattr(self, "weights_")
        rows, data = self._parse(X, y, sample_weight, first, reset_labels)
        if first:
            self.tasks_ = data.tasks
        if first or not hasattr(self, "_random_state"):
            self._random_state = check_random_state(self.random_state)
        targets = self._weigh(targets_of(data, self.tasks_))
        session = self._session(rows, targets, None, targets, self._random_state, epochs=1)
        if not first:
            session.units = session.units_at(self.scale_, self.offset_)
        session.start(None if first else self.weights_)
        session.optimizer_state = getattr(self, "_optimizer_state", None)
        session.train(lambda n_iter, run: False, self.n_iter_no_change)
        self._optimizer_state = session.optimizer_state
        before = {} if first else self.history_
        n_iter = 0 if first else self.n_iter_
        self._keep(session)
        self.n_iter_ += n_iter
        for name, values in before.items():
            if name in self.history_ and name != "validation_loss":
                self.history_[name] = np.concatenate([values, self.history_[name]])
        return self

    def _parse(
        self, X: Any, y: Any, sample_weight: Any, reset: bool = True, reset_labels: bool = True,
        held: Mapping[str, Any] | None = None,
    ) -> tuple[Rows, TaskData]:  # fmt: skip
        rows = read_rows(self, X, reset=reset)
        target, names = read_target(self, y)
        wide, code = target.ndim == 2, None
        if wide:
            tasks = np.arange(target.shape[1]) if names is None else names
        else:
            check_consistent_length(rows.X, target)
            ids = np.zeros(len(target), dtype=np.int64) if rows.ids is None else rows.ids
            tasks, code = np.unique(ids, return_inverse=True)
        numbers, kinds, classes = self._encode(target, tasks, code, reset and reset_labels)
        data = make_task_data(self, rows, numbers, names, sample_weight, **(held or {}))
        kept = np.flatnonzero(np.isin(tasks, data.tasks))
        if reset:
            self._wide = wide
            self.kinds_ = np.asarray([kinds[int(i)] for i in kept])
            self.task_classes_ = [classes[int(i)] for i in kept]
        return rows, data

    def _fits(self, rows: Rows, data: TaskData) -> bool:
        """Whether the weights of the last fit suit this table."""
        known = np.array_equal(self.tasks_, data.tasks) and self._n_inputs == rows.X.shape[1]
        return known and self._network_widths == self._widths()

    def _widths(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        widths = tuple(sizes) if isinstance(sizes, Iterable) else (sizes,)
        if any(not isinstance(w, Integral) or w < 1 for w in widths):
            raise ValueError(
                f"{type(self).__name__}: hidden_layer_sizes must be positive whole numbers, one "
                f"for each hidden layer; got {sizes!r}."
            )
        return tuple(int(w) for w in widths)

    def _weigh(self, targets: Targets) -> Targets:
        """The shares of R that ``task_weight`` gives to the tasks."""
        weight = self.task_weight
        if weight == "size":
            return targets
        share = np.ones(targets.n_tasks)
        if isinstance(weight, Mapping):
            share = np.array([self._weight_of(task, weight) for task in self.tasks_.tolist()])
        share = share * (np.bincount(targets.code, minlength=targets.n_tasks) > 0)
        return Targets(
            targets.row, targets.code, targets.y, targets.sample_weight, share / share.sum()
        )

    def _weight_of(self, task: Any, weights: Mapping[Any, float]) -> float:
        value = weights.get(task)
        if value is None or not 0.0 < value < np.inf:
            raise ValueError(
                f"{type(self).__name__}: task_weight must give a positive number for every task; "
                f"got {value} for task {task!r}."
            )
        return float(value)

    def _architecture(self) -> Architecture:
        return Architecture(
            self._tying, self._widths(), self.activation, alpha=self.alpha_,
            weight_decay=self.weight_decay,
        )  # fmt: skip

    def _session(
        self, rows: Rows, targets: Targets, held: Targets | None, everything: Targets,
        rng: np.random.RandomState, epochs: int | None = None,
    ) -> Session:  # fmt: skip
        auto = self._auto_alpha / everything.sample_weight.sum()
        self.alpha_ = auto if self.alpha == "auto" else float(self.alpha)
        self._n_inputs = rows.X.shape[1]
        self._network_widths = self._widths()
        recipe = Recipe(
            self.optimizer, self.learning_rate, epochs or self.max_iter, self.tol,
            getattr(self, "track_conflicts", False), getattr(self, "gradient_aggregation", None),
            self.task_weight == "uncertainty",
        )  # fmt: skip
        return Session(
            type(self).__name__, self._architecture(), self._groups(), recipe, rows.X, targets,
            held, batch_size=self.batch_size, wide=self._wide, delta=self.huber_delta,
            device=self._device(), dtype=getattr(torch, self.dtype), rng=rng,
        )  # fmt: skip

    def _device(self) -> torch.device:
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            return torch.zeros(0, device=self.device).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"{type(self).__name__}: device must be 'auto' or a device that PyTorch has here; "
                f"got {self.device!r}. {str(error).splitlines()[0]}"
            ) from error

    def _attributes(self, session: Session) -> dict[str, Any]:
        """Fitted attributes as of now; weights are numpy arrays, so any machine can load them."""
        names = (
            "tasks_", "kinds_", "task_classes_", "alpha_", "classes_", "n_features_in_",
            "feature_names_in_", "_wide", "_n_inputs", "_network_widths",
        )  # fmt: skip
        known = {name: getattr(self, name) for name in names if hasattr(self, name)}
        return {**known, "weights_": session.arrays()}

    def _keep(self, session: Session) -> None:
        run = session.run
        self.weights_ = session.arrays()
        self.scale_, self.offset_ = session.units.scale, session.units.offset
        self.history_ = {name: np.asarray(values) for name, values in run.history.items()}
        self.n_iter_, self.status_ = run.n_iter, run.status
        self.objective_ = session.objective()
        learned = session.learned_weights()
        if learned is not None:
            self.task_weights_ = learned

    def _warn(self, run: Run) -> None:
        if run.status == "non-finite loss":
            message = (
                f"the loss was not finite in epoch {run.n_iter} with learning_rate="
                f"{self.learning_rate:g}. Scale the features, or take a smaller learning_rate"
            )
            if run.n_iter == 1:
                raise FloatingPointError(f"{type(self).__name__}: {message}; nothing was learned.")
            message += "; the best weights before it are kept."
        elif run.status == "max_iter" and not self.early_stopping:
            message = (
                f"the training loss still fell after max_iter={self.max_iter} epochs. "
                "Allow more, or stop early on a validation part (early_stopping=True)."
            )
        else:
            return
        warnings.warn(
            f"{type(self).__name__}: {message}", ConvergenceWarning, stacklevel=callers_level()
        )
