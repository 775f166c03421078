"""What describe prints."""

import json

BASE = ["--task", "site, nr", "--target", "score"]


def test_words(polytask, place):
    answer = polytask("describe", place / "table.csv", *BASE)
    assert answer.code == 0
    assert answer.err == ""
    for text in ("112 rows, 8 tasks in 'site, nr'", "größe", "holds dates", "14 to 14, median 14"):
        assert text in answer.out


def test_json_is_the_same_for_csv_and_parquet(polytask, place):
    found = [
        json.loads(polytask("describe", place / name, *BASE, "--json").out)
        for name in ("table.csv", "table.parquet")
    ]
    for description in found:
        del description["table"]
    assert found[0] == found[1]
    assert found[0]["tasks"] == 8
    assert found[0]["sizes"]["max"] == 14


def test_words_of_users_are_no_markup_and_no_control_codes(polytask, tmp_path):
    (tmp_path / "t.csv").write_text("t,[red]x,\x1b[31my\na,1,2\na,3,5\nb,5,6\nb,6,8\n")
    answer = polytask("describe", tmp_path / "t.csv", "--task", "t", "--target", "\x1b[31my")
    assert answer.code == 0
    assert "[red]x" in answer.out
    assert "\x1b" not in answer.out
