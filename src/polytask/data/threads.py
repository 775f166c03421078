"""One pool of threads at a time: BLAS is held to one thread where Python threads share the work.

Many small products gain nothing from BLAS threads, and two pools that multiply cost two to three
times (measured), so a fit holds BLAS to one thread and splits tasks among Python threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread", "share"]


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looking for the libraries takes milliseconds: once


def one_blas_thread() -> AbstractContextManager[Any]:
    """Context in which BLAS calls run on the calling thread only."""
    return _controller().limit(limits=1, user_api="blas")


def share(work: Callable[[np.ndarray], None], items: Sequence[int] | np.ndarray) -> None:
    """Call ``work`` on parts of ``items``, a part a core; it gains where work frees the GIL."""
    workers = min(len(os.sched_getaffinity(0)), len(items))
    if workers < 2:
        work(np.asarray(items))
        return
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, part) for part in np.array_split(items, workers)]:
            done.result()
