"""Every model on the same folds: predictions for rows that its training part did not hold."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from polytask.data.memory import MANY_CELLS, give_back
from polytask.data.parse import LeftOutGrouping
from polytask.inspection.preparations import Prepared, by_preparation
from polytask.inspection.roles import ask, final_step, strengths_of, strengths_text
from polytask.inspection.sample import RowSample
from polytask.inspection.survival_scores import survival_scores

__all__ = ["Fit", "Fits", "Fold", "OutOfFold", "Split", "predict_out_of_fold", "predict_rows"]

Progress = Callable[[int, int, str], None]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Fold:
    """A part of the rows that is predicted by models that the others trained."""

    repeat: int
    fold: int
    n_train: int
    n_test: int


@dataclass(frozen=True, eq=False)
class Split(Fold):
    """A fold, and which rows train and which are predicted."""

    train: np.ndarray
    test: np.ndarray

    @classmethod
    def of(cls, repeat: int, fold: int, train: np.ndarray, test: np.ndarray) -> Split:
        """From the rows."""
        return cls(repeat, fold, len(train), len(test), train, test)


@dataclass(frozen=True, eq=False)
class Fit:
    """What one model did on one fold."""

    name: str
    fold: int  # position in the list of folds
    predictions: np.ndarray | None
    seconds: float
    strengths: dict[str, tuple[float, float]]
    reason: str
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Fits:
    """Records of all fits.

    Attributes
    ----------
    fits : dict of str to list of Fit, in the order of `folds`
    folds : list of Fold
    """

    fits: Mapping[str, list[Fit]]
    folds: list[Fold]

    def reason(self, name: str) -> str:
        """Why a model failed, "" if it did not."""
        return next((fit.reason for fit in self.fits[name] if fit.reason), "")

    def succeeded(self, baseline: str) -> tuple[str, ...]:
        """Models without a failure, the baseline first."""
        ok = [name for name in self.fits if not self.reason(name)]
        return tuple(sorted(ok, key=lambda name: name != baseline))

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
                        "n_train": fold.n_train,
                        "n_test": fold.n_test,
                        "status": "failed" if fit.reason else "ok",
                        "reason": fit.reason,
                        "seconds": fit.seconds,
                        "strengths": strengths_text([fit.strengths]),
                    }
                )
        return pd.DataFrame(rows)


@dataclass(frozen=True, eq=False)
class OutOfFold(Fits):
    """The same, with predictions.

    Attributes
    ----------
    folds : list of Split
    predictions : dict of str to ndarray of shape (n_repeats, N)
        Only models that succeeded on every fold; NaN for rows that are never tested.
    """

    folds: list[Split]  # type: ignore[assignment]
    predictions: dict[str, np.ndarray]

    def with_more(self, other: OutOfFold) -> OutOfFold:
        """With the models of another on the same folds."""
        fits = {**self.fits, **other.fits}
        return OutOfFold(fits, self.folds, self.predictions | other.predictions)


def predict_out_of_fold(
    estimators: dict[str, Any],
    sample: RowSample,
    folds: list[Split],
    *,
    n_jobs: int | None = None,
    progress: Progress | None = None,
) -> OutOfFold:
    """Fit a clone of every estimator on every fold, in parallel, and predict its test rows.

    What several estimators share of the preparation of the features is done once a fold.
    """
    groups = by_preparation(estimators)
    if effective_n_jobs(n_jobs) > len(groups) * len(folds):  # rather all at work than none twice
        groups = [{name: estimator} for name, estimator in estimators.items()]
    run = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(
        delayed(_fit_group)(group, sample, fold, k)
        for k, fold in enumerate(folds)
        for group in groups
    )
    fits: dict[str, list[Any]] = {name: [None] * len(folds) for name in estimators}
    for done, fit in enumerate((fit for found in run for fit in found), start=1):
        fits[fit.name][fit.fold] = fit
        if progress is not None:
            progress(done, len(estimators) * len(folds), _progress_text(fit, folds))
    predictions = {
        name: _assemble(found, folds, len(sample.y))
        for name, found in fits.items()
        if not any(fit.reason for fit in found)
    }
    return OutOfFold(fits, folds, predictions)


def _fit_group(
    estimators: dict[str, Any], sample: RowSample, fold: Split, position: int
) -> list[Fit]:
    """Fits of estimators that prepare the features alike; then what they predict.

    Training rows go before test rows come, so that memory holds one of them beside the table.
    """
    told = {name: None if v is None else v[fold.train] for name, v in sample.told.items()}
    pipelines = all(type(e) is Pipeline for e in estimators.values()) and len(estimators) > 1
    X = _safe_indexing(sample.X, fold.train)
    rows = Prepared(X, sample.labels[fold.train], pipelines, told)
    del X
    models = {name: _tried(rows.fit, clone(e)) for name, e in estimators.items()}
    if sample.kind != "survival":  # whose scores take both
        rows.forget_training()
    found = [_fit(name, models[name], rows, sample, fold, position) for name in list(models)]
    if len(sample.y) * len(sample.missing) >= MANY_CELLS:
        give_back()
    return found


def _tried(call: Callable[..., T], *args: Any) -> tuple[T | None, str, list[str]]:
    """What a call gives, or why it fails, and the warnings that came."""
    found, reason = None, ""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", LeftOutGrouping)  # told once, for all models
        try:
            found = call(*args)
        except Exception as error:  # noqa: BLE001  anyone's estimator may fail in any way; one
            # that does is a line of the report, and the other models go on
            reason = f"{type(error).__name__}: {str(error).strip() or 'no message'}"
    return found, reason, [f"{w.category.__name__}: {w.message}" for w in caught]


def _fit(
    name: str, tried: tuple[Any, str, list[str]], rows: Prepared, sample: RowSample, fold: Split,
    position: int,
) -> Fit:  # fmt: skip
    """The record of a model, with predictions of the test rows."""
    fitted, reason, told = tried
    model, seconds = fitted or (None, 0.0)
    predictions = None
    if not reason:
        predictions, reason, more = _tried(_predictions, model, sample, rows, fold)
        told = [*told, *more]
    strengths = {} if reason else strengths_of(model)
    notes = () if reason else tuple(getattr(final_step(model), "notes_", ()))
    heard = tuple(dict.fromkeys(told))
    return Fit(name, position, predictions, seconds, strengths, reason, heard, notes)


def _predictions(model: Any, sample: RowSample, rows: Prepared, fold: Split) -> np.ndarray:
    X = rows.test(lambda: _safe_indexing(sample.X, fold.test))
    if sample.kind == "survival":
        return _finite(survival_scores(model, sample, rows.fits.X, fold.train, X, fold.test))
    return predict_rows(model, sample, X, len(fold.train))


def predict_rows(model: Any, sample: RowSample, X: Any, n_trained: int) -> np.ndarray:
    """What the response asks of the rows of X: numbers, probabilities or quantiles; all finite.

    Of two classes those of the second; of K classes or levels (n, K). One that the ``n_trained``
    rows of training had not gets half a row's share of them (Krichevsky and Trofimov), not zero:
    one row of it would decide a log loss.
    """
    asks, classes = sample.response.asks, sample.response.levels or sample.classes
    found = ask(model, asks, X)
    if asks == "predict":
        found = found.ravel()
    elif asks == "predict_proba":
        p, inner = found, final_step(model)
        known = inner.classes_ if hasattr(inner, "classes_") else inner.response_.levels
        none = 0.5 / (n_trained + 0.5 * len(classes))
        found = np.full((len(p), len(classes)), none)
        found[:, np.searchsorted(classes, known)] = p * (1.0 - none * (len(classes) - len(known)))
        found = found[:, 1] if sample.response.has_labels and len(classes) == 2 else found
    return _finite(found)


def _finite(found: np.ndarray) -> np.ndarray:
    if not np.isfinite(found).all():
        raise ValueError(f"{np.sum(~np.isfinite(found))} predictions are not finite")
    return found


def _assemble(fits: list[Fit], folds: list[Split], n: int) -> np.ndarray:
    """(n_repeats, n) predictions, or (n_repeats, n, K), NaN where a row was not tested."""
    rest = np.asarray(fits[0].predictions).shape[1:]
    found = np.full((folds[-1].repeat + 1, n, *rest), np.nan)
    for fold, fit in zip(folds, fits, strict=True):
        found[fold.repeat, fold.test] = fit.predictions
    return found


def _progress_text(fit: Fit, folds: list[Split]) -> str:
    here, last = folds[fit.fold], folds[-1]
    text = f"{fit.name}, fold {here.fold + 1} of {last.fold + 1}"
    return f"{text}, repeat {here.repeat + 1} of {last.repeat + 1}" if last.repeat else text
