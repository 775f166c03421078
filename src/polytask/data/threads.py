"""One pool of threads at a time: BLAS is held to one thread where Python threads share the work.

Many small products gain nothing from BLAS threads, and two pools that multiply cost two to three
times (measured), so a fit holds BLAS to one thread and splits tasks among Python threads.

Trees of scikit-learn share every node among OpenMP threads, which wait for one another by turning:
on small tables that gains little, and where other programs use the same cores one tree takes a
hundred times as long (measured). They have one thread there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

__all__ = ["one_blas_thread", "share", "with_trees"]

_FROM = 2e7  # multiplications below which a second thread costs more than it saves
_SMALL = 1_000_000  # numbers of a table on which trees have one thread
T = TypeVar("T")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looking for the libraries takes milliseconds: once


def one_blas_thread() -> AbstractContextManager[Any]:
    """Context in which BLAS calls run on the calling thread only."""
    return _controller().limit(limits=1, user_api="blas")


def share(
    work: Callable[[np.ndarray], None],
    items: Sequence[int] | np.ndarray,
    multiplications: float = np.inf,
) -> None:
    """Call ``work`` on parts of ``items``, a part a core; it gains where work frees the GIL.

    Where all of it takes few ``multiplications`` the calling thread does it alone.
    """
    workers = 1 if multiplications < _FROM else min(len(os.sched_getaffinity(0)), len(items))
    if workers < 2:
        work(np.asarray(items))
        return
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(work, part) for part in np.array_split(items, workers)]:
            done.result()


@cache
def _openmp() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="openmp")  # asked when trees are loaded


def with_trees(call: Callable[..., T], X: np.ndarray, *args: Any, **kwargs: Any) -> T:
    """``call(X, *args, **kwargs)`` of histogram boosting, on one thread where X is small."""
    with _openmp().limit(limits=1) if X.size < _SMALL else nullcontext():
        return call(X, *args, **kwargs)
