"""Without its scheduler a fit ends with one clear error, and leaves the estimator as it was."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

import distributed
from polytask import PooledRegressor


def start(*arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


@pytest.fixture
def scheduler(tmp_path) -> Iterator[tuple[str, subprocess.Popen]]:
    """A scheduler in a process of its own, with one worker; and the file that names it."""
    place = str(tmp_path / "scheduler.json")
    boss = start(
        "distributed.cli.dask_scheduler", "--scheduler-file", place, "--host", "127.0.0.1",
        "--port", "0", "--no-dashboard",
    )  # fmt: skip
    worker = start(
        "distributed.cli.dask_worker", "--scheduler-file", place, "--nthreads", "1", "--no-nanny",
        "--no-dashboard", "--death-timeout", "60", "--local-directory", str(tmp_path),
    )  # fmt: skip
    yield place, boss
    for process in (boss, worker):
        process.kill()
        process.wait()


@pytest.mark.slow
def test_lost_scheduler(scheduler, numbers):
    place, boss = scheduler
    folder, _, _ = numbers
    model = PooledRegressor(0.1, task="task")
    with distributed.Client(scheduler_file=place, set_as_default=False, timeout=30) as client:
        client.wait_for_workers(1, timeout=60)

        def lose(what, done, total):
            boss.kill()

        with pytest.raises(ConnectionError, match=r"scheduler at tcp://.* was lost.*new Client"):
            model.fit_parquet(folder, target="y", client=client, progress=lose)
    assert not hasattr(model, "coef_")
    assert not hasattr(model, "n_features_in_")
