"""A comparison in a notebook, and what is installed."""

import dataclasses
import xml.etree.ElementTree as ET

import numpy as np

import polytask
from polytask.inspection.shown import comparison_html
from tests.inspection.example import example_comparison


def test_a_comparison_shows_itself():
    comparison = example_comparison(12)
    html = comparison._repr_html_()
    assert html == comparison_html(comparison)
    assert comparison.verdict.headline in html
    assert html.count("<tr>") == 1 + len(comparison.models)
    assert html.count("(recommended)") == 1
    picture = ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])
    circles = picture.findall("{http://www.w3.org/2000/svg}circle")
    ok = comparison.models[comparison.models["status"] == "ok"]
    assert len(circles) == len(ok)
    places = [float(c.get("cx")) for c in circles]
    assert np.corrcoef(places, ok["metric"])[0, 1] > 0.999
    assert 160 < min(places) <= max(places) < 520


def test_words_of_users_are_not_read_as_markup():
    comparison = example_comparison(12)
    models = comparison.models.assign(title="<script>alert(1)</script>")
    models.loc[models.index[-1], ["status", "reason"]] = ["failed", "<b>no"]
    html = dataclasses.replace(comparison, models=models)._repr_html_()
    assert "<script>" not in html
    assert "&lt;b&gt;no" in html


def test_versions_are_shown(capsys):
    polytask.show_versions()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("system: ")
    assert f"numpy: {np.__version__}" in lines
    assert any(line.startswith("polytask: ") for line in lines)
    assert any(line.startswith("blas: ") for line in lines)
