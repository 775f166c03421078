"""Facts that solvers need of a problem, and typed readers of them; no solver asks for a class.

A structure with slopes under a norm names their ``parts``; one with a basis says ``projects``, one
that is linear in its blocks, coefficient by coefficient, ``linear``. A penalty is a norm if it has
``dual`` and ``shrink``, quadratic if it has ``gradient`` and ``diagonal``; a norm with a quadratic
beside it has both as ``norm`` and ``quadratic``. A penalty on singular values says by ``spectral``
what it adds up, "values" or "count"; one that keeps a basis orthonormal says ``orthonormal``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from polytask.data import TaskData
from polytask.penalties import Coupled, Norm, Penalty, Quadratic, Rank, Ridge
from polytask.problem import Problem
from polytask.structures import Projected, SlopesPlus

__all__ = [
    "BASIS",
    "FEATUREWISE",
    "LENGTHS",
    "LIMIT",
    "LINEAR",
    "NOISE",
    "NORMS",
    "ORTHONORMAL",
    "QUADRATICS",
    "RANK",
    "RIDGES",
    "ROWS",
    "SLOPES",
    "SPECTRAL",
    "SQUARES",
    "STAGES",
    "Need",
    "basis_of",
    "coupled_of",
    "norm_penalty",
    "quadratic_beside",
    "quadratics_of",
    "rank_of",
    "ridge_of",
    "slopes_of",
]


@dataclass(frozen=True)
class Need:
    """A fact that a solver asks for.

    Parameters
    ----------
    says : str
        What is needed, after "needs".
    holds : callable
        Whether a problem has it; asked only if it has those named before.
    """

    says: str
    holds: Callable[[Problem], bool]


def _has(penalty: Any, *names: str) -> bool:
    return all(hasattr(penalty, name) for name in names)


def norm_penalty(penalty: Penalty) -> Norm:
    """The norm of a penalty: its own, or itself."""
    return cast(Norm, getattr(penalty, "norm", penalty))


def quadratic_beside(penalty: Penalty) -> Quadratic | None:
    """The quadratic beside a norm, if there is one."""
    return cast("Quadratic | None", getattr(penalty, "quadratic", None))


def slopes_of(problem: Problem) -> SlopesPlus:
    """The structure of a problem with `SLOPES`."""
    return cast(SlopesPlus, problem.structure)


def basis_of(problem: Problem) -> Projected:
    """The structure of a problem with `BASIS`."""
    return cast(Projected, problem.structure)


def ridge_of(problem: Problem, block: str) -> Ridge:
    """The penalty of a block that has a strength per coefficient."""
    return cast(Ridge, problem.penalties[block])


def quadratics_of(problem: Problem) -> dict[str, Quadratic]:
    """The penalties of a problem with `QUADRATICS`."""
    return cast("dict[str, Quadratic]", dict(problem.penalties))


def coupled_of(problem: Problem) -> Coupled:
    """The penalty on the deviations where it couples the tasks (`coupling`)."""
    return cast(Coupled, problem.penalties["deviation"])


def rank_of(problem: Problem) -> Rank:
    """The penalty on the low-rank part that counts, or limits, its rank."""
    return cast(Rank, problem.penalties["low_rank"])


def _parts(problem: Problem) -> tuple[str, ...]:
    return getattr(problem.structure, "parts", ())


def _goes_by_features(penalty: Penalty) -> bool:
    both = (norm_penalty(penalty), quadratic_beside(penalty))
    return all(part is None or _has(part, "on_features") for part in both)


def _rest_slopes(problem: Problem) -> bool:
    rest, d = slopes_of(problem).rest, slopes_of(problem).n_features
    return bool((rest.common | rest.deviation)[:d].any())


ROWS = Need("the rows in memory", lambda p: isinstance(p.source, TaskData))
SQUARES = Need("a quadratic loss", lambda p: p.loss.is_quadratic)
LINEAR = Need(
    "a structure that is linear in its blocks (`linear`)",
    lambda p: bool(getattr(p.structure, "linear", False)),
)
QUADRATICS = Need(
    "a quadratic penalty on every block (`gradient`, `diagonal`)",
    lambda p: all(_has(q, "gradient", "diagonal") for q in p.penalties.values()),
)
SLOPES = Need("slopes that a norm sees in its structure (`parts`)", lambda p: bool(_parts(p)))
RIDGES = Need(
    "a strength per coefficient (`strength`) on what no norm sees",
    lambda p: all(_has(q, "strength") for b, q in p.penalties.items() if b not in _parts(p)),
)
NORMS = Need(
    "a norm on the slopes (`dual`, `shrink`)",
    lambda p: all(_has(norm_penalty(p.penalties[b]), "dual", "shrink") for b in _parts(p)),
)
FEATUREWISE = Need(
    "norms that are sums over features (`on_features`), and nothing else on slopes",
    lambda p: all(_goes_by_features(p.penalties[b]) for b in _parts(p)) and not _rest_slopes(p),
)
LENGTHS = Need(
    "one norm, of lengths and absolute values (`by_entries`, `by_features`), and nothing beside",
    lambda p: (
        len(_parts(p)) == 1
        and _has(p.penalties[_parts(p)[0]], "by_entries", "by_features")
        and not _rest_slopes(p)
    ),
)
NOISE = Need("the noise of each task as a block (`noise`)", lambda p: "noise" in p.penalties)
STAGES = Need(
    "a concave penalty on the slopes (`above`)",
    lambda p: all(_has(p.penalties[b], "above") for b in _parts(p)),
)
SPECTRAL = Need(
    "a penalty on singular values (`spectral`)",
    lambda p: _parts(p) == ("low_rank",) and _has(p.penalties["low_rank"], "spectral"),
)
LIMIT = Need(
    "a penalty that counts or limits the rank (`max_rank`)",
    lambda p: _has(p.penalties["low_rank"], "max_rank"),
)
RANK = Need(
    "a penalty on the rank",
    lambda p: getattr(p.penalties["low_rank"], "spectral", None) == "count",
)
BASIS = Need(
    "a projection in its structure (`projects`)",
    lambda p: bool(getattr(p.structure, "projects", False)),
)
ORTHONORMAL = Need(
    "orthonormal directions", lambda p: bool(getattr(p.penalties["projection"], "orthonormal", 0))
)
