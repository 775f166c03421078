"""Small data that are summed up as if they were large."""

import contextlib

import pytest

from polytask.data import many


@contextlib.contextmanager
def summing_up():
    """Any rows are too many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many, "MOST_NUMBERS", 0)
        patch.setattr(many, "TIMES_SUMS", 0)
        yield


@pytest.fixture
def summed():
    with summing_up():
        yield


@pytest.fixture(params=["held", "summed"])
def way(request):
    """Both ways in which files are fitted."""
    with summing_up() if request.param == "summed" else contextlib.nullcontext():
        yield request.param
