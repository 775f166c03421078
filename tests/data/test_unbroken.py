"""Signals that come while files change places wait until they have."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from polytask.data import folders
from polytask.data.unbroken import unbroken


class EndedError(Exception):
    """What the handler of a signal raises, as that of the command does."""


@pytest.fixture(autouse=True)
def handled():
    def end(number: int, frame: object) -> None:
        raise EndedError

    before = signal.signal(signal.SIGTERM, end)
    yield
    signal.signal(signal.SIGTERM, before)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_waits_for_the_steps_and_then_counts() -> None:
    done = []

    def steps() -> None:
        with unbroken():
            interrupt()
            done.append("step")

    with pytest.raises(EndedError):
        steps()
    assert done == ["step"]
    with pytest.raises(EndedError):
        interrupt()


def test_other_threads_change_no_signals() -> None:
    def handler() -> object:
        with unbroken():
            return signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(handler).result() is signal.getsignal(signal.SIGTERM)


def test_an_interrupt_while_folders_change_places_leaves_nothing(tmp_path, monkeypatch) -> None:
    report, settle = tmp_path / "report", folders._settle

    def interrupted(*args: object) -> None:
        interrupt()
        settle(*args)

    def write(content: str) -> None:
        with folders.staged(report) as stage:
            (stage / "a.txt").write_text(content)

    monkeypatch.setattr(folders, "_settle", interrupted)
    for content in ("old", "new"):
        with pytest.raises(EndedError):
            write(content)
    assert (report / "a.txt").read_text() == "new"
    assert [found.name for found in tmp_path.iterdir()] == ["report"]
