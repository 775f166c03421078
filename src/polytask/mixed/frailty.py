"""The variance of a Gaussian frailty that the rows of a task share, by restricted likelihood.

Row j of task i has the hazard h_0(t) exp(x_j'w + b_i), b_i ~ N(0, theta), and w is free. At the
mode (w, b) of the penalized partial likelihood l(w, b) - ‖b‖² / (2 theta), with H minus the second
derivative of l and V the block of b in (H + diag(0, 1 / theta))^-1, the equation of restricted
maximum likelihood is

    theta = (‖b‖² + tr V) / m,

that of a linear mixed model at the mode's curvature. It is what R's survival solves for
``frailty(id, dist = "gauss")`` (without its sparse approximation of H).

References
----------
McGilchrist, Biometrics 49 (1993); Ripatti and Palmgren, Biometrics 56 (2000); Therneau and
Grambsch, Modeling Survival Data (2000), chapter 9.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from polytask.algebra.linalg import psd_inverse
from polytask.data import TaskData
from polytask.data.strata import StrataData
from polytask.solvers import Solution

__all__ = ["frailty_variance"]

_LEAST, _MOST = 1e-6, 1e3
_TOL = 1e-9  # of the logarithm of the variance


def frailty_variance(
    data: TaskData, ties: str, n_slopes: int, solve: Callable[[float], Solution]
) -> tuple[float, Solution, np.ndarray]:
    """Variance, the mode there, and the covariance of w.

    Parameters
    ----------
    data : TaskData
        One task, whose columns are the features and an indicator of each of the m tasks.
    ties : str
    n_slopes : int
        Features.
    solve : callable
        The mode at a variance.

    Returns
    -------
    variance : float
        Zero where the restricted likelihood falls from there; infinity where it grows without end.
    mode : Solution
        At the variance, or the least or largest that is looked at.
    covariance : ndarray of shape (d, d)
    """
    rows, found = StrataData(data, ties), {}

    def excess(log_variance: float) -> float:
        variance = float(np.exp(log_variance))
        mode = solve(variance)
        precision = data.sample_weight.sum() * rows.at(None, mode.coefs).gram[0]
        precision[np.arange(n_slopes, len(precision)), np.arange(n_slopes, len(precision))] += (
            1.0 / variance
        )
        covariance = psd_inverse(precision)
        found[log_variance] = mode, covariance[:n_slopes, :n_slopes]
        b = mode.coefs[0, n_slopes:]
        spread = float(b @ b) + float(np.trace(covariance[n_slopes:, n_slopes:]))
        return (spread / len(b) - variance) / variance**2  # has a limit at zero

    low, high = np.log(_LEAST), np.log(_MOST)
    if excess(low) <= 0:
        return 0.0, *found[low]
    if excess(high) >= 0:
        return np.inf, *found[high]
    at = brentq(excess, low, high, xtol=_TOL, rtol=1e-12)
    if at not in found:
        excess(at)
    return float(np.exp(at)), *found[at]
