"""How many files a newcomer touches: an op, a layer and a backend are added to a copy of the tree, and work there."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.outside import install_toy
from support.places import ROOT

pytestmark = pytest.mark.tree

PACKAGES = ("backends", "kbackend")
ENGINES = ("numpy", "torch", "tensorflow")


class Copy:
    """A copy of the tree, which programs in new interpreters import.

    Args:
        root: the folder for the copy.
        python: the fixture ``fresh_python``.
    """

    def __init__(self, root: Path, python: Callable[..., str]) -> None:
        self.root, self._python = root, python
        for package in PACKAGES:
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, root / package, ignore=ignored)

    def add(self, file: str, text: str, before: str, exported: str = "") -> None:
        """Write text into a file before a line that it has once, and a name into its ``__all__``."""
        path = self.root / file
        source = path.read_text(encoding="utf-8")
        assert source.count(f"\n{before}") == 1, f"{file}: {before}"
        source = source.replace(f"\n{before}", f"\n{text}{before}")
        if exported:
            assert source.count("\n__all__ = [") == 1
            source = source.replace("\n__all__ = [", f"\n__all__ = [{exported!r}, ")
        path.write_text(source, encoding="utf-8")

    def run(self, code: str, *more: Path) -> str:
        """What a program prints that imports the copy, and packages from other folders."""
        path = os.pathsep.join(map(str, (self.root, self.root / "backends", *more)))
        start = f"import kbackend\nassert kbackend.__file__.startswith({str(self.root)!r}), kbackend.__file__\n"
        return self._python(start + code, env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"})

    def touched(self) -> list[str]:
        """The files of the copy that the tree does not have, or that differ from its own."""
        files = (p for package in PACKAGES for p in sorted((self.root / package).rglob("*")) if p.is_file())
        names = [p.relative_to(self.root).as_posix() for p in files]
        return [n for n in names
                if not (ROOT / n).exists() or not filecmp.cmp(self.root / n, ROOT / n, shallow=False)]


@pytest.fixture
def copy(tmp_path: Path, fresh_python: Callable[..., str]) -> Copy:
    if not all((ROOT / package).is_dir() for package in PACKAGES):
        pytest.skip("there is no checkout beside the tests")
    return Copy(tmp_path / "tree", fresh_python)


#: the number of comparisons of an op's samples that pass on an engine
CHECKED = """
from kbackend.plugin.select import target
from kbackend.testing import check_op, find_op, groups
op, checked = find_op({name!r}), 0
for group in groups(op):
    report = check_op(op, target({engine!r}), group)
    assert not report.faults, report.faults
    checked += report.checked
print(checked)
"""


COMPOSITE = '''\
@composite(promote="float", samples=unary_samples(-2, 2, integers=True))
def gaussian(x: TensorLike, width: float = 1.0) -> Any:
    """The bell curve ``exp(-(x / width)**2)``, 1 at 0.

    Args:
        x: a tensor of any shape; integers are promoted to floatx.
        width: a positive number.
    """
    scaled = x / width
    return exp(-scaled * scaled)


'''


def test_a_composite_is_one_file(copy):
    copy.add("kbackend/ops/elementwise/exponential.py", COMPOSITE, "__all__", "gaussian")
    printed = copy.run("""
import numpy as np
from kbackend import K, ops
kbackend.set_backend("numpy")
x = K.placeholder((None,))
assert ops.gaussian is K.gaussian
(slope,) = K.gradients(K.sum(ops.gaussian(x)), [x])
value, slope = K.function([x], [ops.gaussian(x), slope])([[0.0, 0.5]])
print(np.allclose(value, np.exp([0, -0.25])), np.allclose(slope, [0, -np.exp(-0.25)]))
print(float(ops.gaussian(2.0, width=2.0)) == float(np.exp(np.float32(-1))))
""" + CHECKED.format(name="gaussian", engine="numpy"))
    *correct, checked = printed.split()
    assert correct == ["True"] * 3 and int(checked) > 10
    assert copy.touched() == ["kbackend/ops/elementwise/exponential.py"]


PRIMITIVE = '''\
@primitive(promote="float", samples=unary_samples(-2, 2, integers=True))
def exp10(x: TensorLike) -> TensorSpec:
    """Ten to the power ``x``.

    Args:
        x: a tensor of any shape; integers are promoted to floatx.
    """
    return same(x)


'''
#: the row of each backend's table of kernels
ROWS = {
    "numpy": "smooth(lambda x: onp.power(x.dtype.type(10), x), lambda ans, x: ans * 2.302585092994046)",
    "torch": "lambda x: torch.pow(10.0, x)",
    "tensorflow": "lambda x: tf.pow(tf.constant(10, x.dtype), x)",
}


@pytest.mark.parametrize("engine", [
    "numpy", *(pytest.param(name, marks=pytest.mark.engine(name)) for name in ENGINES[1:])
])
def test_a_primitive_is_one_file_and_a_row_for_each_backend(engine, copy):
    declaration = "kbackend/ops/elementwise/exponential.py"
    tables = [f"backends/kbackend_{name}/kernels/elementwise/special.py" for name in ENGINES]
    copy.add(declaration, PRIMITIVE, "__all__", "exp10")
    for name, table in zip(ENGINES, tables):
        copy.add(table, f'    "exp10": {ROWS[name]},\n', '    "erfc": ')
    printed = copy.run(f"""
from kbackend import K, ops
kbackend.set_backend({engine!r})
x = K.placeholder(())
function = K.function([x], [ops.exp10(x), *K.gradients(ops.exp10(x), [x])])
print(*(round(float(value), 3) for value in function([2.0])), "exp10" in function.source)
""" + CHECKED.format(name="exp10", engine=engine))
    *correct, checked = printed.split()
    assert correct == ["100.0", "230.259", "True"] and int(checked) > 10
    assert copy.touched() == [*sorted(tables), declaration]
    assert len(tables) == 3


LAYER = '''\
class Swish(Layer):
    """``x * sigmoid(slope * x)``."""

    arguments = ("slope",)
    supports_masking = True

    def __init__(self, slope: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slope = slope

    def call(self, inputs: Any) -> Any:
        return inputs * K.sigmoid(self.slope * inputs)


'''


def test_a_layer_is_one_file(copy):
    copy.add("kbackend/layers/activation.py", LAYER, "__all__", "Swish")
    printed = copy.run("""
import numpy as np
from kbackend import Input, Model, layers
kbackend.set_backend("numpy")
again = layers.deserialize(layers.serialize(layers.Swish(slope=3.0)))
print(type(again) is layers.Swish, again.slope == 3.0)
x = Input((4,))
model = Model(x, layers.Swish(0.5)(layers.Dense(2)(x)))
model.compile("sgd", "mse")
rows = np.ones((8, 4), "float32")
model.fit(rows, rows[:, :2], verbose=0)
copy = Model.from_config(model.get_config())
copy.set_weights(model.get_weights())
print(np.array_equal(copy.predict(rows), model.predict(rows)))
""")
    assert printed.split() == ["True"] * 3
    assert copy.touched() == ["kbackend/layers/activation.py"]


def test_a_backend_is_no_file_of_ours(copy, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    install_toy(site)
    printed = copy.run("""
import numpy as np
from kbackend import K
kbackend.set_backend("toy")
w, x = K.variable([[1.0], [2.0]]), K.placeholder((None, 2))
loss = K.sum(K.tanh(K.dot(x, w)))
step = K.function([x], [loss], updates=[(w, w - 0.1 * K.gradients(loss, [w])[0])])
found = [step([[[0.1, 0.2]]])[0] for _ in range(2)]
slope = 1 - np.tanh(0.5) ** 2
print(kbackend.backend(), np.allclose(found, np.tanh([0.5, 0.5 - 0.1 * slope * (0.1**2 + 0.2**2)])))
""", site)
    assert printed.split() == ["toy", "True"]
    assert copy.touched() == []


def test_what_was_touched_is_found(copy):
    (copy.root / "kbackend" / "new.py").write_text("")
    copy.add("kbackend/layers/activation.py", LAYER, "__all__")
    assert copy.touched() == ["kbackend/layers/activation.py", "kbackend/new.py"]
