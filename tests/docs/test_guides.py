"""The Python examples in docs/ run, one process a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    p.relative_to(DOCS).as_posix(): re.findall(r"^```python\n(.*?)^```", p.read_text(encoding="utf-8"), re.M | re.S)
    for p in sorted(DOCS.rglob("*.md"))
}
PAGES = {name: blocks for name, blocks in PAGES.items() if blocks}


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page, fresh_python):
    code = "\n".join(f"exec({block!r}, {{'__name__': 'example'}})" for block in PAGES[page])
    assert fresh_python(code, env={"KBACKEND": "numpy"}).strip()


def test_links_lead_somewhere():
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
