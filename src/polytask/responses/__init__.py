"""Kinds of target, one a file: loss, link, valid targets, and how predictions are judged."""

from polytask.responses.base import Loss, Response, Targets
from polytask.responses.huber import Huber
from polytask.responses.logistic import Logistic
from polytask.responses.poisson import Poisson
from polytask.responses.registry import find_response, responses
from polytask.responses.row_losses import RowLoss
from polytask.responses.squared import Squared

__all__ = [
    "Huber",
    "Logistic",
    "Loss",
    "Poisson",
    "Response",
    "RowLoss",
    "Squared",
    "Targets",
    "find_response",
    "responses",
]
