"""Writing files so that a reader never meets half of one, and a kill leaves nothing behind."""

from __future__ import annotations

import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from polytask.data.unbroken import unbroken

try:
    import fcntl
except ImportError:  # no such thing on this system: nothing is locked, and nothing swept up
    fcntl = None  # type: ignore[assignment]

__all__ = ["NewFile", "claim", "hidden_name", "leftovers", "locked", "replacing"]


def hidden_name(name: str) -> str:
    """A name for what is not yet ``name``; `leftovers` finds it again."""
    return f".{name}.polytask-{secrets.token_hex(4)}"


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A place to write to that becomes ``path`` at the end, or vanishes on an error.

    Where the system can, the place has no name before it is whole, so that a process that is
    killed leaves nothing. Its path has no ending that a writer could choose a format by.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> place = pathlib.Path(tempfile.mkdtemp()) / "a.txt"
    >>> with replacing(place) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> place.read_text()
    'whole'
    """
    path = Path(os.path.realpath(path))  # a link stays one
    for old in leftovers(path.parent, path.name):
        old.unlink(missing_ok=True)
    new = NewFile(path.parent, path.name)
    try:
        yield new.path
        with unbroken():
            new.become(path)
    finally:
        new.close()


class NewFile:
    """A file without a name, or where the system has no such thing, with a hidden one.

    Attributes
    ----------
    path : Path
        Where to write.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._hidden: Path | None = None
        try:
            self._handle = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
            self.path = Path(f"/proc/self/fd/{self._handle}")
            self.path.stat()
        except (OSError, AttributeError):  # the second try says what is wrong, if anything is
            self.path = self._hidden = folder / hidden_name(name)
            self._handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            claim(self._handle)

    def become(self, path: Path) -> None:
        """Take a name in the same file system; what had it is replaced."""
        if self._hidden is not None:
            self._hidden.replace(path)
            return
        try:
            self._link(path)
        except FileExistsError:  # the system cannot link over a file, but rename over it
            beside = path.with_name(hidden_name(path.name))
            self._link(beside)
            try:
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)

    def _link(self, path: Path) -> None:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.link(self.path, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Let go of it; a file that has not become another vanishes."""
        if self._hidden is not None:
            self._hidden.unlink(missing_ok=True)
        os.close(self._handle)


def claim(handle: int) -> bool:
    """Lock a file or directory for this process; False where another holds it, or locks do not
    exist. A killed process lets go of its locks.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Other processes wait here until this one is done with the folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def leftovers(folder: Path, name: str) -> Iterator[Path]:
    """What killed processes left of ``name``; what a living one still works on is locked."""
    for found in folder.glob(glob.escape(f".{name}.polytask-") + "????????"):
        with suppress(OSError):
            handle = os.open(found, os.O_RDONLY)
            try:
                if claim(handle):
                    yield found
            finally:
                os.close(handle)
