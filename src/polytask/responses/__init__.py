"""Kinds of target, one a file: loss, link, valid targets, and how predictions are judged."""

from polytask.responses.base import ImpossibleParametersError, Loss, Response, Targets
from polytask.responses.binomial import Binomial
from polytask.responses.cox import Cox
from polytask.responses.gamma import Gamma
from polytask.responses.huber import Huber
from polytask.responses.logistic import Logistic
from polytask.responses.multinomial import Multinomial
from polytask.responses.negative_binomial import NegativeBinomial
from polytask.responses.ordinal import Ordinal
from polytask.responses.poisson import Poisson
from polytask.responses.quantile import Quantile
from polytask.responses.quantiles import Quantiles
from polytask.responses.registry import find_response, likely_response, responses
from polytask.responses.row_losses import RowLoss
from polytask.responses.squared import Squared
from polytask.responses.tweedie import Tweedie

__all__ = [
    "Binomial",
    "Cox",
    "Gamma",
    "Huber",
    "ImpossibleParametersError",
    "Logistic",
    "Loss",
    "Multinomial",
    "NegativeBinomial",
    "Ordinal",
    "Poisson",
    "Quantile",
    "Quantiles",
    "Response",
    "RowLoss",
    "Squared",
    "Targets",
    "Tweedie",
    "find_response",
    "likely_response",
    "responses",
]
