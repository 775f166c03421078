"""How a prediction is judged, one loss a file."""

from polytask.losses.base import Loss
from polytask.losses.logistic import Logistic
from polytask.losses.squared import Squared

__all__ = ["Logistic", "Loss", "Squared"]
