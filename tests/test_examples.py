"""The example scripts run, and what they claim holds."""

import importlib.util
import runpy
from pathlib import Path

import matplotlib as mpl
import pytest

mpl.use("Agg")

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@pytest.fixture(scope="module")
def survey():
    spec = importlib.util.spec_from_file_location("survey_claims", EXAMPLES / "survey_claims.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def errors(survey):
    table = survey.measure(rows=(6, 160), n_repeats=6, n_tasks=20)
    return table.groupby(["world", "rows", "model"])["error"].mean()


def test_related_tasks_with_few_rows_gain_a_lot(errors):
    few = errors["Related tasks", 6]
    assert few["mean-regularized"] < few["single-task"] / 3


def test_pooling_stops_helping_where_rows_are_many(errors):
    many = errors["Related tasks", 160]
    assert many["mean-regularized"] < 1.1 * many["single-task"]
    assert many["pooled"] > 2 * many["mean-regularized"]


@pytest.mark.parametrize(("rows", "price"), [(6, 0.2), (160, 0.01)])
def test_independent_tasks_have_no_advantage(errors, rows, price):
    """With 6 rows a second strength to choose costs: .671 for .597 over six repeats."""
    world = errors["Independent tasks", rows]
    assert 0.99 <= world["mean-regularized"] / world["single-task"] <= 1.0 + price


def test_figure_and_numbers_are_written(survey, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(survey, "ROWS", (6,))
    monkeypatch.setattr(survey.measure, "__defaults__", ((6, 20), 1, 5, 3))
    survey.main(["--repeats", "1", "--out", str(tmp_path / "figure.png")])
    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert "Independent tasks" in capsys.readouterr().out


def test_sites_that_share_moments_get_the_fit_to_all_rows(capsys):
    spec = importlib.util.spec_from_file_location("federated", EXAMPLES / "federated.py")
    federated = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(federated)
    assert federated.main() < 1e-9
    assert "12 tasks from 3 files" in capsys.readouterr().out


NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.py"))


@pytest.mark.parametrize("script", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_and_draw(script, tmp_path, monkeypatch):
    """Each ends with an assertion of what it shows."""
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name="__main__")
    assert (tmp_path / f"{script.stem}.png").stat().st_size > 5000
