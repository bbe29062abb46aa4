"""How Sphinx builds the site: `sphinx-build -W docs site`, without a network."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import dgspay

project = "dgspay"
author = "The dgspay authors"
release = version = dgspay.__version__
language = "en"

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "docstrings",
    "generated",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"dgspay {release}"
html_copy_source = False
html_show_sourcelink = False

myst_heading_anchors = 3
myst_links_external_new_tab = True

# What stands in single backticks is a name: a link where it has a page, and code where not.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
autodoc_inherit_docstrings = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
