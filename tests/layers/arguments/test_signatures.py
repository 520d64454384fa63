"""The constructors of layers against the names, order and defaults that users of Keras know."""

from __future__ import annotations

import inspect

import pytest
from support.places import SHARED

from kbackend import layers

FILE = SHARED / "spec" / "api.tsv"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="the list of Keras's names is not beside the checkout")

FAMILIES = (
    "activation", "attention", "base", "convolution", "core", "merge", "normalization", "pooling", "preprocessing",
    "recurrent", "regularization", "reshaping", "wrapper",
)  # fmt: skip
#: what is not there: an argument of the quantization gptq
LEFT_OUT = {"gptq_unpacked_column_size"}
#: Keras 2 had a default where Keras 3 has none
DEFAULTS = {(f"{kind}{rank}D", "pool_size") for kind in ("AveragePooling", "AvgPool") for rank in (1, 2, 3)}
DEFAULTS.add(("ConvLSTM2DCell", "recurrent_activation"))  # it was only in Keras 2, as hard_sigmoid
PASSING_ON = ("Conv3DTranspose", "Convolution3DTranspose")


def wanted() -> dict[str, str]:
    if not FILE.exists():
        return {}
    rows = [line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines()[1:]]
    return {name: signature for area, name, signature, _ in rows if area == "layers"}


def parameters(signature: str) -> dict[str, object]:
    namespace: dict[str, object] = {}
    exec(f"def f{signature}: pass", namespace)
    return _named(namespace["f"])


def _named(function: object) -> dict[str, object]:
    found = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    return {p.name: _one(p.default) for p in found if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"}


def _one(default: object) -> object:
    """2 for (2, 2): what holds for each dimension."""
    return default[0] if isinstance(default, tuple) and len(set(default)) == 1 else default


def ours() -> list[str]:
    found = [name for name in wanted() if isinstance(getattr(layers, name, None), type)]
    return [name for name in found if getattr(layers, name).__module__.split(".")[2] in FAMILIES]


def test_names_are_there(capsys):
    missing = [name for name in wanted() if not hasattr(layers, name)]
    with capsys.disabled():
        print(f"\nlayers: {len(wanted()) - len(missing)} of {len(wanted())} names")
    assert not missing


@pytest.mark.parametrize("name", ["JaxLayer", "FlaxLayer"])
def test_what_cannot_be_had_says_why(name):
    with pytest.raises(NotImplementedError, match=f"{name} computes with JAX, which is no engine"):
        getattr(layers, name)(lambda x: x)


def test_there_are_constructors_to_compare():
    assert len(ours()) > 90


@pytest.mark.parametrize("name", ours())
def test_constructor(name):
    made, known = getattr(layers, name), parameters(wanted()[name])
    known = {k: v for k, v in known.items() if k not in LEFT_OUT | {"name", "dtype"}}
    found = _named(made.__init__)
    if name in PASSING_ON:  # the order of what it passes on is that of its base class
        found |= {k: v for k, v in _named(made.__base__.__init__).items() if k not in found}
        found = {k: found[k] for k in sorted(found, key=list(known).index)}
    assert [k for k in found if k in known] == list(known)
    optional = {k: v for k, v in known.items() if (name, k) not in DEFAULTS}
    assert {k: found[k] for k in optional} == optional
