"""Workers of a cluster of our own say nothing of a heartbeat that its end has cut short."""

from __future__ import annotations

import logging

from distributed import Worker, WorkerPlugin

__all__ = ["QuietHeartbeats"]


class QuietHeartbeats(WorkerPlugin):
    """Leaves the traceback of a heartbeat without a scheduler out of a worker's log.

    A busy machine closes the scheduler while a worker is speaking to it. A scheduler that is lost
    before that is told by the work itself.
    """

    name = "quiet-heartbeats"

    def setup(self, worker: Worker) -> None:
        """Filter the log of the worker's process."""
        logging.getLogger("distributed.worker").addFilter(_is_no_heartbeat)


def _is_no_heartbeat(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Failed to communicate with scheduler")
