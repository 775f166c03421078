"""Names of models on the command line."""

import pytest

from polytask.cli.candidates import choose_models, model_groups, model_names
from polytask.models.registry import NEURAL_NAMES
from polytask.tables.errors import TableError


def test_neural_stands_for_every_network() -> None:
    names, notes = choose_models(("neural", "pooled"))
    assert names == ("single-task", *NEURAL_NAMES, "pooled")
    assert len(notes) == 1


def test_groups_stand_for_their_formulations() -> None:
    groups = model_groups()
    assert {"sparse", "robust", "clustered", "temporal", "neural", "all"} == set(groups)
    assert not set(groups) & set(model_names())
    assert groups["robust"] == ("robust-low-rank", "robust-features")
    names, _ = choose_models(("temporal", "fused", "single-task"))
    assert names == ("temporal-features", "fused", "concave-fused", "single-task")
    names, notes = choose_models(("all",))
    assert set(names) == set(model_names()) - set(NEURAL_NAMES)
    assert notes == ()


def test_every_name_is_listed_once() -> None:
    names = model_names()
    assert len(set(names)) == len(names)
    assert set(NEURAL_NAMES) <= set(names)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(TableError, match="Did you mean 'pooled'"):
        choose_models(("poold",))
