"""A few steps that signals do not part: those that end the process wait until they are done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["unbroken"]

_ENDING = ("SIGINT", "SIGTERM", "SIGHUP")


@contextmanager
def unbroken() -> Iterator[None]:
    """Hold back what Ctrl-C and those who stop a job send, for the moments of an exchange of files.

    In other threads than the first nothing is changed: signals do not reach them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    known = [getattr(signal, name) for name in _ENDING if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in known}
    ours = [number for number, old in before.items() if callable(old)]  # not ignored, nor foreign
    waiting: list[int] = []
    for number in ours:
        signal.signal(number, lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
        for number in waiting[:1]:
            signal.raise_signal(number)
