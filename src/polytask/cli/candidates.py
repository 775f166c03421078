"""Models by the names of the command line, each behind its preprocessing."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from polytask.tables.errors import TableError, find_column, target_words

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from polytask.tables import TaskTable
    from polytask.tables.stream_table import StreamTable

__all__ = [
    "BASELINE",
    "BOOSTING",
    "MULTILEVEL",
    "check_metric",
    "check_name",
    "check_varying",
    "choose_models",
    "formulation_for",
    "make_candidate",
    "model_groups",
    "model_names",
    "names_of_groupings",
    "suiting",
    "with_groupings",
]

BASELINE = "single-task"
BOOSTING = "gradient-boosting"
MULTILEVEL = "multilevel"
NEURAL, ALL = "neural", "all"  # stand for all networks, and for all that is not one


def model_names() -> tuple[str, ...]:
    """Every name, the simple models first."""
    from polytask.models import formulations
    from polytask.models.registry import NEURAL_NAMES

    return (*formulations(), *NEURAL_NAMES, BOOSTING)


def choose_models(
    wanted: tuple[str, ...] | None, fast: bool = False
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The models to compare, single-task always among them, and a note where that was added."""
    from polytask.models import formulations

    if wanted is None:
        found = formulations().values()
        return (*(f.name for f in found if f.default and not (fast and f.costly)), BOOSTING), ()
    if not wanted:
        raise TableError("must name at least one model; got an empty list.", "models")
    wanted = _spelled_out(wanted)
    for name in wanted:
        check_name(name, "models")
    if BASELINE in wanted:
        return wanted, ()
    return (BASELINE, *wanted), ("Single-task learning takes part because gains are against it.",)


def suiting(names: tuple[str, ...], wanted: tuple[str, ...] | None, kind: str) -> tuple[str, ...]:
    """Without those that nobody wanted by name and that have no model of such targets."""
    from polytask.models import formulations

    known = formulations()

    def suits(name: str) -> bool:
        if name == BOOSTING:
            return kind != "survival"
        return name not in known or known[name].kinds[kind] is not None

    return tuple(name for name in names if name in (wanted or ()) or suits(name))


def model_groups() -> dict[str, tuple[str, ...]]:
    """Names that stand for several models: what formulations say, the networks, all but those."""
    from polytask.models import formulations
    from polytask.models.registry import NEURAL_NAMES

    known = formulations()
    names = dict.fromkeys(found.group for found in known.values() if found.group)
    groups = {g: tuple(n for n, found in known.items() if found.group == g) for g in names}
    return groups | {NEURAL: NEURAL_NAMES, ALL: (*known, BOOSTING)}


def _spelled_out(wanted: tuple[str, ...]) -> tuple[str, ...]:
    """With groups replaced by the names of their models, each once."""
    groups = model_groups()
    return tuple(dict.fromkeys(n for name in wanted for n in groups.get(name, (name,))))


def check_name(name: str, argument: str) -> None:
    """Refuse a name that no model has."""
    names = model_names()
    if name in names:
        return
    known = (*names, *(model_groups() if argument == "models" else ()))
    close = difflib.get_close_matches(name.lower().replace("_", "-"), known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"There are {', '.join(known)}."
    raise TableError(f"must name a model; got {name!r}. {hint}", argument)


def check_metric(metric: str | None, kind: str, loss: str = "auto") -> None:
    """Refuse a metric that does not exist or does not suit the target."""
    from polytask.model_selection import METRICS
    from polytask.responses import Cox, find_response

    if metric is None:
        return
    response = Cox() if kind == "survival" else find_response("", loss, kind == "classification")
    known = (*response.metrics, *response.other_metrics)
    if metric.removesuffix("_tasks").removesuffix("_rows") not in known:
        fitting = ", ".join(name for name in METRICS if name in known)
        raise TableError(
            f"must be a metric for {target_words(kind)}; got {metric!r}. There are {fitting}; add "
            "_rows for all rows at once instead of the mean over tasks.",
            "metric",
        )


def check_varying(
    varying: tuple[str, ...] | None, candidates: Iterable[Any], table: TaskTable | StreamTable
) -> None:
    """Refuse names that are no features, and names that no model asks for."""
    if varying is None:
        return
    for name in varying:
        made = [c for c in table.categorical if name.startswith(f"{c}=")]
        find_column(name, [*table.features, *([name] if made else [])], "varying")
    if not any("varying" in pipeline[-1].get_params(deep=False) for pipeline in candidates):
        raise TableError(
            f"must be left out where no model asks for it; 'mean-regularized' and {MULTILEVEL!r} "
            "do.",
            "varying",
        )


def make_candidate(
    name: str, table: TaskTable, seed: int = 0, varying: tuple[str, ...] | None = None
) -> Pipeline:
    """The model called ``name`` for this table, unfitted; ``varying`` where it asks for it."""
    from polytask.inspection.groupings import ladder
    from polytask.inspection.log_target import of_logarithm
    from polytask.inspection.roles import LOG
    from polytask.tables import make_task_pipeline

    if name.endswith(LOG):  # what a comparison adds
        return of_logarithm(make_candidate(name.removesuffix(LOG), table, seed, varying))
    if name == BOOSTING and table.kind != "survival":
        pipeline = _boosting(table, seed)
    else:
        steps = ladder(table.kind, table.spec, table.loss)
        model = steps.get(name) or formulation_for(name, table.spec, table.kind, seed, table.loss)
        if varying is not None and "varying" in model.get_params(deep=False):
            model.set_params(varying=list(varying))
        pipeline = make_task_pipeline(model, table.spec, table.numeric, table.categorical)
    if table.within_between:
        from polytask.sources.within_between import WithinBetween

        pipeline.steps.insert(0, ("means", WithinBetween(table.within_between, task=table.spec)))
    if table.transform or table.scale_target:
        from polytask.models.scaled_target import ScaledTargetRegressor

        around = {"transform": table.transform, "scale": table.scale_target}
        pipeline.steps[-1] = ("model", ScaledTargetRegressor(pipeline[-1], **around))
    if table.quantiles:
        from polytask.models.quantiles import QuantilesRegressor

        pipeline.steps[-1] = ("model", QuantilesRegressor(pipeline[-1], table.quantiles))
    return pipeline


def names_of_groupings(table: TaskTable) -> tuple[str, ...]:
    """The multilevel models of each grouping added in turn; none of one grouping."""
    from polytask.inspection.groupings import ladder

    return tuple(ladder(table.kind, table.spec, table.loss))


def with_groupings(names: tuple[str, ...], table: TaskTable) -> tuple[str, ...]:
    """The models, a multilevel one of each grouping added in turn in place of that of all."""
    more = names_of_groupings(table)
    if not more or MULTILEVEL not in names:
        return names
    at = names.index(MULTILEVEL)
    return (*names[:at], *more, *names[at + 1 :])


def formulation_for(
    name: str, task: Any, kind: str, seed: int = 0, loss: str = "auto", *, streamed: bool = False
) -> Any:
    """The estimator of a formulation, unfitted, or that of the boosted trees."""
    from polytask.inspection.roles import ROBUST

    if name == BOOSTING and kind != "survival":
        return _boosted_trees(task, kind, seed, loss)
    robust = name.endswith(ROBUST)
    if robust:
        name, loss = name.removesuffix(ROBUST), "huber"
    known = None if name == BOOSTING else _found(name)
    model = known and known.estimator(kind, plain=streamed or robust, task=task, loss=loss)
    if model is None:
        raise TableError(
            f"must name models for {target_words(kind)}; {name!r} has none. Leave it out.",
            "models",
        )
    usual = {"random_state": seed, "weights": "precision"}  # only ratios of weights matter
    taken = model.get_params(deep=False)
    return model.set_params(**{name: value for name, value in usual.items() if name in taken})


def _found(name: str) -> Any:
    """The formulation called ``name``; networks need PyTorch."""
    from polytask.models import formulations
    from polytask.models.registry import NEURAL_NAMES, neural_formulations

    if name not in NEURAL_NAMES:
        return formulations()[name]
    try:
        return neural_formulations()[name]
    except ImportError as error:
        raise TableError(
            f"must name models that can run here; got {name!r}. {error}", "models"
        ) from error


def _boosting(table: TaskTable, seed: int) -> Pipeline:
    """Trees need no scaling, have a branch for missing values and take categories as they are."""
    from sklearn.pipeline import Pipeline

    return Pipeline([("model", _boosted_trees(table.spec, table.kind, seed, table.loss))])


def _boosted_trees(task: Any, kind: str, seed: int, loss: str) -> Any:
    from polytask.models.boosted_trees import BoostedTreesClassifier, BoostedTreesRegressor

    model = BoostedTreesClassifier if kind == "classification" else BoostedTreesRegressor
    return model(task=task, loss=loss, random_state=seed)
