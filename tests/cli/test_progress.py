"""How long a comparison has to go, from made durations of its fits."""

import pytest

from polytask.cli import progress as progress_of
from polytask.cli.progress import Progress


class _Clock:
    """A clock that moves by what fits are said to take."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(progress_of.time, "monotonic", lambda: self.now)


def test_models_of_unlike_durations_are_estimated_by_all_of_a_fold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = _Clock(monkeypatch)
    with Progress() as shown:
        for fold in range(5):  # 16 models that are heard of together, and one by itself
            clock.now += 160.0
            for model in range(16):
                shown(17 * fold + model + 1, 85, "of one preparation")
            clock.now += 20.0
            shown(17 * fold + 17, 85, "trees")
    first, *others = [line for line in capsys.readouterr().err.splitlines() if "of one" in line]
    assert "left" not in first  # nothing is known of the others yet
    told = [line.split("about ")[1].split(" left")[0] for line in others]
    assert told == ["9 min", "6 min", "3 min", "20 s"]  # 900 s in all, 160 s into a fold


def test_a_terminal_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = _Clock(monkeypatch)
    monkeypatch.setattr(progress_of.sys.stderr, "isatty", lambda: True, raising=False)
    with Progress() as shown:
        shown._start_bar()
        for fold in range(2):
            clock.now += 30.0
            for model in range(2):
                shown(2 * fold + model + 1, 8, "pooled")
        assert shown._bar is not None
        assert shown._bar.tasks[0].fields["text"] == "pooled, about 60 s left"


def test_work_that_begins_anew_has_a_pace_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = _Clock(monkeypatch)
    with Progress() as shown:
        for done in (1, 2, 3, 4):
            clock.now += 100.0
            shown(done, 4, "lasso")
        for done in (1, 2):
            clock.now += 21.0
            shown(done, 4, "lasso, huber")  # of the rivals that follow
    assert "about 42 s left" in capsys.readouterr().err.splitlines()[-1]
