"""What all tasks of a fold have in common: the strengths and w0 that its training part chose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

__all__ = ["FoldLosses", "shared_variance"]


@dataclass(frozen=True, eq=False)
class FoldLosses:
    """Mean losses of m tasks, taken apart by J folds.

    Attributes
    ----------
    shares : ndarray of shape (m, J)
        Part of a task's tested rows that each fold tested; sums to one, zero if never tested.
    losses : dict of str to ndarray of shape (m, J)
        Of each model: mean loss in the fold times the share, so that the sum is the task's mean.
    """

    shares: np.ndarray
    losses: dict[str, np.ndarray]

    def residual(self, reference: str, names: list[str], ratio: np.ndarray) -> np.ndarray:
        """Gains of models over a reference less their ratio times its loss, (m, J, k)."""
        base = self.losses[reference]
        parts = [(1 - r) * base - self.losses[n] for n, r in zip(names, ratio, strict=True)]
        return np.stack(parts, axis=2)


def shared_variance(
    parts: np.ndarray, shares: np.ndarray, inflation: float, level: float = 0.95
) -> np.ndarray:
    """Variance of a mean over tasks that the folds prove the tasks to share.

    The value of task i in fold k is a_i + f_k + noise. The a_i and the noise are in the spread of
    the tasks' means; the f_k are not: one training part chooses one strength and one w0 for all
    tasks. With f_k estimated by least squares, the ratio of their variance to what the noise
    explains (from the tasks, which are independent given f) follows F times one plus the ratio of
    the variances, so that dividing it by a quantile of F gives the lower confidence limit of the
    variance of f. Five folds leave four degrees of freedom: the estimate itself, cut at zero,
    would double the variance of the mean where nothing is shared. Of J folds whose training parts
    overlap the mean has 1/J + n_test / n_train of it.

    Parameters
    ----------
    parts : ndarray of shape (m, J, k)
        Means by task and fold of k statistics, times the shares.
    shares : ndarray of shape (m, J)
        See `FoldLosses`.
    inflation : float
        1 + n_test / n_train.
    level : float, default=0.95
        Of the confidence limit.

    Returns
    -------
    ndarray of shape (k,)
        Zero where no task is tested in two folds, as when tasks are held out whole.

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, chapters 3 and 5; Cameron, Gelbach
    and Miller (2011), Robust inference with multiway clustering, Journal of Business & Economic
    Statistics 29; Nadeau and Bengio (2003), Machine Learning 52, for the overlap.

    Examples
    --------
    >>> import numpy as np
    >>> fold = np.array([1.0, -1.0, 2.0, -2.0])  # the same in all of 20 tasks
    >>> parts = np.tile(fold, (20, 1))[:, :, None] / 4
    >>> shared_variance(parts, np.full((20, 4), 0.25), 4 / 3).round(3).tolist()
    [0.703]
    """
    m = int((shares.sum(axis=1) > 0).sum())
    apart = parts - shares[:, :, None] * parts.sum(axis=1, keepdims=True)
    normal = np.diag(shares.sum(axis=0)) - shares.T @ shares
    rank = np.linalg.matrix_rank(normal, tol=1e-9 * max(m, 1), hermitian=True)
    if rank == 0 or m < 2:
        return np.zeros(parts.shape[2])
    solve = np.linalg.pinv(normal, rcond=1e-9, hermitian=True)
    fold = solve @ apart.sum(axis=0)
    noise = apart - shares[:, :, None] * (fold - (shares @ fold)[:, None, :])
    of_noise = (np.einsum("jl,ilk->ijk", solve, noise) ** 2).sum(axis=(0, 1)) * m / (m - 1)
    chance = stats.f.ppf(level, rank, rank * (m - 1))
    between = np.maximum((fold**2).sum(axis=0) / chance - of_noise, 0.0) / rank
    found: np.ndarray = (1 / (rank + 1) + inflation - 1) * between
    return found
