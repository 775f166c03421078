"""Side-by-side timing: contestants take turns in one run, medians and ratios are reported."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable

# One BLAS thread unless asked otherwise, before numpy loads: two pools of threads multiply.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402


def alternate(contestants: dict[str, Callable[[], object]], repeats: int = 5) -> dict[str, float]:
    """Median processor seconds of each; they take turns, so that a busy machine hits all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(repeats):
        for name, run in contestants.items():
            gc.collect()
            begin = time.process_time()
            run()
            seconds[name].append(time.process_time() - begin)
    return {name: float(np.median(times)) for name, times in seconds.items()}


def table(rows: list[dict[str, object]]) -> str:
    """Rows as a Markdown table."""
    head = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_text(row.get(key, "")) for key in head) + " |" for row in rows]
    return "\n".join(lines)


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
