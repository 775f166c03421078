"""What every estimator of this package has beside its mathematics."""

from __future__ import annotations

import inspect
import warnings
from functools import cache
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr

from polytask.models._texts import with_shared
from polytask.models.shown import fitted_html
from polytask.models.steps import CallbackSupportMixin

__all__ = ["Estimator", "TaskEstimator"]

_PARAMETERS = "\nParameters\n----------\n"
_VERSION = "_polytask_version"
_MOVED = {"_mixed_state": "_mixed_state_"}  # attributes of older versions: their name today


class Estimator(CallbackSupportMixin, BaseEstimator):
    """Callbacks, a display of what was fitted, and files that know their version.

    A regressor and its classifier are twins: scikit-learn reads the parameter constraints of the
    most derived class only, and `help` its text. So they say a sentence of their own, and are
    given the constraints of all bases and the text of the first that describes parameters, with
    what the others describe beside.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    _made_later: ClassVar[dict[str, str]] = {}  # what holds rows until who needs them is asked for

    def __init_subclass__(cls, own_text: bool = False, **kwargs: Any) -> None:
        """Merge constraints and texts of the bases; ``own_text`` says that the class needs none."""
        super().__init_subclass__(**kwargs)
        merged: dict[str, list[Any]] = {}
        for base in reversed(cls.__mro__):
            merged.update(vars(base).get("_parameter_constraints", {}))
        cls._parameter_constraints = merged
        if own_text:
            return
        texts = [_cleaned(base.__doc__ or "") for base in cls.__mro__]
        described, *others = [text for text in texts if _PARAMETERS in text] or [""]
        given = inspect.signature(cls).parameters if others else ()
        for other in others:
            described = with_shared(described, other, given)
        if _PARAMETERS in texts[0]:
            cls.__doc__ = described
        elif described:
            cls.__doc__ = f"{texts[0]}\n\n{described}\n"

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Names of the parameters; a fit asks several times, and signatures are slow to read."""
        return list(_names_of(cls))  # type: ignore[arg-type]

    def _html_repr(self) -> str:
        """scikit-learn's diagram with, after a fit, what the fit says of itself."""
        return f"{estimator_html_repr(self)}{fitted_html(self)}"

    def __copy__(self) -> Self:
        """The same attributes; what nobody has asked for yet is not made for a copy."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    def __getstate__(self) -> dict[str, Any]:
        """Attributes, those that nobody has asked for yet too, with the version that writes them.

        The rows that these are made of are not kept.
        """
        from polytask import __version__

        for rows, name in self._made_later.items():
            if rows in vars(self):
                getattr(self, name)

        return {**super().__getstate__(), _VERSION: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Attributes; parameters that an older version did not have get their defaults.

        Warns where the file is of a newer version, whose attributes may mean something else.
        """
        from polytask import __version__

        state = {_MOVED.get(name, name): value for name, value in state.items()}
        written = str(state.pop(_VERSION, "0.1.0"))  # the first did not say
        if _numbers(written) > _numbers(__version__):
            warnings.warn(
                f"{type(self).__name__} was saved by polytask {written}, which is newer than this "
                f"{__version__}: its answers may be wrong here. Update polytask.",
                UserWarning,
                stacklevel=2,
            )
        given = inspect.signature(type(self).__init__).parameters
        absent = {name: p.default for name, p in given.items() if name not in ("self", *state)}
        super().__setstate__({**absent, **state})


_cleaned = cache(inspect.cleandoc)  # a base is read for each of its many classes


@cache
def _names_of(cls: Any) -> list[str]:
    return list(BaseEstimator._get_param_names.__func__(cls))


class TaskEstimator(Estimator):
    """One that takes sparse X, and a wide y where no task column is named."""

    task: Any

    def __sklearn_tags__(self) -> Any:
        """Tags: sparse input, and a wide y where no task column is named."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.multi_output = self.task is None
        tags.target_tags.required = True
        return tags


def _numbers(version: str) -> tuple[int, ...]:
    """The release as numbers: "0.2.0rc1" is (0, 2, 0)."""
    parts = version.split(".")[:3]
    return tuple(int("".join(c for c in p[:3] if c.isdigit()) or 0) for p in parts)
