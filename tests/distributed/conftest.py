"""One cluster of two worker processes for all tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

distributed = pytest.importorskip("distributed", reason="Dask is in the extra `dask`")

from polytask.datasets import make_related_tasks  # noqa: E402


@pytest.fixture(scope="package")
def cluster() -> Iterator["distributed.LocalCluster"]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0",
        memory_limit=0,
    ) as cluster:  # fmt: skip
        yield cluster


@pytest.fixture
def client(cluster) -> Iterator["distributed.Client"]:
    """A client that is not the active one unless a test makes it so."""
    with distributed.Client(cluster, set_as_default=False) as client:
        yield client


def write_files(folder: Path, *, classification: bool, n_files: int = 9):
    """Rows of 12 tasks in some files; and the whole table."""
    X, y, _ = make_related_tasks(
        12, 5, (20, 60), level=0.5, classification=classification, random_state=3
    )
    rows = X.assign(y=y).sample(frac=1.0, random_state=0, ignore_index=True)
    for k, part in enumerate(np.array_split(np.arange(len(rows)), n_files)):
        rows.iloc[part].to_parquet(folder / f"part-{k:02}.parquet")
    return rows.drop(columns="y"), rows["y"].to_numpy()


@pytest.fixture(scope="package")
def numbers(tmp_path_factory):
    """Folder, X, y of a regression."""
    folder = tmp_path_factory.mktemp("numbers")
    return folder, *write_files(folder, classification=False)


@pytest.fixture(scope="package")
def labels(tmp_path_factory):
    """Folder, X, y of a classification."""
    folder = tmp_path_factory.mktemp("labels")
    return folder, *write_files(folder, classification=True)
