"""Progress of long work, on stderr: nothing for work that is over in two seconds."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

__all__ = ["Progress"]

QUIET_SECONDS = 2.0
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

    def __enter__(self) -> Progress:
        self._last_line = self._begun = time.monotonic()
        if self._terminal:
            self._timer = threading.Timer(QUIET_SECONDS, self._start_bar)
            self._timer.daemon = True
            self._timer.start()
        return self

    def __call__(self, done: int, total: int, text: str) -> None:
        """Take note of how far the work is."""
        with self._lock:
            self._state = (done, total, text)
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=done, total=total, text=text)
        if not self._terminal and time.monotonic() - self._last_line > LINE_SECONDS:
            self._last_line = time.monotonic()
            line = f"polytask: {done:,} of {total:,}{self._left(done, total)} ({text})"
            print(line, file=sys.stderr, flush=True)

    def _left(self, done: int, total: int) -> str:
        """About how long it will take, at the pace so far."""
        if not 0 < done < total:
            return ""
        seconds = (time.monotonic() - self._begun) * (total - done) / done
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
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        with self._lock:
            if not self._terminal:
                return
            words = TextColumn("{task.fields[text]}", markup=False)
            columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), words)
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            done, total, text = self._state
            self._bar.add_task("", completed=done, total=total, text=text)
            self._bar.start()
