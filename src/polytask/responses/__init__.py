"""Kinds of target, one a file: loss, link, valid targets, and how predictions are judged."""

from polytask.responses.base import Loss, Response
from polytask.responses.logistic import Logistic
from polytask.responses.row_losses import RowLoss
from polytask.responses.squared import Squared

__all__ = ["Logistic", "Loss", "Response", "RowLoss", "Squared"]
