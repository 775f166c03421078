"""How sure the variances of several groupings are, by the profiled deviance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polytask.mixed.crossed.asked import Asked, Choice, CrossedData
from polytask.mixed.crossed.fit import Fitter
from polytask.mixed.profile import Profiled, Surface, units_of
from polytask.mixed.roots import Roots
from polytask.responses import Loss

__all__ = ["DeviationProfile", "ends", "profiles_crossed"]

DeviationProfile = tuple[Profiled, int, float]  # with its number of parameters, and its scale


def profiles_crossed(
    data: CrossedData, loss: Loss, asked: Sequence[Asked], *, random_common: bool,
    restricted: bool, learn: bool = False,
) -> list[dict[int, DeviationProfile]] | None:  # fmt: skip
    """Of every grouping, by the column that deviates; None where no noise is left.

    Parameters
    ----------
    asked : sequence of Asked
        With columns and a covariance that are known.
    """
    fitter = Fitter(data, loss, random_common, restricted, learn)
    choices = [Choice(each, np.asarray(each.columns), each.covariance) for each in asked]
    fitted = fitter.fit(choices)
    if fitter.silent or fitted.estimate.point.noiseless:
        return None
    together = Roots(fitted.roots)
    surface = Surface(lambda t: fitted.at(together.at(t)), together.slope, loss.is_quadratic)
    best, found = surface.place(fitted.estimate.parameters), []
    units = units_of(surface, best)
    for f, choice in enumerate(choices):
        place = fitted.back[f]
        root, first = together.roots[place], together.parts[place].start
        found.append(
            {
                int(k): (
                    Profiled(surface, best, first + root.owners(j), loss.is_quadratic, units),
                    root.n_with(j), float(fitter.scale[k]),
                )
                for j, k in enumerate(choice.columns)
            }
        )  # fmt: skip
    return found


def ends(profiles: dict[int, DeviationProfile], p: int, level: float) -> np.ndarray:
    """Bounds (2, p) of the standard deviations; zero of columns that do not deviate."""
    found = np.zeros((2, p))
    for k, (profile, _, scale) in profiles.items():
        found[:, k] = np.array(profile.interval(level)) / scale
    return found
