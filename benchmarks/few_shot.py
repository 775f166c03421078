"""What would a new task with k rows get? Loss on tasks held out whole, by model and road.

Usage: python benchmarks/few_shot.py [--data FOLDER] [--table school] [--rows 0 2 5 10 20]
"""

from __future__ import annotations

import argparse
import warnings

from real_data import add_folder, load

from polytask import (
    MeanRegularizedRegressor,
    PooledRegressor,
    SingleTaskRegressor,
    TaskInterceptRegressor,
)
from polytask.inspection import NewTasks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", default="school")
    parser.add_argument("--rows", nargs="*", type=int, default=[0, 2, 5, 10, 20])
    parser.add_argument("--cv", type=int, default=3)
    add_folder(parser)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    X, y = load(arguments.table, arguments.data)
    models = {
        "single-task": SingleTaskRegressor(task="task"),
        "pooled": PooledRegressor(task="task"),
        "task-intercept": TaskInterceptRegressor(task="task"),
        "mean-regularized": MeanRegularizedRegressor("reml", task="task"),
        "mean-regularized, cv": MeanRegularizedRegressor(task="task"),
    }
    found = NewTasks.from_data(models, X, y, task="task", n_support=arguments.rows, cv=arguments.cv)
    wide = found.answers.pivot(index="answer", columns="n_support", values="loss")
    print(f"{found.loss_title}, {found.tasks_tested} tasks of {arguments.table}, by rows given")
    print(wide.round(3).to_string())
    print(found.text)


if __name__ == "__main__":
    main()
