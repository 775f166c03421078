"""Every model on the same folds: predictions for rows that its training part did not hold."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from polytask.inspection.roles import final_step, strengths_of, strengths_text
from polytask.inspection.sample import Sample

__all__ = ["Fold", "OutOfFold", "predict_out_of_fold", "predict_rows"]

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Fold:
    """One split: which rows train and which are predicted."""

    repeat: int
    fold: int
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True, eq=False)
class Fit:
    """What one model did on one fold."""

    name: str
    fold: int  # position in the list of folds
    predictions: np.ndarray | None
    seconds: float
    strengths: dict[str, tuple[float, float]]
    reason: str
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Predictions and records of all fits.

    Attributes
    ----------
    predictions : dict of str to ndarray of shape (n_repeats, N)
        Only models that succeeded on every fold; NaN for rows that are never tested.
    fits : dict of str to list of Fit, in the order of `folds`
    folds : list of Fold
    """

    predictions: dict[str, np.ndarray]
    fits: dict[str, list[Fit]]
    folds: list[Fold]

    def scored(self, n: int) -> np.ndarray:
        """(n,) whether a row was tested in every repeat; the same for every model."""
        times = np.zeros(n, dtype=int)
        for fold in self.folds:
            times[fold.test] += 1
        scored: np.ndarray = times == self.folds[-1].repeat + 1
        return scored

    def reason(self, name: str) -> str:
        """Why a model failed, "" if it did not."""
        return next((fit.reason for fit in self.fits[name] if fit.reason), "")

    def records(self) -> pd.DataFrame:
        """A row per model and fold: sizes, status, seconds, chosen strengths."""
        rows = []
        for name, fits in self.fits.items():
            for fold, fit in zip(self.folds, fits, strict=True):
                rows.append(
                    {
                        "name": name,
                        "repeat": fold.repeat,
                        "fold": fold.fold,
                        "n_train": len(fold.train),
                        "n_test": len(fold.test),
                        "status": "failed" if fit.reason else "ok",
                        "reason": fit.reason,
                        "seconds": fit.seconds,
                        "strengths": strengths_text([fit.strengths]),
                    }
                )
        return pd.DataFrame(rows)


def predict_out_of_fold(
    estimators: dict[str, Any],
    sample: Sample,
    folds: list[Fold],
    *,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> OutOfFold:
    """Fit a clone of every estimator on every fold, in parallel, and predict its test rows."""
    jobs = [(name, k) for k in range(len(folds)) for name in estimators]
    run = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_fit)(name, estimators[name], sample, folds[k], k) for name, k in jobs
    )
    fits: dict[str, list[Any]] = {name: [None] * len(folds) for name in estimators}
    for done, fit in enumerate(run, start=1):
        fits[fit.name][fit.fold] = fit
        if progress is not None:
            progress(done, len(jobs), _progress_text(fit, folds))
    predictions = {
        name: _assemble(found, folds, len(sample.y))
        for name, found in fits.items()
        if not any(fit.reason for fit in found)
    }
    return OutOfFold(predictions, fits, folds)


def _fit(name: str, estimator: Any, sample: Sample, fold: Fold, position: int) -> Fit:
    model = clone(estimator)
    start = time.perf_counter()
    seconds, predictions, reason = 0.0, None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(_safe_indexing(sample.X, fold.train), sample.labels[fold.train])
            seconds = time.perf_counter() - start
            predictions = predict_rows(model, sample, fold.test)
        except Exception as error:  # noqa: BLE001  anyone's estimator may fail in any way; one
            # that does is a line of the report, and the other models go on
            reason = f"{type(error).__name__}: {str(error).strip() or 'no message'}"
    strengths = {} if reason else strengths_of(model)
    told = tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught))
    notes = () if reason else tuple(getattr(final_step(model), "notes_", ()))
    return Fit(name, position, predictions, seconds, strengths, reason, told, notes)


def predict_rows(model: Any, sample: Sample, test: np.ndarray) -> np.ndarray:
    """Predicted numbers, or probabilities of the second class, of some rows; all finite."""
    X = _safe_indexing(sample.X, test)
    if sample.kind == "regression":
        found = np.asarray(model.predict(X), dtype=float).ravel()
    else:
        if not hasattr(model, "predict_proba"):
            raise TypeError("it has no predict_proba, which its losses need")
        column = list(model.classes_).index(sample.classes[1])
        found = np.asarray(model.predict_proba(X), dtype=float)[:, column]
    if not np.isfinite(found).all():
        raise ValueError(f"{np.sum(~np.isfinite(found))} predictions are not finite")
    return found


def _assemble(fits: list[Fit], folds: list[Fold], n: int) -> np.ndarray:
    """(n_repeats, n) predictions, NaN where a row was not tested."""
    found = np.full((folds[-1].repeat + 1, n), np.nan)
    for fold, fit in zip(folds, fits, strict=True):
        found[fold.repeat, fold.test] = fit.predictions
    return found


def _progress_text(fit: Fit, folds: list[Fold]) -> str:
    here, last = folds[fit.fold], folds[-1]
    text = f"{fit.name}, fold {here.fold + 1} of {last.fold + 1}"
    return f"{text}, repeat {here.repeat + 1} of {last.repeat + 1}" if last.repeat else text
