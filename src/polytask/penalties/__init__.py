"""What is believed about the tasks, one penalty a file."""

from polytask.penalties.base import FeatureWise, Norm, Penalty, Quadratic, Shrunk
from polytask.penalties.concave import ConcaveFeatures, Price
from polytask.penalties.coupled import Coupled
from polytask.penalties.fusion import Fusion
from polytask.penalties.joint import JointFeatures
from polytask.penalties.lasso import Lasso
from polytask.penalties.max_tasks import MaxTasks, joint_norm
from polytask.penalties.nested import Nested, sparse_group, with_signs
from polytask.penalties.orthonormal import Orthonormal
from polytask.penalties.plus import NormPlus
from polytask.penalties.rank import Rank
from polytask.penalties.ridge import Ridge
from polytask.penalties.signs import Signs
from polytask.penalties.spectral_box import SpectralBox
from polytask.penalties.task_group import TaskGroup
from polytask.penalties.task_noise import TaskNoise
from polytask.penalties.trace import TraceNorm
from polytask.penalties.trace_ball import TraceBall
from polytask.penalties.trace_limit import LimitedTraceNorm
from polytask.penalties.transposed import Transposed

__all__ = [
    "ConcaveFeatures",
    "Coupled",
    "FeatureWise",
    "Fusion",
    "JointFeatures",
    "Lasso",
    "LimitedTraceNorm",
    "MaxTasks",
    "Nested",
    "Norm",
    "NormPlus",
    "Orthonormal",
    "Penalty",
    "Price",
    "Quadratic",
    "Rank",
    "Ridge",
    "Shrunk",
    "Signs",
    "SpectralBox",
    "TaskGroup",
    "TaskNoise",
    "TraceBall",
    "TraceNorm",
    "Transposed",
    "joint_norm",
    "sparse_group",
    "with_signs",
]
