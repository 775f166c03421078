"""The tasks' Hessians on a few columns Z of the coefficients: from Gram matrices, or from rows.

A point of the factored form is a Theta = (given part) + Z local_i in every task. What is asked of
the data at such a point is the same either way; from rows no p × p matrix exists and a product
reads them once there and once back.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from polytask.algebra.curvature import Curvature
from polytask.data import Design

__all__ = ["Restricted", "RestrictedGrams", "RestrictedRows", "restrict"]


class Restricted(Protocol):
    """H of all tasks beside Z (p, k); an image is what H makes of a Theta, in any form."""

    square: np.ndarray  # Z'H_i Z, (m, k, k)

    def image(self, theta: np.ndarray) -> Any:
        """That of Theta (m, p)."""
        ...

    def force(self, image: Any) -> np.ndarray:
        """Z'H_i theta_i, (m, k)."""
        ...

    def plus(self, image: Any, local: np.ndarray) -> Any:
        """That of theta_i + Z local_i; ``image`` may be 0.0."""
        ...

    def whole(self, image: Any) -> np.ndarray:
        """H Theta, (m, p)."""
        ...


class RestrictedGrams:
    """Images are H Theta (m, p) itself."""

    def __init__(self, H: Curvature, Z: np.ndarray) -> None:
        self.H, self.Z = H, Z
        self.HZ = H.apply_block(Z)
        self.square = Z.T @ self.HZ

    def image(self, theta: np.ndarray) -> np.ndarray:
        """H Theta."""
        return self.H.apply(theta)

    def force(self, image: np.ndarray) -> np.ndarray:
        """Z'H_i theta_i."""
        return image @ self.Z

    def plus(self, image: np.ndarray | float, local: np.ndarray) -> np.ndarray:
        """H (theta_i + Z local_i)."""
        product: np.ndarray = (self.HZ @ local[:, :, None])[:, :, 0]
        product += image
        return product

    def whole(self, image: np.ndarray) -> np.ndarray:
        """The image."""
        return image


class RestrictedRows:
    """Images are curvatures times predictors, (N,)."""

    def __init__(self, design: Design, v: np.ndarray, Z: np.ndarray) -> None:
        self.design, self.v = design, v
        rows = design.X @ Z
        self.rows = Design(rows if design.index is None else rows[design.index], None, design.start)
        self.square = self.rows.grams(v)

    def image(self, theta: np.ndarray) -> np.ndarray:
        """V f of Theta."""
        return self.v * self.design.predict(theta)

    def force(self, image: np.ndarray) -> np.ndarray:
        """Z'X_i' v f."""
        return self.rows.adjoint(image)

    def plus(self, image: np.ndarray | float, local: np.ndarray) -> np.ndarray:
        """V f of theta_i + Z local_i."""
        product: np.ndarray = self.v * self.rows.predict(local) + image
        return product

    def whole(self, image: np.ndarray) -> np.ndarray:
        """X_i' v f."""
        return self.design.adjoint(image)


def restrict(H: Curvature, design: Design, v: np.ndarray, Z: np.ndarray) -> Restricted:
    """By Gram matrices where they exist."""
    return RestrictedGrams(H, Z) if H.products else RestrictedRows(design, v, Z)
