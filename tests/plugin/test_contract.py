"""The contract of backends: what is called of one is named in a part, and a plugin is checked against every part."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np
import pytest
from support.places import ROOT

import kbackend.backend  # noqa: F401 - declares every op
from kbackend.declare.op import REGISTRY
from kbackend.graph.tensor import TensorSpec
from kbackend.plugin.contract import Backend, PluginError, Tape, Target
from kbackend.plugin.discover import engines, load
from kbackend.plugin.gaps import not_yet
from kbackend.plugin.validate import PARTS, validate


class _Tape(Tape):
    def gradients(self, level, loss, tensors, nested, last):
        return tuple(tensors)


class Whole(Backend):
    """The least that a backend may be: it keeps the contract and has no kernel."""

    name = "whole"
    kernels = {}
    gaps = {op.name: not_yet("it has none") for op in REGISTRY.values() if op.kind == "primitive"}
    tape = _Tape()

    def version(self):
        return "0"

    def is_tensor(self, value):
        return isinstance(value, np.ndarray)

    def spec(self, tensor):
        return TensorSpec(tensor.shape, tensor.dtype.name)

    def from_numpy(self, array, device):
        return np.array(array)

    def to_numpy(self, tensor):
        return np.array(tensor)

    def copy(self, tensor):
        return np.array(tensor)


def faults(**members):
    """What is said of a backend that is whole but for some members; the text after each dash."""
    changed = type("Changed", (Whole,), members)
    with pytest.raises(PluginError) as found:
        validate(changed(), REGISTRY)
    head, *lines = str(found.value).splitlines()
    assert head == f"the backend whole cannot be used; {len(lines)} faults:"
    return [line.removeprefix("  - ") for line in lines]


def test_what_has_no_default_is_enough():
    validate(Whole(), REGISTRY)


@pytest.mark.parametrize("engine", [
    "numpy", *(pytest.param(name, marks=pytest.mark.engine(name)) for name in ("torch", "tensorflow"))
])
def test_the_built_in_backends_are_whole(engine):
    validate(load(engine), REGISTRY)


def test_everything_is_missing_of_an_empty_one():
    with pytest.raises(PluginError) as found:
        validate(Backend(), REGISTRY)
    text = str(found.value)
    assert text.startswith("the backend Backend cannot be used; ")
    for wanted in (
        "the attribute name of Kernels is missing", "the attribute kernels of Kernels is missing",
        "the attribute tape is missing", "is_tensor(value: 'Any') -> 'bool' of Tensors is not defined",
        "spec(", "from_numpy(", "to_numpy(", "copy(", "version(",
        "no kernel and no declared gap for the primitive tanh(",
    ):
        assert wanted in text, wanted
    assert "place(" not in text and "read(" not in text, "what has a default is not asked for"


@pytest.mark.parametrize(("members", "fault"), [
    ({"eager": "no"}, "the attribute eager of Programs should be a bool, it is 'no'"),
    ({"compiler": 3}, "the attribute compiler of Programs should be a str or None, it is 3"),
    ({"native_kernels": []}, "the attribute native_kernels of Kernels should be a Mapping, it is []"),
    ({"tensor_key": 1}, "the attribute tensor_key of Tensors should be a Callable or None, it is 1"),
    ({"threads": 4}, "threads() -> 'int' of Devices should be a method, it is 4"),
    ({"feed": None}, "feed(array: 'np.ndarray', device: 'str') -> 'Any' of Tensors is missing"),
    ({"place": lambda self, tensor: tensor},
     "place(tensor: 'Any', device: 'str') -> 'Any' of Devices has the signature (tensor): too many positional "
     "arguments"),
    ({"tape": None}, "the attribute tape is missing"),
    ({"tape": type("Half", (Tape,), {})()},
     "tape.gradients(level: 'int', loss: 'Any', tensors: 'Sequence[Any]', nested: 'bool', last: 'bool') -> "
     "'Sequence[Any]' of Tape is not defined"),
    ({"tape": type("Switching", (_Tape,), {"switches": True})()},
     "tape.record(on: 'bool') -> 'None' is not defined, and the tape switches"),
    ({"kernels": {"tanh": 3}}, "the kernel of tanh(x: 'TensorLike') -> 'TensorSpec' should be a function, it is 3"),
])
def test_a_fault_is_named(members, fault):
    found = faults(**members)
    assert fault in found
    assert len(found) == 1 + ("kernels" in members), found  # tanh has a gap besides


def test_gaps_are_made_by_their_functions():
    assert faults(gaps={**Whole.gaps, "tanh": "nobody has written it"}) == [
        "the gap of tanh should be made by never() or not_yet(), it is 'nobody has written it'"]


def test_one_that_traces_needs_what_is_called_while_it_traces():
    found = faults(eager=False)
    assert [line.partition("(")[0] for line in found] == ["Tensors.constant", "State.read", "Programs.compile"]


def test_one_of_another_class_may_be_whole():
    """The parts are protocols: what counts is what an object has."""
    members = {name: getattr(Whole, name) for name in dir(Whole) if not name.startswith("_")}
    validate(type("Apart", (), members)(), REGISTRY)


# ------------------------------------------------------------------------------------------------- what is called

NAMES = {name for part in (*PARTS, Backend) for name in (*vars(part), *part.__dict__.get("__annotations__", ()))}
TAPE = {name for name in (*vars(Tape), *Tape.__annotations__)}


def called() -> Iterator[tuple[str, str, str]]:
    """File, object and name of each attribute that kbackend takes from a backend or its tape."""
    files = list((ROOT / "kbackend").rglob("*.py"))
    if not files:
        pytest.skip("there is no checkout beside the tests")
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        modules = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                   for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                holder = node.value
                of = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
                if of in ("backend", "tape") and not (isinstance(holder, ast.Name) and of in modules):
                    yield str(file.relative_to(ROOT)), of, node.attr


def test_nothing_is_called_of_a_backend_that_the_contract_does_not_name():
    found = list(called())
    outside = [(file, of, name) for file, of, name in found if name not in (TAPE if of == "tape" else NAMES)]
    assert not outside
    assert {("kbackend/lowering/emit.py", "backend", "read"), ("kbackend/lowering/emit.py", "tape", "watch"),
            ("kbackend/runtime/eager.py", "backend", "guarded")} <= set(found)


def test_targets_pass_calls_on():
    target = Target(Whole(), "cpu")
    assert target.key == "whole:cpu" and target.place(3) == 3
    assert target.cell_to_numpy(target.cell_assign(target.make_cell(np.ones(2), _NoCounter), np.zeros(2))).sum() == 0


class _NoCounter:
    counter = False


# ------------------------------------------------------------------------------------------------- engines


def test_engines_are_known_before_they_are_imported():
    found = engines()
    assert found["numpy"].reference and not found["torch"].reference
    assert found["torch"].preference > found["tensorflow"].preference > found["numpy"].preference > 0
    assert found["tensorflow"].module == "tensorflow" and "tensorflow-cpu" in found["tensorflow"].install
