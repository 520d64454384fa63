"""Any module may be the first that a program imports."""

import pytest

ENTRANCES = """
import importlib, importlib.util, pathlib, sys
from importlib.machinery import SourceFileLoader
import numpy, autograd, randomgen

codes, read = {}, SourceFileLoader.get_code

def get_code(loader, name):
    # of each file once: it is two thirds of the time, and code is no state
    if loader.path not in codes:
        codes[loader.path] = read(loader, name)
    return codes[loader.path]

SourceFileLoader.get_code = get_code

def modules(package):
    top = pathlib.Path(importlib.util.find_spec(package).origin).parent
    for file in sorted(top.rglob("*.py")):
        parts = (package, *file.relative_to(top).with_suffix("").parts)
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

def first(name):
    # a module in a process that has none of ours; returns those that came along
    for loaded in [m for m in sys.modules if m.split(".")[0].startswith("kbackend")]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, "->", error)
    return set(sys.modules)

names = [*modules("kbackend"), *modules("kbackend_numpy"), "kbackend_torch", "kbackend_tensorflow"]
along = {}
for name in names:
    parts = name.split(".")
    if any(name in along.get(".".join(parts[:n]), ()) for n in range(1, len(parts))):
        continue  # a package above it comes first anyway, and brings the module
    along[name] = first(name)
assert len(along) > 30, along
"""


@pytest.mark.tree
def test_each_module_can_be_imported_first(fresh_python):
    assert fresh_python(ENTRANCES, timeout=290) == ""


def test_the_option_of_pytest_imports_next_to_nothing(fresh_python):
    code = (
        "import sys, kbackend.pytest_option\n"
        "print(sorted(m for m in sys.modules if m.startswith(('kbackend', 'numpy'))))"
    )
    own = ["kbackend", "kbackend.ground", "kbackend.ground.hooks", "kbackend.pytest_option"]
    assert fresh_python(code).strip() == str(own)
