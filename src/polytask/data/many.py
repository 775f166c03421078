"""When rows are summed up: a rule of the data, whatever door they come through."""

from __future__ import annotations

__all__ = ["FOLDS", "FOLD_SEED", "MOST_NUMBERS", "summed_up"]

MOST_NUMBERS = 10_000_000  # in rows that are always held: 80 MB
TIMES_SUMS = 2  # as many as the sums in their place: rows that are held as well
FOLDS = 5  # by which sums are kept where a strength is to be chosen
FOLD_SEED = 0  # of the order in which rows are dealt to them


def summed_up(n_rows: int, n_features: int, n_tasks: int) -> bool:
    """Whether strengths are chosen, and files fitted, by sums over the rows.

    So it is where the rows hold more than ten million numbers, and more than twice those of the
    sums in their place (measured: from there on folds of sums cost less than leave-one-out, with
    the same strengths). What is asked of rows alone is then not asked, neither in memory nor of
    files or a cluster.

    Examples
    --------
    >>> summed_up(400_000, 20, 100), summed_up(600_000, 20, 100), summed_up(600_000, 20, 5000)
    (False, True, False)
    """
    numbers = n_rows * (n_features + 1)
    sums = n_tasks * FOLDS * (n_features + 2) ** 2
    return numbers > max(MOST_NUMBERS, TIMES_SUMS * sums)
