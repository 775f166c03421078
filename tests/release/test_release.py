"""The wheel and the sdist as a user gets them, in an environment that holds nothing else."""

import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import polytask

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("user_script.py")
pytestmark = pytest.mark.slow


def run(*words, **options):
    return subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, **options
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, and the wheel that is built from it."""
    out = tmp_path_factory.mktemp("dist")
    if run(
        sys.executable, "-m", "pip", "download", "--no-deps", "-d", out / "try", "hatchling"
    ).returncode:
        pytest.skip("no package index can be reached to build with")
    made = run(sys.executable, "-m", "build", "--outdir", out, ROOT)
    assert made.returncode == 0, made.stderr[-2000:] + made.stdout[-2000:]
    return next(out.glob("*.tar.gz")), next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def python(built, tmp_path_factory):
    """A fresh environment with the wheel."""
    place = tmp_path_factory.mktemp("fresh")
    assert run(sys.executable, "-m", "venv", place).returncode == 0
    python = place / "bin" / "python"
    made = run(python, "-m", "pip", "install", "--quiet", built[1], "mypy", "pandas-stubs")
    assert made.returncode == 0, made.stderr[-2000:]
    return python


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A folder away from the source, with nothing that leads back to it."""
    monkeypatch.chdir(tmp_path)
    for name in ("PYTHONPATH", "MYPYPATH"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_what_is_in_them(built):
    sdist, wheel = built
    version = polytask.__version__
    assert sdist.name == f"polytask-{version}.tar.gz"
    assert wheel.name == f"polytask-{version}-py3-none-any.whl"
    inside = zipfile.ZipFile(wheel).namelist()
    for name in ("polytask/py.typed", "polytask/__init__.pyi", "polytask/datasets/exam/exam.csv",
                 "polytask/report/templates/report.html.j2"):  # fmt: skip
        assert name in inside
    assert not [name for name in inside if name.startswith("tests") or "__pycache__" in name]
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("CHANGELOG.md", "LICENSE", "README.md", "tests/conftest.py", "findings",
                 "tools/write_stub.py", "docs/index.md"):  # fmt: skip
        assert name in names or any(n.startswith(f"{name}/") for n in names)


def test_the_command_in_a_fresh_environment(python, alone):
    command = python.parent / "polytask"
    assert run(command, "--version").stdout == f"polytask {polytask.__version__}\n"
    found = run(python, "-c", "from polytask.datasets import exam_path; print(exam_path())")
    table = found.stdout.strip()
    assert str(python.parents[1]) in table
    asked = run(command, "init", table)
    assert asked.returncode == 0, asked.stderr
    answer = run(command, "compare", table, "--task", "school", "--target", "normexam", "--cv", "2",
                 "--features", "standLRT", "--models", "pooled", "--out", "r")  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    assert (alone / "r" / "report.html").stat().st_size > 10_000
    refused = run(command, "export", "r/model.skops", "m.onnx")
    assert (refused.returncode, "polytask[onnx]" in refused.stderr) == (2, True)


def test_a_users_script_runs_and_its_types_hold(python, alone):
    script = alone / "script.py"
    script.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    found = run(python, script)
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-1].startswith(f"{polytask.__version__} (4059,) ")
    checked = run(python, "-m", "mypy", "--strict", script)
    assert checked.returncode == 0, checked.stdout
    wrong = script.read_text(encoding="utf-8").replace("verbose=1", "verbos=1")
    script.write_text(wrong, encoding="utf-8")
    checked = run(python, "-m", "mypy", "--strict", script)
    assert re.search(
        r'Unexpected keyword argument "verbos" for "\w*MeanRegularized', checked.stdout
    )
