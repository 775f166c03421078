"""Doors in and out: kinds of table, the top level, files, the command line's list, no PyTorch."""

import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import polytask
from polytask import (
    PooledNetworkRegressor,
    SharedHiddenLayerClassifier,
    SharedHiddenLayerRegressor,
    SingleTaskNetworkRegressor,
    stack_tasks,
)
from polytask.model_selection import TaskKFold
from polytask.models import formulations, neural_formulations
from polytask.models.registry import NEURAL_ESTIMATORS, NEURAL_NAMES
from polytask.neural import LearningHistoryDisplay
from tests.neural.worlds import FEW, UNFINISHED, long_table, wide_table

SMALL = {"hidden_layer_sizes": (6,), "max_iter": 6, "random_state": 0}


@pytest.mark.filterwarnings(UNFINISHED)
def test_every_door_leads_to_the_same_answer():
    polars = pytest.importorskip("polars")
    X, y = long_table()
    model = SharedHiddenLayerRegressor((4,), "tanh", task="task", **FEW)
    expected = model.fit(X, y).predict(X)
    frame = polars.from_pandas(X)
    np.testing.assert_allclose(clone(model).fit(frame, y).predict(frame), expected, atol=1e-6)
    number = X.assign(task=X["task"].str[1:].astype(float)).to_numpy()
    by_place = clone(model).set_params(task=-1).fit(number, y)
    np.testing.assert_allclose(by_place.predict(number), expected, atol=1e-6)
    parts = {
        task: (part.drop(columns="task"), y[X["task"] == task]) for task, part in X.groupby("task")
    }
    stacked, target = stack_tasks(parts)
    by_dict = clone(model).fit(stacked, target).predict(stacked)
    np.testing.assert_allclose(by_dict, expected[np.argsort(X["task"], kind="stable")], atol=1e-6)


def test_it_works_inside_scikit_learns_tools():
    X, y = long_table(n_tasks=4, rows=(12, 15))
    model = SharedHiddenLayerRegressor(task="task", **SMALL)
    folds = TaskKFold(3, task="task")
    assert np.isfinite(cross_val_score(model, X, y, cv=folds)).all()
    search = GridSearchCV(model, {"alpha": [0.001, 1.0]}, cv=folds).fit(X, y)
    assert search.predict(X).shape == y.shape
    assert make_pipeline(model).fit(X, y).score(X, y) > -10


@pytest.mark.parametrize(
    "cls", [SharedHiddenLayerRegressor, PooledNetworkRegressor, SingleTaskNetworkRegressor]
)
def test_saved_and_loaded_models_predict_the_same(cls):
    X, y = long_table()
    model = cls(task="task", **SMALL).fit(X, y)
    saved = skops.io.dumps(model)
    own = set(skops.io.get_untrusted_types(data=saved))
    assert own == {f"{cls.__module__}.{cls.__qualname__}"}
    loaded = skops.io.loads(saved, trusted=polytask.TRUSTED_TYPES)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    np.testing.assert_array_equal(
        loaded.partial_fit(X, y).predict(X), model.partial_fit(X, y).predict(X)
    )


def test_a_loaded_mixed_model_knows_its_labels():
    X, Y = wide_table()
    Y[:, 1] = np.where(np.isnan(Y[:, 1]), np.nan, Y[:, 1] > 0)
    loss = {0: "squared", 1: "logistic", 2: "huber"}
    model = SharedHiddenLayerRegressor(loss=loss, **SMALL).fit(X, Y)
    loaded = skops.io.loads(skops.io.dumps(model), trusted=polytask.TRUSTED_TYPES)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_weights_are_plain_arrays_wherever_they_were_trained():
    X, y = long_table()
    model = SharedHiddenLayerRegressor(task="task", **SMALL).fit(X, y)
    assert all(type(value) is np.ndarray for value in model.weights_.values())
    w, b = model.weights_["body.layers.0.weight"], model.weights_["body.layers.0.bias"]
    h = np.maximum(X.drop(columns="task").to_numpy() @ w.T + b, 0)
    np.testing.assert_allclose(h, model.hidden_features(X))
    code = np.searchsorted(model.tasks_, X["task"])
    level = model.weights_["heads.0.common.bias"] + model.weights_["heads.0.level"][code, 0]
    np.testing.assert_allclose((h * model.head_coef_[code]).sum(axis=1) + level, model.predict(X))


def test_a_fit_leaves_the_parameters_alone():
    X, y = long_table(classes=True)
    model = SharedHiddenLayerClassifier(task="task", task_weight={f"t{i:02d}": 1 for i in range(4)})
    before = {name: str(value) for name, value in model.get_params().items()}
    model.set_params(max_iter=2, hidden_layer_sizes=[4]).fit(X, y)
    after = {name: str(value) for name, value in model.get_params().items()}
    assert {name for name in before if before[name] != after[name]} == {
        "max_iter",
        "hidden_layer_sizes",
    }


def test_the_registry_and_the_top_level_agree():
    found = neural_formulations()
    assert tuple(found) == NEURAL_NAMES
    classes = {c for f in found.values() for c in (f.regressor, f.classifier)}
    assert {f"{c.__module__}.{c.__name__}" for c in classes} == {
        f"{module}.{name}" for name, module in NEURAL_ESTIMATORS.items()
    }
    assert all(getattr(polytask, c.__name__) is c for c in classes)
    assert set(NEURAL_ESTIMATORS) <= set(dir(polytask))
    assert not set(found) & set(formulations())
    assert not any(f.default for f in found.values())


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_names_are_known_without_loading_pytorch():
    done = run_python(
        "import sys, polytask; assert 'SharedHiddenLayerRegressor' in dir(polytask); "
        "assert any('shared_hidden' in name for name in polytask.TRUSTED_TYPES); "
        "assert 'torch' not in sys.modules"
    )
    assert done.returncode == 0, done.stderr


# As where it is not installed; None in sys.modules would be taken for PyTorch by SciPy.
WITHOUT_TORCH = """
import sys
class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent)
"""


def test_without_pytorch_one_line_says_what_to_install():
    for code in (
        "from polytask import SharedHiddenLayerRegressor",
        "from polytask.models import neural_formulations; neural_formulations()",
    ):
        done = run_python(f"{WITHOUT_TORCH}\n{code}")
        assert done.returncode == 1
        last = done.stderr.strip().splitlines()[-1]
        assert 'pip install "polytask[neural]"' in last


def test_the_learning_history_is_drawn():
    X, y = long_table()
    model = SharedHiddenLayerRegressor(task="task", **SMALL).fit(X, y)
    display = LearningHistoryDisplay.from_estimator(make_pipeline(model).fit(X, y))
    losses = display.lines_["validation_loss"].get_ydata()
    np.testing.assert_allclose(losses, model.history_["validation_loss"])
    best = int(losses.argmin()) + 1
    assert f"best epoch {best}" in [t.get_text() for t in display.ax_.get_legend().get_texts()]
    display.figure_.savefig(io.BytesIO())
    from matplotlib import pyplot as plt

    plt.close(display.figure_)
