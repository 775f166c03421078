"""One look for every figure: palette, marks, sizes, and the settings that make SVG reproducible."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Blue, vermilion and grey stay apart for the three common kinds of colour blindness,
# and each has a contrast of at least 4.5 to 1 against white.
PALETTE: dict[str, str] = {
    "ink": "#1d2733",
    "muted": "#5c6876",
    "rule": "#dbe1e7",
    "accent": "#0b5f9c",
    "gains": "#0b609d",
    "harmed": "#b9460f",
    "undecided": "#6b7683",
    "faint": "#a9b4c0",
    "paper": "#fefefe",
}


class Mark(NamedTuple):
    """How a label is drawn: by colour and by shape, so that neither alone carries the meaning."""

    colour: str
    marker: str
    filled: bool


MARKS: dict[str, Mark] = {
    "gains": Mark(PALETTE["gains"], "^", True),
    "undecided": Mark(PALETTE["undecided"], "o", False),
    "harmed": Mark(PALETTE["harmed"], "v", True),
}

RC: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": PALETTE["muted"],
    "axes.formatter.use_mathtext": False,
    "axes.grid": False,
    "axes.labelcolor": PALETTE["muted"],
    "axes.labelsize": 9,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.unicode_minus": True,
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so sizes are the same everywhere
    "font.size": 9,
    "grid.color": PALETTE["rule"],
    "grid.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "polytask",
    "text.color": PALETTE["ink"],
    "text.parse_math": False,  # a task may be called "$x_1$"
    "xtick.color": PALETTE["muted"],
    "xtick.labelsize": 9,
    "xtick.major.width": 0.7,
    "ytick.color": PALETTE["muted"],
    "ytick.labelsize": 9,
    "ytick.major.width": 0.7,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the library's own settings and leave the user's as they were."""
    import matplotlib as mpl

    with mpl.rc_context(RC):
        yield


def axes_for(ax: Axes | None, *, width: float = 7.2, height: float = 4.0) -> tuple[Figure, Axes]:
    """Return the figure and axes to draw on; a new pyplot figure (in inches) if `ax` is None."""
    if ax is not None:
        figure = ax.get_figure(root=True)
        assert figure is not None  # an Axes that can be drawn on always has one
        return figure, ax
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")


def diverging_colours() -> Any:
    """Colour map from vermilion (-1) over white to blue (1)."""
    from matplotlib.colors import LinearSegmentedColormap

    stops = [PALETTE["harmed"], "#f3b493", "#f7f8fa", "#9cc3e0", PALETTE["gains"]]
    return LinearSegmentedColormap.from_list("polytask", stops)


def plain(text: object, limit: int = 60) -> str:
    """Return `text` on one line, without characters that XML forbids, at most `limit` long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def signed(value: float, digits: int = 3) -> str:
    """Write a difference with its sign and a true minus.

    Examples
    --------
    >>> signed(-0.0421)
    '−0.042'
    """
    text = f"{value:+.{digits}f}"
    return (text if float(text) else text[1:]).replace("-", "−")


def tick_digits(ticks: Any) -> int:
    """Return the fewest decimals that write every tick exactly."""
    values = [float(tick) for tick in ticks]
    size = max(map(abs, values), default=1.0) or 1.0
    exact = (d for d in range(7) if all(abs(v - round(v, d)) < 1e-9 * size for v in values))
    return next(exact, 6)


def digits_for(values: Any, significant: int = 3) -> int:
    """Return how many decimals show the typical size of `values` with `significant` digits."""
    import numpy as np

    finite = np.abs(np.asarray(values, dtype=float))
    finite = finite[np.isfinite(finite) & (finite > 0)]
    if finite.size == 0:
        return significant
    return int(np.clip(significant - 1 - np.floor(np.log10(np.median(finite))), 0, 6))
