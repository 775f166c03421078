"""The released estimators answer what they answered before, digit by digit."""

import json

import numpy as np
import pytest

from tests.golden.cases import RECORD, answer, cases, chosen, label

KNOWN = json.loads(RECORD.read_text(encoding="utf-8"))


def marks(case: tuple[str, str, dict]) -> tuple:
    """Schools say again what the made table says."""
    return (pytest.mark.slow,) if case[0] == "exam" else ()


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=label(case), marks=marks(case)) for case in cases()]
)
def test_answers_are_those_on_record(case: tuple[str, str, dict]) -> None:
    """What is off by rounding alone passes: coefficients are of size one here."""
    known, found = KNOWN[label(case)], answer(case)
    digits = 1e-6 if chosen(case[2]) else 1e-8
    assert found.keys() == known.keys()
    for key, value in known.items():
        size = max(float(np.abs(np.where(np.isfinite(value), value, 0.0)).max()), 1e-12)
        np.testing.assert_allclose(found[key], value, rtol=digits, atol=digits * size, err_msg=key)


def test_nothing_else_is_on_record() -> None:
    assert {label(case) for case in cases()} == KNOWN.keys()
