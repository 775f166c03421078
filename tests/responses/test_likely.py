"""Which kind of target numbers of unknown kind speak for."""

import numpy as np

from polytask.responses import likely_response


def test_ratings_of_three_levels_are_no_counts():
    ratings = np.repeat([0.0, 1.0, 2.0], [30, 40, 50])
    assert likely_response(ratings)[0] == "auto"
    visits = np.random.default_rng(0).poisson(1.2, size=200).astype(float)
    assert likely_response(visits)[0] == "poisson"


def test_levels_of_which_the_highest_is_common_are_no_counts():
    """Party identification from 0 to 6 (anes96) varies as counts do, and ends at its commonest."""
    rng = np.random.default_rng(0)
    party = np.repeat(np.arange(7.0), [200, 180, 108, 37, 94, 150, 175])
    assert likely_response(party)[0] == "auto"
    for rate in (0.3, 1.0, 3.0):
        counts = rng.poisson(rate * rng.gamma(2.0, 0.5, size=400)).astype(float)
        assert likely_response(counts)[0] == "poisson"
