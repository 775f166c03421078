"""The Dask client that is active here, if any."""

from __future__ import annotations

from typing import Any

__all__ = ["active_client"]


def active_client() -> Any | None:
    """The client of ``with Client(...):`` or the last one made; None where there is none.

    Dask keeps a client as the default one although its address could not be read, so that nobody
    has it; one that has never met a scheduler is closed, and the next is looked at.
    """
    from distributed.client import default_client

    try:
        client = default_client()
        while not (client.asynchronous or client._scheduler_identity):
            client.close()
            client = default_client()
    except ValueError:
        return None
    return client
