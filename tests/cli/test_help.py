"""The help page is quick, complete, and every mistake is one line."""

import resource
import subprocess
import sys

import pytest

import polytask as package

HEAVY = ["numpy", "pandas", "pyarrow", "sklearn", "scipy", "rich", "skops", "matplotlib", "torch"]


def test_help_imports_nothing_heavy_and_is_quick():
    code = (
        "import sys\nfrom polytask.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', [m for m in {HEAVY} if m in sys.modules])"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert "heavy: []" in shown.stdout
    assert after.ru_utime - before.ru_utime < 0.3
    for command in ("compare", "fit", "predict", "describe", "models"):
        assert f"  {command}" in shown.stdout


def test_version(polytask):
    assert polytask("--version").out.strip() == f"polytask {package.__version__}"


def test_as_a_module(polytask):
    words = [sys.executable, "-m", "polytask", "--version"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True)
    assert shown.stdout == polytask("--version").out


@pytest.mark.parametrize("command", ["compare", "fit", "predict", "describe", "models"])
def test_help_of_each_command(polytask, command):
    answer = polytask(command, "--help")
    assert answer.code == 0
    assert answer.out.startswith(f"usage: polytask {command}")
    assert max(len(line) for line in answer.out.splitlines()) <= 88
    if command != "models":
        assert "examples:" in answer.out


def test_help_names_every_metric(polytask):
    """The page is written out, because to look the names up would take a second of imports."""
    from polytask.model_selection import METRICS

    page = polytask("compare", "--help").out
    for kind, end in (
        ("regression", "  classification  "),
        ("classification", "  survival  "),
        ("survival", "\n\n"),
    ):
        shown = page.partition(f"  {kind}  ")[2].partition(end)[0]
        names = [name for name, metric in METRICS.items() if metric.kind == kind]
        assert shown.replace(",", "").split() == names


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], ["missing: COMMAND", "polytask --help"]),
        (["comapre"], ["known command", "'comapre'", "compare"]),
        (["compare"], ["missing: TABLE, --target", "polytask compare --help"]),
        (["compare", "t", "--task", "a", "--target", "b", "--cv", "1"],
         ["--cv must be a whole number of at least 2 and at most 1000000; got '1'"]),
        (["compare", "t", "--task", "a", "--target", "b", "--repeats", "x"], ["--repeats", "'x'"]),
        (["compare", "t", "--task", "a", "--target", "b", "--seed", "-1"], ["--seed"]),
        (["compare", "t", "--task", "a", "--target", "b", "--kind", "c"], ["--kind", "'c'"]),
        (["describe", "t", "--task", "a", "--target", "b", "--foo"], ["unknown: --foo"]),
        (["describe", "t", "--task"], ["--task expected one argument"]),
        (["predict", "m", "t", "--unseen", "x"], ["--unseen", "'error', 'common'"]),
    ],
)  # fmt: skip
def test_mistakes_in_arguments(polytask, words, told):
    answer = polytask(*words)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("polytask: error: ")
    assert answer.err.count("\n") == 1
    for word in told:
        assert word in answer.err
