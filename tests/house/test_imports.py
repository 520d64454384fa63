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

SMALL = """
import sys, numpy as np
from kbackend import Input, Model, layers
x = Input((8,))
model = Model(x, layers.Dense(1)(layers.Dense(8, activation="relu")(x)))
model.compile("adam", "mse")
model.fit(np.ones((32, 8)), np.ones((32, 1)), epochs=2, verbose=0)
model.predict(np.ones((32, 8)))
unused = '''html logging ml_dtypes numpy.polynomial kbackend.layers.recurrent kbackend.layers.preprocessing
kbackend.layers.attention kbackend.saving.checkpoint kbackend.saving.keras kbackend.saving.model_file
kbackend.callbacks.tensorboard kbackend.model.reading kbackend.training.measuring.tuning'''.split()
print(*(name for name in unused if name in sys.modules))

# what was not imported is there when it is asked for
import pickle, threading
found = []
threads = [threading.Thread(target=lambda: found.append((layers.LSTM, layers.Resizing))) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(found) == 4 and len(set(found)) == 1, found
from kbackend import callbacks, saving
assert "TensorBoard" in dir(callbacks) and callbacks.TensorBoard.__name__ == "TensorBoard"
assert {"LSTM", "Attention", "Dense"} <= set(dir(layers)) and not hasattr(layers, "LSTN")
assert pickle.loads(pickle.dumps(saving.save_model)) is saving.save_model
names = {}
exec("from kbackend.layers import *", names)
assert {"LSTM", "Resizing", "Dense", "Input"} <= names.keys() and "_late" not in names
"""


@pytest.mark.tree
def test_a_small_model_imports_what_it_needs(fresh_python):
    assert fresh_python(SMALL, {"KBACKEND": "numpy"}).strip() == ""


def test_old_spellings_hold_for_layers_that_are_imported_from_their_family(fresh_python):
    code = (
        "import warnings; warnings.simplefilter('ignore')\n"
        "from kbackend.layers.recurrent import GRU\n"
        "from kbackend import layers\n"
        "print(GRU(output_dim=3).units, layers.GRU is GRU)"
    )
    assert fresh_python(code).strip() == "3 True"


def test_names_that_a_program_sets_stay_and_modules_are_attributes(fresh_python):
    code = (
        "import kbackend\n"
        "from kbackend import layers\n"
        "layers.LSTM = int\n"
        "layers.GRU\n"
        "late = kbackend.callbacks.tensorboard.TensorBoard\n"
        "print(layers.LSTM.__name__, late.__name__, 'rates' in dir(kbackend.callbacks))"
    )
    assert fresh_python(code).strip() == "int TensorBoard True"
