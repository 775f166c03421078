"""What is believed about the tasks, one penalty a file."""

from polytask.penalties.base import Norm, Penalty, Quadratic, Shrunk
from polytask.penalties.coupled import Coupled
from polytask.penalties.joint import JointFeatures
from polytask.penalties.lasso import Lasso
from polytask.penalties.orthonormal import Orthonormal
from polytask.penalties.plus import NormPlus
from polytask.penalties.rank import Rank
from polytask.penalties.ridge import Ridge
from polytask.penalties.trace import TraceNorm
from polytask.penalties.trace_limit import LimitedTraceNorm

__all__ = [
    "Coupled",
    "JointFeatures",
    "Lasso",
    "LimitedTraceNorm",
    "Norm",
    "NormPlus",
    "Orthonormal",
    "Penalty",
    "Quadratic",
    "Rank",
    "Ridge",
    "Shrunk",
    "TraceNorm",
]
