"""Structure, triangles and the new meanings of K's names against NumPy and einops' own rules."""

from __future__ import annotations

import importlib
import inspect

import numpy as np
import pytest
from support.places import SHARED

from kbackend import K, ops
from kbackend.ops.arrays.convert import array, convert_to_numpy, convert_to_tensor
from kbackend.ops.arrays.diagonal import diag, diagonal, tril, triu
from kbackend.ops.arrays.einops import depth_to_space, rearrange, space_to_depth
from kbackend.ops.arrays.join import append, dstack, hstack, vstack
from kbackend.ops.arrays.ranges import geomspace, linspace, logspace, meshgrid
from kbackend.ops.arrays.repeat import repeat
from kbackend.ops.arrays.split import array_split, dsplit, hsplit, split
from kbackend.ops.arrays.transpose import flip, fliplr, flipud, moveaxis, roll, rot90, swapaxes, transpose
from kbackend.ops.control.cond import switch
from kbackend.ops.indexing.gather import take
from kbackend.ops.indexing.scatter import slice_update
from kbackend.ops.reduction.extremes import max_
from kbackend.ops.statistics.differences import diff, trapezoid

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4) - 7
V = np.array([3.0, -1.0, 2.0], np.float32)


def arrays(found):
    return [np.asarray(K.eval(v)) for v in found] if isinstance(found, (list, tuple)) else [np.asarray(K.eval(found))]


def fed(function, *given):
    """The results of a program with placeholders of unknown first dimension."""
    inputs = [K.placeholder((None, *np.shape(g)[1:]), dtype=str(g.dtype)) for g in given]
    found = function(*inputs)
    return K.function(inputs, list(found) if isinstance(found, (list, tuple)) else [found])(list(given))


# our call, NumPy's call, the operands
CALLS = {
    "append": (lambda x: append(x, x), lambda x: np.append(x, x), (X,)),
    "array_split": (lambda x: array_split(x, 3, -1), lambda x: np.array_split(x, 3, -1), (X,)),
    "moveaxis": (lambda x: moveaxis(x, (0, 2), (1, 0)), lambda x: np.moveaxis(x, (0, 2), (1, 0)), (X,)),
    "swapaxes": (lambda x: swapaxes(x, 0, -1), lambda x: np.swapaxes(x, 0, -1), (X,)),
    "flip": (flip, np.flip, (X,)),
    "fliplr": (fliplr, np.fliplr, (X,)),
    "flipud": (flipud, np.flipud, (X,)),
    "rot90": (lambda x: rot90(x, 3, (2, 1)), lambda x: np.rot90(x, 3, (2, 1)), (X,)),
    "roll": (lambda x: roll(x, (1, -6), (0, 2)), lambda x: np.roll(x, (1, -6), (0, 2)), (X,)),
    "roll all": (lambda x: roll(x, 31), lambda x: np.roll(x, 31), (X,)),
    "take": (lambda x: take(x, [[-1, 0]], 1), lambda x: np.take(x, [[-1, 0]], 1), (X,)),
    "take first": (lambda x: take(x, [1, -2], 0), lambda x: np.take(x, [1, -2], 0), (X,)),
    "hstack": (lambda x: hstack([x, x]), lambda x: np.hstack([x, x]), (V,)),
    "vstack": (lambda x, y: vstack([x, y]), lambda x, y: np.vstack([x, y]), (V, V)),
    "dstack": (lambda x, y: dstack([x, y]), lambda x, y: np.dstack([x, y]), (V, V)),
    "dsplit": (lambda x: dsplit(x, [1, 3]), lambda x: np.dsplit(x, [1, 3]), (X,)),
    "hsplit": (lambda x: hsplit(x, 3), lambda x: np.hsplit(x, 3), (X,)),
    "meshgrid": (lambda x, y: meshgrid(x, y), lambda x, y: np.meshgrid(x, y), (V, V[:2])),
    "tril": (lambda x: tril(x, 1), lambda x: np.tril(x, 1), (X,)),
    "triu": (lambda x: triu(x, -1), lambda x: np.triu(x, -1), (X[0],)),
    "diag": (lambda x: diag(x, -2), lambda x: np.diag(x, -2), (V,)),
    "diff": (lambda x: diff(x, 2), lambda x: np.diff(x, 2), (X**2,)),
    "trapezoid": (lambda x: trapezoid(x, dx=0.5), lambda x: np.trapezoid(x, dx=0.5), (X,)),
    "repeat": (lambda x: repeat(x, [1, 0, 2], 1), lambda x: np.repeat(x, [1, 0, 2], 1), (X,)),
    "split": (lambda x: split(x, [1, 2], 1), lambda x: np.split(x, [1, 2], 1), (X,)),
    "transpose": (transpose, np.transpose, (X,)),
    "max": (lambda x: max_(x, 1, initial=3.0), lambda x: np.max(x, 1, initial=3.0), (X,)),
}


@pytest.mark.parametrize("name", CALLS)
def test_it_is_numpy_at_once_and_in_a_program(each_backend, name):
    ours, theirs, operands = CALLS[name]
    wanted = theirs(*operands)
    wanted = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
    for found in (arrays(ours(*operands)), fed(ours, *operands)):
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted):
            assert np.shape(one) == other.shape and one.dtype == np.float32
            np.testing.assert_array_equal(np.asarray(one), other)


@pytest.mark.parametrize("offset", [-3, -1, 0, 2, 4])
def test_diagonals(each_backend, offset):
    np.testing.assert_array_equal(K.eval(diagonal(X, offset, 2, 1)), np.diagonal(X, offset, 2, 1))
    np.testing.assert_array_equal(K.eval(diag(V, offset)), np.diag(V, offset))


def test_a_diagonal_keeps_what_is_not_finite_to_itself(each_backend):
    found = K.eval(diag(np.array([np.inf, np.nan], np.float32)))
    np.testing.assert_array_equal(found, [[np.inf, 0], [0, np.nan]])


@pytest.mark.parametrize(("pattern", "sizes", "wanted"), [
    ("a b c -> (c a) b", {}, X.transpose(2, 0, 1).reshape(8, 3)),
    ("a b (c d) -> d (a b) c", {"d": 2}, X.reshape(2, 3, 2, 2).transpose(3, 0, 1, 2).reshape(2, 6, 2)),
    ("a ... -> ... 1 a", {}, X.transpose(1, 2, 0)[:, :, None, :]),
    ("... c -> c (...)", {}, X.reshape(6, 4).T),
])
def test_rearrange(each_backend, pattern, sizes, wanted):
    np.testing.assert_array_equal(K.eval(rearrange(X, pattern, **sizes)), wanted)
    np.testing.assert_array_equal(fed(lambda x: rearrange(x, pattern, **sizes), X)[0], wanted)


@pytest.mark.parametrize("pattern", [
    "a b c", "a b c -> a b", "a a c -> a c", "a (b c -> a b c", "a b c -> a b c d", "a b -> a b", "a b 2 -> a b 2",
    "(... a) b -> ... a b",
    "(a x) b c -> a x b c", "a b c -> a (b (c))",
])
def test_patterns_that_are_refused(pattern):
    with pytest.raises(ValueError, match="rearrange"):
        rearrange(X, pattern)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_depth_to_space_is_undone(each_backend, data_format):
    x = np.random.RandomState(0).randn(2, 4, 4, 4).astype("float32")
    deep = space_to_depth(x, 2, data_format)
    assert tuple(deep.shape) == ((2, 2, 2, 16) if data_format == "channels_last" else (2, 16, 2, 2))
    np.testing.assert_array_equal(K.eval(depth_to_space(deep, 2, data_format)), x)
    if data_format == "channels_last":
        np.testing.assert_array_equal(K.eval(deep)[0, 0, 0], x[0, :2, :2].reshape(-1))


def test_slice_update_at_a_symbolic_place(each_backend):
    start = K.placeholder((), dtype="int32")
    f = K.function([start], [slice_update(K.constant(X[0]), [start, 1], K.constant(np.full((2, 2), 9.0)))])
    wanted = X[0].copy()
    wanted[1:3, 1:3] = 9
    np.testing.assert_array_equal(f([1])[0], wanted)


def test_values_become_tensors(each_backend):
    if each_backend != "numpy":  # whose tensors are arrays
        assert K.is_tensor(convert_to_tensor([1.5, 2.0]))
    assert K.dtype(convert_to_tensor([1, 2])) == "int32" and K.dtype(array([1.5])) == "float32"
    assert K.dtype(array(np.ones(2), "float16")) == "float16"
    np.testing.assert_array_equal(convert_to_numpy(convert_to_tensor(X)), X)
    pair = array([K.constant(1.0), K.constant(2.0)])
    np.testing.assert_array_equal(convert_to_numpy(pair), [1.0, 2.0])
    with pytest.raises(ValueError, match="sparse"):
        convert_to_tensor(X, sparse=True)


@pytest.mark.parametrize("given", [-1, 0, 1, 2, 5])
def test_switch_takes_one_branch(each_backend, given):
    index = K.placeholder((), dtype="int32")
    branches = [lambda x: x + 1, lambda x: x * 10, lambda x: -x]
    wanted = branches[min(max(given, 0), 2)](V)
    np.testing.assert_array_equal(K.function([index], [switch(index, branches, K.constant(V))])([given])[0], wanted)
    np.testing.assert_array_equal(K.eval(switch(given, branches, K.constant(V))), wanted)


def test_spaced_numbers():
    np.testing.assert_allclose(K.eval(logspace(0, 3, 4, base=2)), [1, 2, 4, 8])
    np.testing.assert_allclose(K.eval(geomspace(1, 8, 4)), [1, 2, 4, 8], rtol=1e-6)
    numbers, step = linspace(0, 1, 4, endpoint=False, retstep=True)
    assert K.eval(numbers).tolist() == [0.0, 0.25, 0.5, 0.75] and float(K.eval(step)) == 0.25
    with pytest.raises(TypeError, match="ends"):
        logspace(K.placeholder(()), 1)


FAMILIES = ("arrays.diagonal", "arrays.join", "arrays.pad", "arrays.ranges", "arrays.split", "arrays.transpose",
            "indexing.scatter", "indexing.searching")
SPEC = SHARED / "spec" / "api.tsv"


@pytest.mark.skipif(not SPEC.exists(), reason="the list of names is not beside the checkout")
def test_signatures_are_those_of_the_list():
    rows = [line.split("\t") for line in SPEC.read_text(encoding="utf-8").splitlines()]
    wanted = {row[1]: row[2] for row in rows if row[0] == "ops"}
    different = []
    for family in FAMILIES:
        for name in importlib.import_module(f"kbackend.ops.{family}").__all__:
            found = inspect.signature(getattr(ops, name)).parameters.values()
            namespace: dict = {}
            exec(f"def f{wanted[name.rstrip('_')]}: pass", namespace)
            theirs = inspect.signature(namespace["f"]).parameters.values()
            if [(p.name, p.default, p.kind) for p in found] != [(p.name, p.default, p.kind) for p in theirs]:
                different.append(f"{name}: {wanted[name.rstrip('_')]}")
    assert not different, different
