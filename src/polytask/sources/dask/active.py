"""The Dask client that is active here, if any."""

from __future__ import annotations

from typing import Any

__all__ = ["active_client"]


def active_client() -> Any | None:
    """The client of ``with Client(...):`` or the last one made; None where there is none."""
    from distributed.client import default_client

    try:
        return default_client()
    except ValueError:
        return None
