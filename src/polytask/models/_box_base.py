"""What clusters of tasks and shared subspaces have in common: few directions that are cheap."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import LEVEL, NormBase
from polytask.models.base import Strengths
from polytask.penalties import Penalty, SpectralBox
from polytask.penalties.spectral import canonical_svd
from polytask.tuning import Strength, common_grid, deviation_grid

__all__ = ["BoxBase"]


class BoxBase(NormBase):
    """R(W) + min over M: alpha eta (1 + eta) tr(W (eta I + M)^-1 W'), eta = alpha_ridge / alpha.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        Strength of what M leaves out, positive: along its directions W is shrunk by alpha_ridge,
        elsewhere by alpha + alpha_ridge. "cv" chooses it by 5 folds inside tasks.
    alpha_ridge : float or "auto", default="auto"
        Ridge on the whole of W, positive. "auto" is chosen with alpha if ``alpha="cv"``, otherwise
        equal to alpha.

    Attributes
    ----------
    alpha_ridge_ : float
    """

    alpha: float | str = field(default="cv", kw_only=False)
    alpha_ridge: float | str = "auto"

    strengths = (
        Strength("alpha", lambda _, data, loss: deviation_grid(data, loss, 8, 6, 6.0)),
        Strength("alpha_ridge", lambda _, data, loss: common_grid(data, loss, 5, 4, 5.0), "alpha"),
        LEVEL,
    )
    size: ClassVar[str]  # the parameter that says how many directions M has

    def _box(self, strengths: Strengths) -> SpectralBox:
        ridge = float(strengths["alpha_ridge"])
        eta = ridge / float(strengths["alpha"])
        return SpectralBox(ridge * (1.0 + eta), eta, int(getattr(self, self.size)))

    def _penalties(self, data: TaskData, strengths: Strengths) -> dict[str, Penalty]:
        return {"slopes": self._box(strengths)}

    def _directions(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Left and right singular vectors (rows) of W, and M's eigenvalues along them."""
        U, s, Vt = canonical_svd(self.coef_)
        strengths = {name: getattr(self, f"{name}_") for name in ("alpha", "alpha_ridge")}
        return U.T, Vt, self._box(strengths).shares(s)
