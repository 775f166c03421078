"""Turn a matplotlib figure into one accessible, theme-aware piece of inline SVG."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from polytask.inspection.displays.style import PALETTE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMESPACE = re.compile(r"^\{[^}]*\}")
_REFERENCE = re.compile(r"^(?:url\()?#([^)]+)\)?$")
_DECIMALS = re.compile(r"(\d+\.\d{2})\d+")  # two are enough on a width of 600 points
_FONT_FAMILY = re.compile(r"font-family: [^;]*;? ?")  # the page has its own
_GEOMETRY = ("d", "x", "y", "width", "height", "transform", "points")
_THEMED = {colour: f"var(--fig-{name}, {colour})" for name, colour in PALETTE.items()}


def inline_svg(figure: Figure, *, key: str, title: str, description: str) -> str:
    """Draw `figure` as an SVG element for an HTML page, the same bytes each time.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Draw and convert it inside :func:`polytask.inspection.displays.style.house_style`.
    key : str
        Prefix of every id, so that several figures live on one page.
    title, description : str
        What a screen reader says; plain text, escaped here.

    Returns
    -------
    str
        ``<svg role="img">`` with title and desc first; colours of the palette are CSS variables
        ``--fig-*`` with the palette's colour as fallback, text takes the font of the page.
    """
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    for part in (figure.patch, *(axes.patch for axes in figure.findobj(Axes))):
        part.set_facecolor("none")
    FigureCanvasSVG(figure).print_svg(buffer, metadata=nothing)  # savefig draws twice
    root = ElementTree.fromstring(buffer.getvalue())
    for element in root.iter():
        _drop_namespaces(element)
    _drop_global_style(root)
    short = _short_ids(root, key)
    for element in root.iter():
        _tidy(element, short)
    for group in root.iter("g"):
        _hoist_style(group)
    _name(root, key, title, description)
    return ElementTree.tostring(root, encoding="unicode")


def _drop_namespaces(element: ElementTree.Element) -> None:
    element.tag = _NAMESPACE.sub("", element.tag)
    attributes = {_NAMESPACE.sub("", name): value for name, value in element.attrib.items()}
    element.attrib.clear()
    element.attrib.update(attributes)


def _drop_global_style(root: ElementTree.Element) -> None:
    """Take out matplotlib's ``* {…}`` rule, which would reach the whole page."""
    for parent in list(root.iter()):
        for child in [c for c in parent if c.tag in ("style", "metadata")]:
            parent.remove(child)


def _short_ids(root: ElementTree.Element, key: str) -> dict[str, str]:
    """Number the ids that something refers to; the others are not needed."""
    values = (e.get(name, "") for e in root.iter() for name in ("href", "clip-path"))
    used = [match.group(1) for match in map(_REFERENCE.match, values) if match]
    return {old: f"{key}{i}" for i, old in enumerate(dict.fromkeys(used))}


def _tidy(element: ElementTree.Element, short: dict[str, str]) -> None:
    """Drop unused ids, shorten the used ones, theme the colours, round the numbers."""
    if element.tag not in ("text", "tspan"):
        element.text = None
    element.tail = "\n" if element.tag in ("g", "defs") else None
    for name, value in list(element.attrib.items()):
        if name == "id" and value not in short:
            del element.attrib[name]
        else:
            element.set(name, _attribute(name, value, short))


def _attribute(name: str, value: str, short: dict[str, str]) -> str:
    if name == "id":
        return short[value]
    if name == "style":
        return _themed(value)
    if name in _GEOMETRY:
        return _DECIMALS.sub(r"\1", " ".join(value.split()))
    match = _REFERENCE.match(value) if name in ("href", "clip-path") else None
    return value.replace(match.group(1), short[match.group(1)]) if match else value


def _themed(style: str) -> str:
    for colour, variable in _THEMED.items():
        style = style.replace(colour, variable)
    return _FONT_FAMILY.sub("", style)


def _hoist_style(group: ElementTree.Element) -> None:
    """Write a style that all marks of a group share once, on the group."""
    styles = {child.get("style") for child in group if child.tag == "use"}
    if len(styles) == 1 and all(child.tag in ("use", "defs") for child in group):
        style = styles.pop()
        if style and "style" not in group.attrib:
            group.set("style", style)
            for child in group.iter("use"):
                del child.attrib["style"]


def _name(root: ElementTree.Element, key: str, title: str, description: str) -> None:
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{key}-title {key}-desc")
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag, id=f"{key}-{tag}")
        element.text = text
        root.insert(position, element)
