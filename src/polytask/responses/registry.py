"""The responses there are, found by looking into the files beside this one, and their names."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from typing import Any

import numpy as np

from polytask.responses.base import Response

__all__ = ["find_response", "likely_response", "responses"]


@cache
def responses() -> dict[str, type[Response]]:
    """Every response by name. A file in this folder joins by a constant RESPONSE."""
    package = importlib.import_module("polytask.responses")
    found = []
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"polytask.responses.{info.name}")
        if hasattr(module, "RESPONSE"):
            found.append(module.RESPONSE)
    return {each.name: each for each in found}


def find_response(owner: str, loss: Any, has_labels: bool) -> Response:
    """The response that ``loss=`` names, with its parameters in brackets: "huber(1.5)".

    "auto" is the squared loss, of labels the logistic.

    Parameters
    ----------
    owner : str
        Who asks, for messages.
    loss : str or Response
    has_labels : bool
        Whether the owner is a classifier.

    Raises
    ------
    ValueError
        If there is no such response, or it is not for the owner.

    Examples
    --------
    >>> find_response("Model", "huber(1.5)", has_labels=False)
    Huber(delta=1.5, scale=None)
    """
    if isinstance(loss, str) and loss == "auto":
        loss = "logistic" if has_labels else "squared"
    found = loss if isinstance(loss, Response) else _named(owner, loss, has_labels)
    if found.has_labels != has_labels:
        other = "the regressor" if has_labels else "the classifier"
        raise ValueError(
            f"{owner}: loss must be one of {_known(has_labels)}; got {found.name!r}, which is for "
            f"{other}."
        )
    return found


def likely_response(y: np.ndarray) -> tuple[str, str]:
    """Name of the response that numbers y of unknown kind speak for, and why; "auto" if for none.

    Examples
    --------
    >>> likely_response(np.array([0.0, 3.0, 1.0, 0.0]))
    ('poisson', 'counts (50% are zero)')
    """
    for name, response in responses().items():
        why = response.signs(y)
        if why:
            return name, why
    return "auto", ""


def _named(owner: str, loss: Any, has_labels: bool) -> Response:
    name, _, inside = str(loss).partition("(")
    made = responses().get(name.strip()) if isinstance(loss, str) else None
    if made is None:
        raise ValueError(
            f"{owner}: loss must be one of {_known(has_labels)}, or a response such as "
            f"polytask.responses.Huber(1.5); got {loss!r}."
        )
    if not inside:
        return made()
    takes = list(inspect.signature(made).parameters)
    given = inside.rstrip().removesuffix(")").split(",")
    try:
        values = [float(part) for part in given]
    except ValueError:
        values = [np.nan] * (len(takes) + 1)
    if len(values) > len(takes):
        raise ValueError(
            f"{owner}: loss={loss!r} must give numbers in its brackets; {made.name} takes "
            f"{', '.join(takes) or 'none'}."
        )
    return made(*values)


def _known(has_labels: bool) -> str:
    return ", ".join(repr(n) for n, r in responses().items() if r.has_labels == has_labels)
