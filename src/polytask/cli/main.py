"""From words on the command line to an exit code; nothing heavy is imported before it is needed."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from polytask.cli.arguments import make_parser

__all__ = ["main"]

USER_ERROR = 2
INTERRUPTED = 130  # 128 + SIGINT, what shells expect


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``polytask``; those of the process by default.

    Returns
    -------
    code : int
        0 when all went well, 2 for a mistake in the arguments or the table (one line on stderr),
        130 after Ctrl-C.
    """
    args = make_parser().parse_args(argv)
    try:
        return _run(args.command, args)
    except KeyboardInterrupt:
        print("polytask: interrupted; no file was left half-written.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(command: str, args: object) -> int:
    from polytask.cli.errors import as_one_line, user_errors

    module = importlib.import_module(f"polytask.cli.{command}")
    try:
        code: int = module.run(args)
    except user_errors() as error:
        print(f"polytask: error: {as_one_line(error)}", file=sys.stderr)
        return USER_ERROR
    sys.stdout.flush()
    return code
