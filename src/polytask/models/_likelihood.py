"""What the likelihood of a fitted mixed model is of, so that two of them can be compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from polytask.data import TaskData
from polytask.mixed.likelihood import Likelihood, Varying
from polytask.mixed.state import MixedState

__all__ = ["in_units_of_their_mean", "of_groupings", "of_tasks", "rows_seen"]


def in_units_of_their_mean(data: TaskData) -> tuple[TaskData, float]:
    """Rows whose weights are precisions, of mean one; and what the mean was."""
    s = data.sample_weight
    if (s == s[0]).all():
        return (data if s[0] == 1 else data.reweighted(np.ones(len(s)))), float(s[0])
    mean = float(s.mean())
    return data.reweighted(s / mean), mean


def rows_seen(data: TaskData) -> list[float]:
    """Rows, the sum of their targets and that of the squares; of sums over rows only the first."""
    s, y = data.sample_weight, getattr(data, "y", np.zeros(0))
    there = len(y) == len(s)
    weighed = s * y if there else np.zeros(0)
    once = float(data.ones @ weighed) if there else 0.0
    return [float(s.sum()), once, float(weighed @ y) if there else 0.0]


def of_groupings(model: Any) -> Likelihood:
    """That of a multilevel model."""
    check_is_fitted(model)
    if not isinstance(model.alpha, str) or model.alpha == "cv":
        raise ValueError(
            f"{type(model).__name__}: a likelihood-ratio test needs alpha='ml' or 'reml'; got "
            f"alpha={model.alpha!r}, strengths that were given or chosen otherwise."
        )
    names = [str(name) for name in model._feature_names(len(model.common_coef_))]
    groupings = {
        name: Varying(
            frozenset(map(str, model.varying_[name])), model.fit_intercept, model.covariance_[name]
        )
        for name in model.groupings_
    }
    return Likelihood(
        model.log_likelihood_, _parameters(model), model.alpha == "reml", model.response_,
        frozenset(names), model._random_w0, groupings, tuple(model._rows_seen),
    )  # fmt: skip


def of_tasks(model: Any) -> Likelihood:
    """That of a mean-regularized model with ``alpha="reml"``."""
    check_is_fitted(model)
    if not hasattr(model, "_mixed_state_"):
        raise ValueError(
            f"{type(model).__name__}: a likelihood-ratio test needs alpha='reml'; got "
            f"alpha={model.alpha!r}, which has no likelihood."
        )
    state = MixedState.from_dict(model._mixed_state_)
    names = model._coefficient_names(state.model.n_coefs)
    varies = {names[k] for k in np.unique(state.root.row)}
    slopes = frozenset(varies - {"intercept"})
    return Likelihood(
        model.log_likelihood_, _parameters(model), True, model.response_,
        frozenset(names) - {"intercept"}, state.kappa is not None,
        {str(model.task): Varying(slopes, "intercept" in varies, model.covariance_)},
        tuple(model._rows_seen),
    )  # fmt: skip


def _parameters(model: Any) -> int:
    return round(0.5 * model.aic_ + model.log_likelihood_)
