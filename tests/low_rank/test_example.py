"""What the example of a planted subspace shows."""

import importlib.util
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "planted_subspace.py"


def test_directions_and_rank_approach_the_truth_as_rows_grow(tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location("planted_subspace", EXAMPLE)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    angles, ranks = example.measure(rows=(12, 60), n_repeats=1)
    table = angles.pivot_table(index="rows", columns="model", values="angle")
    assert (table.loc[60] < table.loc[12]).all()
    learned = table.drop(columns="single-task, first 3 directions").loc[12]
    assert (learned < table.loc[12, "single-task, first 3 directions"]).all()
    assert ranks.set_index("rows").loc[60, "rank"] == 3
    monkeypatch.setattr(example, "measure", lambda *_: (angles, ranks))
    example.main(["--out", str(tmp_path / "figure.png")])
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert "rank found" in capsys.readouterr().out
