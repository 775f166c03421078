"""What an estimated mixed model keeps for its standard errors: statistics and parameters."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from polytask.mixed.doubts import has_no_noise, pooled_moments
from polytask.mixed.reml import MixedModel
from polytask.mixed.root import Root
from polytask.mixed.spread import spread
from polytask.solvers import one_blas_thread

__all__ = ["MixedState"]


@dataclass(frozen=True, eq=False)
class MixedState:
    """A mixed model at its estimated variances.

    Parameters
    ----------
    model : MixedModel
    kappa : ndarray of shape (p,) or None
    root : Root
    parameters : ndarray of shape (q,)
    grams, cross : ndarrays of shapes (m, p, p), (m, p)
        Statistics of all tasks, those added after the fit too; X'(y - X shift) in `cross`.
    """

    model: MixedModel
    kappa: np.ndarray | None
    root: Root
    parameters: np.ndarray
    grams: np.ndarray
    cross: np.ndarray

    @classmethod
    def of_fit(
        cls, model: MixedModel, kappa: np.ndarray | None, root: Root, parameters: np.ndarray
    ) -> MixedState:
        """The state after a fit."""
        return cls(model, kappa, root, parameters, model.grams, model.cross)

    def with_task(self, rows: np.ndarray, y: np.ndarray, s: np.ndarray) -> MixedState:
        """With a task more, of rows (n, p) about the center, targets and sample weights."""
        Z = rows / self.model.scale
        gram, cross = (Z * s[:, None]).T @ Z, Z.T @ (s * (y - Z @ self.model.shift))
        return replace(
            self,
            grams=np.concatenate([self.grams, gram[None]]),
            cross=np.concatenate([self.cross, cross[None]]),
        )

    def to_dict(self) -> dict[str, Any]:
        """Arrays and numbers only, so that an estimator can be saved without code."""
        return {
            "model": _fields(self.model), "kappa": self.kappa, "root": _fields(self.root),
            "parameters": self.parameters, "grams": self.grams, "cross": self.cross,
        }  # fmt: skip

    @classmethod
    def from_dict(cls, kept: dict[str, Any]) -> MixedState:
        """The inverse of `to_dict`."""
        model, root = MixedModel(**kept["model"]), Root(**kept["root"])
        same = {name: kept[name] for name in ("parameters", "grams", "cross")}
        kappa = kept["kappa"]
        if isinstance(kappa, float):  # of version 0.2.0: one for all slopes
            kappa = np.full(model.n_coefs, kappa)
            kappa[model.n_coefs - int(model.intercept) :] = np.inf
        return cls(model=model, kappa=kappa, root=root, **same)

    def deviation_root(self) -> np.ndarray:
        """C (p, k): noise variance times C C' is the covariance of deviations about the center."""
        return self.root.at(self.parameters) / self.model.scale[:, None]

    def second_moments(self) -> tuple[float, np.ndarray, np.ndarray]:
        """Of a new row's noise, of an unseen task's coefficients, and of each task's.

        In the units of the features about their center, the error of the estimated variances
        included.
        """
        unit = 1.0 / self.model.scale
        with one_blas_thread():
            point = self.model.at(self.root.at(self.parameters), self.kappa)
            if has_no_noise(self.model, point, self.root):
                noise, unseen, seen = pooled_moments(self.model, point, self.grams)
            else:
                args = (self.model, point, self.root, self.parameters, self.grams, self.cross)
                noise, unseen, seen = spread(*args)
        outer = unit[:, None] * unit
        return noise, unseen * outer, seen * outer


def _fields(of: Any) -> dict[str, Any]:
    """What a dataclass is made of."""
    return {each.name: getattr(of, each.name) for each in fields(of)}
