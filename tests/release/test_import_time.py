"""What `import polytask` and `polytask --help` cost, in processor time, the best of five."""

import resource
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # five processes a figure

MOST = 0.3  # seconds
HELP = "from polytask.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
SKLEARN = "import sklearn.ensemble, sklearn.linear_model, sklearn.preprocessing, pandas, pyarrow"


def seconds(code):
    found = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def test_the_import_costs_nothing_beyond_that_of_scikit_learn():
    assert seconds("import sklearn, polytask") - seconds("import sklearn") < MOST


def test_the_first_estimator_is_there_soon():
    first = f"{SKLEARN}\nfrom polytask import MeanRegularizedRegressor"
    assert seconds(first) - seconds(SKLEARN) < MOST


def test_help_is_quick():
    assert seconds(HELP) < MOST
