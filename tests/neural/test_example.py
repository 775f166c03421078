"""The example shows what its page says: tied heads beat free ones, and pooled ones."""

import importlib.util
from pathlib import Path


def test_tied_heads_win_on_related_tasks_of_few_rows():
    path = Path(__file__).resolve().parents[2] / "examples" / "neural_own_backbone.py"
    spec = importlib.util.spec_from_file_location("neural_own_backbone", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    free, tied, pooled = (example.train(alpha) for alpha in (0.0, 0.01, 10.0))
    assert tied < 0.7 * free
    assert tied < 0.7 * pooled
