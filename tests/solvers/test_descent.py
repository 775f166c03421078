"""The one Newton loop: steps, halvings and stops of a search that asks where to look."""

from dataclasses import dataclass

import numpy as np
import pytest

from polytask.solvers import Status
from polytask.solvers.descent import Descent


@dataclass
class At:
    """log(cosh(x)) in one block: full Newton steps diverge from |x| > 1.09."""

    blocks: dict

    @property
    def value(self):
        return float(np.logaddexp(self.blocks["x"], -self.blocks["x"])[0])

    @property
    def residual(self):
        return {"x": np.tanh(self.blocks["x"])}


def newton(at):
    x = at.blocks["x"]
    return {"x": np.sinh(x) * np.cosh(x)}, 1


def search(start, step=newton, max_iter=50, **options):
    done = lambda at: abs(at.residual["x"][0]) < 1e-12  # noqa: E731
    return Descent({"x": np.array([float(start)])}, step, done, max_iter, **options)


def test_halved_steps_reach_the_minimum():
    found = search(3.0).run(At)
    assert found.status is Status.SOLVED
    assert abs(found.here.blocks["x"][0]) < 1e-12
    assert 3 < found.work < 15


def test_several_searches_may_share_their_looks():
    alone = [search(start).run(At).here.blocks["x"][0] for start in (0.5, 2.0, 3.0)]
    together = [search(start) for start in (0.5, 2.0, 3.0)]
    while asking := [one for one in together if one.asked is not None]:
        for one, seen in zip(asking, [At(one.asked) for one in asking], strict=True):
            one.tell(seen)
    assert [one.here.blocks["x"][0] for one in together] == alone


@pytest.mark.parametrize("steps", [0, 2])
def test_a_limit_on_steps(steps):
    found = search(3.0, max_iter=steps).run(At)
    assert (found.status, found.work) == (Status.MAX_ITER, steps)


def test_a_step_upwards_or_none_is_a_stall():
    up = search(1.0, step=lambda at: ({"x": -at.residual["x"]}, 1)).run(At)
    none = search(1.0, step=lambda at: (at.residual, 0)).run(At)
    assert up.status is none.status is Status.STALLED
    assert up.here.blocks["x"][0] == none.here.blocks["x"][0] == 1.0


def test_the_last_step_is_taken_as_it_is():
    looked = []
    found = search(0.5, last=1e-2).run(lambda blocks: looked.append(blocks) or At(blocks))
    assert found.status is Status.SOLVED
    assert 1e-12 < abs(found.here.blocks["x"][0]) < 1e-2
    assert len(looked) == found.work + 1
