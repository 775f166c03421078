"""Compiled loops are found where numba is, and nowhere else."""

import pytest

from polytask import compiled


@pytest.fixture(autouse=True)
def _forgotten():
    compiled.loops.cache_clear()
    yield
    compiled.loops.cache_clear()


def test_none_where_numba_is_absent(monkeypatch):
    monkeypatch.setattr(compiled, "find_spec", lambda _: None)
    assert compiled.loops("anything") is None


def test_none_where_it_is_switched_off(monkeypatch):
    monkeypatch.setenv("POLYTASK_NUMPY_ONLY", "1")
    assert compiled.loops("anything") is None
