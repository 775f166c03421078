"""A design of few columns gives the products of any other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from polytask.data.design import Design
from polytask.data.thin_design import ThinDesign, thin


@pytest.mark.parametrize("shared", [False, True])
def test_products_are_those_of_a_design(rng: np.random.Generator, shared: bool) -> None:
    X = rng.normal(size=(60, 3))
    start = np.array([0, 0, 10, 10, 37, 60, 60])  # empty tasks first, last and between
    index = rng.permutation(60) if shared else None
    one, two = Design(X, index, start), ThinDesign(X, index, start)
    theta, v = rng.normal(size=(6, 3)), rng.random(60)
    assert_allclose(two.predict(theta), one.predict(theta), atol=1e-13)
    assert_allclose(two.adjoint(v), one.adjoint(v), atol=1e-13)
    assert_allclose(two.grams(v), one.grams(v), atol=1e-13)
    assert_allclose(two.column_norms(v), one.column_norms(v), atol=1e-13)


def test_many_columns_and_long_tasks_are_not_thin(rng: np.random.Generator) -> None:
    start = np.array([0, 30, 60])
    assert isinstance(thin(Design(rng.normal(size=(60, 3)), None, start)), ThinDesign)
    for design in (
        Design(rng.normal(size=(60, 30)), None, start),
        Design(rng.normal(size=(3000, 3)), None, np.array([0, 10, 3000])),
        Design(rng.normal(size=(60, 3)), None, np.array([0, 60])),
    ):
        assert not isinstance(thin(design), ThinDesign)
