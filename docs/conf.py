"""Configuration of the documentation: ``make docs`` builds it, and a warning is an error."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from _api import write_reference  # noqa: E402  (beside this file)

from polytask import __version__  # noqa: E402

project = "Polytask"
author = "The Polytask developers"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_*"]
templates_path = ["_templates"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"  # the docstrings say types, with shapes and units
numpydoc_show_class_members = False  # the template lists them, with their text

html_theme = "furo"
html_title = "Polytask"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_show_sourcelink = False
html_copy_source = False

write_reference(HERE / "reference" / "api")


def setup(app: Any) -> None:
    """What other packages document (scikit-learn's `get_params`) is left to their pages.

    Docstrings are text: `|r|` is an absolute value and `coef_` a name, not reStructuredText.
    """
    app.connect("autodoc-skip-member", _is_foreign)
    app.connect("autodoc-process-docstring", _escape, priority=900)  # after numpydoc


def _escape(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    for k, line in enumerate(lines):
        line = re.sub(r"\|(\w+)\|", r"\\|\1\\|", line)
        lines[k] = re.sub(r"(?<![\w`*:|\\])([A-Za-z]\w*)_(?=[\s,.;:)]|$)", r"\1\\_", line)


def _is_foreign(app: Any, what: str, name: str, member: Any, skip: bool, options: Any) -> bool:
    return bool(skip or not str(getattr(member, "__module__", "polytask")).startswith("polytask"))
