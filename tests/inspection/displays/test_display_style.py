"""The style that all figures share."""

from __future__ import annotations

import subprocess
import sys

import pytest

from polytask.inspection.displays.style import (
    MARKS,
    PALETTE,
    digits_for,
    plain,
    signed,
    tick_digits,
)


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["ink", "muted", "accent", "gains", "harmed", "undecided"])
def test_text_colours_are_readable_on_white(name: str) -> None:
    assert 1.05 / (luminance(PALETTE[name]) + 0.05) >= 4.5


def test_palette_colours_are_distinct() -> None:
    """Each must become a variable of its own in the report."""
    assert len(set(PALETTE.values())) == len(PALETTE)
    assert set(MARKS) == {"gains", "harmed", "undecided"}


def test_plain_text_is_one_short_line() -> None:
    assert plain("a\n\x00b\tc") == "a b c"
    assert plain("x" * 100, 10) == "x" * 9 + "…"
    assert plain("学校 🏫") == "学校 🏫"


def test_numbers() -> None:
    assert [signed(v, 1) for v in (0.04, -0.04, -0.06, 2)] == ["0.0", "0.0", "−0.1", "+2.0"]
    assert digits_for([0.0123, 0.0456]) == 4
    assert digits_for([123.0, 456.0]) == 0
    assert digits_for([float("nan")]) == 3
    assert [tick_digits(t) for t in ([0, 0.15, 0.3], [0, 5, 10], [0.0, 0.1 + 0.2])] == [2, 0, 1]


def test_importing_displays_does_not_load_matplotlib() -> None:
    code = "import sys, polytask.inspection.displays; print('matplotlib' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
