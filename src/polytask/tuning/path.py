"""Risks along a path of strengths, exact at some of its points and told by them at the others.

As a function of the curvature c > 0 of the deviations, all else given, a left-out risk has its
singularities at negative c, about as large as the eigenvalues of the tasks' Gram matrices or less.
There stand the poles of a rational function that interpolates it. Points and poles by turns are
where what they leave of the error is largest and least (Bagby, Duke Math. J. 36, 1969), so that
errors fall geometrically.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["LEAST_POINTS", "along_path", "in_one_step", "in_two_steps"]

Ask = Callable[[np.ndarray, str], tuple[np.ndarray, np.ndarray, bool]]

LEAST_POINTS = 16  # below which nothing is gained
_LAST = 5  # exact points, which those before foretell
_CHEAP = 4  # points at a time that cost little more than one, of few rows or without w0
_SEEN, _TOLD = 1e-5, 1e-10  # error of the last points by those before; what it promises of others
_TINY = 1e-300  # in place of zero


def along_path(
    ask: Callable[[np.ndarray], tuple[np.ndarray, bool]],
    c: np.ndarray,
    spectrum: np.ndarray,
    near: np.ndarray | None = None,
    first: int = 8,
    more: int = 2,
) -> np.ndarray:
    """Risks at all curvatures of a path, mostly within 1e-9 of themselves.

    Over six decades they were within 2e-7 in all tables that were tried, over eight and more within
    1e-6.

    The last points that were asked for are foretold by those before, which shows what error these
    left. From that of the first point to theirs errors fell by some factor a point, and go on so.

    Parameters
    ----------
    ask : callable
        Exact risks of points by their indices, and whether all rows have part in them; where not,
        all points are asked for. Rows drop out at the smallest c first, which is asked first.
    c : ndarray of shape (A,)
        Ascending.
    spectrum : ndarray of shape (k,)
        Eigenvalues of tasks, positive and ascending: the ends count.
    near : ndarray of shape (A,) or None
        Positive values on the same path. Told are the ratios to them: the less these move, the
        fewer points are asked for.
    first, more : int
        How many points are asked for at first, and at a time after these.
    """
    path = _Path(c, np.geomspace(min(c[0], spectrum[0]), spectrum[-1], len(c)))
    near = np.ones(len(c)) if near is None else near
    every, ratios, n = np.arange(len(c)), np.empty(len(c)), first
    while n < len(c):
        new = path.choose(n)
        ratios[new], whole = ask(new)
        ratios[new] /= near[new]
        if not whole:
            break
        of_one, last = path.error(ratios, 1, n), path.error(ratios, n - _LAST, n)
        fell = min(1.0, last / max(of_one, _TINY)) ** (_LAST / (n - _LAST - 1))
        if last <= _SEEN and last * fell <= _TOLD:
            rest = np.setdiff1d(every, path.nodes)
            ratios[rest] = path.told(ratios, n, rest)
            return ratios * near
        n += more
    rest = np.setdiff1d(every, path.nodes)
    ratios[rest] = ask(rest)[0] / near[rest]
    return ratios * near


def in_one_step(ask: Ask, c: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    """Risks along a path; arguments are those of `in_two_steps`."""

    def whole(some: np.ndarray) -> tuple[np.ndarray, bool]:
        risks, _, sound = ask(some, "risk")
        return risks, sound

    return along_path(whole, c, spectrum, more=_CHEAP)


def in_two_steps(ask: Ask, c: np.ndarray, spectrum: np.ndarray, first: int = 8) -> np.ndarray:
    """The same by risks near them, which are told first, and by ratios to these.

    Parameters
    ----------
    ask : callable
        Risks of points by their indices; those near them; whether all rows have part in them.
        Which of them have to be right is the second argument: "risk", "near" or "both".
    c, spectrum, first
        See `along_path`.
    """
    risks, near, known, sound = np.empty(len(c)), np.empty(len(c)), np.zeros(len(c), bool), [True]

    def whole(some: np.ndarray) -> tuple[np.ndarray, bool]:
        new = some[~known[some]]
        if len(new):
            risks[new], near[new], well = ask(new, "both")
            known[new] = True
            sound.append(well)
        return risks[some], all(sound)

    def close(some: np.ndarray) -> tuple[np.ndarray, bool]:
        if known.any():
            _, near[some], well = ask(some, "near")
        else:  # these will be asked for
            _, well = whole(some)
        return near[some], well

    told = along_path(close, c, spectrum, first=first, more=_CHEAP)
    fine = np.isfinite(told).all() and told.min() > 0
    return along_path(whole, c, spectrum, told if fine else None, first)


class _Path:
    """Curvatures, and the nodes and poles that were chosen so far."""

    def __init__(self, c: np.ndarray, poles: np.ndarray) -> None:
        self.c = c
        self.nodes: list[int] = []
        self.chosen: list[int] = []  # of the poles
        with np.errstate(divide="ignore"):
            self.apart = np.log(np.abs(c[:, None] - c))
            self.poles_apart = np.log(np.abs(poles[:, None] - poles))
        self.to_poles = np.log(c[:, None] + poles)
        self.at_c, self.at_pole = np.zeros(len(c)), np.zeros(len(poles))

    def choose(self, n: int) -> np.ndarray:
        """New nodes, so that there are n, and a pole after each; the first is the smallest c."""
        first = len(self.nodes)
        while len(self.nodes) < n:
            self.nodes.append(j := int(np.argmax(self.at_c)))
            self.at_pole += self.to_poles[j]
            self.chosen.append(k := int(np.argmin(self.at_pole)))
            self.at_pole -= self.poles_apart[k]
            self.at_c += self.apart[j] - self.to_poles[:, k]
        return np.array(self.nodes[first:])

    def told(self, risks: np.ndarray, n: int, some: np.ndarray) -> np.ndarray:
        """Risks at other points by those of the first n nodes."""
        nodes = np.array(self.nodes[:n])
        apart = self.apart[np.ix_(nodes, nodes)]
        np.fill_diagonal(apart, 0.0)
        log = self.to_poles[nodes][:, self.chosen[: n - 1]].sum(axis=1) - apart.sum(axis=1)
        sign = 1.0 - 2.0 * (np.argsort(np.argsort(nodes)) % 2)
        share = sign * np.exp(log - log.max()) / (self.c[some, None] - self.c[nodes])
        return np.asarray((share @ risks[nodes]) / share.sum(axis=1))

    def error(self, risks: np.ndarray, first: int, n: int) -> float:
        """Largest share by which the first nodes miss the others of n."""
        some = np.array(self.nodes[first:n])
        miss = np.abs(self.told(risks, first, some) - risks[some])
        return float((miss / np.maximum(risks[some], _TINY)).max())
