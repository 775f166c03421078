"""Which kind of target numbers of unknown kind speak for."""

import numpy as np

from polytask.responses import likely_response


def test_ratings_of_three_levels_are_no_counts():
    ratings = np.repeat([0.0, 1.0, 2.0], [30, 40, 50])
    assert likely_response(ratings)[0] == "auto"
    visits = np.random.default_rng(0).poisson(1.2, size=200).astype(float)
    assert likely_response(visits)[0] == "poisson"
