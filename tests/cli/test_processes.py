"""What the machine does to a command: signals, few handles, little memory, others' files."""

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

TASK = ["--task", "site, nr"]


def start(*words, **options):
    command = [sys.executable, "-m", "polytask.cli", *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def last_words(process, timeout=120):
    """What a command says at its end; on a slow machine it tells before how far it is."""
    _, told = process.communicate(timeout=timeout)
    return re.sub(r"^polytask: \d+ of \d+\b.*\n", "", told.decode(), flags=re.MULTILINE)


def one_line(process, code=2, prefix="polytask: error: "):
    told = last_words(process)
    assert "Traceback" not in told, told
    assert process.returncode == code, told
    assert told.count("\n") == 1, told
    assert told.startswith(prefix), told
    return told


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_command_in_order(place, tmp_path, sign):
    out = tmp_path / "out"
    out.mkdir()
    (out / "results.json").write_text("old")
    before = signal.signal(sign, signal.SIG_DFL)  # under nohup it would be ignored
    process = start("compare", place / "table.csv", *TASK, "--target", "score", "--repeats", "500",
                    "--out", out)  # fmt: skip
    signal.signal(sign, before)
    time.sleep(8)
    assert process.poll() is None, "it ended before it could be ended"
    process.send_signal(sign)
    word = "interrupted" if sign == signal.SIGINT else "ended"
    one_line(process, 128 + sign, f"polytask: {word}; no file was left half-written.")
    assert [p.name for p in tmp_path.rglob("*")] == ["out", "results.json"]
    assert (out / "results.json").read_text() == "old"


def test_an_interruption_within_exec_ends_a_command_with_its_code(tmp_path):
    """Python remembers such a one, as imports can have, and would end by the signal at last."""
    (tmp_path / "interrupted.py").write_text(
        "import sys\nfrom polytask.cli import describe, main\n"
        "describe.run = lambda args: exec('raise KeyboardInterrupt')\n"
        "sys.exit(main(['describe', 'a.csv', '--target', 'y', '--task', 't']))\n"
    )
    command = [sys.executable, "-m", "interrupted"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE)
    one_line(process, 130, "polytask: interrupted; no file was left half-written.")


def test_no_garbage_is_looked_for_when_a_command_has_ended(tmp_path):
    """Half a second of looking through libraries, for nothing: the process ends."""
    (tmp_path / "ended.py").write_text(
        "import atexit, gc, sys\nfrom polytask.cli import main\n"
        "atexit.register(lambda: print(len(gc.get_objects()) < gc.get_freeze_count()))\n"
        "sys.exit(main(['models']))\n"
    )
    command = [sys.executable, "-m", "ended"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True"


@pytest.mark.slow
def test_a_signal_that_was_to_be_ignored_is(place, tmp_path):
    words = ["fit", place / "table.csv", *TASK, "--target", "score", "--out", tmp_path / "m.skops"]
    shell = ["nohup", sys.executable, "-m", "polytask.cli", *map(str, words)]
    process = subprocess.Popen(shell, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(1)
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=120) == 0
    assert (tmp_path / "m.skops").exists()


@pytest.mark.slow
@pytest.mark.parametrize("handles", [4, 5, 6, 8, 12, 16])
@pytest.mark.parametrize("command", ["describe", "fit", "compare"])
def test_too_few_handles(place, tmp_path, handles, command):
    words = [command, place / "table.parquet", *TASK, "--target", "score"]
    words += [] if command == "describe" else ["--out", tmp_path / "m.skops"]
    script = (  # Python itself needs some to begin
        f"import resource, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, ({handles},) * 2)\n"
        f"from polytask.cli import main\nsys.exit(main({list(map(str, words))!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE,
                               stdout=subprocess.PIPE)  # fmt: skip
    told = last_words(process)
    assert "Traceback" not in told, told
    if process.returncode != 0:
        assert process.returncode == 2, told
        assert told.count("\n") == 1, told
        assert "open files" in told


@pytest.mark.slow
def test_too_little_memory(tmp_path):
    rng = np.random.default_rng(0)
    columns = {f"x{k}": rng.normal(size=150_000) for k in range(12)}
    columns |= {"site, nr": rng.integers(0, 50, 150_000), "score": rng.normal(size=150_000)}
    csv.write_csv(pa.table(columns), tmp_path / "t.csv")

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (600 << 20,) * 2)

    process = start("fit", tmp_path / "t.csv", *TASK, "--target", "score", "--out",
                    tmp_path / "m.skops", preexec_fn=limit)  # fmt: skip
    told = last_words(process, timeout=300)
    assert "Traceback" not in told, told
    assert process.returncode == 2, told
    assert "polytask: error: The memory does not suffice" in told.splitlines()[-1], told
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="becomes another user")
@pytest.mark.skipif(
    not all(p.stat().st_mode & 0o001 for p in Path(os.__file__).resolve().parents),
    reason="another user cannot reach this Python's library",
)
@pytest.mark.parametrize("command", ["compare", "fit", "predict"])
def test_files_of_somebody_else_in_a_sticky_folder(command):
    folder = Path(tempfile.mkdtemp())  # which another user can reach
    folder.chmod(0o1777)
    name = {"compare": "report.html", "fit": "m.skops", "predict": "p.csv"}[command]
    (folder / name).write_text("old")
    out = folder if command == "compare" else folder / name
    words = [command, "t.csv", *TASK, "--target", "score", "--out", out]
    if command == "predict":
        words = [command, "m.skops", "t.csv", "--out", out]
    script = (
        "import os, sys\nimport polytask.cli.compare, polytask.cli.predict\n"
        "from polytask.cli import main\nos.setgid(65534)\nos.setuid(65534)\n"
        f"sys.exit(main({list(map(str, words))!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE,
                               stdout=subprocess.PIPE)  # fmt: skip
    try:
        assert "belongs to another user" in one_line(process)
        assert (folder / name).read_text() == "old"
        assert [p.name for p in folder.iterdir()] == [name]
    finally:
        shutil.rmtree(folder)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [2.0, 3.0, 4.0, 5.0, 6.0])
@pytest.mark.parametrize("command", ["compare", "fit"])
def test_a_kill_leaves_the_old_output_whole(place, tmp_path, command, seconds):
    out = tmp_path / {"compare": "out", "fit": "m.skops"}[command]
    words = [command, place / "table.csv", *TASK, "--target", "score", "--features", "größe"]
    more = ["--models", "pooled", "--cv", "2"] if command == "compare" else []
    process = start(*words, *more, "--out", out)
    time.sleep(seconds)
    process.kill()
    process.communicate(timeout=60)
    found = sorted(p.name for p in tmp_path.rglob("*"))
    assert not [name for name in found if name.startswith(".")]
    assert len(found) in ((0, 6) if command == "compare" else (0, 1, 2))


@pytest.mark.slow
def test_two_runs_into_one_folder_at_once(place, tmp_path):
    words = ["compare", place / "table.csv", *TASK, "--target", "score", "--models", "pooled",
             "--cv", "2", "--out", tmp_path / "out"]  # fmt: skip
    runs = [start(*words, "--features", name) for name in ("größe", "dose", "arm")]
    for run in runs:
        _, told = run.communicate(timeout=120)
        assert run.returncode == 0, told
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    told = {"größe", "dose", "arm"}
    found = {name for name in told if name in (tmp_path / "out" / "model_card.md").read_text()}
    assert len(found & told) >= 1
    assert len(list((tmp_path / "out").iterdir())) == 5
