"""Draw a display for the page: once for a wide window and paper, once for a phone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from polytask.inspection.displays.style import house_style
from polytask.report.svg import inline_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDE, _NARROW = 8.6, 4.1  # inches; text keeps its size, so a phone needs a figure of its own


class Display(Protocol):
    """What the page needs of a display."""

    @property
    def description(self) -> str: ...  # noqa: D102

    def plot(self, ax: Axes) -> Any: ...  # noqa: D102


class Drawing(NamedTuple):
    """The same figure for a wide and for a narrow window, as SVG text."""

    wide: str
    narrow: str


def draw(
    display: Display,
    *,
    key: str,
    title: str,
    height: float,
    narrow: dict[str, Any] | None = None,
    narrow_height: float | None = None,
) -> Drawing:
    """Draw `display` in both widths.

    Parameters
    ----------
    display : Display
    key : str
        Prefix of the ids in the SVG.
    title : str
        Title for screen readers.
    height : float
        In inches.
    narrow : dict, optional
        Arguments of ``display.plot`` for the narrow drawing.
    narrow_height : float, optional
        Of the narrow drawing, where it is not the same.
    """
    return Drawing(
        _draw(display, f"{key}-w", title, (_WIDE, height), {}),
        _draw(display, f"{key}-n", title, (_NARROW, narrow_height or height), narrow or {}),
    )


def _draw(
    display: Display, key: str, title: str, size: tuple[float, float], options: dict[str, Any]
) -> str:
    from matplotlib.figure import Figure

    with house_style(), warnings.catch_warnings():
        # the browser's fonts write what matplotlib's own font lacks, such as 学校
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure = Figure(figsize=size, layout="constrained")
        display.plot(figure.add_subplot(), **options)
        return inline_svg(figure, key=key, title=title, description=display.description)
