"""Workers that have paused at their memory limit start nothing more, and wait without a word."""

from __future__ import annotations

import ctypes
import gc
import time
from contextlib import suppress

import pyarrow as pa

from distributed import Client

__all__ = ["PATIENCE", "PausedWorkers"]

PATIENCE = 60.0  # seconds that all workers may be paused
_EVERY = 1.0  # seconds between looks


class PausedWorkers:
    """Looks now and then whether any worker of a cluster can go on.

    Parameters
    ----------
    client : distributed.Client
    """

    def __init__(self, client: Client) -> None:
        self.client = client
        self._looked = 0.0
        self._since: float | None = None

    def look(self) -> str:
        """What to tell about workers that are all paused, or "".

        They are asked to give back memory that nothing uses; some go on then.

        Raises
        ------
        MemoryError
            If all of them stay paused.
        """
        now = time.monotonic()
        if now - self._looked < _EVERY:
            return ""
        self._looked = now
        workers = self.client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers or any(worker["status"] != "paused" for worker in workers):
            self._since = None
            return ""
        if self._since is None:
            self._since = now
            self.client.run(_give_back, on_error="ignore")
        waited = now - self._since
        limit = min(worker["memory_limit"] or 0 for worker in workers) / 2**30
        told = f"all {len(workers)} workers are paused at their memory limit of {limit:.1f} GB"
        if waited > PATIENCE:
            raise MemoryError(
                f"fit_parquet: workers must have memory to go on; {told}, for {waited:.0f} s now. "
                "Start fewer of them, give each more memory (--memory-limit of 'dask worker'), or "
                "write the Parquet file with smaller row groups."
            )
        return told


def _give_back() -> None:
    """On a worker: memory that is free but kept goes back to the system."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # of glibc only
        ctypes.CDLL(None).malloc_trim(0)
