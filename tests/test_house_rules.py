"""The rules of the house that no linter checks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_LINES = 400
TEXT = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".cff", ".cfg", ".html", ".css", ".js", ""}
# Spelled in pieces, so that this file keeps its own rule.
MACHINE_PATH = re.compile(
    r"(?<![\w.])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me"]) + ")/"
)
UNFINISHED = re.compile(r"\b(?:TO" + "DO|FIX" + "ME|XX" + "X|HA" + r"CK)\b")


def tree(*folders: str) -> list[Path]:
    """Files of these folders, without caches and without the working papers docs/_*."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    return [
        path
        for path in files
        if path.is_file()
        and "__pycache__" not in path.parts
        and not (path.parent == ROOT / "docs" and path.name.startswith("_"))
    ]


def text_files() -> list[Path]:
    """Every text file that the project keeps."""
    top = [path for path in ROOT.iterdir() if path.is_file() and path.name != ".git"]  # a worktree
    inside = tree("src", "tests", "docs", "examples", "tools", "benchmarks", ".ci")
    return [path for path in top + inside if path.suffix in TEXT]


def offences(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Places where the pattern stands, as file:line."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("folder", ["src", "tests", "examples", "tools", "benchmarks"])
def test_no_file_is_too_long(folder):
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in tree(folder)
        if path.suffix == ".py"
    }
    assert {path: n for path, n in lengths.items() if n > MOST_LINES} == {}


def test_nothing_is_left_to_do_in_the_code():
    assert offences(UNFINISHED, [p for p in tree("src", "tests") if p.suffix == ".py"]) == []


def test_no_path_of_one_machine():
    assert offences(MACHINE_PATH, text_files()) == []


def test_package_ships_its_types():
    assert (ROOT / "src" / "polytask" / "py.typed").is_file()
