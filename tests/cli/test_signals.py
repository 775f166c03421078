"""Ctrl-C ends a command in order, wherever it comes."""

import signal
import threading
import time

import numpy as np
import pytest

from polytask.cli.signals import ending_signals

numba = pytest.importorskip("numba", reason="numba is in the extra `fast`")


@pytest.fixture
def usual():
    """Ctrl-C as Python has it, also where the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_one_that_comes_while_numba_makes_a_result_waits_until_it_is_made(usual):
    """Three of four ended in SystemError, and some a process in a crash."""

    @numba.njit
    def pair(a):
        return a[0][0] + 1.0, a

    def for_long(after: float) -> None:
        threading.Timer(after, signal.raise_signal, (signal.SIGINT,)).start()
        until = time.monotonic() + 20.0
        while time.monotonic() < until:
            pair(given)

    given = (np.zeros(3), np.zeros(3))
    pair(given)
    for k in range(40):
        with ending_signals(), pytest.raises(KeyboardInterrupt) as ended:
            for_long(0.001 + 1e-5 * k)
        assert ended.value.args == (signal.SIGINT,)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_is_ignored_stays_so(usual):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with ending_signals():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
