"""`--dask`: the commands' answers do not depend on where the work is done."""

import io
import json
import logging

import pytest
from numpy.testing import assert_allclose

from polytask.cli.main import main
from polytask.cli.saved_model import load_model
from polytask.sources.dask.quiet import QuietHeartbeats

TABLE = ["--task", "task", "--target", "y"]
TAKEN = "tcp://127.0.0.1:9"  # the discard port: nobody answers


def answers(folder, place, *words):
    assert main(["compare", str(folder), *TABLE, "--out", str(place), *words]) == 0
    found = json.loads((place / "results.json").read_text(encoding="utf-8"))
    return {model["name"]: model["metric"] for model in found["models"]}


@pytest.mark.slow
def test_a_streamed_comparison(cluster, numbers, tmp_path):
    words = ["--models", "pooled,mean-regularized"]
    here = answers(numbers[0], tmp_path / "here", *words)
    there = answers(numbers[0], tmp_path / "there", *words, "--dask", cluster.scheduler_address)
    assert there.keys() == here.keys()
    assert_allclose(list(there.values()), list(here.values()), rtol=1e-8)


@pytest.mark.slow
def test_a_comparison_in_memory(cluster, numbers, tmp_path):
    _, X, y = numbers
    X.assign(y=y).to_csv(tmp_path / "table.csv", index=False)
    words = ["--models", "pooled,mean-regularized"]
    here = answers(tmp_path / "table.csv", tmp_path / "here", *words)
    dask = ["--dask", cluster.scheduler_address]
    there = answers(tmp_path / "table.csv", tmp_path / "there", *words, *dask)
    assert_allclose(list(there.values()), list(here.values()), rtol=1e-10)


@pytest.mark.slow
def test_a_fit_on_processes_of_its_own(numbers, tmp_path):
    coefs = []
    for name, words in {"here": ["--stream"], "there": ["--dask", "1"]}.items():
        out = tmp_path / f"{name}.skops"
        assert main(["fit", str(numbers[0]), *TABLE, "--out", str(out), *words]) == 0
        coefs.append(load_model(out)[0][-1].coef_)
    assert_allclose(coefs[1], coefs[0], rtol=1e-9)


def test_no_scheduler_is_one_line(numbers, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("polytask.cli.cluster._PATIENCE", 1)
    code = main(
        ["fit", str(numbers[0]), *TABLE, "--out", str(tmp_path / "m.skops"), "--dask", TAKEN]
    )
    assert code == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith(
        "polytask: error: --dask must be a number of processes or the address"
    )
    assert list(tmp_path.iterdir()) == []


def test_heartbeats_cut_short_are_not_told_and_other_errors_are(client):
    """A loaded machine showed a traceback of distributed after the answer."""
    client.register_plugin(QuietHeartbeats())

    def told(words):
        log, heard = logging.getLogger("distributed.worker"), io.StringIO()
        handler = logging.StreamHandler(heard)
        log.addHandler(handler)
        log.error(words)
        log.removeHandler(handler)
        return heard.getvalue()

    heartbeat = "Failed to communicate with scheduler during heartbeat."
    assert set(client.run(told, heartbeat).values()) == {""}
    assert set(client.run(told, "Lost a disk.").values()) == {"Lost a disk.\n"}
