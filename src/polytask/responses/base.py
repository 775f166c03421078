"""What there is to know of a kind of target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import ClassVar, cast

import numpy as np

from polytask.responses.row_losses import RowLoss

__all__ = [
    "LOG_ODDS_VARIANCE",
    "ImpossibleParametersError",
    "Loss",
    "Response",
    "Targets",
    "is_whole",
    "refuse_only_zeros",
]


LOG_ODDS_VARIANCE = np.pi**2 / 3  # of the logistic distribution


class ImpossibleParametersError(ValueError):
    """Parameters that no response has: a search went too far."""


@dataclass(frozen=True)
class Targets:
    """The targets that a response can have: an interval, its ends in or out.

    Parameters
    ----------
    rule : str
        In words, after "y must be".
    remedy : str
        What to do about others: a sentence.
    low, high : float
    low_in, high_in : bool
        Whether the ends belong to it.
    """

    rule: str = "numbers"
    remedy: str = ""
    low: float = -np.inf
    high: float = np.inf
    low_in: bool = True
    high_in: bool = True

    def first_outside(self, y: np.ndarray) -> tuple[int, ...] | None:
        """Place of the first target that is not in it; NaN is not judged."""
        if self.low_in and self.high_in and self.low == -np.inf and self.high == np.inf:
            return None
        below = y < self.low if self.low_in else y <= self.low
        above = y > self.high if self.high_in else y >= self.high
        wrong = np.argwhere(below | above)
        return tuple(int(at) for at in wrong[0]) if len(wrong) else None

    def check(self, y: np.ndarray, owner: str, why: str) -> None:
        """Refuse targets outside, naming the first row; ``why`` says what asks for the rule.

        Raises
        ------
        ValueError
        """
        place = self.first_outside(y)
        if place is None:
            return
        column = f", column {place[1]}" if len(place) > 1 else ""
        raise ValueError(
            f"{owner}: y must be {self.rule} {why}; got {y[place]:g} in row {place[0]}{column} "
            f"(counted from 0). {self.remedy}".rstrip()
        )


def is_whole(numbers: np.ndarray) -> bool:
    """Whether all are whole, to rounding."""
    near = 1e-9 * (1.0 + np.abs(numbers).max(initial=0.0))
    return bool((np.abs(numbers - np.round(numbers)) <= near).all())


def refuse_only_zeros(y: np.ndarray, owner: str, name: str) -> None:
    """Refuse targets that are zero everywhere, of which no positive mean is the best."""
    if not (y > 0).any():
        raise ValueError(
            f"{owner}: y must hold a positive value with loss={name!r}; every one is zero, so that "
            "there is nothing to learn."
        )


@dataclass(frozen=True)
class Response:
    """A kind of target: its loss, its link, its targets, and how predictions of it are judged.

    A file in this folder with a subclass and the constant ``RESPONSE`` adds one. Responses are
    frozen: parameters such as a threshold are fields. One that learns a parameter from the data
    overrides `started` and `updated`, which return another response.

    Attributes
    ----------
    name, title : str
        What ``loss=`` calls it; its words in a report.
    is_quadratic : bool
        Whether the second derivative is one everywhere, so that one Newton step is exact.
    is_canonical : bool
        Whether the loss is A(f) - y f, its slope a mean less the target: sums over rows where f is
        the same then follow from moments, the value up to a term in y unless y are labels.
    has_labels : bool
        Whether targets are the labels 0 and 1 of two classes.
    reaches_boundary : bool
        Whether targets may be such as no finite predictor expects (labels, a count of zero): a
        task that holds only those has no finite level of its own.
    has_kinks : bool
        Whether the slope has kinks, so that solvers need the `majorizer`.
    is_likelihood : bool
        Whether `value` is minus the log likelihood of a row, up to a term in y alone.
    latent_variance : float
        Of what lies between a target and its predictor, where that does not go with the mean and
        no parameter holds it: pi²/3 on the scale of log odds.
    targets : Targets
        Those that it takes.
    trees : str
        The loss of scikit-learn's boosted trees that is nearest to it; "log_loss" of classifiers.
    asks : str
        The method of an estimator whose answers are judged.
    levels : tuple of float or None
        The values of y that have probabilities, where those are no labels.
    metrics : tuple of str
        Names of the metrics by which predictions are judged, the leading one first.
    other_metrics : tuple of str
        Those that may be asked for beside.
    row_losses : mapping of str to RowLoss
        The loss of a row that stands for each metric, the first for those not named.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    is_quadratic: ClassVar[bool] = False
    is_canonical: ClassVar[bool] = False
    has_labels: ClassVar[bool] = False
    reaches_boundary: ClassVar[bool] = False
    has_kinks: ClassVar[bool] = False
    is_likelihood: ClassVar[bool] = False
    latent_variance: ClassVar[float] = 0.0
    targets: ClassVar[Targets] = Targets()
    trees: ClassVar[str] = "squared_error"
    asks: ClassVar[str] = "predict"
    levels = cast("tuple[float, ...] | None", None)
    metrics: ClassVar[tuple[str, ...]]
    other_metrics: ClassVar[tuple[str, ...]] = ()
    row_losses: ClassVar[Mapping[str, RowLoss]]

    @property
    def n_predictors(self) -> int:
        """How many linear predictors a row has."""
        return 1

    @property
    def quantiles(self) -> tuple[float, ...]:
        """Those that are predicted instead of a mean."""
        return ()

    @property
    def kind(self) -> str:
        """What a comparison calls it: "regression", "classification" or "survival"."""
        return "classification" if self.has_labels else "survival" if self.strata else "regression"

    @property
    def by_rows(self) -> bool:
        """Whether the loss is a sum over rows, each with one linear predictor."""
        return self.n_predictors == 1 and not self.strata

    @property
    def tree_options(self) -> dict[str, float]:
        """What scikit-learn's boosted trees are told beside ``trees``."""
        return {}

    def of_classes(self, n_classes: int) -> Response:
        """The response of so many classes."""
        return self

    def of_targets(self, y: np.ndarray) -> Response:
        """With what a comparison has to know of its targets."""
        return self

    @property
    def strata(self) -> str:
        """How ties are counted of a loss of all rows of a task together; "" of a sum over rows."""
        return ""

    def by_class(self, theta: np.ndarray) -> np.ndarray:
        """Coefficients (..., p), of several classes (..., K, p), from those of a solution."""
        return theta

    def value(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Loss of each observation."""
        raise NotImplementedError

    def gradient(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Derivative in f."""
        raise NotImplementedError

    def curvature(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Second derivative in f."""
        raise NotImplementedError

    def third(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Third derivative in f."""
        raise NotImplementedError

    def conjugate(self, y: np.ndarray, u: np.ndarray) -> np.ndarray:
        """sup_f (u f - loss(y, f)); infinite outside its domain."""
        raise NotImplementedError

    def link(self, mean: np.ndarray) -> np.ndarray:
        """Linear predictor of an expected target."""
        return mean

    def inverse_link(self, f: np.ndarray) -> np.ndarray:
        """Expected target of a linear predictor."""
        return f

    def deviance(self, y: np.ndarray, mean: np.ndarray) -> np.ndarray:
        """Twice the loss of each row above that of a perfect prediction."""
        return 2.0 * (self.value(y, self.link(mean)) + self.conjugate(y, np.zeros_like(y)))

    def score(self, y: np.ndarray, mean: np.ndarray, weight: np.ndarray | None = None) -> float:
        """D²: the share of the deviance without features that predictions explain; NaN of none."""
        w = np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)
        null = np.full(len(y), self.inverse_link(np.asarray(self.null_fit(y, w))))
        left, whole = float(w @ self.deviance(y, mean)), float(w @ self.deviance(y, null))
        return 1.0 - left / whole if whole > 0 else np.nan

    def check(self, y: np.ndarray, owner: str) -> None:
        """Refuse targets of another kind; NaN, which is not measured, is left alone.

        Raises
        ------
        ValueError
            Naming the first such row.
        """
        self.targets.check(y, owner, f"with loss={self.name!r}")

    @classmethod
    def signs(cls, y: np.ndarray) -> str:
        """What in numbers of unknown kind speaks for this response, in words; "" if nothing."""
        return ""

    # Without features.

    def null_fit(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The best linear predictor without features."""
        mean = float(weight @ y / max(float(weight.sum()), 1e-300))
        return float(self.link(np.asarray(mean)))

    def null_curvature(self, y: np.ndarray, weight: np.ndarray) -> float:
        """Weighted mean of the second derivative at `null_fit`: the unit of penalty strengths."""
        f = np.full(y.shape, self.null_fit(y, weight))
        return float(weight @ self.curvature(y, f) / max(float(weight.sum()), 1e-300))

    def start(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The level at which a search begins."""
        return self.null_fit(y, weight)

    def slopes(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Size of each row's derivative; without features, the unit of what a solver leaves."""
        return np.sqrt(self.gradient(y, f) ** 2 + self.curvature(y, f))

    # For solvers and searches.

    def majorizer(self, y: np.ndarray, f: np.ndarray) -> np.ndarray:
        """Curvature of a parabola that touches the loss at f and lies above it, where it has one.

        A step to the lowest point of such parabolas never fails, where a curvature of zero tells
        a Newton step nothing.
        """
        return self.curvature(y, f)

    @property
    def learns(self) -> bool:
        """Whether a parameter is still to be learned from the data."""
        return False

    def started(self, y: np.ndarray, weight: np.ndarray, code: np.ndarray) -> Response:
        """With what it learns from the targets alone; ``code`` (N,) is the task of each."""
        return self

    def updated(self, y: np.ndarray, f: np.ndarray, weight: np.ndarray) -> Response:
        """With what it learns at a fit's linear predictors f."""
        return self

    def is_near(self, other: Response, tol: float) -> bool:
        """Whether both have learned the same, to a relative difference."""
        return np.allclose(astuple(self), astuple(other), rtol=tol, atol=0.0)

    # As a likelihood.

    def as_likelihood(self) -> Response | None:
        """Minus the log likelihood of a row, less its `constant`; None where there is none."""
        return self if self.is_likelihood else None

    @property
    def learns_likelihood(self) -> bool:
        """Whether parameters of the likelihood are still to be learned."""
        return self.learns

    @property
    def parameters(self) -> np.ndarray:
        """Those that a likelihood has beside the predictor, in numbers without bounds."""
        return np.zeros(0)

    def with_parameters(self, values: np.ndarray) -> Response:
        """With such numbers.

        Parameters
        ----------
        values : ndarray of shape (r,)

        Raises
        ------
        ImpossibleParametersError
        """
        return self

    def constant(self, y: np.ndarray) -> np.ndarray:
        """What minus the log likelihood of a row has beyond its loss: of y and the parameters."""
        return np.zeros(y.shape)

    def constants(self, y: np.ndarray, weight: np.ndarray) -> float:
        """The same of all rows, which count by their weight."""
        return float(weight @ self.constant(y))

    def n_observations(self, y: np.ndarray, weight: np.ndarray) -> float:
        """How many there are, as criteria count them: weights count rows."""
        return float(weight.sum())

    # In a comparison.

    def point(self, answers: np.ndarray) -> np.ndarray:
        """A number for each row, out of what is asked for."""
        return answers

    def row_loss(self, metric: str) -> RowLoss:
        """The loss of a row that stands for a metric.

        Metrics that are no means over rows take the one nearest to them, which is the first:
        explained variance and RMSE the squared error, AUC and average precision the log loss.
        """
        return self.row_losses.get(metric, next(iter(self.row_losses.values())))


Loss = Response  # what solvers call it, who ask for value, slopes and curvature only
