"""Progress of long work, on stderr: nothing for work that is over in two seconds."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["Progress"]

QUIET_SECONDS = 2.0
_MOMENT = 0.01  # share of the time so far in which all that is heard came together
LINE_SECONDS = 20.0  # between lines where there is no terminal, as in a log file


class Progress:
    """Shows ``done of total``: a bar in a terminal, now and then a line elsewhere.

    Use it as a context; call it as ``progress(done, total, text)``.
    """

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._state = (0, 1, "starting")
        self._bar: Bar | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._last_line = self._begun = 0.0
        self._past: deque[tuple[float, int]] = deque()  # when how much was done

    def __enter__(self) -> Progress:
        self._last_line = self._begun = time.monotonic()
        if self._terminal:
            self._timer = threading.Timer(QUIET_SECONDS, self._start_bar)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __call__(self, done: int, total: int, text: str) -> None:
        """Take note of how far the work is."""
        if self._past and done < self._past[-1][1]:  # other work, which began when that ended
            self._begun = self._past[-1][0]
            self._past.clear()
        self._past.append((time.monotonic(), done))
        left = self._left(done, total)
        with self._lock:
            self._state = (done, total, words := f"{text}{left}")
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=done, total=total, text=words)
        if not self._terminal and time.monotonic() - self._last_line > LINE_SECONDS:
            self._last_line = time.monotonic()
            line = f"polytask: {done:,} of {total:,}{left} ({text})"
            print(line, file=sys.stderr, flush=True)

    def _left(self, done: int, total: int) -> str:
        """About how long it will take, at the pace up to what is not of this moment.

        Fits that prepare a table alike are heard of together, when the last of them is done: the
        first alone would seem to have taken as long as all.
        """
        now = self._past[-1][0]
        moment = now - _MOMENT * (now - self._begun)
        while len(self._past) > 1 and self._past[1][0] <= moment:
            self._past.popleft()
        when, known = self._past[0]
        if not 0 < known <= done < total or when > moment:
            return ""
        seconds = max((when - self._begun) * (total - known) / known - (now - when), 0.0)
        return (
            f", about {seconds:.0f} s left"
            if seconds < 120
            else f", about {seconds / 60:.0f} min left"
        )

    def say(self, text: str) -> None:
        """What is being done now that the counted work is over."""
        done, total, _ = self._state
        self(done, total, text)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._terminal = False  # a timer that fires now must not open a bar any more
            if self._bar is not None:
                self._bar.stop()

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        with self._lock:
            if not self._terminal:
                return
            words = TextColumn("{task.fields[text]}", markup=False)
            columns = (BarColumn(), MofNCompleteColumn(), words)
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            done, total, text = self._state
            self._bar.add_task("", completed=done, total=total, text=text)
            self._bar.start()
