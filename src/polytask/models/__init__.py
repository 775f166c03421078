"""One file per formulation: the estimators; no mathematics here."""

from polytask.models.registry import Formulation, estimators, formulations, neural_formulations

__all__ = ["Formulation", "estimators", "formulations", "neural_formulations"]
