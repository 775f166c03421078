"""From words on the command line to an exit code; nothing heavy is imported before it is needed."""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from polytask.cli.arguments import make_parser
from polytask.cli.errors import as_one_line
from polytask.cli.signals import ending_signals

__all__ = ["main"]

USER_ERROR = 2
SHELLS_EXPECT = 128  # plus the number of the signal that ended a command
WHOLE = "POLYTASK_TRACEBACK"  # set in the environment: errors show where they come from
SELDOM = (500_000, 10, 10)  # objects made, and rounds before, from one look for garbage to the next


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``polytask``; those of the process by default.

    Returns
    -------
    code : int
        0 when all went well, 2 where the command could not do it (one line on stderr says why),
        130 after Ctrl-C, 143 after SIGTERM.
    """
    args = make_parser().parse_args(argv)
    try:
        with ending_signals(), _warnings_at_the_end(), _seldom_looking_for_garbage():
            code: int = importlib.import_module(f"polytask.cli.{args.command}").run(args)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt as ended:
        number = ended.args[0] if ended.args else signal.SIGINT
        word = "interrupted" if number == signal.SIGINT else "ended"
        exec("")  # one that came within exec(), as imports have, would end `python -m` by a signal
        print(f"polytask: {word}; no file was left half-written.", file=sys.stderr)
        return SHELLS_EXPECT + int(number)
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get(WHOLE):
            raise
        print(f"polytask: error: {as_one_line(error)}", file=sys.stderr)
        return USER_ERROR


@contextmanager
def _seldom_looking_for_garbage() -> Iterator[None]:
    """Libraries are hundreds of thousands of objects that stay; hardly any others hold each other.

    Python looks through all of them time and again, in the rhythm that small programs need.
    """
    atexit.register(gc.freeze)  # nor when the process ends
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # all are old now, and not looked through when the rhythm is the usual one
        gc.set_threshold(*before)


@contextmanager
def _warnings_at_the_end() -> Iterator[None]:
    """Warnings that no command turned into notes: a line each, after a command that went well."""
    told: dict[str, None] = {}

    def keep(message: Warning | str, category: type[Warning], *place: Any) -> None:
        if not issubclass(category, RuntimeWarning):  # of arithmetic; the answer is checked
            told[" ".join(str(message).split())] = None

    with warnings.catch_warnings():
        warnings.showwarning = keep  # type: ignore[assignment]
        yield
    for line in told:
        print(f"polytask: note: {line}", file=sys.stderr)
