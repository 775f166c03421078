"""What is believed about the tasks, one penalty a file."""

from polytask.penalties.base import Penalty
from polytask.penalties.orthonormal import Orthonormal
from polytask.penalties.rank import Rank
from polytask.penalties.ridge import Ridge
from polytask.penalties.trace import TraceNorm

__all__ = ["Orthonormal", "Penalty", "Rank", "Ridge", "TraceNorm"]
