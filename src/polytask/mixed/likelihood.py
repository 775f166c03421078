"""What a likelihood is of: the rows, the common part, the coefficients that vary by grouping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from polytask.responses import Response

__all__ = ["Likelihood", "Varying", "n_new_variances", "why_not_nested"]

_CONTAINS = {
    "scalar": ("scalar",),
    "diagonal": ("scalar", "diagonal"),
    "factor": ("scalar", "diagonal", "factor"),
    "full": ("scalar", "diagonal", "factor", "full"),
}
_SAME = 1e-9  # relative difference of sums over the same rows


@dataclass(frozen=True)
class Varying:
    """What differs between the levels of a grouping.

    Parameters
    ----------
    slopes : frozenset of str
    level : bool
    covariance : {"scalar", "diagonal", "factor", "full"}
    """

    slopes: frozenset[str]
    level: bool
    covariance: str

    def within(self, other: Varying) -> bool:
        """Whether the other can be like this."""
        if not self.slopes:
            return self.level <= other.level
        if len(self.slopes) == 1 and self.covariance == "diagonal":
            return Varying(self.slopes, self.level, "scalar").within(other)
        kind = self.covariance in _CONTAINS[other.covariance]
        shared = other.covariance == "scalar"  # a variance that all slopes have
        slopes = self.slopes == other.slopes if shared else self.slopes <= other.slopes
        return kind and slopes and self.level <= other.level


@dataclass(frozen=True)
class Likelihood:
    """A maximized likelihood and what it is of.

    Parameters
    ----------
    log_likelihood : float
    n_parameters : int
    restricted : bool
    response : Response
    features : frozenset of str
        Of the common part, the level among them.
    random_common : bool
        Whether the common slopes have a variance.
    groupings : mapping of str to Varying
    rows : tuple of float
        Rows, sum of the targets and of their squares.
    """

    log_likelihood: float
    n_parameters: int
    restricted: bool
    response: Response
    features: frozenset[str]
    random_common: bool
    groupings: Mapping[str, Varying]
    rows: tuple[float, ...]


def why_not_nested(small: Likelihood, large: Likelihood) -> str | None:
    """None, or why twice the difference of the two is no test."""
    if small.features != large.features and small.restricted:
        return (
            "restricted likelihoods compare only with the same features; got others in "
            f"{_names(small.features ^ large.features)}. Fit both with alpha='ml'."
        )
    if not small.features <= large.features:
        return f"the larger lacks the features {_names(small.features - large.features)}."
    for name, varying in small.groupings.items():
        if name not in large.groupings:
            return f"the larger lacks the grouping {name!r}."
        if not varying.within(large.groupings[name]):
            return (
                f"what varies between levels of {name!r} in the smaller is no special case of what "
                "varies in the larger. See varying_ and covariance_."
            )
    if large.n_parameters <= small.n_parameters:
        return f"the larger has no more parameters ({large.n_parameters})."
    return _unlike(small, large)


def _unlike(small: Likelihood, large: Likelihood) -> str | None:
    """What makes two likelihoods incomparable whatever they are models of."""
    names = small.response.name, large.response.name
    if names[0] != names[1] or small.restricted != large.restricted:
        kinds = ("reml" if each.restricted else "ml" for each in (small, large))
        said = [f"{name}, {kind}" for name, kind in zip(names, kinds, strict=True)]
        return f"got one of {said[0]!r} and one of {said[1]!r}."
    if small.restricted and not small.response.is_quadratic:
        return "restricted likelihoods of labels and counts have priors. Fit both with alpha='ml'."
    pairs = zip(small.rows, large.rows, strict=True)
    if any(abs(a - b) > _SAME * max(abs(a), abs(b)) for a, b in pairs):
        return f"got other rows: {small.rows[0]:g} and {large.rows[0]:g}, or other targets."
    if small.random_common != large.random_common:
        return "w0 has a variance in one and is free in the other. Set alpha_common=0 in both."
    return None


def n_new_variances(small: Likelihood, large: Likelihood) -> int:
    """Variances of the larger that the smaller holds at zero."""
    none = Varying(frozenset(), False, "scalar")
    found = 0
    for name, varying in large.groupings.items():
        before = small.groupings.get(name, none)
        new = len(varying.slopes - before.slopes)
        if varying.covariance == "scalar":
            new = int(bool(varying.slopes) and not before.slopes)
        found += new + int(varying.level and not before.level)
    return found


def _names(names: frozenset[str]) -> str:
    return ", ".join(map(repr, sorted(names)))
