"""The Python examples in docs/ run, one process a page."""

from __future__ import annotations

import re

import pytest
from support.places import ROOT

from kbackend import layers

DOCS = ROOT / "docs"
PAGES = {
    p.relative_to(DOCS).as_posix(): re.findall(r"^```python\n(.*?)^```", p.read_text(encoding="utf-8"), re.M | re.S)
    for p in sorted(DOCS.rglob("*.md"))
}
PAGES = {name: blocks for name, blocks in PAGES.items() if blocks}


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page, fresh_python):
    code = "\n".join(f"exec({block!r}, {{'__name__': 'example'}})" for block in PAGES[page])
    assert fresh_python(code, env={"KBACKEND": "numpy"}).strip()


def test_files_that_the_pages_name_exist():
    """Paths in backticks, in the folder of the page, in the checkout or in one of its packages."""
    starts = ("", "kbackend", "backends", "kbackend/testing")
    pages = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("benchmarks/*.md"), ROOT / "tests" / "README.md"]
    named = [(page, path) for page in pages
             for path in re.findall(r"`([\w.]+(?:/[\w.]+)+\.\w+)`", page.read_text(encoding="utf-8"))]
    absent = [f"{page.name}: {path}" for page, path in named
              if not any((folder / path).exists() for folder in (page.parent, *(ROOT / start for start in starts)))]
    assert len(named) > 80 and not absent


def test_links_lead_somewhere():
    for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_pages_on_layers_name_every_layer():
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted((DOCS / "layers").glob("*.md")))
    public = [n for n, v in vars(layers).items() if not n.startswith("_") and isinstance(v, type)]
    assert len(public) > 170
    assert not [n for n in public if not re.search(rf"\b{n}\b", text)]


def test_the_index_lists_every_page():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    linked = {(DOCS / target).resolve() for target in re.findall(r"\]\(([^)#:]+)\)", index)}
    pages = [p for p in DOCS.rglob("*.md") if p.name != "index.md"]
    absent = [p.name for p in pages if p.resolve() not in linked and p.parent.resolve() not in linked]
    assert len(pages) > 30 and not absent
