"""Who makes the passes."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from polytask.sources.passes import Progress, Runner, SerialRunner

__all__ = ["make_runner"]


def make_runner(client: Any, progress: Progress | None) -> Runner:
    """The cluster that was given or is active, or this process."""
    if client is None and "distributed" in sys.modules:
        client = importlib.import_module("polytask.sources.dask.active").active_client()
    if client is None or client is False:
        return SerialRunner(progress)
    runner: Runner = importlib.import_module("polytask.sources.dask.runner").DaskRunner(
        client, progress
    )
    return runner
