"""Strengths of other packages in this package's scale, and back.

Every package weighs the same penalty against another sum: of squares, of half squares, of means.
`docs/scales.md` derives the factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["SCALES", "Scale", "from_polytask", "to_polytask"]

Numbers = dict[str, float]


@dataclass(frozen=True)
class Scale:
    """How strengths of a function of another package are written here.

    Parameters
    ----------
    formulation : str
        Name of the formulation that minimizes the same, as in ``polytask models``.
    task_weight : {"equal", "size"}
        What the two must agree in.
    names : tuple of (theirs, ours)
        Strengths that differ by the factor alone.
    unit : callable (N, m) -> float
        The factor, from the numbers of rows and tasks.
    fixed : dict
        Other parameters here that say what the package does.
    read, write : callable, optional
        Strengths before they are named, where they are no mere factors: theirs as ours are
        composed, and back.
    """

    formulation: str
    task_weight: str
    names: tuple[tuple[str, str], ...]
    unit: Callable[[int, int], float]
    fixed: Mapping[str, object]
    read: Callable[[Numbers, int], Numbers] | None = None
    write: Callable[[Numbers, int], Numbers] | None = None


def to_polytask(
    package: str, function: str, n_rows: Sequence[int], **strengths: float
) -> dict[str, object]:
    """Parameters of the formulation that minimizes what another package's function does.

    Parameters
    ----------
    package, function : str
        Such as "MALSAR" and "Least_L21"; `SCALES` has them all.
    n_rows : sequence of int
        Rows of each task.
    **strengths : float
        As the function calls them, such as ``rho1=10``.

    Returns
    -------
    dict
        Parameters for the estimator, ``task_weight`` among them, and ``formulation``, its name.

    Raises
    ------
    ValueError
        If the package, the function or a strength is not known.

    Examples
    --------
    >>> from polytask.scales import to_polytask
    >>> to_polytask("scikit-learn", "MultiTaskLasso", [50] * 4, alpha=0.2)["alpha"]
    0.05
    """
    scale, m = _found("to_polytask", package, function), len(n_rows)
    theirs = dict.fromkeys((t for t, _ in scale.names), 0.0) | strengths
    if len(theirs) > len(scale.names):
        known = [t for t, _ in scale.names]
        wrong = sorted(set(strengths) - set(known))
        raise ValueError(
            f"to_polytask: strengths of {function} must be {', '.join(known)}; got {wrong[0]}."
        )
    unit = scale.unit(int(np.sum(n_rows)), m)
    ours = {ours: unit * theirs[t] for t, ours in scale.names}
    ours = scale.read(ours, m) if scale.read else ours
    return {
        "formulation": scale.formulation, **ours, **scale.fixed, "task_weight": scale.task_weight
    }  # fmt: skip


def from_polytask(
    package: str, function: str, n_rows: Sequence[int], **strengths: float
) -> Numbers:
    """Strengths with which another package's function minimizes what a formulation does.

    Parameters
    ----------
    package, function : str
        Such as "MALSAR" and "Least_L21"; `SCALES` has them all.
    n_rows : sequence of int
        Rows of each task.
    **strengths : float
        As the formulation calls them, such as ``alpha=0.1``.

    Returns
    -------
    dict
        Strengths as the function calls them.

    Raises
    ------
    ValueError
        If the package or the function is not known, or a strength is missing.

    Examples
    --------
    >>> from polytask.scales import from_polytask
    >>> from_polytask("MALSAR", "Least_L21", [50] * 4, alpha=0.05)
    {'rho1': 10.0}
    """
    scale, m = _found("from_polytask", package, function), len(n_rows)
    ours = scale.write(strengths, m) if scale.write else strengths
    missing = [ours_name for _, ours_name in scale.names if ours_name not in ours]
    if missing:
        raise ValueError(
            f"from_polytask: {function} must be given {missing[0]} of the formulation."
        )
    unit = scale.unit(int(np.sum(n_rows)), m)
    return {theirs: float(ours[ours_name]) / unit for theirs, ours_name in scale.names}


def _found(who: str, package: str, function: str) -> Scale:
    if (package, function) not in SCALES:
        known = sorted(f for p, f in SCALES if p == package) or sorted({p for p, _ in SCALES})
        what = "function" if any(p == package for p, _ in SCALES) else "package"
        got = function if what == "function" else package
        raise ValueError(f"{who}: {what} must be one of {', '.join(known)}; got {got!r}.")
    return SCALES[package, function]


# Ridges on W as a whole, written as one on deviations from w0 and one on w0.


def _whole_ridge(ours: Numbers, m: int) -> Numbers:
    alpha, ridge = ours["alpha"], ours["alpha_common"]
    common = m * ridge * (alpha + ridge) / alpha
    return {"alpha": alpha + ridge, "alpha_common": common}


def _split_ridge(ours: Numbers, m: int) -> Numbers:
    """The same back: alpha_common alpha m / (alpha m + alpha_common) is m times the ridge."""
    alpha, common = ours["alpha"], ours.get("alpha_common", 0.0)
    ridge = alpha * common / (alpha * m + common) if common > 0 else 0.0
    return {"alpha": alpha - ridge, "alpha_common": ridge}


# Strengths of ‖W‖_1 and of joint features, written as one with a ratio.


def _mixed(ours: Numbers, _: int) -> Numbers:
    alpha = ours["l1"] + ours["l2"]
    rest = {name: value for name, value in ours.items() if name not in ("l1", "l2")}
    return {"alpha": alpha, "l1_ratio": ours["l1"] / alpha, **rest}


def _unmixed(ours: Numbers, _: int) -> Numbers:
    alpha, ratio = ours["alpha"], ours.get("l1_ratio", 0.5)
    return {**ours, "l1": alpha * ratio, "l2": alpha * (1.0 - ratio)}


def _per_row(N: int, m: int) -> float:
    return 1.0 / N


def _per_half_row(N: int, m: int) -> float:
    return 0.5 / N


def _per_task(N: int, m: int) -> float:
    return 1.0 / m


_SMOOTH = (("rho1", "alpha_ridge"), ("rho2", "alpha_difference"), ("rho3", "alpha"))
_FUSED = (("rho1", "l1"), ("rho2", "alpha_difference"), ("rho3", "l2"))
_BOX = (("rho1", "alpha"), ("rho2", "alpha_ridge"))
_ONE, _OUTLIER = (("rho1", "alpha"),), (("rho1", "alpha"), ("rho2", "alpha_outlier"))
_RIDGES = {"read": _whole_ridge, "write": _split_ridge}
_MIX = {"read": _mixed, "write": _unmixed}

# What both of MALSAR's losses have: name, formulation, strengths, and how they are composed.
_BOTH: tuple[tuple[str, str, tuple[tuple[str, str], ...], dict[str, object], dict], ...] = (
    ("Lasso", "lasso", _ONE, {}, {}),
    ("L21", "joint-features", _ONE, {}, {}),
    ("Trace", "low-rank", _ONE, {}, {}),
    ("SRMTL", "mean-regularized", (("rho1", "alpha"), ("rho_L2", "alpha_common")), {}, _RIDGES),
    ("TGL", "temporal-features", _SMOOTH, {}, {}),
    ("CFGLasso", "fused", _FUSED, {}, _MIX),
    ("CMTL", "task-clusters", _BOX, {}, {}),
    ("CASO", "shared-subspace", _BOX, {}, {}),
)
_SUMS, _MEANS = {"fit_intercept": False}, {"alpha_intercept": 0.0}
SCALES: dict[tuple[str, str], Scale] = {
    **{
        ("MALSAR", f"Least_{n}"): Scale(f, "size", names, _per_row, {**more, **_SUMS}, **composed)
        for n, f, names, more, composed in _BOTH
    },
    **{
        ("MALSAR", f"Logistic_{n}"): Scale(
            f, "equal", names, _per_task, {**more, **_MEANS}, **composed
        )
        for n, f, names, more, composed in _BOTH
    },
    ("MALSAR", "Least_Dirty"): Scale(
        "dirty", "size", (("rho1", "alpha"), ("rho2", "alpha_own")), _per_half_row, _SUMS
    ),
    ("MALSAR", "Least_RMTL"): Scale("robust-low-rank", "size", _OUTLIER, _per_half_row, _SUMS),
    ("MALSAR", "Least_rMTFL"): Scale("robust-features", "size", _OUTLIER, _per_half_row, _SUMS),
    **{
        ("RMTL", n): Scale(f, "equal", names, _per_task, _MEANS, **composed)
        for n, f, names, composed in (
            ("Lasso", "lasso", (("Lam1", "alpha"),), {}),
            ("L21", "joint-features", (("Lam1", "alpha"),), {}),
            ("Trace", "low-rank", (("Lam1", "alpha"),), {}),
            ("Graph", "mean-regularized", (("Lam1", "alpha"), ("Lam2", "alpha_common")), _RIDGES),
            ("CMTL", "task-clusters", (("Lam1", "alpha"), ("Lam2", "alpha_ridge")), {}),
        )
    },
    ("scikit-learn", "Lasso"): Scale("lasso", "equal", (("alpha", "alpha"),), _per_task, _MEANS),
    ("scikit-learn", "Ridge"): Scale(
        "single-task", "size", (("alpha", "alpha"),), _per_half_row, _MEANS
    ),
    **{
        (package, "MultiTaskLasso"): Scale(
            "joint-features", "equal", (("alpha", "alpha"),), _per_task, _MEANS
        )
        for package in ("scikit-learn", "skglm")
    },
    ("glmnet", "lasso"): Scale("lasso", "equal", (("lambda_", "alpha"),), _per_task, _MEANS),
    ("glmnet", "ridge"): Scale(
        "single-task", "equal", (("lambda_", "alpha"),), lambda N, m: 0.5 / m, _MEANS
    ),
    ("glmnet", "mgaussian"): Scale(
        "joint-features", "equal", (("lambda_", "alpha"),), _per_task, _MEANS
    ),
    ("lme4", "lmer"): Scale(
        "mean-regularized", "size", (("variance_ratio", "alpha"),), _per_half_row,
        {"alpha_common": 0.0},
    ),
}  # fmt: skip
