"""How parameter blocks make W."""

from polytask.structures.base import Blocks, Structure
from polytask.structures.common_deviation import CommonDeviation

__all__ = ["Blocks", "CommonDeviation", "Structure"]
