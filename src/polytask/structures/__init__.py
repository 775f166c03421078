"""How parameter blocks make W."""

from polytask.structures.base import Blocks, Structure
from polytask.structures.common_deviation import CommonDeviation
from polytask.structures.projected import Projected
from polytask.structures.slopes_plus import SlopesPlus

__all__ = ["Blocks", "CommonDeviation", "Projected", "SlopesPlus", "Structure"]
