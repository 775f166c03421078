"""Compiled loops are found where numba is, and nowhere else."""

import sys

import pytest

from polytask import compiled


@pytest.fixture(autouse=True)
def _forgotten():
    compiled._module.cache_clear()
    yield
    compiled._module.cache_clear()


def test_none_where_numba_is_absent(monkeypatch):
    monkeypatch.setattr(compiled, "find_spec", lambda _: None)
    assert compiled.loops("anything") is None


def test_none_where_it_is_switched_off(monkeypatch):
    monkeypatch.setenv("POLYTASK_NUMPY_ONLY", "1")
    assert compiled.loops("anything") is None


def test_small_calls_go_without_until_they_would_have_saved_the_loading(monkeypatch):
    monkeypatch.setattr(compiled, "_saved", 0.0)
    monkeypatch.setattr(compiled, "import_module", lambda name: name)
    monkeypatch.setattr(compiled, "find_spec", lambda _: True)
    monkeypatch.delenv("POLYTASK_NUMPY_ONLY", raising=False)
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    small = 0.45 * compiled._LOADING
    assert [compiled.loops("some", small) for _ in range(3)] == [
        None,
        None,
        "polytask.compiled.some",
    ]
    monkeypatch.setattr(compiled, "_saved", 0.0)
    monkeypatch.setitem(sys.modules, "numba", compiled)  # loaded by others
    assert compiled.loops("some", small) == "polytask.compiled.some"
