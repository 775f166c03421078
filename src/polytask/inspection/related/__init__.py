"""How tasks are related, one question a file: what they share, groups, tasks that stand apart."""

from polytask.inspection.related.coefficients import LEVEL_NAME, coefficient_spread
from polytask.inspection.related.evidence import TaskEvidence, read_evidence
from polytask.inspection.related.groups import Groups, find_groups
from polytask.inspection.related.mean_correlation import mean_correlation_interval
from polytask.inspection.related.outliers import outlier_tasks
from polytask.inspection.related.posterior import Posterior, coefficient_posterior
from polytask.inspection.related.spectrum import effective_rank, rank_interval, spectrum_shares

__all__ = [
    "LEVEL_NAME",
    "Groups",
    "Posterior",
    "TaskEvidence",
    "coefficient_posterior",
    "coefficient_spread",
    "effective_rank",
    "find_groups",
    "mean_correlation_interval",
    "outlier_tasks",
    "rank_interval",
    "read_evidence",
    "spectrum_shares",
]
