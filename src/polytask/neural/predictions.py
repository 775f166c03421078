"""From the arrays that an estimator keeps to outputs for new rows."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from polytask.data import read_rows, task_codes
from polytask.models.unseen import unseen_message
from polytask.neural.coding import Group, make_groups
from polytask.neural.network import Architecture, build_network, from_arrays
from polytask.neural.outputs import Reader
from polytask.neural.units import plain_units

__all__ = ["NetworkPredictions"]


class NetworkPredictions:
    """Rebuilds the network from ``weights_`` whenever rows are to be predicted."""

    _tying: ClassVar[str]  # "tied", "common" or "separate"; see `Architecture`
    activation: str
    unseen: str
    tasks_: np.ndarray
    kinds_: np.ndarray
    task_classes_: list[Any]
    weights_: dict[str, np.ndarray]
    _wide: bool
    _n_inputs: int
    _network_widths: tuple[int, ...]

    def _groups(self) -> list[Group]:
        return make_groups(list(self.kinds_), self.task_classes_)

    def _reader(self) -> Reader:
        groups, separate = self._groups(), self._tying == "separate"
        units = plain_units(len(self.tasks_), separate)
        a = Architecture(self._tying, self._network_widths, self.activation)
        network = build_network(a, groups, self._n_inputs, units).double()
        from_arrays(network, self.weights_, groups, units)
        return Reader(network, groups, len(self.tasks_), separate)

    def _hidden_features(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._reader().hidden(read_rows(self, X, reset=False).X)

    def _one_head(self, name: str) -> np.ndarray:
        """A block of weights of the heads, where all tasks have one output of one kind."""
        check_is_fitted(self)
        groups = self._groups()
        if len(groups) > 1 or groups[0].width > 1:
            raise AttributeError(
                f"{type(self).__name__}: heads of several kinds or widths are in weights_."
            )
        return self.weights_[f"heads.0.{name}"]

    def _outputs(self, X: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Outputs (n, q) and the task of each row; or (n, m, q) and None after a wide y."""
        check_is_fitted(self)
        rows = read_rows(self, X, reset=False)
        reader = self._reader()
        if self._wide:
            return reader.wide(rows.X), None
        code = task_codes(rows.ids, self.tasks_, rows.X.shape[0])
        new = code < 0
        if new.any():
            if self.unseen == "error":
                raise ValueError(unseen_message(self, np.asarray(rows.ids)[new]))
            if len(reader.groups) > 1:
                raise ValueError(
                    f"{type(self).__name__}: unseen='common' must know what kind of task it is; "
                    "this model has heads of several kinds, and a common head for each."
                )
        return reader.long(rows.X, code), code
