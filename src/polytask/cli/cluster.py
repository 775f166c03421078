"""``--dask``: worker processes on this machine, or a cluster that runs already."""

from __future__ import annotations

import _thread
import argparse
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from polytask.tables.errors import TableError

__all__ = ["cluster"]

_PATIENCE = 30  # seconds that a scheduler may take to answer


@contextmanager
def cluster(args: argparse.Namespace) -> Iterator[None]:
    """Passes, folds and models go to the cluster of ``--dask`` inside; here without it."""
    if args.dask is None:
        yield
        return
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise TableError("needs Dask: pip install 'polytask[dask]'.", "dask") from error
    import joblib

    from polytask.sources.dask.quiet import QuietHeartbeats

    with ExitStack() as stack:
        address = args.dask
        if address.isdigit():
            workers = LocalCluster(
                n_workers=max(int(address), 1), threads_per_worker=1, dashboard_address=None
            )
            address = stack.enter_context(workers)
        try:
            client = stack.enter_context(Client(address, timeout=_PATIENCE))
        except (OSError, ValueError) as error:
            raise TableError(
                "must be a number of processes or the address of a Dask scheduler, such as "
                f"tcp://host:8786; got {args.dask!r}, where none answers. Start one with 'dask "
                "scheduler', or give a number.",
                "dask",
            ) from error
        if args.dask.isdigit():
            client.register_plugin(QuietHeartbeats())
        args.jobs = -1  # as many as the cluster has
        stack.enter_context(joblib.parallel_config("dask"))
        stack.enter_context(_watched(client))
        yield


@contextmanager
def _watched(client: Any) -> Iterator[None]:
    """Ends the work, as Ctrl-C would, where all workers stay paused at their memory limit."""
    from polytask.sources.dask.paused import PausedWorkers

    paused, over, why = PausedWorkers(client), threading.Event(), []

    def watch() -> None:
        while not over.wait(1.0):
            try:
                paused.look()
            except MemoryError as error:
                why.append(error)
                _thread.interrupt_main()
                return
            except Exception:  # noqa: BLE001  of a lost scheduler, which the work itself tells
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if why:
            raise why[0] from interrupt
        raise
    finally:
        over.set()
        thread.join(timeout=5.0)
