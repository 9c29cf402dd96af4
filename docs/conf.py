"""Sphinx settings. Build: ``sphinx-build -W -b html docs docs/_build``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("NIPYPE_NO_ET", "1")
sys.path.insert(0, str(Path(__file__).parent / "extensions"))

import spectralbrain

project = "SpectralBrain"
author = "The SpectralBrain developers"
copyright = author
version = release = spectralbrain.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "generated_pages",
    "accuracy",
    "validation",
    "mathml",
]
root_doc = "index"
exclude_patterns = ["_build", "extensions", "templates"]
templates_path = ["templates"]
nitpicky = False
html_theme = "furo"
html_title = f"SpectralBrain {version}"
html_math_renderer = "mathml"
html_static_path = ["extensions/manual.css"]
html_css_files = ["manual.css"]

autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's type slot gives shape and unit
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"] if os.environ.get("DOCS_ALLOW_MISSING") else []
