"""The site: the Markdown of the checkout as it is, and reference pages made from docstrings.

``sphinx-build -c docs/site . OUT`` builds it; the source folder is the checkout, so that links between its files hold.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pages

import kbackend

project = "kbackend"
author = "the kbackend authors"
version = release = kbackend.__version__
root_doc = "docs/index"
include_patterns = [
    "*.md", "docs/**.md", "docs/reference/*.rst", "benchmarks/README.md", "tests/README.md", "changelog.d/README.md",
]
exclude_patterns = [".*", "build", "dist"]  # whole folders that need not be searched
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]

html_theme = "furo"
html_title = "kbackend"
html_extra_path = ["extra"]
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}
copybutton_prompt_text = ">>> |\\.\\.\\. "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = False

myst_heading_anchors = 4
# links to folders and to files of code are links of the checkout; attributes such as dtype are those of many classes
suppress_warnings = ["myst.xref_missing", "ref.python"]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True


def setup(app):
    app.connect("builder-inited", pages.write_reference)
    app.connect("source-read", pages.add_contents)
