"""W0 as it is reported of labels and counts: the deviations integrated out, with its errors.

The mode of w0 and the deviations together, about which a restricted likelihood is taken, predicts
well, but is nearer to zero than the coefficients are. What is reported maximizes Laplace's
likelihood at the variances found, as lme4's glmer does; its covariance is twice the inverse of the
deviance's Hessian in the roots of the covariances and w0 together, by differences of the exact
gradient: in w0 of the little that the determinants add, the rest is known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polytask.mixed.crossed.laplace import CrossedLaplace, LaplacePoint
from polytask.mixed.root import Root
from polytask.mixed.roots import Roots

__all__ = ["reported_common"]

_STEP = 1e-3  # of a difference, in scaled columns


def reported_common(
    at: CrossedLaplace, point: LaplacePoint, roots: Sequence[Root], t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """W0 (p,) and its covariance (p, p).

    Parameters
    ----------
    at : CrossedLaplace
        What made the estimate.
    point : LaplacePoint
        The estimate.
    roots : sequence of Root
    t : ndarray
        Their free parameters at the estimate.
    """
    model = type(at)(
        at.rows, at.T, at.y, at.weight, point.loss, False, learn=at.learn, eliminate=at.eliminate
    )
    together, p = Roots(roots), at.T.shape[1]
    best = point if point.held is not None else model(together.at(t))
    place, q = np.append(t, best.beside), len(t)

    def slope(moved: np.ndarray) -> np.ndarray:
        there = model(together.at(moved[:q]), moved[q:])
        return np.append(together.slope(there), there.beside_slope)

    common, steps = slice(q, q + p), _STEP * np.eye(len(place))
    H = np.zeros(steps.shape)
    for k in [*range(q), *range(q + p, len(place))]:
        H[k] = H[:, k] = (slope(place + steps[k]) - slope(place - steps[k])) / (2.0 * _STEP)
    turned = [model(best.roots, moved[q:]).common_turn for moved in place + steps[common]]
    H[common, common] = 2.0 * best.inner_common + (turned - best.common_turn) / _STEP
    H = 0.5 * (H + H.T)
    if np.linalg.eigvalsh(H)[0] <= 0:  # a variance whose likelihood has no maximum inside
        return place[common], 2.0 * np.linalg.pinv(H[common, common], hermitian=True)
    return place[common], 2.0 * np.linalg.inv(H)[common, common]
