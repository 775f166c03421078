"""The words that the command understands, and its help pages."""

from __future__ import annotations

import argparse
import re
import sys
from typing import NoReturn

from polytask import __version__
from polytask.cli.argument_types import between, counts, quantiles, times
from polytask.cli.help_pages import (
    ABOUT,
    COMPARE,
    COMPARE_WRITES,
    DESCRIBE,
    DESCRIBE_EXAMPLES,
    EXPORT,
    EXPORT_EXAMPLES,
    FIT,
    FIT_EXAMPLES,
    INIT,
    INIT_EXAMPLES,
    PREDICT,
    PREDICT_EXAMPLES,
    START,
)

__all__ = ["make_parser"]


MOST, MOST_SEED = 10**6, 2**32 - 1  # the latter is numpy's


def make_parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    parser = Parser(
        prog="polytask",
        description=ABOUT,
        epilog=START,
        usage="polytask COMMAND ...",
        formatter_class=Help,
        allow_abbrev=False,
    )
    version = f"polytask {__version__}"
    parser.add_argument("--version", action="version", version=version, help="show the version")
    commands = parser.add_subparsers(
        title="commands", dest="command", metavar="COMMAND", required=True, prog="polytask"
    )
    _add_init(commands)
    _add_compare(commands)
    _add_fit(commands)
    _add_predict(commands)
    _add_export(commands)
    _add_describe(commands)
    _add_models(commands)
    return parser


class Help(argparse.RawDescriptionHelpFormatter):
    """Help in one column of options and one of words, 88 wide."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=88)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line that names the argument and the way out."""

    def error(self, message: str) -> NoReturn:
        """Print one line, exit with code 2."""
        line = re.sub(r"^argument (\S+?)(/\S+)?: ", r"\1 ", " ".join(message.split()))
        line = line.replace("COMMAND invalid choice", "COMMAND must be a known command; got")
        line = line.replace("invalid choice:", "must be one of those listed; got")
        line = line.replace("the following arguments are required:", "missing:")
        line = line.replace("unrecognized arguments:", "unknown:").rstrip(".")
        help_page = f"{self.prog} --help"
        print(f"polytask: error: {line}. See '{help_page}'.", file=sys.stderr)
        sys.exit(2)


def _command(
    commands: argparse._SubParsersAction[Parser], name: str, summary: str, about: str, epilog: str
) -> Parser:
    return commands.add_parser(
        name,
        help=summary,
        description=about,
        epilog=epilog,
        formatter_class=Help,
        allow_abbrev=False,
    )


def _add_init(commands: argparse._SubParsersAction[Parser]) -> None:
    summary = "say what would be done with a table, and the command that does it"
    parser = _command(commands, "init", summary, INIT, INIT_EXAMPLES)
    parser.add_argument("table", metavar="TABLE", help="CSV, TSV or Parquet; a row per observation")
    parser.add_argument("--task", metavar="COL", help="the task, where you know it")
    parser.add_argument("--target", metavar="COL", help="the column to predict, where you know it")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_compare(commands: argparse._SubParsersAction[Parser]) -> None:
    summary = "compare models over the tasks of a table, write a report"
    parser = _command(commands, "compare", summary, COMPARE, COMPARE_WRITES)
    _add_table(parser, stream=True)
    group = parser.add_argument_group("what is compared, and how")
    group.add_argument(
        "--models",
        metavar="NAME,...",
        help="models to compare, or groups of them ('polytask models' lists both; 'all' is every "
        "model but the networks, 'neural' is those); single-task always takes part",
    )
    group.add_argument(
        "--fast",
        action="store_true",
        help="leave out the default models that cost most: curved, shared trees, low-rank "
        "and the weighted candidates",
    )
    group.add_argument(
        "--metric",
        metavar="NAME",
        help="ranks the models; default rmse for a regression, log_loss for a classification",
    )
    _number(group, "--cv", 5, 2, "folds of the cross-validation")
    _number(group, "--repeats", 1, 1, "repeat it with new folds: narrower intervals, more time")
    _add_varying(group)
    _number(group, "--seed", 0, 0, "of the folds and of models that draw at random", MOST_SEED)
    _number(group, "--jobs", 1, 1, "processes that work at the same time")
    group.add_argument(
        "--learning-curve",
        action="store_true",
        help="also measure how many rows sharing saves (some times the work of the comparison)",
    )
    group.add_argument(
        "--new-tasks",
        metavar="K,...",
        type=counts,
        help="also measure what a new task with K rows of its own would get, such as 0,5,20: "
        "whole tasks are held out",
    )
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out", metavar="DIR", default="polytask-report", help="directory (default %(default)s)"
    )


def _add_fit(commands: argparse._SubParsersAction[Parser]) -> None:
    summary = "fit one model on all rows and save it"
    parser = _command(commands, "fit", summary, FIT, FIT_EXAMPLES)
    _add_table(parser, stream=True)
    group = parser.add_argument_group("the model")
    group.add_argument(
        "--model",
        metavar="NAME",
        default="mean-regularized",
        help="'polytask models' lists them (default %(default)s)",
    )
    _add_varying(group)
    _number(group, "--seed", 0, 0, "of models that draw at random", MOST_SEED)
    output = parser.add_argument_group("output")
    output.add_argument(
        "--out",
        metavar="MODEL.skops",
        default="model.skops",
        help="file for the model (default %(default)s)",
    )


def _add_varying(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--varying",
        metavar="COL,...",
        help="features whose coefficients may differ between groups, in models that ask for it "
        "(mean-regularized, multilevel); 'none' is a level only; default: all of them, or of "
        "multilevel models what the likelihood prefers",
    )


def _add_predict(commands: argparse._SubParsersAction[Parser]) -> None:
    summary = "predict for the rows of a table with a saved model"
    parser = _command(commands, "predict", summary, PREDICT, PREDICT_EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a model.skops of 'compare' or 'fit'")
    parser.add_argument("table", metavar="TABLE", help="CSV, TSV or Parquet with its columns")
    parser.add_argument(
        "--unseen",
        choices=("error", "common"),
        default="error",
        help="tasks that were not in training: stop (default), or predict by what is common",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse categories that were not in training, and gaps, instead of counting them",
    )
    parser.add_argument(
        "--survival-at",
        metavar="TIME,...",
        type=times,
        help="also the probability that the event comes after each of these times, for models of "
        "times to an event",
    )
    _add_reading(parser.add_argument_group("how the table is written"))
    parser.add_argument(
        "--out",
        metavar="FILE",
        default="predictions.parquet",
        help=".parquet, .csv or .tsv (default %(default)s)",
    )


def _add_export(commands: argparse._SubParsersAction[Parser]) -> None:
    summary = "write a saved model as an ONNX graph"
    parser = _command(commands, "export", summary, EXPORT, EXPORT_EXAMPLES)
    parser.add_argument("model", metavar="MODEL", help="a model.skops of 'compare' or 'fit'")
    parser.add_argument("out", metavar="OUT", help="file for the graph, ending in .onnx")
    parser.add_argument(
        "--unseen",
        choices=("error", "common"),
        help="tasks that were not in training: no answer, or what is common; default no answer, "
        "but for a model that is one for all tasks",
    )


def _add_describe(commands: argparse._SubParsersAction[Parser]) -> None:
    summary = "say what a table looks like, and what will be a problem"
    parser = _command(commands, "describe", summary, DESCRIBE, DESCRIBE_EXAMPLES)
    _add_table(parser)
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_models(commands: argparse._SubParsersAction[Parser]) -> None:
    about = "The models that compare and fit know, with what each of them minimizes.\n"
    parser = _command(commands, "models", "list the models", about, "")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_table(parser: argparse.ArgumentParser, *, stream: bool = False) -> None:
    group = parser.add_argument_group("the table")
    group.add_argument("table", metavar="TABLE", help="CSV, TSV or Parquet; a row per observation")
    group.add_argument(
        "--task",
        metavar="COL",
        help="column that says which task a row belongs to; several groupings: COL,COL, or "
        "school/class where ids of classes start again in every school",
    )
    group.add_argument(
        "--target",
        metavar="COL",
        required=True,
        help="column to predict; without --task several, COL,..., each of them a task",
    )
    group.add_argument(
        "--event",
        metavar="COL",
        help="column that says whether an event came at the time in --target (1, true) or the row "
        "was censored (0, false): Cox models of times to an event",
    )
    group.add_argument(
        "--features",
        metavar="COL,...",
        action="append",
        help="columns to learn from; default all others. A name with a comma: in double quotes "
        "inside the list, or alone in a --features of its own",
    )
    group.add_argument(
        "--categorical",
        metavar="COL,...",
        action="append",
        help="columns whose numbers are labels (codes, levels)",
    )
    group.add_argument(
        "--within-between",
        metavar="COL,...",
        action="append",
        help="columns of numbers whose means by task are features too: slopes inside and between "
        "tasks may then differ",
    )
    group.add_argument(
        "--groups",
        metavar="COL",
        help="column that says who a row is of, such as a patient: rows of one are held out "
        "together; no feature unless named in --features",
    )
    group.add_argument(
        "--time",
        metavar="COL",
        help="column of dates or numbers: models are judged on later rows; no feature unless named "
        "in --features",
    )
    group.add_argument(
        "--weights",
        metavar="COL",
        help="column of numbers, zero or more: how much a row counts in training, in metrics and "
        "in gains; no feature unless named in --features",
    )
    _add_reading(group)
    if stream:
        group.add_argument(
            "--stream",
            action=argparse.BooleanOptionalAction,
            default=None,
            help="pass over a Parquet file (or a directory of them) instead of loading it; default "
            "where it would take more than an eighth of the memory",
        )
        group.add_argument(
            "--dask",
            metavar="N|ADDRESS",
            help="work on N Dask processes here, or on the cluster whose scheduler is at ADDRESS: "
            "passes over a Parquet file, or folds and models; needs polytask[dask]",
        )
    group.add_argument(
        "--kind",
        choices=("auto", "regression", "classification", "ordinal"),
        default="auto",
        help="of the target; auto (default): text or two distinct values make a classification, "
        "an ordered categorical column of Parquet ordered levels",
    )
    group.add_argument(
        "--levels",
        metavar="LOW,...,HIGH",
        help="the order of the target's levels, the lowest first: low,medium,high",
    )
    group.add_argument(
        "--loss",
        metavar="NAME",
        default="auto",
        help="what numbers are taken for: squared, huber (outliers), poisson and negative_binomial "
        "(counts), gamma and tweedie (amounts), binomial (shares), ordinal (ratings), "
        "'quantile(0.9)'; auto (default): counts with zeros, shares, amounts with zeros are told "
        "from the column, the rest is squared",
    )
    if stream:
        _add_target(group)


def _add_target(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--quantiles",
        metavar="Q,...",
        type=quantiles,
        help="predict these quantiles of a number, ascending, such as .1,.5,.9: an interval and a "
        "middle, judged by the mean pinball loss",
    )
    group.add_argument(
        "--transform",
        choices=("log",),
        help="what models are fitted to: the logarithm of a positive target; predictions are of "
        "the target",
    )
    group.add_argument(
        "--scale-target",
        choices=("task",),
        help="take the target of each task in units of its own spread, learned in training; "
        "predictions are of the target",
    )


def _add_reading(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--missing",
        metavar="MARK,...",
        action="append",
        help="marks that mean a gap, in every column; empty cells always do, and in columns of "
        "numbers also NA, null and the like",
    )
    group.add_argument(
        "--decimal",
        metavar="MARK",
        choices=(".", ","),
        help="the mark before decimals, . or , where the table does not show it",
    )


def _number(
    group: argparse._ArgumentGroup, name: str, default: int, least: int, words: str,
    most: int = MOST,
) -> None:  # fmt: skip
    group.add_argument(
        name,
        metavar="N",
        type=between(least, most),
        default=default,
        help=f"{words} (default %(default)s)",
    )
