"""When a gain or a loss is clear."""

from __future__ import annotations

from polytask.inspection.comparison import Gain, Interval

__all__ = ["MIN_GAIN", "is_clear", "is_sure", "matters", "seems_clear"]

MIN_GAIN = 0.01  # a smaller relative gain is nobody's reason to change a model


def is_clear(gain: Gain | None, sign: int = 1) -> bool:
    """Whether a gain (sign = 1) or a loss (-1) is clear.

    It is surely on one side of zero, as a share of the loss and as a difference, and large enough
    to matter; as a share it is so without any one row or task.
    """
    if gain is None or gain.rests_on is not None:
        return False
    return seems_clear(gain, sign) and is_sure(gain.difference, sign)


def seems_clear(gain: Gain, sign: int = 1) -> bool:
    """The same of the share alone."""
    return is_sure(gain, sign) and matters(gain, sign)


def is_sure(gain: Interval, sign: int) -> bool:
    """Whether an interval is on one side of zero."""
    return gain.low > 0 if sign > 0 else gain.high < 0


def matters(gain: Gain, sign: int) -> bool:
    """Whether a gain is large enough to change a model for."""
    return sign * gain.value >= MIN_GAIN
