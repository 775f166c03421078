"""What is believed about the tasks, one penalty a file."""

from polytask.penalties.base import Penalty
from polytask.penalties.ridge import Ridge

__all__ = ["Penalty", "Ridge"]
