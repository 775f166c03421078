"""Regret of what `compare` recommends, in worlds whose truth is known.

For every draw the default models are compared, the truth says what each of them, fitted to all
rows, is worth, and the regret of a choice is its expected loss over that of the model which is the
best of the world on average, minus one, in percent. Printed per world and size: the regret of the
recommendation, of the weighted candidates, the mean-regularized and single-task models and boosting
taken always, and how often each model was recommended.

Usage: python benchmarks/recommendation.py [--seeds 1 2 3 4] [--only NAME ...] [--results FILE]
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import pandas as pd
from recommendation_worlds import WORLDS, draw

from polytask import MeanRegularizedRegressor
from polytask.inspection import compare_tasks, default_estimators
from polytask.models.shared_fits import SharedFits

ROBUST = "mean-regularized-huber"
ALWAYS = ("auto", "mean-regularized", "single-task", "gradient-boosting")


def judge(name: str, size: int, seed: int) -> dict:
    """Expected losses of all models of a draw, and the name of the recommended one."""
    world = WORLDS[name]
    found = draw(world, size, seed)
    kind = "classification" if world.labels else "regression"
    models = default_estimators(kind, "task")
    chosen = compare_tasks(models, found.X, found.y, task="task").recommended.model
    if world.student or chosen == ROBUST:  # which joins where residuals have heavy tails
        models[ROBUST] = MeanRegularizedRegressor(task="task", loss="huber")
    fits = SharedFits(found.X, found.y)
    losses = {}
    for key, estimator in models.items():
        model = fits.fitted(estimator)
        answer = model.predict_proba(found.fresh)[:, 1] if world.labels else None
        losses[key] = found.loss(model.predict(found.fresh) if answer is None else answer)
    return {"world": name, "size": size, "seed": seed, "losses": losses, "recommended": chosen}


def report(lines: list[dict]) -> None:
    """Print the regrets."""
    rows = []
    for (world, size), group in pd.DataFrame(lines).groupby(["world", "size"]):
        mean = pd.DataFrame(list(group["losses"])).dropna(axis=1).mean()  # of models of all draws
        taken = [ls[name] for ls, name in zip(group["losses"], group["recommended"], strict=True)]
        regret = {"recommended": sum(taken) / len(taken), **{k: mean[k] for k in ALWAYS}}
        regret = {k: 100 * (v / mean.min() - 1) for k, v in regret.items()}
        counts = group["recommended"].value_counts().to_dict()
        rows.append({"world": world, "size": size, "draws": len(group), **regret, "which": counts})
    found = pd.DataFrame(rows)
    print(found.to_string(index=False, float_format=lambda v: f"{v:.1f}"))
    regret = found["recommended"]
    print(f"mean {regret.mean():.2f}, median {regret.median():.2f}, worst {regret.max():.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4])
    parser.add_argument("--only", nargs="*", default=list(WORLDS))
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    text = given.results.read_text() if given.results and given.results.exists() else ""
    lines = [json.loads(line) for line in text.splitlines()]
    done = {(k["world"], k["size"], k["seed"]) for k in lines}
    for seed in given.seeds:
        for key in [(w, s, seed) for w in given.only for s in (0, 1)]:
            if key in done:
                continue
            lines.append(judge(*key))
            if given.results:
                with given.results.open("a") as file:
                    file.write(json.dumps(lines[-1]) + "\n")
    report(lines)


if __name__ == "__main__":
    main()
