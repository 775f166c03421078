"""Files that are no sound model end in one line, whatever is wrong with them."""

import json
import random
import warnings
import zipfile

import pytest

from polytask.cli.saved_model import CARD

TASK = ["--task", "site, nr"]


@pytest.fixture(scope="module")
def model(polytask, place):
    out = place / "sound.skops"
    answer = polytask("fit", place / "table.csv", *TASK, "--target", "healthy", "--out", out,
                      "--features", "größe,dose,arm", "--model", "pooled")  # fmt: skip
    assert answer.code == 0, answer.err
    return out


@pytest.fixture
def refused(polytask, place, tmp_path):
    """Predict with these bytes for a model; the old output stays, and one line says why."""
    out = tmp_path / "p.csv"
    out.write_text("old")

    def predict(data):
        (tmp_path / "m.skops").write_bytes(data)
        answer = polytask("predict", tmp_path / "m.skops", place / "table.csv", "--out", out)
        assert answer.code == 2, answer.out
        assert answer.err.startswith("polytask: error: MODEL must "), answer.err
        assert answer.err.count("\n") == 1
        assert out.read_text() == "old"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["m.skops", "p.csv"]
        return answer.err

    return predict


def changed(model, tmp_path, card=None, drop=(), **members):
    """The archive with another card, with other members, or without some."""
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(model) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            if name in drop:
                continue
            content = members.get(name, old.read(name))
            new.writestr(name, card if name == CARD and card is not None else content)
    data = path.read_bytes()
    path.unlink()
    return data


def sound_card(model):
    with zipfile.ZipFile(model) as archive:
        return json.loads(archive.read(CARD))


WHOLE = {
    "a list": b"[]", "null": b"null", "a number": b"3", "a text": b'"x"', "true": b"true",
    "nothing": b"", "no JSON": b"{", "Latin-1": '{"model": "größe"}'.encode("latin-1"),
    "UTF-16": '{"a": 1}'.encode("utf-16"), "nested lists": b"[" * 100_000 + b"]" * 100_000,
    "nested objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "empty": b"{}",
    "a huge number": b'{"format": ' + b"9" * 5000 + b"}", "format only": b'{"format": 1}',
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
def test_cards_that_are_none(model, refused, tmp_path, case):
    assert CARD in refused(changed(model, tmp_path, WHOLE[case]))


FIELDS = {
    "model": [None, 1, ["a"], {}], "task": [None, 3, "größe", "healthy"], "target": [None, "dose"],
    "id_form": ["float", None, "text", 1], "tasks": [[], None, [1.5], ["a"], [[1]], [True], "abc"],
    "numeric": [None, "größe", [1], ["größe", "größe"], ["größe", "arm"], {"a": 1}],
    "categorical": [None, [None], ["dose"]], "kind": ["auto", None, "regression", 2],
    "classes": [[], ["no"], ["no", "no"], None, [["no"], ["yes"]], {"no": "yes"}],
    "rows": [0, -1, "112", 1.5, None, True], "versions": [None, [], {"polytask": 1}, "1"],
    "seen": [None, [], {"größe": None}, {"größe": {}}, {"zzz": {"kind": "numeric", "gaps": True}}],
    "missing": [None, "NA", [1]], "format": [None, 0, 2, "1", [1]], "more": [1, None],
}  # fmt: skip


@pytest.mark.parametrize("field", FIELDS)
def test_fields_that_are_wrong_or_too_many(model, refused, tmp_path, field):
    for value in FIELDS[field]:
        card = json.dumps({**sound_card(model), field: value}, ensure_ascii=False)
        assert CARD in refused(changed(model, tmp_path, card.encode()))


@pytest.mark.parametrize("field", sorted(set(FIELDS) - {"more", "seen", "missing"}))
def test_fields_that_are_absent(model, refused, tmp_path, field):
    card = {name: value for name, value in sound_card(model).items() if name != field}
    assert CARD in refused(changed(model, tmp_path, json.dumps(card).encode()))


def test_fields_that_older_files_lack(model, polytask, place, tmp_path):
    """A file of a version that knew neither what training saw nor marks of gaps."""
    card = sound_card(model)
    del card["seen"], card["missing"]
    (tmp_path / "m.skops").write_bytes(changed(model, tmp_path, json.dumps(card).encode()))
    answer = polytask("predict", tmp_path / "m.skops", place / "table.csv", "--out",
                      tmp_path / "p.csv")  # fmt: skip
    assert answer.code == 0, answer.err


SCHEMAS = {
    "empty": b"", "a list": b"[]", "null": b"null", "nested": b"[" * 100_000 + b"]" * 100_000,
    "another type": b'{"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", '
                    b'"content": "1", "protocol": 2, "_skops_version": "0.1"}',
    "a module": b'{"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", '
                b'"content": "system", "protocol": 2, "_skops_version": "0.1"}',
}  # fmt: skip


@pytest.mark.parametrize("case", SCHEMAS)
def test_models_that_are_none(model, refused, tmp_path, case):
    refused(changed(model, tmp_path, **{"schema.json": SCHEMAS[case]}))


def test_archives_that_lack_a_member(model, refused, tmp_path):
    with zipfile.ZipFile(model) as archive:
        names = archive.namelist()
    for name in names:
        if name != "model_card.md":
            refused(changed(model, tmp_path, drop=(name,)))


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"x" * 99])
def test_files_that_are_no_archive(refused, data):
    refused(data)


@pytest.mark.parametrize("seed", range(4))
def test_random_damage_is_found_or_harmless(model, polytask, place, tmp_path, seed):
    """Bytes changed, cut out, cut off: a prediction as before, or one line."""
    rng, data = random.Random(seed), model.read_bytes()
    out = tmp_path / "p.csv"
    polytask("predict", model, place / "table.csv", "--out", out)
    right = out.read_text()
    for _ in range(30):
        damaged = bytearray(data)
        at = rng.randrange(len(data))
        how = rng.choice(["change", "cut", "end", "zeros"])
        if how == "change":
            for place_ in range(at, min(at + rng.randrange(1, 4), len(data))):
                damaged[place_] = rng.randrange(256)
        elif how == "cut":
            del damaged[at : at + rng.randrange(1, 50)]
        elif how == "end":
            del damaged[at:]
        else:
            damaged[at : at + 20] = bytes(len(damaged[at : at + 20]))
        (tmp_path / "m.skops").write_bytes(damaged)
        out.write_text("old")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # zipfile's, of a name that stands there twice
            answer = polytask("predict", tmp_path / "m.skops", place / "table.csv", "--out", out)
        if answer.code == 0:
            assert out.read_text() == right
        else:
            assert answer.code == 2
            assert answer.err.startswith("polytask: error: MODEL must "), answer.err
            assert answer.err.count("\n") == 1
            assert out.read_text() == "old"


@pytest.mark.parametrize("target", ["yield", "sound"])
def test_trees_with_tasks_of_few_rows_are_read_back(polytask, tmp_path, target):
    rows = [
        f"plot {i // 4},{i % 7},{i % 7 + i % 4 / 8},{'no' if i % 3 else 'yes'}" for i in range(120)
    ]
    table = tmp_path / "plots.csv"
    table.write_text("\n".join(["plot,rain,yield,sound", *rows]) + "\n")
    fitted = polytask("fit", table, "--task", "plot", "--target", target, "--features", "rain",
                      "--model", "gradient-boosting", "--out", tmp_path / "m.skops")  # fmt: skip
    assert fitted.code == 0, fitted.err
    answer = polytask("predict", tmp_path / "m.skops", table, "--out", tmp_path / "p.csv")
    assert answer.code == 0, answer.err
    assert "120 rows predicted by gradient-boosting" in answer.out
