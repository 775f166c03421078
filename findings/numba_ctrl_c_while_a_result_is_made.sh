#!/usr/bin/env bash
# numba 0.68 (Python 3.11): KeyboardInterrupt out of a compiled function that returns a tuple is mostly a SystemError.
#
# Tuples of arrays are put together by Python functions of numba, in which Python handles signals; whoever calls them
# does not look whether they raised. "except KeyboardInterrupt" around a loop over short calls misses three signals of
# four: SystemError "returned a result with an exception set" comes instead, with the KeyboardInterrupt, or another
# SystemError, as its cause. So it is with every handler that raises (SIGTERM, an alarm that limits time). One that puts
# off raising while a frame of numba is on the stack gets all of them.
#
# Expected before it was run: KeyboardInterrupt, at the latest when the call is over.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile numba==0.68.1 numpy==2.4.6
"$folder/venv/bin/python" - <<'PY'
import collections
import random
import signal
import threading

import numba
import numpy as np


@numba.njit
def pair(a):
    return a[0][0] + 1.0, a


def of_numba(frame):
    while frame is not None and not frame.f_globals.get("__name__", "").startswith("numba"):
        frame = frame.f_back
    return frame is not None


def outcomes(patient):
    def limit(number, frame):
        if patient and of_numba(frame):
            threading.Timer(0.002, signal.raise_signal, (number,)).start()
        else:
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, limit)
    found = collections.Counter()
    for _ in range(300):
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-4, 5e-4))
        try:
            while True:
                pair(given)
        except KeyboardInterrupt:
            found["KeyboardInterrupt"] += 1
        except SystemError as error:
            found[f"SystemError because of {type(error.__cause__).__name__}"] += 1
    return found


random.seed(0)
given = (np.zeros(3), np.zeros(3))
pair(given)
plain, patient = outcomes(False), outcomes(True)
print("as usual:", dict(plain))
print("raised outside numba's frames:", dict(patient))
if plain["KeyboardInterrupt"] == 300:
    raise SystemExit("CHANGED: every signal ends in KeyboardInterrupt")
if patient["KeyboardInterrupt"] < 300:
    raise SystemExit("CHANGED: frames of numba are not where it happens")
print("as stated:", 300 - plain["KeyboardInterrupt"], "of 300 end in SystemError")
PY
