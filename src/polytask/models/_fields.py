"""Constructors made of annotated fields, so that no parameter is written three times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, dataclass_transform

__all__ = ["FromFields"]


@dataclass_transform(kw_only_default=True, field_specifiers=(field,))
class FromFields:
    """An estimator whose parameters are the fields of its class and of its bases.

    They are given by name, but for a field with ``kw_only=False``; the constructor keeps them as
    they are. A field of a base that says ``init=False`` here is no parameter of this class.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the constructor of the fields, then what the other bases make of it."""
        dataclass(eq=False, repr=False, kw_only=True)(cls)
        super().__init_subclass__(**kwargs)
