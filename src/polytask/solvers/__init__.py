"""How a problem is solved, one method a file, and the choice among them."""

from polytask.data.threads import one_blas_thread
from polytask.solvers.base import Solution, Solver, Status
from polytask.solvers.newton import BlockElimination, Newton
from polytask.solvers.norms.calibrated import at_null_noise, root_mean_squares
from polytask.solvers.select import PREFERENCE, select

__all__ = [
    "PREFERENCE",
    "BlockElimination",
    "Newton",
    "Solution",
    "Solver",
    "Status",
    "at_null_noise",
    "one_blas_thread",
    "root_mean_squares",
    "select",
]
