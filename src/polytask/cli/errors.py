"""Which exceptions are a user's mistake, and the one line that they become."""

from __future__ import annotations

from polytask.tables.errors import TableError

__all__ = ["as_one_line", "user_errors"]


def user_errors() -> tuple[type[Exception], ...]:
    """What ends a command with one line and exit code 2; anything else is a bug and shows whole."""
    return (TableError, OSError)


def as_one_line(error: Exception) -> str:
    """The sentence for stderr: arguments written as on the command line."""
    if isinstance(error, BrokenPipeError):  # not a mistake: `| head` had enough
        raise error
    if isinstance(error, TableError):
        name = error.argument or ""
        return (
            f"{name if name.isupper() else f'--{name}'} {error.message}" if name else error.message
        )
    if isinstance(error, OSError) and error.filename is not None:
        reason = (error.strerror or str(error)).lower()
        return (
            f"{error.filename!r} must be a place that can be read and written; got: {reason}. "
            "Choose another place or free this one."
        )
    return " ".join(str(error).split())
