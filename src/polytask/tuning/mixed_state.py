"""What an estimated mixed model keeps for its standard errors: statistics and parameters."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from polytask.solvers import one_blas_thread
from polytask.tuning.reml import MixedModel
from polytask.tuning.reml_spread import spread
from polytask.tuning.root import Root

__all__ = ["MixedState"]


@dataclass(frozen=True, eq=False)
class MixedState:
    """A mixed model at its estimated variances.

    Parameters
    ----------
    model : MixedModel
    kappa : float or None
    root : Root
    parameters : ndarray of shape (q,)
    """

    model: MixedModel
    kappa: float | None
    root: Root
    parameters: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Arrays and numbers only, so that an estimator can be saved without code."""
        return {
            "model": asdict(self.model), "kappa": self.kappa, "root": asdict(self.root),
            "parameters": self.parameters,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> MixedState:
        """The inverse of `to_dict`."""
        model, root = MixedModel(**kept["model"]), Root(**kept["root"])
        return cls(model, kept["kappa"], root, kept["parameters"])

    def second_moments(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Of a new row's noise, of an unseen task's coefficients, and of each task's.

        In the units of the features, the error of the estimated variances included.
        """
        unit = 1.0 / self.model.scale
        with one_blas_thread():
            point = self.model.at(self.root.at(self.parameters), self.kappa)
            found = spread(self.model, point, self.root, self.parameters)
        outer = unit[:, None] * unit
        return found.noise, found.unseen * outer, found.seen * outer
