"""Workers at their memory limit: a message and a way on, where a run would wait for ever."""

import contextlib
import io
import time

import dask
import pytest

from polytask import MeanRegularizedRegressor
from polytask.cli import main
from polytask.sources.dask import paused
from tests.distributed.conftest import distributed, write_files

ALWAYS = {  # a limit that every process is above
    "distributed.worker.memory.pause": 0.01, "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False, "distributed.worker.memory.terminate": False,
    "distributed.worker.memory.monitor-interval": "50ms",
}  # fmt: skip


@pytest.fixture
def full():
    """A cluster whose only worker is paused from its start."""
    with dask.config.set(ALWAYS), distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, memory_limit="1GB", dashboard_address=None,
    ) as cluster, distributed.Client(cluster, set_as_default=False) as client:  # fmt: skip
        until = time.monotonic() + 60.0
        while [w["status"] for w in client.scheduler_info()["workers"].values()] != ["paused"]:
            assert time.monotonic() < until, "the worker is not paused"
            time.sleep(0.05)
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("door", ["fit_parquet", "fit", "compare"])
def test_paused_workers_end_in_a_message(full, tmp_path, monkeypatch, door):
    monkeypatch.setattr(paused, "PATIENCE", 3.0)
    X, y = write_files(tmp_path, classification=False, n_files=2)
    model = MeanRegularizedRegressor(0.1, task="task")
    told = []
    if door == "fit_parquet":
        with pytest.raises(MemoryError, match="all 1 workers are paused at their memory limit"):
            model.fit_parquet(tmp_path, target="y", client=full,
                              progress=lambda what, done, rows: told.append(what))  # fmt: skip
        assert any("paused" in what for what in told)
        assert not hasattr(model, "coef_")
        return
    table = tmp_path
    if door == "compare":
        table = tmp_path / "t.csv"
        X.assign(y=y).to_csv(table, index=False)
    words = [door, table, "--task", "task", "--target", "y", "--out", tmp_path / "o.skops",
             "--dask", full.scheduler.address]  # fmt: skip
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        assert main(list(map(str, words))) == 2
    last = told.getvalue().splitlines()[-1]
    assert last.startswith("polytask: error: workers must have memory to go on; all 1 workers")
    assert not (tmp_path / "o.skops").exists()
