"""The inner-London exam table: 65 schools as tasks, 4,059 pupils as rows."""

from pathlib import Path

import pandas as pd

__all__ = ["exam_path", "load_exam"]


def exam_path() -> Path:
    """Return where the bundled CSV file lies, for tools that read tables from disk.

    Returns
    -------
    path : Path
        A CSV file with a header row. Its README beside it explains every column.

    Examples
    --------
    >>> from polytask.datasets import exam_path
    >>> exam_path().name
    'exam.csv'
    """
    return Path(__file__).with_name("exam.csv")


def load_exam() -> pd.DataFrame:
    """Read the exam scores of 4,059 pupils in 65 inner-London schools.

    Columns: `school` (the task, 1 to 65), `student` (an id inside the school), `normexam` (the
    target: exam score at 16, normal scores), `standLRT` (reading test at 11, standardized),
    `intake` and `sex` of the pupil; `schgend`, `schavg`, `vr` and `type` of the school, which are
    constant inside a task.

    Returns
    -------
    table : DataFrame of shape (4059, 10)

    References
    ----------
    Goldstein, H., Rasbash, J., et al. (1993). A multilevel analysis of school examination
    results. Oxford Review of Education 19, 425-433.

    Examples
    --------
    >>> from polytask.datasets import load_exam
    >>> table = load_exam()
    >>> table.shape, table["school"].nunique()
    ((4059, 10), 65)
    """
    return pd.read_csv(exam_path())
