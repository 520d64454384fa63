"""The Python examples in docs/ run, a page in a process of its own."""

from __future__ import annotations

import json
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


#: a block that chooses an engine, or goes through all
CHOOSES = re.compile(
    r"""["'](?:numpy|torch|tensorflow)\b|available_backends|^ *(?:import|from) (?:torch|tensorflow)""", re.M
)


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page, forked_python):
    code = "\n".join(f"exec({block!r}, {{'__name__': 'example'}})" for block in PAGES[page])
    assert forked_python(code).strip()


#: runs the blocks, each in a folder and a session of its own, and prints those that fail
ALL_BLOCKS = """
import json, os, sys, tempfile, traceback
from kbackend import K, config, mixed_precision, set_seed, set_threads

blocks, failed = json.load(open(sys.argv[1])), []
for page, number, block in blocks:
    os.chdir(tempfile.mkdtemp())
    K.clear_session()
    try:
        exec(block, {"__name__": "example"})
    except Exception:
        failed.append(f"{page}, block {number}: {traceback.format_exc(limit=-2)}")
    K.set_floatx("float32")
    mixed_precision.set_global_policy("float32")
    set_threads("auto")
print("FAILED" + json.dumps([K.backend(), len(blocks), failed]))
"""


def test_examples_that_choose_no_engine_run_on_every_engine(each_backend, fresh_python, tmp_path):
    if each_backend == "numpy":
        return  # test_examples_run
    blocks = [(p, n, b) for p, found in PAGES.items() for n, b in enumerate(found, 1) if not CHOOSES.search(b)]
    (tmp_path / "blocks.json").write_text(json.dumps(blocks), encoding="utf-8")
    code = f"import sys; sys.argv[1:] = [{str(tmp_path / 'blocks.json')!r}]\n{ALL_BLOCKS}"
    printed = fresh_python(code, env={"KBACKEND": each_backend}, timeout=280)
    name, ran, failed = json.loads(printed.rpartition("FAILED")[2])
    assert not failed, "\n".join(failed)
    assert name == each_backend and ran > 100


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
    public = [n for n in dir(layers) if not n.startswith("_") and isinstance(getattr(layers, n), type)]
    assert len(public) > 170
    assert not [n for n in public if not re.search(rf"\b{n}\b", text)]


def test_the_index_lists_every_page():
    lists = [DOCS / "index.md", DOCS / "decisions" / "README.md"]  # what docs/site/pages.py makes contents of
    linked = {(page.parent / target).resolve() for page in lists
              for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))}
    pages = [p for p in DOCS.rglob("*.md") if p.name != "index.md"]
    absent = [p.name for p in pages if p.resolve() not in linked]
    assert len(pages) > 30 and not absent
