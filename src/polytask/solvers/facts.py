"""Facts that solvers ask a structure or a penalty for; no solver asks for a class.

A structure with a low-rank block says so by ``low_rank = True``, one with a basis by
``projects = True``. A penalty on singular values says by ``spectral`` what it adds up: "values"
(trace norm) or "count" (rank). One that keeps a basis orthonormal says ``orthonormal = True``.
"""

from __future__ import annotations

from typing import TypeGuard

from polytask.penalties import Penalty, TraceNorm
from polytask.structures import LowRankPlus, Projected, Structure

__all__ = ["has_basis", "has_low_rank_block", "keeps_orthonormal", "spectral_kind", "sums_singular"]


def has_low_rank_block(structure: Structure) -> TypeGuard[LowRankPlus]:
    """Whether the structure has a block ``low_rank`` beside a common part and deviations."""
    return bool(getattr(structure, "low_rank", False))


def has_basis(structure: Structure) -> TypeGuard[Projected]:
    """Whether the structure has a basis P that it projects on."""
    return bool(getattr(structure, "projects", False))


def spectral_kind(penalty: Penalty) -> str | None:
    """What the penalty adds up over singular values: "values", "count", or nothing."""
    return getattr(penalty, "spectral", None)


def sums_singular(penalty: Penalty) -> TypeGuard[TraceNorm]:
    """Whether the penalty is the sum of singular values."""
    return spectral_kind(penalty) == "values"


def keeps_orthonormal(penalty: Penalty) -> bool:
    """Whether the penalty keeps its block orthonormal."""
    return bool(getattr(penalty, "orthonormal", False))
