"""Names and signatures of the modules that training is made of, against the list in names.tsv."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections import defaultdict
from pathlib import Path

import pytest

ROWS = [line.split("\t") for line in (Path(__file__).parent / "names.tsv").read_text("utf-8").splitlines()[1:]]
AREAS: dict[str, dict[str, str]] = defaultdict(dict)
for area, name, signature in ROWS:
    AREAS[area][name] = signature

#: names whose signature says nothing: any arguments
OPEN = {("optimizers", "Optimizer")}


def wanted(text: str) -> list[tuple[str, object]]:
    """The parameters of a listed signature, without self and those that take any number of arguments."""
    arguments = ast.parse(f"def f{text}: ...").body[0].args
    defaults = [inspect.Parameter.empty] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
    found = []
    for argument, default in zip(arguments.args, defaults, strict=True):
        if argument.arg == "self":
            continue
        if isinstance(default, ast.Attribute):  # a constant of a class
            default = ast.Constant(default.attr.lower())
        found.append((argument.arg, default if default is inspect.Parameter.empty else ast.literal_eval(default)))
    return found


@pytest.mark.parametrize("area", AREAS)
def test_every_name_is_there(area, capsys):
    module = importlib.import_module(f"kbackend.{area}")
    missing = [name for name in AREAS[area] if not hasattr(module, name)]
    with capsys.disabled():
        print(f"\n{area}: {len(AREAS[area]) - len(missing)} of {len(AREAS[area])} names")
    assert not missing
    assert not [name for name in module.__all__ if not hasattr(module, name)]


@pytest.mark.parametrize("area", AREAS)
def test_signatures_have_the_arguments_and_defaults(area):
    module = importlib.import_module(f"kbackend.{area}")
    wrong = {}
    for name, text in AREAS[area].items():
        if (area, name) in OPEN:
            continue
        parameters = inspect.signature(getattr(module, name)).parameters
        positional = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        arguments = wanted(text)
        order = [argument for argument, _ in arguments if argument in positional]
        if order != positional[: len(order)]:
            wrong[name] = f"takes {positional} by position, not {order}"
        for argument, default in arguments:
            found = parameters.get(argument)
            if found is None:
                wrong[f"{name}.{argument}"] = "missing"
            elif found.default != default:
                wrong[f"{name}.{argument}"] = f"{found.default!r}, not {default!r}"
    assert not wrong
