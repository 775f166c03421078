"""What rows cannot say of several groupings, in words."""

from __future__ import annotations

from collections.abc import Sequence

from polytask.mixed.crossed.asked import Asked, CrossedData

__all__ = ["crossed_doubts"]

_NO_NOISE = 1e-4  # share of the target's variance


def crossed_doubts(
    data: CrossedData, asked: Sequence[Asked], names: Sequence[str], noise: float, n_coefs: int,
    at_limit: bool,
) -> list[str]:  # fmt: skip
    """Sentences about variances that the rows do not tell; none where all is well.

    Parameters
    ----------
    data : CrossedData
    asked : sequence of Asked
        The groupings whose variances are estimated.
    names : sequence of str
    noise : float
        Variance of the noise.
    n_coefs : int
        Coefficients in all, those that deviate and w0.
    at_limit : bool
        Whether a variance is the largest that is taken: its likelihood has no maximum.
    """
    found = []
    count = data.weight * data.ones**2  # a row that stands for the moments of many counts as many
    n, total = float(count.sum()), float((data.weight * data.ones) @ data.y)
    for each, name in zip(asked, names, strict=True):
        if each.n_levels == 1:
            found.append(
                f"one level of {name!r} says nothing about variances between levels: they are its "
                "coefficients' size"
            )
        elif data.intercept and each.n_levels >= n:
            found.append(
                f"with one row in every level of {name!r}, differences between levels and noise "
                "cannot be told apart"
            )
    variance = (float(data.weight @ data.y**2) - total**2 / n) / n
    if noise <= _NO_NOISE * variance and (at_limit or n_coefs >= n):
        found.append(
            f"the deviations explain the {n:g} rows next to perfectly and leave no noise to "
            "estimate, so that standard errors claim too much; let fewer coefficients vary "
            "(varying=[]) or collect more rows a level"
        )
    return found
