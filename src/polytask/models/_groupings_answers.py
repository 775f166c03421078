"""What a multilevel model says of rows and of combinations of levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from polytask.data.groupings import Grouping, read_grouped_rows, read_groupings
from polytask.models._declared import Declared
from polytask.models._levels import along, level_texts, with_zero
from polytask.models.unseen import unseen_message

__all__ = ["GroupingsAnswers"]


class GroupingsAnswers(Declared):
    """Linear predictors and coefficients: the common part and the deviations of levels."""

    def coefficients(self, levels: Any) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients (n, d) and intercepts (n,) of combinations of levels.

        Parameters
        ----------
        levels : table or array of shape (n, columns)
            The columns of the groupings; levels that training had not deviate by nothing.
        """
        check_is_fitted(self)
        known = self._known()
        if not hasattr(levels, "columns") and not hasattr(levels, "shape"):
            levels = pd.DataFrame(levels)
        ids = read_groupings(levels, [grouping.columns for grouping in known])
        d = len(self.common_coef_)
        total = np.zeros((len(levels), d + 1))
        for grouping in known:
            code = grouping.code([ids[name] for name in grouping.columns])
            total += with_zero(self.deviations_[grouping.name])[code]
        common, level = self._common()
        return common + total[:, :d], level + total[:, d]

    def _common(self) -> tuple[np.ndarray, float]:
        """The common part of predictions."""
        common = getattr(self, "new_task_coef_", self.common_coef_)
        return common, getattr(self, "new_task_intercept_", self.common_intercept_)

    def _known(self) -> list[Grouping]:
        return [Grouping.from_dict(kept) for kept in self._groupings_]

    def _linear_predictor(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        known = self._known()
        if self._wide or not known:
            features, ids = read_grouped_rows(self, X, [], reset=False)
        else:
            left_out = getattr(self, "_left_out", [])  # files of earlier versions have none
            columns = [*(grouping.columns for grouping in known), *left_out]
            features, ids = read_grouped_rows(self, X, columns, reset=False)
        common, level = self._common()
        f = np.asarray(features @ common) + level
        if self._wide:
            own = self.deviations_[self.groupings_[0]]
            return f[:, None] + np.asarray(features @ own[:, :-1].T) + own[:, -1]
        for place, grouping in enumerate(known):
            code = grouping.code([ids[name] for name in grouping.columns])
            if place == 0 and self.unseen == "error" and (code < 0).any():
                names = level_texts([ids[name][code < 0] for name in grouping.columns])
                raise ValueError(unseen_message(self, names))
            f += along(features, with_zero(self.deviations_[grouping.name]), code)
        return f
