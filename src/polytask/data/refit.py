"""A fit starts anew, and one that fails leaves the estimator as it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

__all__ = ["all_or_nothing", "forget"]

Method = TypeVar("Method", bound=Callable[..., Any])


def forget(estimator: Any) -> None:
    """Take away what earlier fits left: by convention, attributes whose names end in "_"."""
    for name in [name for name in vars(estimator) if name.endswith("_")]:
        delattr(estimator, name)


def all_or_nothing(method: Method) -> Method:
    """Decorate a method that fits: where it raises, or is interrupted, no attribute changes.

    What is learned on the way (names, classes, tasks) must not stand beside the coefficients of
    an earlier fit, nor make an estimator look fitted that is not. Attributes are put back as
    objects, so a fit may replace what it keeps but not write into it.

    Examples
    --------
    >>> class Halves:
    ...     @all_or_nothing
    ...     def fit(self, n):
    ...         self.n_ = n
    ...         self.half_ = 1 / n
    >>> model = Halves()
    >>> model.fit(2)
    >>> try:
    ...     model.fit(0)
    ... except ZeroDivisionError:
    ...     print(model.n_, model.half_)
    2 0.5
    """

    @wraps(method)
    def whole(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = dict(vars(self))
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    return whole  # type: ignore[return-value]
