"""The namespace kbackend.ops: complete, with the signatures of the list, K's own objects, and Keras's.
"""

from __future__ import annotations

import csv
import inspect
import pkgutil

import numpy as np
import pytest
from support.places import SHARED

import kbackend
from kbackend import K, ops

SPEC = SHARED / "spec"


def rows(name):
    path = SPEC / name
    if not path.exists():
        pytest.skip(f"the list {name} is not beside this checkout")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def listed():
    return {r["name"]: r["signature"] for r in rows("api.tsv") if r["area"] == "ops"}


def parameters(signature):
    given = signature.parameters.values()
    return [(p.name, p.default, p.kind) for p in given if p.kind is not p.VAR_KEYWORD]


def of_text(text):
    space: dict = {}
    exec(f"def function{text}: pass", space)
    return parameters(inspect.signature(space["function"]))


#: names of the list that do not exist, with the reason
MISSING: dict[str, str] = {}

_K = "the same object as K's, which keeps K's parameters; both spellings of the keywords are taken"
_MORE = "the same object as K's, which takes more"
#: signatures that differ from the list, with the reason
DIFFERENT = {
    **dict.fromkeys("clip dot equal greater greater_equal less less_equal maximum minimum not_equal reshape "
        "stop_gradient tile".split(), _K),
    **dict.fromkeys("expand_dims ones_like relu size zeros_like".split(), _MORE),
}

_MEANING = "K keeps the old meaning"
_EXPLICIT = "engines differ in what they take when nothing is given: in K it must be said"
#: names that are other functions in K, with the reason
CLASHES = {
    **dict.fromkeys("arange argmax argmin batch_normalization concatenate ctc_decode cumprod cumsum eye "
                    "hard_sigmoid identity in_top_k max min one_hot ones prod repeat round slice squeeze "
                    "switch transpose zeros".split(), _MEANING),
    **dict.fromkeys(["gelu", "leaky_relu"], _EXPLICIT),
}


def names():
    return {n for n, value in vars(ops).items() if not n.startswith("_") and not inspect.ismodule(value)}


def test_the_names_of_the_list_are_there():
    wanted = set(listed())
    missing = {n for n in wanted if not callable(getattr(ops, n, None))}
    assert missing == set(MISSING)
    assert len(wanted) - len(missing) >= 330


def test_names_beyond_the_list_are_declared_ops_and_no_helpers():
    beyond = {n: getattr(getattr(ops, n), "op", None) for n in names() - set(listed())}
    assert {"digamma", "ifft", "mish"} <= set(beyond)
    assert {n for n, op in beyond.items() if op is None or not op.samples or not op.function.__doc__} == set()


def test_signatures_are_those_of_the_list():
    found = {n for n, text in listed().items()
             if n not in MISSING and parameters(inspect.signature(getattr(ops, n))) != of_text(text)}
    assert found == set(DIFFERENT)


def test_shared_names_are_the_same_objects():
    shared = names()
    assert all(callable(getattr(K, n)) for n in shared)
    assert len(shared) > 80
    assert {n for n in shared if getattr(K, n) is not getattr(ops, n)} == set(CLASHES)


def test_what_k_is_listed_for_has_no_excuse_but_its_meaning():
    of_k = {r["name"] for r in rows("k_namespace.tsv")}
    assert {n for n, why in CLASHES.items() if why == _MEANING} <= of_k
    assert not {n for n, why in CLASHES.items() if why == _EXPLICIT} & of_k


def test_families_keep_their_names():
    families = {m.name for m in pkgutil.iter_modules(ops.__path__)}
    assert len(families) == 16 and not families & names()
    assert inspect.ismodule(ops.random) and inspect.ismodule(ops.image)


@pytest.mark.parametrize("old, new", [
    (lambda: ops.maximum(x=[1.0], y=[2.0]), lambda: ops.maximum(x1=[1.0], x2=[2.0])),
    (lambda: ops.add(x=[1.0], y=[2.0]), lambda: ops.add(x1=[1.0], x2=[2.0])),
    (lambda: ops.clip([5.0], min_value=0.0, max_value=1.0), lambda: ops.clip([5.0], x_min=0.0, x_max=1.0)),
    (lambda: K.reshape([1.0, 2.0], shape=(2, 1)), lambda: ops.reshape([1.0, 2.0], newshape=(2, 1))),
    (lambda: K.tile([1.0], n=2), lambda: ops.tile([1.0], repeats=2)),
    (lambda: K.stop_gradient(variables=[1.0]), lambda: ops.stop_gradient(variable=[1.0])),
])
def test_both_spellings_of_keywords(old, new):
    np.testing.assert_array_equal(K.eval(old()), K.eval(new()))


def test_two_spellings_at_once_are_refused():
    with pytest.raises(TypeError, match="two spellings"):
        ops.maximum(x=[1.0], x1=[2.0])


# ------------------------------------------------------------------------------------- against Keras

A = np.array([[1.5, -2.0, 0.5], [3.0, 0.25, -1.0]], "float32")
B = np.array([[0.5, 2.0, 1.5], [1.0, 4.0, 2.0]], "float32")
P = np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]], "float32")
U = np.array([0.25, 0.5, 0.75], "float32")
I = np.array([[3, 1, 2], [0, 5, 4]], "int32")  # noqa: E741
M = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]], "float32")
IMAGES = np.arange(32, dtype="float32").reshape(1, 4, 4, 2) / 7

#: name: the arguments
CALLS = {
    **{n: (A,) for n in (
        "abs absolute amax amin arctan arcsinh argmax argmin argsort average ceil copy cos cosh "
        "cumprod cumsum deg2rad diagonal diff elu erf exp exp2 expm1 flip floor gelu hard_sigmoid "
        "hard_silu hard_swish hard_tanh isfinite isinf isnan leaky_relu log_sigmoid log_softmax "
        "logsumexp max mean median min nan_to_num ndim negative nonzero ones_like prod ravel relu "
        "relu6 round selu sigmoid sign silu sin sinh size softmax softplus softsign sort "
        "sparse_plus square squareplus std sum tan tanh tanh_shrink trace transpose tril triu "
        "trunc var zeros_like celu hard_shrink soft_shrink sparsemax sparse_sigmoid real imag").split()},
    **{n: (A, B) for n in (
        "add arctan2 divide divide_no_nan equal fmod floor_divide greater greater_equal hypot "
        "less less_equal logaddexp maximum minimum mod multiply not_equal subtract vdot inner "
        "outer append").split()},
    **{n: (B,) for n in "log log10 log1p log2 reciprocal rsqrt sqrt cbrt".split()},
    **{n: (M,) for n in "cholesky det inv slogdet".split()},
    "all": (A > 0,), "any": (A > 0,), "batch_normalization": (A, U, U, -1), "binary_crossentropy": (
        (P > 0.4).astype("float32"), P), "bincount": (I[0],),
    "categorical_crossentropy": (P, P), "clip": (A, -1.0, 1.0), "concatenate": ([A, B],), "cross": (A, B),
    "dot": (A, B.T), "einsum": ("ij,kj->ik", A, B), "expand_dims": (A, 0), "eye": (3,), "full": ((2,), 3.0),
    "full_like": (A, 2.0), "hstack": ([A, B],), "identity": (3,), "in_top_k": (np.array([1, 0], "int32"), P, 2),
    "isclose": (A, A + 1e-7), "kron": (A, B), "linspace": (0.0, 1.0), "logical_and": (A > 0, B > 1),
    "logical_not": (A > 0,), "logical_or": (A > 0, B > 1), "logical_xor": (A > 0, B > 1), "matmul": (A, B.T),
    "max_pool": (IMAGES, 2), "average_pool": (IMAGES, 2), "moments": (A, 0), "moveaxis": (A, 0, 1),
    "multi_hot": (I, 6), "norm": (A,), "normalize": (A,), "one_hot": (I, 6), "ones": ((2, 2),),
    "pad": (A, ((1, 1), (0, 2))),
    "power": (B, 2.0), "quantile": (A, 0.3), "repeat": (A, 2), "reshape": (A, (3, 2)), "roll": (A, 1),
    "rot90": (A,), "searchsorted": (U, U), "segment_sum": (A[0], np.array([0, 1, 1], "int32")),
    "slice": (A, [0, 1], [2, 2]), "solve": (M, M),
    "sparse_categorical_crossentropy": (np.array([1, 2], "int32"), P),
    "split": (A, 3, 1), "squeeze": (A[None],), "stack": ([A, B],), "take": (A, I),
    "take_along_axis": (A, I[:, :1] % 3, 1), "tensordot": (A, B, 2), "tile": (A, 2), "top_k": (A, 2),
    "unstack": (A,), "vstack": ([A, B],), "where": (A > 0, A, B), "zeros": ((2, 2),), "arange": (5,),
    "scan": (lambda c, x: (c + x, c * x), np.float32(1.0), A[0]),
    "while_loop": (lambda i: i < 10, lambda i: i * 2, np.float32(1.0)),
    "cond": (True, lambda: A, lambda: B), "digitize": (A, U),
    "ctc_decode": (4 * np.eye(3, dtype="float32")[[[0, 1, 1, 0, 2]]], np.array([5], "int32")),
}
#: modes of pad that some engine of Keras has
PADS = ["constant", "edge", "linear_ramp", "maximum", "mean", "median", "minimum", "reflect", "symmetric", "wrap"]


def plain(found):
    if isinstance(found, dict):
        return [leaf for k in sorted(found) for leaf in plain(found[k])]
    if isinstance(found, (list, tuple)):
        return [leaf for part in found for leaf in plain(part)]
    return [np.asarray(K.eval(found)) if isinstance(found, kbackend.graph.tensor.Tensor) else np.asarray(found)]


@pytest.mark.parametrize("name", sorted(CALLS))
def test_defaults_are_those_of_keras(name, keras):
    with kbackend.use_backend("numpy"):
        ours = plain(getattr(ops, name)(*CALLS[name]))
    function = getattr(keras.ops, name, None)
    if function is None:
        pytest.skip(f"this Keras has no {name}")
    theirs = [np.asarray(v) for part in [function(*CALLS[name])] for v in _flat(part)]
    assert [a.shape for a in ours] == [b.shape for b in theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.astype("float64"), b.astype("float64"), rtol=2e-5, atol=2e-6)


def _flat(found):
    if isinstance(found, (list, tuple)):
        return [leaf for part in found for leaf in _flat(part)]
    return [found.numpy() if hasattr(found, "numpy") else found]


@pytest.mark.parametrize("mode", PADS)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_pad_is_numpys(mode, size):
    with kbackend.use_backend("numpy"):
        for x in (np.arange(2.0 * size, dtype="float32").reshape(2, size) ** 2, np.arange(size) * 3 - 4):
            widths = [(3, 2)] * x.ndim
            np.testing.assert_allclose(ops.pad(x, widths, mode), np.pad(x, widths, mode), rtol=1e-6)


def test_pad_of_unknown_sizes_is_numpys(each_backend):
    x = K.placeholder((None, 3))
    modes = ["edge", "reflect", "symmetric", "wrap", "mean"]
    f = K.function([x], [ops.pad(x, ((4, 1), (0, 2)), mode) for mode in modes])
    for size in (1, 2, 5):
        given = np.arange(3.0 * size, dtype="float32").reshape(size, 3)
        for found, mode in zip(f([given]), modes):
            np.testing.assert_allclose(found, np.pad(given, ((4, 1), (0, 2)), mode), rtol=1e-6)


def test_loops_carry_structures(each_backend):
    xs = {"a": np.arange(4, dtype="float32"), "b": np.ones((4, 2), "float32")}
    step = lambda state, x: ({"sum": state["sum"] + x["a"]}, (state["sum"], [x["b"] * x["a"]]))  # noqa: E731
    last, (before, (scaled,)) = ops.scan(step, {"sum": np.float32(0.0)}, xs, reverse=True)
    assert float(last["sum"]) == 6.0
    np.testing.assert_array_equal(np.asarray(before), [6.0, 5.0, 3.0, 0.0])
    np.testing.assert_array_equal(np.asarray(scaled), [[0, 0], [1, 1], [2, 2], [3, 3]])
    found = ops.while_loop(lambda s: s["i"] < 3, lambda s: {"i": s["i"] + 1, "x": s["x"] * 2.0}, {"i": 0, "x": 1.5})
    assert (int(found["i"]), float(found["x"])) == (3, 12.0)
    n = K.placeholder((), dtype="int32")
    chosen = ops.cond(K.greater(n, 1), lambda: {"a": n, "b": [n * 2]}, lambda: {"a": n * 0, "b": [n]})
    f = K.function([n], [chosen["a"], chosen["b"][0]])
    assert [int(v) for v in f([3])] == [3, 6]
    assert [int(v) for v in f([1])] == [0, 1]


def test_branches_of_another_structure_are_refused():
    n = K.placeholder((), dtype="bool")
    with pytest.raises(ValueError, match="different structures"):
        ops.cond(n, lambda: [K.constant(1.0)], lambda: (K.constant(1.0),))


def test_where_alone_gives_places(each_backend):
    x = K.placeholder((None, 2), dtype="bool")
    found = K.function([x], ops.where(x))([np.array([[True, False], [True, True]])])
    np.testing.assert_array_equal(found, [[0, 1, 1], [0, 0, 1]])
