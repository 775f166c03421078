"""Files appear whole or not at all, alone and in sets, whenever their writer dies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from polytask.data.files import replacing
from polytask.data.folders import in_the_way, staged

NAMES = ("a.txt", "b.txt", "c.txt")


@pytest.fixture(params=["unnamed", "hidden"], autouse=True)
def kind_of_file(request, monkeypatch):
    """With files that have no name before they are whole, and on systems without such files."""
    if request.param == "hidden":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)


def write_set(folder, text):
    with staged(folder) as stage:
        for name in NAMES:
            (stage / name).write_text(text)


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def interrupted(path):
    path.write_text("half")
    raise KeyboardInterrupt


def test_replacing_keeps_the_old_file_on_an_error(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        interrupted(temporary)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_staged_replaces_its_files_and_leaves_others(tmp_path):
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    with staged(tmp_path) as stage:
        (stage / "report.html").write_text("new")
        assert (tmp_path / "report.html").read_text() == "old"
    assert (tmp_path / "report.html").read_text() == "new"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.txt", "report.html"]


def test_staged_leaves_nothing_on_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), staged(tmp_path / "a" / "b") as stage:
        interrupted(stage / "x")
    assert not (tmp_path / "a" / "b").exists()


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o007])
def test_permissions_are_those_that_the_user_set(tmp_path, mask):
    before = os.umask(mask)
    try:
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("new")
        write_set(tmp_path / "set", "new")
    finally:
        os.umask(before)
    for path in (tmp_path / "a.txt", *(tmp_path / "set").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    (tmp_path / "place").mkdir()
    (tmp_path / "to").symlink_to("place")
    write_set(tmp_path / "to", "new")
    assert content(tmp_path / "place") == dict.fromkeys(NAMES, "new")
    assert (tmp_path / "to").is_symlink()


@pytest.mark.parametrize("others", ["none", "files", "folders", "many"])
def test_a_set_replaces_a_set_and_leaves_others(tmp_path, others):
    place = tmp_path / "deep" / "set"
    write_set(place, "one")
    mine = {"mine.txt": "mine"} if others == "files" else {}
    if others == "folders":
        (place / "sub").mkdir()
        (place / "sub" / "x").write_text("mine")
    if others == "many":
        mine = {f"m{k}": "mine" for k in range(1100)}
    for name, text in mine.items():
        (place / name).write_text(text)
    kept = {name: (place / name).stat().st_ino for name in mine}
    place.chmod(0o750)
    write_set(place, "two")
    assert content(place) == dict.fromkeys(NAMES, "two") | mine
    assert {name: (place / name).stat().st_ino for name in mine} == kept
    assert place.stat().st_mode & 0o777 == 0o750
    assert (others != "folders") or (place / "sub" / "x").read_text() == "mine"
    assert [p.name for p in place.parent.iterdir()] == ["set"], "nothing hidden is left"


def test_the_folder_one_stands_in_stays_the_same(tmp_path, monkeypatch):
    write_set(tmp_path / "set", "one")
    monkeypatch.chdir(tmp_path / "set")
    before = Path.cwd().stat().st_ino
    write_set(Path(), "two")
    assert (tmp_path / "set").stat().st_ino == before
    assert content(Path()) == dict.fromkeys(NAMES, "two")


def test_a_folder_in_the_way_is_seen_before_anything_moves(tmp_path):
    write_set(tmp_path, "one")
    (tmp_path / "c.txt").unlink()
    (tmp_path / "c.txt").mkdir()
    assert "is a directory" in in_the_way(tmp_path, NAMES)
    with pytest.raises(PermissionError, match=r"'c\.txt' in it is a directory"):
        write_set(tmp_path, "two")
    assert content(tmp_path) == dict.fromkeys(NAMES[:2], "one")


def test_what_cannot_be_exchanged_is_put_back(tmp_path, monkeypatch):
    write_set(tmp_path, "one")
    (tmp_path / "sub").mkdir()
    plain = Path.replace

    def replace(self, goal):
        if goal == tmp_path / "b.txt" and "old" not in str(self):
            raise OSError(5, "no")
        return plain(self, goal)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(OSError, match="no"):
        write_set(tmp_path, "two")
    assert content(tmp_path) == dict.fromkeys(NAMES, "one")
    assert sorted(p.name for p in tmp_path.iterdir()) == [*NAMES, "sub"]


KILLED = """
import os, sys, shutil
from pathlib import Path
from polytask.data.folders import staged

NAMES = ("a.txt", "b.txt", "c.txt")
STEPS = ("os.mkdir", "os.rename", "os.link", "os.remove", "os.rmdir", "os.scandir")
if sys.argv[2] == "hidden":
    del os.O_TMPFILE

def write_set(place, text):
    with staged(place) as stage:
        for name in NAMES:
            (stage / name).write_text(text)

def dies(place, step):
    child = os.fork()
    if not child:
        left = [step]
        def count(event, arguments):
            left[0] -= event in STEPS
            if left[0] < 0:
                os._exit(9)
        sys.addaudithook(count)
        write_set(place, "new")
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

def look(place):
    seen = [p for p in place.glob("*") if p.is_file() and not p.name.startswith(".")]
    return {p.name: p.read_text() for p in seen}

for others in ("no set", "a set", "a file", "a folder"):
    step, died = 0, True
    while died:
        place = Path(sys.argv[1]) / "above" / "set"
        if others != "no set":
            write_set(place, "old")
        if others == "a file":
            (place / "mine").write_text("mine")
        if others == "a folder":
            (place / "sub").mkdir()
            (place / "sub" / "mine").write_text("mine")
        died = dies(place, step)
        found, case = look(place), (others, step)
        assert (others != "a file") or found.pop("mine") == "mine", case
        assert (others != "a folder") or (place / "sub" / "mine").read_text() == "mine", case
        assert len(set(found.values())) <= 1, (case, found)
        whole = 0 if others == "no set" and not found else 3
        assert len(found) == whole or others == "a folder", (case, found)
        write_set(place, "next")
        found = look(place)
        found.pop("mine", None)
        assert found == dict.fromkeys(NAMES, "next"), (case, found)
        hidden = [str(p) for p in place.parent.rglob(".*")]
        assert not hidden, (case, hidden)
        shutil.rmtree(place.parent)
        step += 1
    assert step > 5, case
"""


def test_a_kill_at_any_step_never_mixes_two_sets(tmp_path, request):
    """The process dies before each of the operations on names that it makes."""
    kind = "hidden" if "hidden" in request.node.name else "unnamed"
    words = [sys.executable, "-c", KILLED, str(tmp_path), kind]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
