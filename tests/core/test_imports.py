"""Any module may be the first that a program imports."""

ENTRANCES = """
import importlib, importlib.util, pathlib, sys
import numpy, autograd, randomgen

def modules(package):
    top = pathlib.Path(importlib.util.find_spec(package).origin).parent
    for file in sorted(top.rglob("*.py")):
        parts = (package, *file.relative_to(top).with_suffix("").parts)
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

names = [*modules("kbackend"), *modules("kbackend_numpy"), "kbackend_torch", "kbackend_tensorflow"]
assert len(names) > 30, names
for name in names:
    for loaded in [m for m in sys.modules if m.split(".")[0].startswith("kbackend")]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, "->", error)
"""


def test_each_module_can_be_imported_first(fresh_python):
    assert fresh_python(ENTRANCES) == ""
