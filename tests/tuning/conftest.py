"""Row spaces of tasks with few rows, also where matrices are small and factored at once."""

import pytest

from polytask.algebra import arrow


@pytest.fixture(autouse=True)
def row_spaces_of_small_tasks(monkeypatch):
    monkeypatch.setattr(arrow, "_AT_ONCE", 0)
