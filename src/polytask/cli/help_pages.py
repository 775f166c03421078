"""The texts of the help pages."""

__all__ = [
    "ABOUT",
    "COMPARE",
    "COMPARE_WRITES",
    "DESCRIBE",
    "DESCRIBE_EXAMPLES",
    "EXPORT",
    "EXPORT_EXAMPLES",
    "FIT",
    "FIT_EXAMPLES",
    "INIT",
    "INIT_EXAMPLES",
    "PREDICT",
    "PREDICT_EXAMPLES",
    "START",
]

ABOUT = """\
Does learning your tasks together help, and on which of them does it hurt?

A table with a column of task ids (schools, patients, machines ...) and a target
goes in; an honest comparison of models comes out.
"""

START = """\
start with:
  polytask init     pupils.csv
  polytask describe pupils.csv --task school --target score
  polytask compare  pupils.csv --task school --target score

tables:
  .csv and .tsv (comma, semicolon, tab; also .gz, .bz2, .xz) and .parquet

'polytask COMMAND --help' explains a command. Exit codes: 0 done, 2 not done
(one line says why), 130 interrupted, 143 ended by SIGTERM.
"""

COMPARE = """\
Compare models over the tasks of a table: each task alone, all tasks pooled, and
tasks learned together. All models see the same folds; every strength is chosen
inside the training part; each fold keeps every task in training.
"""

COMPARE_WRITES = """\
what is written to --out (a report that is there already is replaced, other
files are left alone):
  report.html    the report: one file, no connection needed
  results.json   everything in the report, for programs
  tasks.csv      a row per task: rows, gain, label
  model.skops    the recommended model, fitted on all rows, for 'polytask predict'
  model_card.md  what it is for, whom it harms, how it was reached

what happens to the columns:
  numbers are scaled, categories become 0/1 columns, missing values are filled;
  all of it is learned inside the training folds. Dates and id-like texts are
  left out, and the report says so. A target of text or of two distinct values
  makes it a classification.

metrics (means over tasks; with _rows at the end over all rows at once):
  regression      rmse, mae, explained_variance, explained_variance_within, nmse,
                  pinball, kappa, binomial_deviance, binomial_deviance_explained,
                  gamma_deviance, gamma_deviance_explained, poisson_deviance,
                  poisson_deviance_explained, tweedie_deviance,
                  tweedie_deviance_explained
  classification  log_loss, log_loss_explained, brier, auc, average_precision, accuracy
  survival        partial_deviance, concordance, integrated_brier

examples:
  polytask compare pupils.csv --task school --target score
  polytask compare visits.parquet --task clinic --target readmitted \\
      --features age,sex,stay --metric auc --repeats 3 --out clinics
  polytask compare lung.csv --task hospital --target days --event died
"""

FIT = """\
Fit one model on all rows and save it with its preprocessing. The file is read
without running code from strangers (skops).
"""

FIT_EXAMPLES = """\
examples:
  polytask fit pupils.csv --task school --target score
  polytask fit pupils.csv --task school --target score --model pooled --out pooled.skops
"""

PREDICT = """\
Predict for the rows of a table with a saved model. The output is the table with
the columns 'prediction', 'unseen_task' (true where the task was not in training)
and, for a classification, 'probability' (of the second class, named on screen);
of more classes or ordered levels a 'probability_CLASS' each. Of several targets
there is a 'prediction_TARGET' each. Of times to an event the prediction is the log
of the relative hazard; --survival-at adds a 'survival_TIME' each.
"""

PREDICT_EXAMPLES = """\
examples:
  polytask predict polytask-report/model.skops new_pupils.csv --out predictions.csv
  polytask predict model.skops new.parquet --unseen common
"""

EXPORT = """\
Write a saved model, with its preprocessing, as one ONNX graph that other programs
run without Python. Linear models; columns go in under their names, each of shape
(rows, 1); 'prediction', 'unseen_task' and, for a classification, 'probability'
come out. Needs polytask[onnx].
"""

EXPORT_EXAMPLES = """\
examples:
  polytask export polytask-report/model.skops model.onnx
  polytask export model.skops model.onnx --unseen common
"""

INIT = """\
Look at a table and say what would be done with it: which columns may be the task
and how much of the target's variance lies between them, what the target is, which
columns to leave out and why, and the 'compare' command that follows. Nothing is asked
and nothing is written.
"""

INIT_EXAMPLES = """\
examples:
  polytask init pupils.csv
  polytask init pupils.csv --target score
"""

DESCRIBE = """\
Say what a table looks like before anything is fitted: sizes of tasks, kinds of
columns, missing values, and what will be a problem, with what to do about it.
"""

DESCRIBE_EXAMPLES = """\
examples:
  polytask describe pupils.csv --task school --target score
  polytask describe pupils.csv --task school --target score --json > table.json
"""
