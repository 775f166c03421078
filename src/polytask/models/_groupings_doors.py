"""How sums over rows reach a multilevel model: moments by combinations of levels, and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils.metaestimators import available_if

from polytask.data import MomentData, TaskMoments, all_or_nothing, forget
from polytask.data.cells import id_columns, parted
from polytask.data.frames import frame_columns
from polytask.data.groupings import Grouping, read_grouped_rows
from polytask.data.task_spec import column_names, spelled_out
from polytask.models._declared import Declared
from polytask.models.parquet_door import ParquetDoor, sums_are_enough
from polytask.solvers import one_blas_thread

if TYPE_CHECKING:
    from polytask.sources.passes import Runner
    from polytask.sources.source import ParquetSource
    from polytask.sources.survey import Survey

__all__ = ["GroupingsDoors"]


class GroupingsDoors(Declared, ParquetDoor):
    """`fit_moments`, `partial_fit` and `fit_parquet` of the squared loss.

    Rows of one level in every grouping are told apart by nothing but their features, so that their
    moments say all. Nested groupings have as many combinations as the finest has levels; crossed
    ones up to as many as rows, and are then read into memory instead.
    """

    _several: ClassVar[bool] = True

    def _why_not_sums(self, tasks: np.ndarray | None = None, n_features: int = 1) -> str | None:
        if isinstance(self.alpha, str) and self.alpha == "cv":
            return "alpha='cv' leaves out single rows"
        if self._loss().is_quadratic:
            return None
        return "Laplace's approximation goes through the rows at every step"

    @available_if(sums_are_enough)
    @all_or_nothing
    def fit_moments(self, moments: TaskMoments) -> Any:
        """Fit to moments: the same answer as `fit` on the rows that they were made of.

        Parameters
        ----------
        moments : TaskMoments
            Made with this estimator's ``task``: sums by the combinations of levels that occur.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the moments were made with other columns of ids.
        """
        self._validate_params()
        if isinstance(self.alpha, str) and self.alpha == "cv":
            raise ValueError(
                f"{type(self).__name__}: alpha must be 'reml', 'ml' or numbers to fit from "
                "moments, which know no single rows; got 'cv'."
            )
        self._check_moments(moments, id_columns(self.task, moments.columns))
        forget(self)
        with one_blas_thread():
            self._learn_sums(moments)
        self.moments_ = moments
        return self

    def _read_columns(self, X: Any, reset: bool) -> None:
        read_grouped_rows(self, X, spelled_out(self.task, frame_columns(X)), reset=reset)

    def _must_choose(self) -> bool:
        return False  # a likelihood chooses, or strengths are given

    def _moment_data(self, moments: TaskMoments) -> MomentData:
        return MomentData.make(moments, intercept=self.fit_intercept, task_weight="size")

    def _fit_sums(self, source: ParquetSource, runner: Runner, survey: Survey) -> Any:
        from polytask.sources.moments import moments_of

        forget(self)
        self._learn_sums(moments_of(source, runner, 1))
        return self

    def _learn_sums(self, moments: TaskMoments) -> None:
        asked = spelled_out(self.task, moments.columns)
        columns = column_names(asked)
        self._expect(moments.columns, moments.n_features + len(columns))
        self._wide = moments.wide
        data = self._moment_data(moments)
        pairs = []
        if moments.wide:
            every = np.arange(len(moments.tasks))
            pairs = [(Grouping("task", (), (moments.tasks,), every), every)]
        elif columns:
            ids = parted(moments.tasks, columns)
            first = asked[: self.n_groupings]
            pairs = [Grouping.of(c, [ids[name] for name in c]) for c in first]
        codes = [code[data.code] for _, code in pairs]
        self._learn(data, [grouping for grouping, _ in pairs], codes)
        self._left_out = asked[len(pairs) :]
