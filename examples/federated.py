"""Three sites fit one model and share moments, not rows.

    python examples/federated.py

Every site has rows of its own tasks, and the first task has rows at all three. A site writes its
moments to a file; whoever holds the files adds them up, chooses strengths by folds, and fits. The
coefficients are those of a fit to all rows in one place. What moments reveal: docs/scale.md.
"""

import tempfile
from pathlib import Path

import numpy as np

from polytask import MeanRegularizedRegressor, TaskMoments
from polytask.datasets import make_related_tasks

N_SITES, N_TASKS = 3, 12


def sites():
    """X, y of every site: a third of the tasks, and a third of the rows of the first one."""
    X, y, _ = make_related_tasks(N_TASKS, 5, 40, random_state=0)
    task = X["task"].astype("category").cat.codes.to_numpy()
    site = np.where(task == 0, np.arange(len(task)) % N_SITES, task % N_SITES)
    return [(X[site == s], y[site == s]) for s in range(N_SITES)], X, y


def share(folder):
    """Each site's moments as a file; no row leaves it."""
    parts, X, y = sites()
    for number, (rows, target) in enumerate(parts):
        moments = TaskMoments.from_rows(rows, target, task="task", n_folds=5)
        moments.save(Path(folder) / f"site-{number}.npz")
    return X, y


def join(folder):
    """The model of all sites' moments."""
    files = sorted(Path(folder).glob("site-*.npz"))
    total = TaskMoments.load(files[0])
    for file in files[1:]:
        total = total + TaskMoments.load(file)
    return MeanRegularizedRegressor(task="task").fit_moments(total)


def main():
    """Largest difference from the fit to all rows, at the strengths that the moments chose."""
    with tempfile.TemporaryDirectory() as folder:
        X, y = share(folder)
        size = max(file.stat().st_size for file in Path(folder).iterdir())
        model = join(folder)
    strengths = {
        name: getattr(model, f"{name}_") for name in ("alpha", "alpha_common", "alpha_intercept")
    }
    whole = MeanRegularizedRegressor(task="task", **strengths).fit(X, y)
    order = [list(model.tasks_).index(name) for name in whole.tasks_]
    difference = float(np.abs(model.coef_[order] - whole.coef_).max())
    print(f"{len(model.tasks_)} tasks from {N_SITES} files of at most {size / 1000:.0f} kB")
    print(f"largest difference from a fit to all rows: {difference:.1e}")
    return difference


if __name__ == "__main__":
    main()
