"""Groups of tasks: which, how stable, and whether one cloud of tasks would show them too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score

__all__ = ["Groups", "find_groups"]

MOST_GROUPS = 8
_MOST_ORDERED = 300  # optimal leaf ordering costs the cube of the tasks
_MOST_DRAWN = 400  # tasks whose groups are drawn again and again
_ALIKE = 0.8  # mean correlation inside a group; unlike tasks pair up at about 0.5 by chance
_LEAST = 3  # tasks in a group
LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Groups:
    """A hierarchical clustering of tasks and what is to be thought of it.

    Attributes
    ----------
    tree : ndarray of shape (m - 1, 4)
        As of `scipy.cluster.hierarchy.linkage`.
    order : ndarray of shape (m,)
        Tasks as the leaves of the tree stand.
    count : int
        Groups; 1 where they are no clearer than one cloud of tasks would show by chance.
    labels : ndarray of shape (m,)
        Group of each task, 0 .. count - 1, the largest group first; -1 for tasks in none, whose
        branch of the tree holds fewer than 3 tasks or tasks whose correlation is below 0.8.
    candidate : int
        The clearest number of groups above 1, found or not.
    stability : float
        Mean adjusted Rand index at `candidate` between these groups and those of posterior draws.
    silhouette : float
        Mean silhouette of posterior draws at `candidate`.
    p : float
        Share of draws from one Gaussian cloud with a silhouette as large.
    """

    tree: np.ndarray
    order: np.ndarray
    count: int
    labels: np.ndarray
    candidate: int
    stability: float
    silhouette: float
    p: float


def find_groups(
    correlation: np.ndarray,
    draw: Callable[[], np.ndarray],
    draw_cloud: Callable[[], np.ndarray],
    n_draws: int,
    rng: np.random.Generator,
) -> Groups:
    """Ward's clustering on the distances sqrt(2 (1 - r_ij)).

    Parameters
    ----------
    correlation : ndarray of shape (m, m)
        Positive semidefinite, so that the distances are Euclidean, as Ward's method asks.
    draw : callable
        A draw (m, k) of the tasks' vectors given the data; the sampling error of the groups.
    draw_cloud : callable
        A draw (m, k) of as many tasks from one Gaussian with the same mean and covariance.
    n_draws : int

    References
    ----------
    Ward (1963), JASA 58; Rousseeuw (1987), Silhouettes; Hubert and Arabie (1985), Comparing
    partitions; Hennig (2007), Cluster-wise assessment of cluster stability, for redrawing.
    """
    m = len(correlation)
    distance = _distances(correlation)
    tree = linkage(squareform(distance, checks=False), "ward")
    if m < 4:
        return Groups(tree, leaves_list(tree), 1, np.zeros(m, int), 1, np.nan, np.nan, np.nan)
    some = rng.choice(m, _MOST_DRAWN, replace=False) if m > _MOST_DRAWN else np.arange(m)
    counts = np.arange(2, min(MOST_GROUPS, len(some) - 1, m // 2) + 1)
    pairs = [_redraw(draw()[some], counts) for _ in range(n_draws)]
    widths = np.array([width for width, _ in pairs])
    best = int(np.argmax(widths.mean(axis=0)))
    cloud = np.array([_redraw(draw_cloud()[some], counts)[0].max() for _ in range(n_draws)])
    p = float((1 + (cloud >= widths.max(axis=1).mean()).sum()) / (1 + n_draws))
    whole = fcluster(tree, counts[best], "maxclust")
    stability = np.mean([adjusted_rand_score(whole[some], groups[best]) for _, groups in pairs])
    labels = _coherent(whole, correlation) if p <= LEVEL else np.zeros(m, dtype=int)
    found = labels.max() > 0
    return Groups(
        tree=tree,
        order=_leaves(tree, distance),
        count=int(labels.max()) + 1 if found else 1,
        labels=labels if found else np.zeros(m, dtype=int),
        candidate=int(counts[best]),
        stability=float(stability),
        silhouette=float(widths[:, best].mean()),
        p=p,
    )


def _distances(correlation: np.ndarray) -> np.ndarray:
    distance = np.sqrt(np.maximum(2 * (1 - correlation), 0))
    np.fill_diagonal(distance, 0)
    return 0.5 * (distance + distance.T)


def _redraw(vectors: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Silhouettes and labels of one draw at every number of groups."""
    size = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(size > 0, size, 1.0)
    distance = _distances(unit @ unit.T)
    tree = linkage(squareform(distance, checks=False), "ward")
    labels = [fcluster(tree, k, "maxclust") for k in counts]
    return np.array([_silhouette(distance, found) for found in labels]), labels


def _silhouette(distance: np.ndarray, labels: np.ndarray) -> float:
    """Mean silhouette; a group of one counts as zero."""
    member = np.eye(labels.max())[labels - 1]
    size = member.sum(axis=0)
    if len(size) < 2:
        return 0.0
    total = distance @ member
    own = np.arange(len(labels)), labels - 1
    rest = size[labels - 1] - 1
    inside = total[own] / np.maximum(rest, 1)
    mean = total / size
    mean[own] = np.inf
    outside = mean.min(axis=1)
    largest = np.maximum(np.maximum(inside, outside), 1e-300)
    return float(np.where(rest > 0, (outside - inside) / largest, 0.0).mean())


def _leaves(tree: np.ndarray, distance: np.ndarray) -> np.ndarray:
    if len(distance) <= _MOST_ORDERED:
        tree = optimal_leaf_ordering(tree, squareform(distance, checks=False))
    leaves: np.ndarray = leaves_list(tree)
    return leaves


def _coherent(whole: np.ndarray, correlation: np.ndarray) -> np.ndarray:
    """Groups whose tasks are alike, the largest first; -1 for the tasks of the others."""
    labels = np.full(len(whole), -1)
    names, sizes = np.unique(whole, return_counts=True)
    count = 0
    for name in names[np.argsort(-sizes, kind="stable")]:
        members = np.flatnonzero(whole == name)
        inside = correlation[np.ix_(members, members)]
        n = len(members)
        if n >= _LEAST and (inside.sum() - np.trace(inside)) / (n * (n - 1)) >= _ALIKE:
            labels[members], count = count, count + 1
    return labels
