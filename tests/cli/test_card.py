"""The model card stands in the archive and beside it, of a fit and of a comparison."""

import zipfile

import pandas as pd

from polytask.datasets import make_related_tasks


def test_the_card_goes_with_the_model(polytask, tmp_path):
    X, y, _ = make_related_tasks(n_tasks=6, n_features=2, random_state=0)
    pd.DataFrame(X).assign(y=y).to_csv(tmp_path / "t.csv", index=False)
    words = [tmp_path / "t.csv", "--task", "task", "--target", "y"]
    answer = polytask("fit", *words, "--out", tmp_path / "mean.skops")
    assert answer.code == 0, answer.err
    beside = (tmp_path / "mean_card.md").read_text(encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "mean.skops") as archive:
        assert archive.read("model_card.md").decode() == beside
    answer = polytask("compare", *words, "--models", "pooled", "--cv", "2", "--out", tmp_path / "r")
    assert answer.code == 0, answer.err
    beside = (tmp_path / "r" / "model_card.md").read_text(encoding="utf-8")
    assert "# Whom it harms" in beside
    assert "polytask compare" not in beside
    with zipfile.ZipFile(tmp_path / "r" / "model.skops") as archive:
        assert archive.read("model_card.md").decode() == beside
