"""Names of models on the command line."""

import pandas as pd
import pytest

from polytask.cli.candidates import (
    choose_models,
    make_candidate,
    model_groups,
    model_names,
    suiting,
)
from polytask.models.registry import NEURAL_NAMES
from polytask.tables import make_task_table
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


@pytest.mark.parametrize("varying", [(), ("a",), ("b",)])
def test_varying_reaches_the_mean_regularized_model(varying: tuple[str, ...]) -> None:
    rows = [
        {"g": k % 4, "a": (k * 7) % 11, "b": "uv"[k % 3 == 0], "y": k * k % 13} for k in range(48)
    ]
    table = make_task_table(pd.DataFrame(rows), "g", "y")
    model = make_candidate("mean-regularized", table, varying=varying).set_params(model__alpha=0.01)
    own = model.fit(table.X, table.y)[-1].deviation_coef_.any(axis=0)
    names = model[-1].feature_names_in_
    assert own.tolist() == [name.split("=")[0] in varying for name in names if name != "g"]


def test_groups_leave_out_models_that_have_none_for_labels():
    names, _ = choose_models(("sparse",))
    kept = suiting(names, ("sparse",), "classification")
    assert set(names) - set(kept) == {"calibrated-features"}
    asked = ("sparse", "calibrated-features")  # asked for by name it is an error to come
    assert suiting(names, asked, "classification") == names
