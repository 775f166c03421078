"""Labels of known tasks: heads on x, heads on x and h, and boosting, weighed by rows left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import log_expit, logsumexp
from sklearn.ensemble import HistGradientBoostingClassifier

from polytask.data.threads import with_trees
from polytask.responses import Response
from polytask.tuning.tree_feature import TreeRows, binned

__all__ = ["LabelStack"]

_OF_TREES = ("learning_rate", "max_leaf_nodes", "min_samples_leaf", "random_state")
_STEPS = 500  # of the shares, each with a lower loss


class LabelStack:
    """A mixture of three models: P(y = 1) = Σ_k shares_k P_k(y = 1).

    One Newton step of the loss, which the trees of h learn, says little of labels that are nearly
    certain, and heads of few labels little of tasks that bend. Boosting that sees the task as a
    category learns the loss itself, but is sure where no row held out contradicts it. Log odds that
    are averaged would be as sure; the loss of a mixture is at most that of any part less the log of
    its share.
    """

    shares_: np.ndarray | None
    linear_: Any
    boosting_: HistGradientBoostingClassifier | None
    bins_: list[np.ndarray]
    _place: np.ndarray
    _told: np.ndarray

    def _no_stack(self) -> None:
        self.shares_ = self.linear_ = self.boosting_ = None

    def _weigh(
        self, linear: Any, best: Any, rows: TreeRows, given: dict[str, Any], clear: float
    ) -> None:
        """Shares (3,) of heads ``linear``, heads ``best``, and boosting with such parameters.

        None where they do not lower the loss of ``best`` by so many standard errors.
        """
        loss: Response = best.model.response_
        trees = HistGradientBoostingClassifier(
            **{name: given[name] for name in _OF_TREES}, max_iter=2 * given["max_iter"],
            early_stopping=False, categorical_features=[rows.X.shape[1] - 1],
        )  # fmt: skip
        self.boosting_, told = rows.boost(trees, loss)
        if best is linear and self.boosting_ is None:
            return
        used = [best is not linear, True, self.boosting_ is not None]
        parts = [linear.left_out, best.left_out, *told.T]
        F = np.column_stack([part for part, use in zip(parts, used, strict=False) if use])
        losses, s = loss.value(rows.data.y[:, None], F), best.weight
        shares = _shares(losses, s)
        gain = best.loss + logsumexp(-losses, axis=1, b=shares)
        if s @ gain > clear * np.sqrt(s @ gain**2):
            self.shares_, self.linear_, self._told = np.zeros(3), linear.model, told
            self.shares_[used] = shares
        else:
            self.boosting_ = None

    def _stacked(self, table: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Linear predictors of the heads' table, where the heads say f."""
        if self.shares_ is None:
            return f
        code, d = table[:, 0].astype(int), len(self.bins_)
        seen = (code >= 0) & (code < len(self._place))
        if seen.any():
            parts = [self.linear_._linear_predictor(table[seen, : 1 + d]), f[seen]]
            if self.boosting_ is not None:
                bins = binned(table[seen, 1 : 1 + d], self.bins_)
                own = np.column_stack([bins, self._place[code[seen]]])
                parts.append(with_trees(self.boosting_.decision_function, own))
            f = f.copy()
            f[seen] = _mixed(np.column_stack(parts), self.shares_)
        return f

    def _stacked_left_out(self, table: np.ndarray, f: np.ndarray, y: Any, s: Any) -> np.ndarray:
        """The same of training rows left out, where the heads say f without each."""
        if self.shares_ is None:
            return f
        linear = self.linear_.left_out(table[:, : 1 + len(self.bins_)], y, s)
        parts = np.column_stack([linear, f, self._told])
        return _mixed(parts, self.shares_)


def _shares(losses: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Shares (k,) of models of which rows have minus log likelihoods (N, k).

    Those most likely a posteriori (by the EM algorithm), where before any row each model has said
    one row right that the others exclude.
    """
    likelihood = np.exp(losses.min(axis=1, keepdims=True) - losses)
    shares = np.full(losses.shape[1], 1.0 / losses.shape[1])
    for _ in range(_STEPS):
        shares = 1.0 + (weight / (likelihood @ shares)) @ likelihood * shares
        shares /= shares.sum()
    return shares


def _mixed(F: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Log odds of the mixture of models with log odds F (N, k)."""
    of = shares[: F.shape[1]]
    one, none = (logsumexp(log_expit(sign * F), axis=1, b=of) for sign in (1.0, -1.0))
    return np.asarray(one - none)
