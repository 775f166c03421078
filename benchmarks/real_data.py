"""Real multi-task tables (X with a task column, y), from a folder beside the repository."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parents[1].parent / "shared" / "data"
REGRESSION = (
    "school", "computer_survey", "exam65", "chem97_lea", "scotssec", "ricefarms",
    "restaurant_consumer", "sarcos_mtpl", "sarcos",
)  # fmt: skip
BINARY = ("landmine", "contraception", "digits_sklearn", "tox21")
MORE_BINARY = ("newsgroup", "isolet1", "mnist_kang", "usps_kang")
_LEFT_OUT = {
    "school": ["x28"],
    "chem97_lea": ["school"],
    "restaurant_consumer": ["placeID", "target_food", "target_service"],
    "sarcos_mtpl": ["part"],
}


def add_folder(parser: argparse.ArgumentParser) -> None:
    """The option that says where the tables lie."""
    parser.add_argument("--data", type=Path, default=FOLDER)


def load(name: str, folder: Path = FOLDER) -> tuple[pd.DataFrame, np.ndarray]:
    """Standardized features with a column `task`, and the target."""
    if name == "sarcos":
        return _tall(pd.read_parquet(folder / name / "wide.parquet"), "torque", 400)
    if name == "digits_sklearn":
        table = pd.read_parquet(folder / name / "data.parquet")
        for digit in range(10):
            table[f"is{digit}"] = (table["digit"] == digit).astype(float)
        return _tall(table.drop(columns="digit"), "is", 300)
    if name == "tox21":
        table = pd.read_parquet(folder / name / "data.parquet").drop(columns=["mol_id", "smiles"])
        bits = [c for c in table if c.startswith("b")][:100]
        return _tall(table[bits + [c for c in table if c.startswith("y_")]], "y_", 800)
    if name in MORE_BINARY:
        return _more(name, pd.read_parquet(folder / name / "data.parquet"))
    table = pd.read_parquet(folder / name / "data.parquet").drop(columns=_LEFT_OUT.get(name, []))
    if name == "computer_survey":
        table = table.drop(columns=[c for c in table if c.startswith("person")])
    if name == "ricefarms":
        table = table.drop(columns="region")
    return _standardized(table)


def _more(name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """The 100 most frequent words of newsgroup; every tenth feature of Isolet; images whole."""
    if name == "newsgroup":
        words = table.filter(like="w").sum().nlargest(100).index
        return _standardized(table[["task", *words, "target"]])
    label = "letter" if name == "isolet1" else "digit"
    features = [c for c in table if c.startswith("x")][:: 10 if name == "isolet1" else 1]
    of = pd.get_dummies(table[label], prefix="is", dtype=float)
    return _tall(pd.concat([table[features], of], axis=1), "is_", 300)


def _tall(wide: pd.DataFrame, prefix: str, n_rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """A row for each measured label of some rows, drawn once and for all."""
    wide = wide.sample(n=min(n_rows, len(wide)), random_state=0)
    labels = [c for c in wide if c.startswith(prefix)]
    tall = wide.melt(
        id_vars=[c for c in wide if c not in labels],
        value_vars=labels,
        var_name="task",
        value_name="target",
    )
    return _standardized(tall.dropna(subset="target"))


def _standardized(table: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    y = table["target"].to_numpy(float)
    features = table.drop(columns=["task", "target"]).astype(float)
    spread = features.std().replace(0.0, 1.0)
    X = (features - features.mean()) / spread
    return X.loc[:, features.std() > 0].assign(task=table["task"].astype(str)), y


def first_rows(X: pd.DataFrame, n: float, rng: np.random.Generator, least: int = 2) -> np.ndarray:
    """Which rows train: n of every task (a share below one), in random order."""
    turn = X.sample(frac=1.0, random_state=int(rng.integers(2**31)))
    place = turn.groupby("task").cumcount().reindex(X.index).to_numpy()
    size = X.groupby("task")["task"].transform("size").to_numpy()
    wanted = np.maximum(np.round(n * size), least) if n < 1 else n
    return place < np.minimum(wanted, np.maximum(size - 1, 1))
