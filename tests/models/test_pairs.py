"""Which formulation takes which kind of target: the table of docs/models/targets.md, fitted."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from polytask.models import formulations
from polytask.responses import responses
from tests.models.helpers import made

PAGE = Path(__file__).parents[2] / "docs" / "models" / "targets.md"
CLASSES = ("two classes", "more classes")


def told() -> dict[tuple[str, str], bool]:
    """Formulation and kind of target: whether the table says that they go together."""
    text = PAGE.read_text("utf-8").partition("<!-- pairs -->\n\n")[2].partition("\n\n")[0]
    head, _, *rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()
    ]
    assert {cell for row in rows for cell in row[1:]} == {"yes", "no"}
    return {(row[0], kind): cell == "yes" for row in rows
            for kind, cell in zip(head[1:], row[1:], strict=True)}  # fmt: skip


PAIRS = told()


def targets(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """(Z, y), the task in column 0."""
    rng = np.random.default_rng(0)
    ids, X = np.repeat(np.arange(4), 12), rng.normal(size=(48, 2))
    f = X @ [0.5, -0.3] + 0.2 * ids
    count, noisy = rng.poisson(np.exp(f)), f + rng.logistic(size=48)
    made_of = {
        "poisson": count, "negative_binomial": count + count * rng.integers(0, 3, 48),
        "gamma": np.exp(noisy), "tweedie": np.exp(noisy) * (rng.random(48) > 0.2),
        "binomial": 1 / (1 + np.exp(-noisy)), "ordinal": np.digitize(noisy, [-0.5, 1.0]),
        "two classes": noisy > 0, "more classes": np.digitize(noisy, [-0.5, 1.0]),
    }  # fmt: skip
    y = made_of.get(kind, noisy)
    return np.column_stack([ids, X]), y.astype(int if kind in CLASSES else float)


def test_the_table_has_every_formulation_and_every_kind() -> None:
    numbers = [name for name, response in responses().items() if not response.has_labels]
    assert set(PAIRS) == {(f, kind) for f in formulations() for kind in (*numbers, *CLASSES)}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kind"), PAIRS)
def test_a_pair_fits_or_is_refused_in_one_sentence(name: str, kind: str) -> None:
    role = "Classifier" if kind in CLASSES else "Regressor"
    found = formulations()[name]
    if (found.classifier if kind in CLASSES else found.regressor) is None:
        assert not PAIRS[name, kind]
        return
    assert found.regressor is not None
    loss = {} if kind in CLASSES else {"loss": kind}
    model = made(found.regressor.__name__.removesuffix("Regressor"), role, **loss)
    Z, y = targets(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if PAIRS[name, kind]:
            assert np.isfinite(model.fit(Z, y).predict(Z).astype(float)).all()
            return
        named = rf"^(The 'loss' parameter of )?{type(model).__name__}\b.*\.$"
        with pytest.raises(ValueError, match=named) as refusal:
            model.fit(Z, y)
    assert "\n" not in str(refusal.value)
