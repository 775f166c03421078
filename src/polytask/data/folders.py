"""Several files that belong together, in a folder that changes from one set to the next at once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from polytask.data.exchange import exchange
from polytask.data.files import NewFile, claim, hidden_name, leftovers, locked
from polytask.data.unbroken import unbroken

__all__ = ["Stage", "in_the_way", "staged"]

_MOST_OTHERS = 1000  # entries of a folder that are worth a link each
_OLD = ".polytask-old"  # the set before, in an exchange file by file; with it, the new is whole


@contextmanager
def staged(directory: str | os.PathLike[str]) -> Iterator[Stage]:
    """A stage whose files appear in ``directory`` together at the end, or not at all.

    Files of the same name are replaced, other files are left alone. A new folder takes the place
    of the old one in a single step where the system and the folder allow it; else all old files
    leave before the first new one comes. So a process that is killed never leaves files of two
    sets, and what it may leave hidden, the next one clears away.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> place = pathlib.Path(tempfile.mkdtemp()) / "report"
    >>> with staged(place) as stage:
    ...     _ = (stage / "a.txt").write_text("whole")
    >>> [found.name for found in place.iterdir()]
    ['a.txt']
    """
    stage = Stage(Path(os.path.realpath(directory)))
    try:
        yield stage
        with unbroken():
            stage.appear()
    finally:
        stage.close()


def in_the_way(directory: Path, names: Iterable[str]) -> str:
    """Why files of these names could not be replaced in a folder, or ""."""
    if not directory.is_dir():
        return ""
    about = directory.stat()
    for name in names:
        path = directory / name
        if path.is_dir() and not path.is_symlink():
            return f"{name!r} in it is a directory"
        sticky = about.st_mode & 0o1000 and os.path.lexists(path)  # only owners may remove
        if sticky and os.geteuid() not in (0, about.st_uid, path.lstat().st_uid):
            return f"{name!r} in it belongs to another user"
    return ""


class Stage:
    """Files on their way into a folder: ``stage / name`` is where to write one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._files: dict[str, NewFile] = {}
        self._place = directory  # an old folder, in the same file system
        while not self._place.exists():
            self._place = self._place.parent

    def __truediv__(self, name: str) -> Path:
        self._files[name] = NewFile(self._place, name)
        return self._files[name].path

    def close(self) -> None:
        """Let go of files that have not appeared."""
        for new in self._files.values():
            new.close()

    def appear(self) -> None:
        """Into the folder, all at once."""
        if told := in_the_way(self._directory, self._files):
            raise PermissionError(1, f"not possible, because {told}", str(self._directory))
        with _parents(self._directory.parent) as parent:
            self._clear_up(parent)
            with self._hidden_folder(parent) as folder:
                if not self._directory.exists():
                    with suppress(OSError):  # unless another process was faster
                        folder.rename(self._directory)
                        return
                if not self._at_once(folder):
                    self._one_by_one(folder)

    def _clear_up(self, parent: Path) -> None:
        """What killed processes left: a folder's other files go home, an exchange is finished."""
        for name in self._files:
            for place in {self._place, self._directory}:
                for old in leftovers(place, name):
                    old.unlink(missing_ok=True)
        for place in (parent, self._directory):
            for old in leftovers(place, self._directory.name):
                if (old / _OLD).is_dir():
                    _move([n for n in self._files if (old / n).exists()], old, self._directory)
                _settle(old, self._directory, self._files)

    @contextmanager
    def _hidden_folder(self, parent: Path) -> Iterator[Path]:
        """All files in a folder in the same file system, which goes away at the end."""
        apart = self._directory.exists() and self._directory.stat().st_dev != parent.stat().st_dev
        place = self._directory if apart or not os.access(parent, os.W_OK) else parent
        folder = place / hidden_name(self._directory.name)
        folder.mkdir()
        handle = os.open(folder, os.O_RDONLY)
        try:
            claim(handle)
            for name, new in self._files.items():
                new.become(folder / name)
            yield folder
        finally:
            os.close(handle)
            _settle(folder, self._directory, self._files)

    def _at_once(self, folder: Path) -> bool:
        """Exchange the folders; False where that would touch what is not ours."""
        directory = self._directory
        others = [found for found in directory.iterdir() if found.name not in self._files]
        theirs = _owner(directory) != _owner(folder)
        here = Path.cwd().is_relative_to(directory)  # a shell should not lose its folder
        if theirs or here or folder.parent == directory or len(others) > _MOST_OTHERS:
            return False
        try:
            for other in others:  # a directory cannot have two names
                os.link(other, folder / other.name, follow_symlinks=False)
            shutil.copystat(directory, folder)
            return exchange(folder, directory)
        except OSError:
            return False

    def _one_by_one(self, folder: Path) -> None:
        """Old files leave, new ones come; all are put back if one cannot."""
        directory, old = self._directory, folder / _OLD
        with locked(directory):
            there = [name for name in self._files if os.path.lexists(directory / name)]
            old.mkdir()
            try:
                _move(there, directory, old)
                _move(self._files, folder, directory)
            except BaseException:
                _move([n for n in self._files if not (folder / n).exists()], directory, folder)
                _move([n for n in there if os.path.lexists(old / n)], old, directory)
                raise


def _owner(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_uid, about.st_gid


def _move(names: Iterable[str], source: Path, goal: Path) -> None:
    for name in names:
        (source / name).replace(goal / name)


def _settle(folder: Path, directory: Path, names: Iterable[str]) -> None:
    """Empty a hidden folder: files of these names vanish, others go home."""
    for found in folder.iterdir() if folder.is_dir() else ():
        home = directory / found.name
        with suppress(FileNotFoundError):  # another process may do the same
            if found.name == _OLD:
                shutil.rmtree(found)
            elif found.name in names or (home.exists() and found.samefile(home)):
                found.unlink()
            else:
                found.replace(home)
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _parents(folder: Path) -> Iterator[Path]:
    """Make a folder and those above it; they go again on an error."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except BaseException:
        for path in made:  # one that is not empty stays
            with suppress(OSError):
                path.rmdir()
        raise
