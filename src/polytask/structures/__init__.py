"""How parameter blocks make W."""

from polytask.structures.base import Blocks, Structure
from polytask.structures.common_deviation import CommonDeviation
from polytask.structures.low_rank import LowRankPlus
from polytask.structures.projected import Projected

__all__ = ["Blocks", "CommonDeviation", "LowRankPlus", "Projected", "Structure"]
