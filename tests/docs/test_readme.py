"""The README's examples run, and its two commands stand alone in their blocks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^## (?P<title>[^\n]+)\n(?P<text>.*?)(?=^## |\Z)", re.M | re.S)
SECTIONS = {m["title"]: m["text"] for m in BLOCK.finditer(README.read_text(encoding="utf-8"))}
EXAMPLES = {
    title: re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) for title, text in SECTIONS.items()
}
EXAMPLES = {title: code for title, code in EXAMPLES.items() if code}


#: runs the blocks, each with names of its own, and prints a line after each
RUN = """
for code in {codes!r}:
    exec(code, {{"__name__": "example"}})
    print({line!r})
"""
LINE = "=== the end of a block"


def test_examples_run_on_every_engine(each_backend, fresh_python, forked_python):
    """In one process an engine, as importing one takes seconds; on NumPy each has one of its own."""
    blocks = [code for codes in EXAMPLES.values() for code in codes]
    for part in [[code] for code in blocks] if each_backend == "numpy" else [blocks]:
        code = RUN.format(codes=part, line=LINE)
        text = forked_python(code) if each_backend == "numpy" else fresh_python(code, env={"KBACKEND": each_backend})
        printed = text.split(LINE)
        assert len(printed) == len(part) + 1 and all(text.strip() for text in printed[:-1])


def test_there_is_an_example_for_each_promise():
    assert list(EXAMPLES) == [
        "A functional model",
        "A function with updates",
        "A live dropout rate",
        "One seed, every engine",
        "The gradient with respect to an inner layer",
        "Switching engines",
    ]


@pytest.mark.parametrize(
    "title, command",
    [
        ("Run it", "pip install -c constraints.txt . && kbackend demo"),
        ("Test it", "pip install tox && tox run-parallel --parallel 2 --parallel-live"),
    ],
)
def test_commands_are_one_line_in_a_block_of_their_own(title, command):
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", SECTIONS[title], re.M | re.S)
    assert blocks[0] == command + "\n"
