"""Signals that end a command do so like Ctrl-C: what is half-written goes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["ending_signals"]

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")  # as in `unbroken`, which the help must not load
_USUAL = (signal.SIG_DFL, signal.default_int_handler)
_LATER, _PATIENCE = 0.005, 0.5  # seconds: until a look again; in all, as compiling takes long


@contextmanager
def ending_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt with the number of the signal, where nobody else handles it."""
    first: dict[int, float] = {}

    def end(number: int, frame: FrameType | None) -> None:
        waits = time.monotonic() - first.setdefault(number, time.monotonic()) < _PATIENCE
        if waits and _in_numba(frame):
            again = threading.Timer(_LATER, signal.raise_signal, (number,))
            again.daemon = True
            again.start()
            return
        raise KeyboardInterrupt(number)

    mine = threading.current_thread() is threading.main_thread()
    known = [getattr(signal, name) for name in ENDING if mine and hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in known}
    before = {number: old for number, old in before.items() if old in _USUAL}  # not nohup's
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _in_numba(frame: FrameType | None) -> bool:
    """Whether numba makes an argument or a result: it does not ask whether that raised.

    An exception there ends in SystemError, or the process in a crash.
    """
    while frame is not None:
        if frame.f_globals.get("__name__", "").partition(".")[0] == "numba":
            return True
        frame = frame.f_back
    return False
