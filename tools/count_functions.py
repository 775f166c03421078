"""How many functions of polytask a run goes through: `polytask compare` and a tuned fit.

    python tools/count_functions.py            # both figures
    python tools/count_functions.py --list     # and which functions, by file

A reader of one run has to know about as many functions as this says. Imports are not counted,
nor are comprehensions and generator expressions; a function counts once, however often it runs.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import polytask

HERE = Path(polytask.__file__).parent


@contextlib.contextmanager
def traced() -> Iterator[set[CodeType]]:
    """The codes of polytask's own functions that are called inside."""
    seen: set[CodeType] = set()

    def look(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    sys.setprofile(look)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        own = {code for code in seen if _is_function(code)}
        seen.clear()
        seen.update(own)


def _is_function(code: CodeType) -> bool:
    named = code.co_name == "<lambda>" or not code.co_name.startswith("<")
    return named and Path(code.co_filename).is_relative_to(HERE) and not _is_class_body(code)


def _is_class_body(code: CodeType) -> bool:
    return "__module__" in code.co_names and "__qualname__" in code.co_names


def compare(folder: Path) -> None:
    """The command on the bundled table, in this process, with three models as the review had it."""
    from polytask.cli import main
    from polytask.datasets import load_exam

    table = folder / "exam.csv"
    load_exam().to_csv(table, index=False)
    names = "single-task,pooled,mean-regularized"
    words = ["compare", str(table), "--task", "school", "--target", "normexam", "--models", names]
    words += ["--out", str(folder / "out")]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        assert main(words) == 0


def tuned_fit(folder: Path) -> None:
    """A mean-regularized fit whose strength is chosen."""
    from polytask import MeanRegularizedRegressor

    MeanRegularizedRegressor(task="task").fit(*_table())


@functools.cache
def _table() -> tuple[Any, Any]:
    """Made in the first run, which is not counted."""
    from polytask.datasets import make_related_tasks

    return make_related_tasks(12, 4, 25, random_state=0)[:2]


def measure(run: Callable[[Path], None]) -> set[CodeType]:
    """Functions of a second run: the first has imported what is needed."""
    for first in (True, False):
        with tempfile.TemporaryDirectory() as name, traced() as seen:
            run(Path(name))
        if first:
            seen.clear()
    return seen


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the functions")
    listed = parser.parse_args().list
    for run in (compare, tuned_fit):
        found = measure(run)
        files = {code.co_filename for code in found}
        print(f"{run.__name__}: {len(found)} functions in {len(files)} files")
        if listed:
            for code in sorted(found, key=lambda c: (c.co_filename, c.co_firstlineno)):
                print(f"  {Path(code.co_filename).relative_to(HERE)}:{code.co_firstlineno} "
                      f"{code.co_qualname}")  # fmt: skip


if __name__ == "__main__":
    main()
