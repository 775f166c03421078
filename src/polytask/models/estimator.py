"""What every estimator of this package has beside its mathematics."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils import estimator_html_repr

from polytask.models.shown import fitted_html
from polytask.models.steps import CallbackSupportMixin

__all__ = ["Estimator"]

_VERSION = "_polytask_version"
_MOVED = {"_mixed_state": "_mixed_state_"}  # attributes of older versions: their name today


class Estimator(CallbackSupportMixin, BaseEstimator):
    """Callbacks, a display of what was fitted, and files that know their version."""

    def _html_repr(self) -> str:
        """scikit-learn's diagram with, after a fit, what the fit says of itself."""
        return f"{estimator_html_repr(self)}{fitted_html(self)}"

    def __getstate__(self) -> dict[str, Any]:
        """Attributes, with the version that writes them."""
        from polytask import __version__

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


def _numbers(version: str) -> tuple[int, ...]:
    """The release as numbers: "0.2.0rc1" is (0, 2, 0)."""
    parts = version.split(".")[:3]
    return tuple(int("".join(c for c in p[:3] if c.isdigit()) or 0) for p in parts)
