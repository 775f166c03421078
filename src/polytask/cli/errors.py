"""Every exception that ends a command as one line for stderr."""

from __future__ import annotations

import errno
import re
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polytask.tables import TableError

__all__ = ["as_one_line", "refused"]

MEMORY = (
    "The memory does not suffice for this table and these models. Stream it (--stream, for "
    "Parquet), name fewer columns in --features, or raise the limit on memory (ulimit -v)"
)
HANDLES = (
    "The limit on open files is too low to go on. Raise it (ulimit -n 1024) and run the command "
    "again."
)
FULL = "has no room left. Free some, or choose another place."
WORDS = {  # what the library calls an argument: what the command calls it
    "n_splits": "--cv",
    "cv": "--cv",
    "n_repeats": "--repeats",
    "n_jobs": "--jobs",
    "random_state": "--seed",
    "n_support": "--new-tasks",
    "estimators": "--models",
    "features=[...]": "--features",
    "batch_rows": "the rows of a batch",
}
SPEAKERS = re.compile(r"^(TaskKFold|compare_\w+|fit_parquet|StreamPreparer): ")


def refused(error: Exception, before: str = "") -> TableError:
    """What the library refuses about a table or a choice, in the words of the command."""
    from polytask.tables.errors import TableError

    text = SPEAKERS.sub("", " ".join(str(error).split()))
    names = "|".join(re.escape(name) for name in WORDS)
    text = re.sub(rf"(?<![\w'.-])({names})(?![\w'(])", lambda found: WORDS[found[1]], text)
    text = re.sub(r"(--[a-z-]+)=(?=\w)", r"\1 ", text)
    return TableError(f"{before}{text}")


def as_one_line(error: Exception) -> str:
    """The sentence for stderr: arguments written as on the command line."""
    causes = list(_causes(error))
    if any(getattr(cause, "errno", None) in (errno.EMFILE, errno.ENFILE) for cause in causes):
        return HANDLES
    if isinstance(error, MemoryError) and "worker" in str(error):
        return refused(error).message
    if any(_no_memory(cause) for cause in causes):
        return MEMORY + "."
    if hasattr(error, "argument") and hasattr(error, "message"):
        return _table_error(error)
    if isinstance(error, OSError):
        return _system_error(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())[:300]
    return (
        f"{type(error).__name__}: {text.rstrip('.')}. That is no message for you but a fault of "
        f"polytask, met at {place.name} in {place.filename}:{place.lineno}. Please report it; "
        "POLYTASK_TRACEBACK=1 shows the whole way there."
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__ or error.__context__


def _no_memory(error: BaseException) -> bool:
    """Memory is asked for in many places, of which not all say so in the same way."""
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        return True
    told = ("out of memory", "cannot allocate memory", "can't start new thread", "realloc of size")
    return any(words in str(error).lower() for words in told)


def _table_error(error: Any) -> str:
    """A `TableError`, whose room is not loaded for the sake of an error."""
    name = error.argument or ""
    return f"{name if name.isupper() else f'--{name}'} {error.message}" if name else error.message


def _system_error(error: OSError) -> str:
    place = repr(error.filename) if error.filename is not None else "The place for the output"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{place} {FULL}"
    if error.filename is None:
        return " ".join(str(error).split())
    reason = (error.strerror or str(error)).lower()
    return (
        f"{place} must be a place that can be read and written; got: {reason}. "
        "Choose another place or free this one."
    )
