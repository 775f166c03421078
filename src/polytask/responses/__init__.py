"""How a prediction is judged, one loss a file."""

from polytask.responses.base import Loss
from polytask.responses.logistic import Logistic
from polytask.responses.squared import Squared

__all__ = ["Logistic", "Loss", "Squared"]
