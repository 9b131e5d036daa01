"""Configuration of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

_SOURCE = Path(__file__).resolve().parent.parent / "contcrit" / "__init__.py"
_VERSION = re.search(r'^__version__ = "([^"]+)"$', _SOURCE.read_text(encoding="utf-8"), re.M)
if _VERSION is None:
    raise ValueError("contcrit/__init__.py states no __version__")

project = "contcrit"
author = "The contcrit developers"
copyright = "2026, The contcrit developers"
release = version = _VERSION[1]

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
]
exclude_patterns = ["_build"]
nitpicky = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings state types and shapes
autosummary_generate = False
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = f"contcrit {release}"
