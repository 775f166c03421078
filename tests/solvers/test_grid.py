"""Every solver meets every problem that it does not refuse, and finds what a reference finds."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from polytask.data import TaskData
from polytask.penalties import (
    ConcaveFeatures,
    Coupled,
    JointFeatures,
    NormPlus,
    Penalty,
    Price,
    Rank,
    Ridge,
    TaskNoise,
    TraceNorm,
)
from polytask.problem import Problem
from polytask.responses import Logistic, Loss, Squared
from polytask.solvers import PREFERENCE, Solver, select
from polytask.solvers.base import missing
from polytask.structures import CommonDeviation, SlopesPlus
from tests.low_rank.problems import low_rank, make_data, projected
from tests.models.reference import minimum
from tests.solvers.helpers import mean_regularized, pooled, single_task, task_intercept

cp = pytest.importorskip("cvxpy", reason="cvxpy is in the extra `test`")

M, D = 4, 3
PRICE = Price("mcp", 0.05 * M, 0.15 * M)
CHAIN = np.diag([1.0, 2.0, 2.0, 1.0]) - np.eye(M, k=1) - np.eye(M, k=-1)
LOSSES = {"squared": Squared(), "logistic": Logistic()}


def coupled(data: TaskData, loss: Loss) -> Problem:
    structure = CommonDeviation(np.zeros(D + 1, dtype=bool), np.ones(D + 1, dtype=bool))
    penalty = Coupled(CHAIN, np.array([0.2, 0.2, 0.2, 0.05]), np.array([0.01, 0.01, 0.01, 0.0]))
    return Problem(data, loss, structure, {"common": Ridge(np.zeros(0)), "deviation": penalty})


def normed(data: TaskData, loss: Loss, **parts: object) -> Problem:
    level = np.arange(D + 1) == D
    rest = {"common": Ridge(np.zeros(1)), "deviation": Ridge(np.array([0.02]))}
    structure = SlopesPlus(CommonDeviation(level, level), D, tuple(parts))
    return Problem(data, loss, structure, {**parts, **rest})  # type: ignore[dict-item]


PROBLEMS: dict[str, Callable[[TaskData, Loss], Problem]] = {
    "mean-regularized": lambda data, loss: mean_regularized(data, loss=loss),
    "single-task": lambda data, loss: single_task(data, loss=loss),
    "pooled": lambda data, loss: pooled(data, loss=loss),
    "task-intercept": lambda data, loss: task_intercept(data, loss=loss),
    "coupled": coupled,
    "trace norm": lambda data, loss: normed(data, loss, low_rank=TraceNorm(0.05)),
    "joint features": lambda data, loss: normed(data, loss, slopes=JointFeatures(0.05)),
    "norm and ridge": lambda data, loss: normed(
        data, loss, slopes=NormPlus(JointFeatures(0.05), Ridge(np.full(D, 0.03)))
    ),
    "norm and coupling": lambda data, loss: normed(
        data, loss, slopes=NormPlus(TraceNorm(0.05), Coupled(CHAIN, np.full(D, 0.1)))
    ),
    "two norms": lambda data, loss: normed(data, loss, a=TraceNorm(0.05), b=JointFeatures(0.06)),
    "full rank": lambda data, loss: low_rank(data, loss, Rank(0.0, None, 0.01), 0.02),
}  # fmt: skip
NOT_CONVEX = {
    "rank": lambda data, loss: low_rank(data, loss, Rank(0.01, 2, 0.01), 0.02),
    "concave": lambda data, loss: normed(data, loss, slopes=ConcaveFeatures(0.05, PRICE)),
    "projected": lambda data, loss: projected(data, loss, 2),
}


@dataclass
class Reference:
    """The same objective in cvxpy's words: blocks by name."""

    problem: Problem

    def optimum(self) -> float:
        problem, data = self.problem, self.problem.data
        shapes = problem.structure.shapes(M)
        blocks = {b: cp.Variable(shape) if np.prod(shape) else None for b, shape in shapes.items()}
        value = sum(
            self.penalty(problem.penalties[b], B) for b, B in blocks.items() if B is not None
        )
        for i in range(M):
            X, y, omega = data.block(i)
            f = self.predictor(X, blocks, i)
            loss = cp.square(y - f) / 2
            if not problem.loss.is_quadratic:
                loss = cp.logistic(f) - cp.multiply(y, f)
            value += cp.sum(cp.multiply(omega, loss))
        return minimum(value)

    def predictor(self, X: np.ndarray, blocks: dict, i: int) -> object:
        structure = self.problem.structure
        parts = getattr(structure, "parts", ())
        rest = structure.rest if parts else structure
        f = 0
        for part in parts:
            f = f + X[:, :D] @ blocks[part][i]
        if blocks["common"] is not None:
            f = f + X[:, rest.common] @ blocks["common"]
        if blocks["deviation"] is not None:
            f = f + X[:, rest.deviation] @ blocks["deviation"][i]
        return f

    def penalty(self, penalty: object, B: object) -> object:
        if isinstance(penalty, NormPlus):
            return self.penalty(penalty.norm, B) + self.penalty(penalty.quadratic, B)
        if isinstance(penalty, TraceNorm):
            return penalty.alpha * cp.normNuc(B)
        if isinstance(penalty, JointFeatures):
            return penalty.alpha * cp.sum(cp.norm(B, 2, axis=0))
        if isinstance(penalty, Rank):
            return penalty.ridge * cp.sum_squares(B)
        if isinstance(penalty, Coupled):
            ridge = np.broadcast_to(penalty.ridge, penalty.strengths.shape)
            own = cp.sum([r * cp.sum_squares(B[:, k]) for k, r in enumerate(ridge)])
            return own + cp.sum(
                [s * cp.quad_form(B[:, k], CHAIN) for k, s in enumerate(penalty.strengths)]
            )
        weights = np.broadcast_to(np.sqrt(penalty.strength), B.shape)  # type: ignore[attr-defined]
        return cp.sum_squares(cp.multiply(weights, B))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_every_solver_finds_the_optimum(name: str, loss: str) -> None:
    data = make_data(np.random.default_rng(1), LOSSES[loss], m=M, d=D, n=20)
    problem = PROBLEMS[name](data, LOSSES[loss])
    able = [solver for solver in PREFERENCE if not missing(solver, problem)]
    assert select(problem) in able
    expected = Reference(problem).optimum()
    for solver in able:
        found = solver.solve(problem, None, 1e-9, 20_000)
        assert found.status.value == "solved", solver.name
        assert found.certificate == "global", solver.name
        assert found.solver == solver.name
        assert found.objective == pytest.approx(expected, rel=1e-6), solver.name
        assert found.objective == pytest.approx(problem.objective(found.blocks), rel=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NOT_CONVEX)
def test_where_no_optimum_is_known_the_point_is_stationary(name: str, loss: str) -> None:
    data = make_data(np.random.default_rng(1), LOSSES[loss], m=M, d=D, n=20)
    problem = NOT_CONVEX[name](data, LOSSES[loss])
    able = [solver for solver in PREFERENCE if not missing(solver, problem)]
    assert able
    for solver in able:
        found = solver.solve(problem, None, 1e-8, 2000)
        if found.gap is not None:  # an error squared
            found = solver.solve(problem, None, 1e-13, 20_000)
        assert found.violation <= (1e-8 if found.gap is None else 1e-5), solver.name
        assert found.certificate in {"stationary", "global"}


def test_every_solver_meets_a_problem_and_has_a_name_of_its_own() -> None:
    data = make_data(np.random.default_rng(1), Squared(), m=M, d=D, n=20)
    shared = make_data(np.random.default_rng(1), Squared(), m=M, d=D, n=20, shared=True)
    problems = [make(data, Squared()) for make in (PROBLEMS | NOT_CONVEX).values()]
    problems.append(low_rank(shared, Squared(), Rank(0.01)))
    joint = PROBLEMS["joint features"](data, Squared())
    noise: Penalty = TaskNoise(1e-6)
    problems.append(replace(joint, penalties={**joint.penalties, "noise": noise}))
    for solver in PREFERENCE:
        assert any(not missing(solver, problem) for problem in problems), solver.name
    assert len({solver.name for solver in PREFERENCE}) == len(PREFERENCE)


class Odd:
    """Neither quadratic nor a norm."""

    def value(self, B: np.ndarray) -> float:
        return float(np.abs(B).sum() ** 0.5)

    def residual(self, B: np.ndarray, G: np.ndarray) -> np.ndarray:
        return G


@pytest.mark.parametrize(
    ("problem", "fact"),
    [
        (lambda data: normed(data, Squared(), slopes=Odd()), "a norm on the slopes"),
        (
            lambda data: Problem(
                data, Squared(), CommonDeviation(np.ones(4, bool), np.ones(4, bool)),
                {"common": Ridge(np.zeros(4)), "deviation": Odd()},
            ),
            "a quadratic penalty on every block",
        ),
    ],
)  # fmt: skip
def test_what_nobody_can_solve_is_told_by_the_one_fact_that_is_missing(
    problem: Callable[[TaskData], Problem], fact: str
) -> None:
    data = make_data(np.random.default_rng(1), Squared(), m=M, d=D, n=20)
    with pytest.raises(ValueError, match="no solver fits") as error:
        select(problem(data))
    assert f"it must have {fact}" in str(error.value)
    assert "Odd" in str(error.value)
    assert str(error.value).count("lacks") == 1


def test_a_solver_says_first_what_it_lacks_first() -> None:
    data = make_data(np.random.default_rng(1), Logistic(), m=M, d=D, n=20)
    elimination: Solver = next(s for s in PREFERENCE if s.name == "block elimination")
    lacks = missing(elimination, mean_regularized(data, loss=Logistic()))
    assert lacks[0].says == "a quadratic loss"
