"""Passes on a Dask cluster, with futures only: a task per partition, merged in a tree."""

from __future__ import annotations

import time
from concurrent.futures import CancelledError
from dataclasses import replace
from typing import Any

from distributed.comm import CommClosedError

from distributed import Client, Future, KilledWorker
from polytask.sources.dask.paused import PausedWorkers
from polytask.sources.dask.work import hand_on, merge_parts, sum_partition
from polytask.sources.passes import Job, Progress
from polytask.sources.source import ParquetSource

__all__ = ["FAN_IN", "DaskRunner"]

FAN_IN = 4  # results that one task merges
_POLL = 0.01  # seconds between looks at what is done
_PATIENCE = 300.0  # seconds that fetching a finished result may take


class DaskRunner:
    """Every partition is one task; results meet in groups of four until one is left.

    The job and its coefficients are themselves the result of a task, so that a worker that dies
    takes nothing with it that the scheduler cannot have made again.

    Parameters
    ----------
    client : distributed.Client
    progress : callable or None
        Told ``(what, rows done, rows in all)`` when a partition is done.
    """

    def __init__(self, client: Client, progress: Progress | None = None) -> None:
        self.client, self.progress = client, progress

    def run(self, job: Job, source: ParquetSource) -> Any:
        """The job's result over all partitions.

        Raises
        ------
        ConnectionError
            If the scheduler is lost.
        MemoryError
            If a partition kills one worker after the other, or all stay paused at their limit.
        """
        try:
            return self._run(job, source)
        except KilledWorker as error:
            raise MemoryError(
                f"fit_parquet: a worker must survive a partition; several died on one ({error}). "
                "They may have too little memory: lower batch_rows."
            ) from error
        except (CancelledError, CommClosedError, TimeoutError, RuntimeError) as error:
            if isinstance(error, RuntimeError) and self.client.status == "running":
                raise
            address = getattr(self.client.scheduler, "address", "its address")
            raise ConnectionError(
                f"fit_parquet: the Dask scheduler at {address} was lost in the pass "
                f"{job.what!r}; nothing was fitted. Start it, connect a new Client, and call "
                "fit_parquet again."
            ) from error

    def _run(self, job: Job, source: ParquetSource) -> Any:
        client = self.client
        held = client.submit(hand_on, (job, replace(source, partitions=())), pure=False)
        parts = [client.submit(sum_partition, held, part, pure=False) for part in source.partitions]
        total = self._merge(held, parts)
        waiting = {f: part.n_rows for f, part in zip(parts, source.partitions, strict=True)}
        del parts  # the scheduler forgets a part once it is merged
        paused = PausedWorkers(client)
        while not total.done():
            self._check_scheduler()
            if (told := paused.look()) and self.progress is not None:
                done = source.n_rows - sum(waiting.values())
                self.progress(f"{job.what}; {told}", done, source.n_rows)
            self._tell(job, waiting, source.n_rows)
            time.sleep(_POLL)
        self._tell(job, waiting, source.n_rows)
        return total.result(timeout=_PATIENCE)

    def _check_scheduler(self) -> None:
        """Futures of a lost scheduler may stay pending for ever, so its loss is asked for."""
        if self.client.status != "running":
            raise CommClosedError(f"the client is {self.client.status}")

    def _tell(self, job: Job, waiting: dict[Future, int], n_rows: int) -> None:
        """Progress, once for every partition that is done; its future is let go."""
        for future in [f for f in waiting if f.done()]:
            waiting.pop(future)
            if self.progress is not None and future.status == "finished":
                done = n_rows - sum(waiting.values())
                self.progress(job.what, done, n_rows)

    def _merge(self, held: Future, parts: list[Future]) -> Future:
        while len(parts) > 1:
            groups = [parts[k : k + FAN_IN] for k in range(0, len(parts), FAN_IN)]
            parts = [self.client.submit(merge_parts, held, group, pure=False) for group in groups]
        return parts[0]
