"""Constructors made of annotated fields, so that no parameter is written three times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, dataclass_transform

__all__ = ["FromFields"]


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class FromFields:
    """An estimator whose parameters are the fields of its class and of its bases.

    They are given by name, but for a field with ``kw_only=False``; the constructor keeps them as
    they are. A field of a base that says ``init=False`` here is no parameter of this class. A class
    that writes its constructor by hand keeps it, and so do those that are derived from it.
    """

    _writes_constructor: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the constructor of the fields, then what the other bases make of it."""
        cls._writes_constructor |= "__init__" in vars(cls)
        made = not cls._writes_constructor
        dataclass(eq=False, repr=False, kw_only=True, init=made)(cls)
        super().__init_subclass__(**kwargs)
