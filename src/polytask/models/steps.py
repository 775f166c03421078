"""The steps of a fit, told to scikit-learn's callbacks and, with ``verbose``, to the screen.

In scikit-learn's interface a "task" is a step of a fit. Only this file speaks its language.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

try:  # the interface is young and may move
    from sklearn.callback import CallbackSupportMixin
    from sklearn.callback import with_callbacks as _decorate
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in where scikit-learn has no callbacks."""

    def _decorate(method: Any) -> Any:
        return method


__all__ = ["CallbackSupportMixin", "fit_steps", "is_watched", "part_of", "step", "with_callbacks"]

Method = TypeVar("Method", bound=Callable[..., Any])
_ONE = threading.Lock()  # parts may come from several threads


def with_callbacks(method: Method) -> Method:
    """scikit-learn's decorator of a method that fits, which keeps the method's types."""
    return _decorate(method)


def is_watched(estimator: Any) -> bool:
    """Whether a callback, the estimator's own or that of one around it, wants to be told."""
    return bool(getattr(estimator, "_skl_callbacks", None)) or hasattr(
        estimator, "_parent_callback_ctx"
    )


@contextmanager
def fit_steps(estimator: Any, n_steps: int, X: Any, y: Any) -> Iterator[None]:
    """The whole of a fit, in a method decorated `with_callbacks`."""
    if not is_watched(estimator):
        yield
        return
    root = estimator._init_callback_context(max_subtasks=n_steps)
    root.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    yield
    root.call_on_fit_task_end(
        estimator=estimator, X=X, y=y, reconstruction_attributes=lambda: _fitted(estimator)
    )


@contextmanager
def step(
    estimator: Any, name: str, *, parts: bool = False, inner: Any = None
) -> Iterator[Callable[[str], None]]:
    """A step of a fit; what is yielded takes what `verbose` should say at its end.

    ``parts`` says that the step is made of parts, an unknown number of them (`part_of`);
    ``inner`` is an estimator that is fitted in it and may have steps of its own.
    """
    said: list[str] = []
    started = time.perf_counter()
    with _context(estimator, name, parts, inner):
        yield said.append
    if getattr(estimator, "verbose", 0):
        seconds = time.perf_counter() - started
        print(f"[{type(estimator).__name__}] {': '.join([name, *said])} ({seconds:.2f} s)")


@contextmanager
def _context(estimator: Any, name: str, parts: bool, inner: Any) -> Iterator[None]:
    """The same to callbacks."""
    root = getattr(estimator, "_callback_fit_ctx", None)
    if root is None:
        yield
        return
    context = root.subcontext(name, max_subtasks=None if parts else 0)
    with nullcontext() if inner is None else context.propagate_callback_context(inner):
        context.call_on_fit_task_begin(estimator=estimator)
        estimator._callback_step = context
        try:
            yield
        finally:
            del estimator._callback_step
        context.call_on_fit_task_end(estimator=estimator)


def part_of(estimator: Any) -> None:
    """Count a part of the step that is under way."""
    context = getattr(estimator, "_callback_step", None)
    if context is not None and context.max_subtasks is None:
        with _ONE:
            part = context.subcontext("part")
        part.call_on_fit_task_begin(estimator=estimator)
        part.call_on_fit_task_end(estimator=estimator)


def _fitted(estimator: Any) -> dict[str, Any]:
    """What a fit has left, for callbacks that want to predict."""
    given = estimator.get_params(deep=False)
    return {name: value for name, value in vars(estimator).items() if name not in given}
