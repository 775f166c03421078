"""JSON from strangers as a dataclass: every field of the type that the class says, or an error."""

from __future__ import annotations

import dataclasses
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

__all__ = ["SchemaError", "read_record"]

Record = TypeVar("Record")


class SchemaError(ValueError):
    """Where a value is not what its class says, and what was expected there."""


def read_record(kind: type[Record], content: Any, place: str = "") -> Record:
    """A dataclass out of parsed JSON; lists become tuples, objects dictionaries or dataclasses.

    Raises
    ------
    SchemaError
        If a field is absent, unknown, or of another type.

    Examples
    --------
    >>> @dataclasses.dataclass
    ... class Point:
    ...     at: tuple[int, ...]
    >>> read_record(Point, {"at": [1, 2]})
    Point(at=(1, 2))
    >>> read_record(Point, {"at": [1, "2"]})
    Traceback (most recent call last):
    polytask.cli.schema.SchemaError: at[1] must be int; got '2'
    """
    if not isinstance(content, dict):
        raise SchemaError(f"{place or 'the whole'} must be an object; got {_short(content)}")
    types = get_type_hints(kind)
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(content) - set(fields)):
        raise SchemaError(f"{place or 'it'} must hold known fields; got {_short(unknown[0])}")
    for name, about in fields.items():
        optional = (about.default, about.default_factory) != (dataclasses.MISSING,) * 2
        if name not in content and not optional:
            raise SchemaError(f"{place or 'it'} must hold {name!r}; it is absent")
    inside = f"{place}." if place else ""
    return kind(**{n: _read(types[n], content[n], f"{inside}{n}") for n in fields if n in content})


def _read(kind: Any, value: Any, place: str) -> Any:
    outer, inner = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return read_record(kind, value, place)
    if outer in (Union, UnionType):
        return _one_of(inner, value, place)
    if outer is tuple and isinstance(value, list):
        return tuple(_read(inner[0], item, f"{place}[{k}]") for k, item in enumerate(value))
    if outer is dict and isinstance(value, dict):
        return {key: _read(inner[1], item, f"{place}[{key!r}]") for key, item in value.items()}
    if outer is Literal and value in inner:
        return value
    if outer is None and type(value) is kind:  # true is no number
        return value
    raise SchemaError(f"{place} must be {_name(kind)}; got {_short(value)}")


def _one_of(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    for kind in kinds:
        try:
            return _read(kind, value, place)
        except SchemaError:
            continue
    raise SchemaError(f"{place} must be {' or '.join(map(_name, kinds))}; got {_short(value)}")


def _name(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    return "a list" if get_origin(kind) is tuple else getattr(kind, "__name__", str(kind))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
