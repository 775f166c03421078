"""What is told of slopes that are a small space of the tasks and single coefficients beside it."""

from __future__ import annotations

from dataclasses import field

import numpy as np

from polytask.data import TaskData
from polytask.models._norm_base import NormBase
from polytask.penalties.spectral import numerical_rank
from polytask.solvers import Solution

__all__ = ["SparsePlusSpace"]


class SparsePlusSpace(NormBase):
    """R(L + S) with L of low rank and S sparse.

    Parameters
    ----------
    alpha : float or "cv", default="cv"
        The leading strength, positive; "cv" chooses it by 5 folds inside tasks.

    Attributes
    ----------
    shared_coef_, own_coef_ : ndarray of shape (m, d)
        L and S; ``coef_`` is their sum.
    rank_ : int
        Rank of ``shared_coef_``.
    support_ : bool ndarray of shape (m, d)
        Where ``own_coef_`` is not zero.
    """

    alpha: float | str = field(default="cv", kw_only=False)

    def _store(self, solution: Solution, data: TaskData) -> None:
        super()._store(solution, data)
        self.rank_ = numerical_rank(np.linalg.svd(self.shared_coef_, compute_uv=False))
        self.support_ = self.own_coef_ != 0
