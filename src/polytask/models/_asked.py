"""What the parameters of a multilevel model ask of every grouping."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from polytask.data import TaskData, callers_level
from polytask.data.groupings import Grouping
from polytask.mixed.crossed.asked import Asked, CrossedData
from polytask.mixed.crossed.by_left_out import by_left_out
from polytask.mixed.crossed.chosen import fit_crossed
from polytask.mixed.crossed.doubts import crossed_doubts
from polytask.mixed.crossed.fit import CrossedFit
from polytask.mixed.doubts import DoubtWarning
from polytask.mixed.reml import check_reach
from polytask.models._declared import Declared
from polytask.models._levels import chosen_positions, feature_names
from polytask.models.mixed import why_not_mixed
from polytask.responses import Response

__all__ = ["AskedOfGroupings"]

_PER_COEFFICIENT = 10  # rows below which a free common part could overfit


class AskedOfGroupings(Declared):
    """Strengths and coefficients that vary, by grouping, and the fit to rows that they ask for."""

    def _fit_rows(
        self, data: TaskData, known: Sequence[Grouping], codes: Sequence[np.ndarray]
    ) -> CrossedFit:
        loss: Response = self.response_
        estimated = isinstance(self.alpha, str)
        reason = why_not_mixed(self._loss(), learn=True) if estimated else None
        if reason is not None:
            raise ValueError(
                f"{type(self).__name__}: alpha={self.alpha!r} needs {reason}. Give alpha a number."
            )
        loss = loss.as_likelihood() or loss if estimated else loss
        if loss.is_quadratic:
            check_reach(data)
        rows = self._rows_of(data)
        N, p = float(data.sample_weight.sum()), data.n_coefs
        asked = []
        for grouping, code in zip(known, codes, strict=True):
            strength = self._given(grouping, p, N)
            columns = self._columns(grouping.name, data, given=strength is not None)
            asked.append(Asked(code, grouping.n_levels, columns, self.covariance, strength))
        restricted = not (isinstance(self.alpha, str) and self.alpha == "ml")
        if isinstance(self.alpha, str) and self.alpha == "cv":
            self._check_left_out()
            asked = by_left_out(rows, loss, asked, restricted)
        random_common = self._random_common(N, data)
        free = int(data.intercept) if random_common else np.linalg.matrix_rank(data.total_gram)
        if loss.is_quadratic and free >= N:
            raise ValueError(
                f"{type(self).__name__}: there must be more rows than free common coefficients; "
                f"got {N:g} sample{'s' * (N != 1)} and {free}. Set alpha_common='reml', which "
                "gives w0 a variance."
            )
        return fit_crossed(
            rows, loss, asked, random_common=random_common, restricted=restricted,
            learn=estimated and self._loss().learns_likelihood,
        )  # fmt: skip

    def _say_doubts(
        self, fit: CrossedFit, data: TaskData, known: Sequence[Grouping],
        codes: Sequence[np.ndarray],
    ) -> None:  # fmt: skip
        """Warn of variances that the rows do not tell."""
        if not isinstance(self.alpha, str) or not fit.loss.is_quadratic:
            return
        asked = [Asked(c, g.n_levels, None) for g, c in zip(known, codes, strict=True)]
        wide = [int(np.count_nonzero(np.diag(t.covariance))) * len(t.deviations) for t in fit.terms]
        found = crossed_doubts(
            self._rows_of(data), asked, [g.name for g in known], fit.noise,
            data.n_coefs + sum(wide), fit.at_limit,
        )  # fmt: skip
        if found:
            said = f"{type(self).__name__}: {'; '.join(found)}."
            warnings.warn(said, DoubtWarning, stacklevel=callers_level())

    @staticmethod
    def _rows_of(data: TaskData) -> CrossedData:
        design = data.design
        X = design.distinct_rows()
        X = X if design.index is None else X[design.index]
        return CrossedData(X, data.y, data.sample_weight, data.intercept, data.ones)

    def _check_left_out(self) -> None:
        """Refuse what strengths by left-out rows do not know."""
        for name, known in (("covariance", ("auto", "scalar", "diagonal")),
                            ("alpha_common", ("auto", 0))):  # fmt: skip
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{type(self).__name__}: {name} must be {' or '.join(map(repr, known))} with "
                    f"alpha='cv'; got {getattr(self, name)!r}. Take alpha='reml'."
                )

    def _random_common(self, n_rows: float, data: TaskData) -> bool:
        if data.n_features == 0 or not isinstance(self.alpha, str) or self.alpha == "cv":
            return False
        if self.alpha_common == "auto":
            return n_rows < _PER_COEFFICIENT * data.n_coefs
        return bool(self.alpha_common == "reml")

    def _given(self, grouping: Grouping, p: int, n_rows: float) -> np.ndarray | None:
        """Variances over that of the noise that a given strength amounts to, (p,)."""
        alpha = self.alpha
        if isinstance(alpha, str):
            chosen = getattr(self, "alpha_", None) if alpha == "cv" else None
            return None if chosen is None else 0.5 / (n_rows * chosen[grouping.name])
        if isinstance(alpha, Mapping):
            if grouping.name not in alpha:
                raise ValueError(
                    f"{type(self).__name__}: alpha must have a strength for every grouping; got "
                    f"none for {grouping.name!r}."
                )
            alpha = alpha[grouping.name]
        strength = np.asarray(alpha, dtype=float)
        if strength.ndim > 1 or strength.shape not in ((), (p,)) or not (strength > 0).all():
            raise ValueError(
                f"{type(self).__name__}: alpha must be positive, a number or an array of shape "
                f"({p},) for each grouping; got {alpha!r} for {grouping.name!r}."
            )
        return np.broadcast_to(0.5 / (n_rows * strength), (p,))

    def _columns(self, grouping: str, data: TaskData, *, given: bool) -> np.ndarray | None:
        """Positions of the coefficients that may deviate; None for "auto"."""
        varying, d = self.varying, data.n_features
        level = np.arange(d, data.n_coefs)
        if isinstance(varying, Mapping):
            varying = varying.get(grouping, [])
        if isinstance(varying, str):
            if varying == "auto" and not given:
                return None if d else level
            return np.arange(data.n_coefs)
        return np.concatenate([chosen_positions(self, varying, d), level])

    def _feature_names(self, d: int) -> list[Any]:
        """Names of the features, or their positions."""
        return feature_names(self, d)
