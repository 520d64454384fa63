"""Bad input: one table of wrong calls, made concretely, symbolically, and with data that is wrong only when it comes.

The exception is of the same kind on every engine and names the values. Symbolic calls are refused when they are made,
unless the fault is in values, or in dimensions that are not known then: such runs are refused, and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from kbackend import K
from kbackend.declare.op import REGISTRY
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.convert import get_item
from kbackend.ops.arrays.diagonal import diagonal
from kbackend.ops.arrays.einops import rearrange
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.repeat import repeat
from kbackend.ops.arrays.split import split
from kbackend.ops.arrays.transpose import flip, moveaxis, roll, rot90, swapaxes
from kbackend.ops.elementwise.arithmetic import add, floor_divide, mod, negative, subtract
from kbackend.ops.elementwise.bitwise import bitwise_left_shift
from kbackend.ops.elementwise.logical import and_
from kbackend.ops.elementwise.power import pow_tensors
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.indexing.gather import take
from kbackend.ops.indexing.searching import nonzero, searchsorted
from kbackend.ops.indexing.segment import segment_sum
from kbackend.ops.indexing.sorting import argsort, sort
from kbackend.ops.indexing.top_k import top_k
from kbackend.ops.linalg.dense import dense
from kbackend.ops.linalg.einsum import einsum
from kbackend.ops.linalg.matmul import matrix_multiply, tensordot
from kbackend.ops.linalg.solve import cholesky, inv, solve
from kbackend.ops.nn.pooling import adaptive_average_pool
from kbackend.ops.random.categorical import categorical
from kbackend.ops.statistics.membership import bincount
from kbackend.ops.statistics.quantile import quantile  # fmt: skip


def zeros(*shape: int) -> np.ndarray:
    return np.zeros(shape, "float32")


def whole(*values: Any, dtype: str = "int32") -> np.ndarray:
    return np.array(values, dtype)


@dataclass
class Case:
    """A wrong call.

    Attributes:
        kind: "call": refused when made, whatever is known of shapes; "shape": when made with known dimensions, else
            when run; "value": concretely at once, symbolically when run.
        words: what the message holds.
    """

    name: str
    kind: str
    error: type[Exception]
    words: tuple[str, ...]
    call: Callable[..., Any]
    operands: tuple[np.ndarray, ...]


CASES: list[Case] = []


def refuse(name: str, error: type[Exception], words: str, call: Callable[..., Any], *operands: Any, kind: str = "call",
           ) -> None:
    arrays = tuple(o if isinstance(o, np.ndarray) else zeros(*o) for o in operands)
    CASES.append(Case(name, kind, error, tuple(words.split("|")), call, arrays))


def misfit(name: str, words: str, call: Callable[..., Any], *operands: Any, error: type[Exception] = ValueError,
           ) -> None:
    refuse(name, error, words, call, *operands, kind="shape")


def wrong_value(name: str, error: type[Exception], words: str, call: Callable[..., Any], *operands: Any) -> None:
    refuse(name, error, words, call, *operands, kind="value")


# ------------------------------------------------------------------------------------- axes and ranks

REDUCTIONS = [
    "sum", "prod", "mean", "max", "min", "any", "all", "std", "var", "logsumexp", "argmax", "argmin", "cumsum",
    "cumprod", "softmax", "l2_normalize",
]  # fmt: skip
for _name in REDUCTIONS:
    _function, _x = getattr(K, _name), (np.zeros((2, 3), bool) if _name in ("any", "all") else zeros(2, 3))
    refuse(f"{_name} axis 2", ValueError, "axis 2|rank 2", lambda x, f=_function: f(x, axis=2), _x)
    refuse(f"{_name} axis -3", ValueError, "axis -3|rank 2", lambda x, f=_function: f(x, axis=-3), _x)
    refuse(f"{_name} axis 'rows'", ValueError, "'rows'|integer", lambda x, f=_function: f(x, axis="rows"), _x)
    if _name not in ("argmax", "argmin", "cumsum", "cumprod", "softmax"):
        refuse(f"{_name} axes twice", ValueError, "(1, -1)|twice", lambda x, f=_function: f(x, axis=(1, -1)), _x)
refuse("expand_dims", ValueError, "4", lambda x: K.expand_dims(x, 4), (2, 3))
misfit("squeeze a long axis", "axis 1|size 3", lambda x: K.squeeze(x, 1), (2, 3))
refuse("squeeze axis", ValueError, "axis 2|rank 2", lambda x: K.squeeze(x, 2), (2, 3))
refuse("reverse axis", ValueError, "axis 3|rank 2", lambda x: K.reverse(x, 3), (2, 3))
refuse("permute too few", ValueError, "(0, 1)|3", lambda x: K.permute_dimensions(x, (0, 1)), (2, 3, 4))
refuse("permute twice", ValueError, "(0, 0, 1)", lambda x: K.permute_dimensions(x, (0, 0, 1)), (2, 3, 4))
refuse("concatenate axis", ValueError, "axis 2|rank 2", lambda x, y: K.concatenate([x, y], 2), (2, 3), (2, 3))
refuse("concatenate ranks", ValueError, "[2, 3]|[3]", lambda x, y: K.concatenate([x, y], 0), (2, 3), (3,))
refuse("concatenate nothing", TypeError, "non-empty", lambda x: K.concatenate([]), (2,))
refuse("stack axis", ValueError, "3", lambda x, y: K.stack([x, y], 3), (2, 3), (2, 3))
refuse("stack nothing", TypeError, "non-empty", lambda x: K.stack([]), (2,))
refuse("one_hot count", ValueError, "-1", lambda x: K.one_hot(x, -1), whole(1, 2))
refuse("gather of a scalar", ValueError, "scalar", lambda x, i: K.gather(x, i), (), whole(0))
refuse("batch_dot of vectors", ValueError, "rank", lambda x, y: K.batch_dot(x, y), (2,), (2,))
refuse("batch_dot axes", ValueError, "5", lambda x, y: K.batch_dot(x, y, axes=(1, 5)), (2, 3), (2, 3))
refuse("conv2d of rank 3", ValueError, "4 dimensions|(1, 4, 4)", lambda x, k: K.conv2d(x, k), (1, 4, 4), (2, 2, 3, 1))
refuse("conv2d kernel of rank 3", ValueError, "[2, 2, 3]", lambda x, k: K.conv2d(x, k), (1, 4, 4, 3), (2, 2, 3))
refuse("pool2d of rank 3", ValueError, "4 dimensions|(1, 4, 4)", lambda x: K.pool2d(x, (2, 2)), (1, 4, 4))
refuse("repeat of rank 3", ValueError, "rank", lambda x: K.repeat(x, 2), (2, 3, 4))
refuse("repeat_elements axis", ValueError, "axis 5|rank 2", lambda x: K.repeat_elements(x, 2, 5), (2, 3))
refuse("repeat_elements count", ValueError, "-2", lambda x: K.repeat_elements(x, -2, 0), (2, 3))
refuse("moveaxis", ValueError, "3", lambda x: moveaxis(x, 3, 0), (2, 3))
refuse("swapaxes", ValueError, "-4", lambda x: swapaxes(x, 0, -4), (2, 3))
refuse("roll axis", ValueError, "axis 2|rank 2", lambda x: roll(x, 1, 2), (2, 3))
refuse("flip axis", ValueError, "axis 2|rank 2", lambda x: flip(x, 2), (2, 3))
refuse("sort axis", ValueError, "axis 2|rank 2", lambda x: sort(x, 2), (2, 3))
refuse("argsort axis", ValueError, "axis -3|rank 2", lambda x: argsort(x, -3), (2, 3))
refuse("diagonal of a vector", ValueError, "rank 1", lambda x: diagonal(x), (3,))
refuse("diagonal axes", ValueError, "1 and -1", lambda x: diagonal(x, 0, 1, -1), (3, 3))
refuse("rot90 axes", ValueError, "(0, 0)", lambda x: rot90(x, 1, (0, 0)), (2, 2))
refuse("quantile axis", ValueError, "axis 2|rank 2", lambda x: quantile(x, 0.5, 2), (2, 3))
refuse("take axis", ValueError, "axis 3|rank 2", lambda x, i: take(x, i, 3), (2, 3), whole(0))
refuse("take_along_axis axis", ValueError, "axis 2|rank 2", lambda x, i: K.take_along_axis(x, i, 2), (2, 3),
       np.zeros((2, 1), "int32"))
refuse("take_along_axis ranks", ValueError, "rank 1|rank 2", lambda x, i: K.take_along_axis(x, i, 1), (2, 3), whole(0))
refuse("top_k of a scalar", ValueError, "scalar", lambda x: top_k(x, 1), ())
refuse("cholesky of a vector", ValueError, "[3]", lambda x: cholesky(x), (3,))
refuse("nonzero of a scalar", ValueError, "scalar", lambda x: nonzero(x), ())
refuse("index of a rank too few", IndexError, "3 indices|rank 2", lambda x: get_item(x, (0, 0, 0)), (2, 3))




# ------------------------------------------------------------------------------------- shapes that do not fit

PAIRS = [
    "equal", "not_equal", "greater", "greater_equal", "less", "less_equal", "maximum", "minimum",
]  # fmt: skip
for _name in PAIRS:
    misfit(_name, "(2,)|(3,)", getattr(K, _name), (2,), (3,))
for _name in ["add", "subtract", "multiply", "divide", "floor_divide", "mod", "power", "atan2"]:
    misfit(_name, "(2, 3)|(2, 4)", REGISTRY["pow" if _name == "power" else _name].public, (2, 3), (2, 4))
misfit("where", "(2,)|(3,)", lambda c, x: select_elements(c, x, 0.0), np.zeros(2, bool), (3,))
misfit("switch", "(2,)|(3,)", lambda c, x: K.switch(c, x, x), np.zeros(2, bool), (3,))
misfit("a sum in between", "(2, 4)|(2, 3)", lambda x, y: K.sum(add(K.tanh(x), y)), (2, 4), (2, 3))
misfit("dot", "3|4", K.dot, (2, 3), (4, 5))
misfit("dot of ranks", "3|4", K.dot, (2, 3), (2, 4, 5))
misfit("matmul", "3|4", matrix_multiply, (2, 3), (4, 5))
misfit("batch_dot", "3|4", lambda x, y: K.batch_dot(x, y, axes=(2, 1)), (2, 5, 3), (2, 4, 5))
misfit("batch_dot batches", "2|3", lambda x, y: K.batch_dot(x, y, axes=(2, 1)), (2, 5, 4), (3, 4, 5))
misfit("tensordot", "3|4", lambda x, y: tensordot(x, y, 1), (2, 3), (4, 5))
misfit("einsum", "3|4", lambda x, y: einsum("ij,jk->ik", x, y), (2, 3), (4, 5))
misfit("concatenate", "[2, 3]|[3, 4]", lambda x, y: K.concatenate([x, y], 0), (2, 3), (3, 4))
misfit("stack", "[2, 3]|[2, 4]", lambda x, y: K.stack([x, y]), (2, 3), (2, 4))
misfit("reshape", "(4, 2)|[2, 3]", lambda x: K.reshape(x, (4, 2)), (2, 3))
misfit("reshape -1", "(4, -1)|[2, 3]", lambda x: K.reshape(x, (4, -1)), (2, 3))
refuse("reshape two -1", ValueError, "(-1, -1)", lambda x: K.reshape(x, (-1, -1)), (2, 3))
refuse("reshape negative", ValueError, "(-2, -3)", lambda x: K.reshape(x, (-2, -3)), (2, 3))
misfit("broadcast_to", "(2, 3)|(2, 4)", lambda x: broadcast_to(x, (2, 4)), (2, 3))
misfit("bias_add", "3|4", lambda x, b: K.bias_add(x, b), (2, 3), (4,))
misfit("dense", "3|4", dense, (2, 3), (4, 5))
misfit("conv1d channels", "3|4", lambda x, k: K.conv1d(x, k), (1, 6, 3), (2, 4, 5))
misfit("conv2d channels", "3|4", lambda x, k: K.conv2d(x, k), (1, 6, 6, 3), (2, 2, 4, 5))
misfit("conv3d channels", "3|4", lambda x, k: K.conv3d(x, k), (1, 4, 4, 4, 3), (2, 2, 2, 4, 5))
misfit("depthwise_conv2d channels", "3|4", lambda x, k: K.depthwise_conv2d(x, k), (1, 6, 6, 3), (2, 2, 4, 1))
misfit("categorical_crossentropy", "(2, 3)|(2, 4)", lambda t, y: K.categorical_crossentropy(t, y), (2, 3), (2, 4))
misfit("binary_crossentropy", "(2, 3)|(2, 4)", lambda t, y: K.binary_crossentropy(t, y), (2, 3), (2, 4))
misfit("sparse_categorical_crossentropy", "3|2", lambda t, y: K.sparse_categorical_crossentropy(t, y, True),
       whole(0, 1, 1), (2, 4))
misfit("in_top_k", "3|2", lambda y, t: K.in_top_k(y, t, 1), (2, 4), whole(0, 1, 1))
misfit("take_along_axis", "(2, 3)|(4, 1)", lambda x, i: K.take_along_axis(x, i, 1), (2, 3), np.zeros((4, 1), "int32"))
misfit("split evenly", "4|3", lambda x: split(x, 3, 1), (2, 4))
misfit("repeat numbers", "2|3", lambda x: repeat(x, [1, 2], 1), (2, 3))
misfit("max of nothing", "0", lambda x: K.max(x, axis=0), (0, 3))
misfit("argmax of nothing", "0", lambda x: K.argmax(x, axis=0), (0, 3))
misfit("cholesky", "2|3", lambda x: cholesky(x), (2, 3))
misfit("solve", "2|3", lambda a, b: solve(a, b), np.eye(2, dtype="float32"), (3, 1))
misfit("index", "index 3|size 3", lambda x: get_item(x, 3), (3, 2), error=IndexError)
misfit("index from the end", "index -4|size 3",
       lambda x: get_item(x, (slice(None), -4)), (2, 3), error=IndexError)
misfit("known position", "3", lambda x: get_item(x, [0, 3]), (3, 2), error=IndexError)
misfit("top_k", "5|3", lambda x: top_k(x, 5), (2, 3))
misfit("fold over a gradient", "(2,)|(3,)", lambda x, y: (x * x) * y, (2,), (3,))





# ------------------------------------------------------------------------------------- words and numbers

IMAGE, KERNEL = (1, 6, 6, 2), (3, 3, 2, 4)
for _name, _call in {
    "conv1d": lambda x, k, **o: K.conv1d(x, k, **o), "conv2d": lambda x, k, **o: K.conv2d(x, k, **o),
    "conv3d": lambda x, k, **o: K.conv3d(x, k, **o),
}.items():  # fmt: skip
    _n = int(_name[4])
    _shapes = ((1, *[5] * _n, 2), (*[2] * _n, 2, 3))
    refuse(f"{_name} padding", ValueError, "'sme'", lambda x, k, c=_call: c(x, k, padding="sme"), *_shapes)
    refuse(f"{_name} data_format", ValueError, "'NHCW'", lambda x, k, c=_call: c(x, k, data_format="NHCW"), *_shapes)
    refuse(f"{_name} strides", ValueError, "(1, 1, 1, 1)",
           lambda x, k, c=_call: c(x, k, strides=(1, 1, 1, 1)), *_shapes)
    refuse(f"{_name} stride 0", ValueError, "0", lambda x, k, c=_call: c(x, k, strides=0), *_shapes)
    refuse(f"{_name} dilation -1", ValueError, "-1",
           lambda x, k, c=_call, r="dilation_rate": c(x, k, **{r: -1}), *_shapes)
refuse("conv1d causal 2d", ValueError, "'causal'", lambda x, k: K.conv2d(x, k, padding="causal"), IMAGE, KERNEL)
for _name, _size in {"pool2d": (2, 2), "pool3d": (2, 2, 2)}.items():
    _function, _x = getattr(K, _name), (1, *[4] * len(_size), 2)
    refuse(f"{_name} mode", ValueError, "'median'", lambda x, f=_function, s=_size: f(x, s, pool_mode="median"), _x)
    refuse(f"{_name} padding", ValueError, "'full'", lambda x, f=_function, s=_size: f(x, s, padding="full"), _x)
    refuse(f"{_name} data_format", ValueError, "'last'",
           lambda x, f=_function, s=_size: f(x, s, data_format="last"), _x)
    refuse(f"{_name} strides", ValueError, "(1,)", lambda x, f=_function, s=_size: f(x, s, strides=(1,)), _x)
    refuse(f"{_name} size", ValueError, "0", lambda x, f=_function, s=_size: f(x, (0, *s[1:])), _x)
refuse("conv2d_transpose padding", ValueError, "'sme'",
       lambda x, k: K.conv2d_transpose(x, k, (1, 8, 8, 4), padding="sme"), IMAGE, (3, 3, 4, 2))
refuse("conv2d_transpose data_format", ValueError, "'first'",
       lambda x, k: K.conv2d_transpose(x, k, (1, 8, 8, 4), data_format="first"), IMAGE, (3, 3, 4, 2))
refuse("bias_add data_format", ValueError, "'first'", lambda x, b: K.bias_add(x, b, "first"), (2, 3), (3,))
refuse("resize_images data_format", ValueError, "'first'", lambda x: K.resize_images(x, 2, 2, "first"), IMAGE)
refuse("resize_images interpolation", ValueError, "'cubist'",
       lambda x: K.resize_images(x, 2, 2, "channels_last", "cubist"), IMAGE)
refuse("resize_volumes data_format", ValueError, "'first'",
       lambda x: K.resize_volumes(x, 2, 2, 2, "first"), (1, 2, 2, 2, 1))
refuse("spatial_2d_padding data_format", ValueError, "'first'",
       lambda x: K.spatial_2d_padding(x, data_format="first"), IMAGE)
refuse("spatial_2d_padding lengths", ValueError, "((1, 1),)", lambda x: K.spatial_2d_padding(x, ((1, 1),)), IMAGE)
refuse("temporal_padding lengths", ValueError, "(1, 2, 3)", lambda x: K.temporal_padding(x, (1, 2, 3)), (1, 4, 2))
refuse("temporal_padding negative", ValueError, "-1", lambda x: K.temporal_padding(x, (-1, 0)), (1, 4, 2))
refuse("cast", TypeError, "'float31'", lambda x: K.cast(x, "float31"), (2,))
refuse("zeros_like dtype", TypeError, "'int31'", lambda x: K.zeros_like(x, "int31"), (2,))
refuse("einsum letters", ValueError, "ij,jk->iz", lambda x, y: einsum("ij,jk->iz", x, y), (2, 3), (3, 4))
refuse("einsum operands", ValueError, "ij->i", lambda x, y: einsum("ij->i", x, y), (2, 3), (3, 4))
refuse("tensordot axes", ValueError, "3", lambda x, y: tensordot(x, y, 3), (2, 3), (3, 4))
refuse("rearrange", ValueError, "b c d", lambda x: rearrange(x, "b c d -> b (c d)"), (2, 3))
refuse("searchsorted side", ValueError, "'middle'", lambda x, v: searchsorted(x, v, "middle"), (3,), (2,))
refuse("quantile", ValueError, "1.5", lambda x: quantile(x, 1.5), (3,))
refuse("quantile method", ValueError, "'guess'", lambda x: quantile(x, 0.5, method="guess"), (3,))
refuse("dropout rate", ValueError, "1.5", lambda x: K.dropout(x, 1.5), (3,))
refuse("top_k count", ValueError, "-1", lambda x: top_k(x, -1), (3,))
refuse("in_top_k count", ValueError, "-1", lambda y, t: K.in_top_k(y, t, -1), (2, 4), whole(0, 1))
refuse("slice lengths", ValueError, "rank 2", lambda x: K.slice(x, (0,), (1,)), (2, 3))
misfit("slice", "3|2", lambda x: K.slice(x, (0, 0), (3, 3)), (2, 3))
refuse("step 0", ValueError, "0", lambda x: get_item(x, slice(None, None, 0)), (3,))
refuse("pad lengths", ValueError, "((1, 1),)", lambda x: pad_constant(x, ((1, 1),)), (2, 3))
refuse("segment_sum count", ValueError, "-2", lambda x, i: segment_sum(x, i, -2), (3,), whole(0, 0, 1))
refuse("adaptive pool data_format", ValueError, "'first'",
       lambda x: adaptive_average_pool(x, 2, data_format="first"), IMAGE)
refuse("ctc labels rank", ValueError, "int32[4]", lambda t, y, a, b: K.ctc_batch_cost(t, y, a, b), np.zeros(4, "int32"),
       (1, 5, 4), np.ones((1, 1), "int32"), np.ones((1, 1), "int32"))
refuse("categorical rank", ValueError, "[3]", lambda x: categorical(x, 2), (3,))

# ------------------------------------------------------------------------------------- dtypes

BOOLS = np.array([True, False])
refuse("add of bools", TypeError, "bool", add, BOOLS, BOOLS)
refuse("subtract of bools", TypeError, "bool", subtract, BOOLS, BOOLS)
refuse("negative of bools", TypeError, "bool", negative, BOOLS)
refuse("left shift of floats", TypeError, "float32", bitwise_left_shift, (2,), (2,))
refuse("and of floats", TypeError, "float32", and_, (2,), (2,))
refuse("gather by floats", TypeError, "float32", K.gather, (2, 3), (2,))
refuse("take_along_axis by floats", TypeError, "float32", lambda x, i: K.take_along_axis(x, i, 1), (2, 3), (2, 1))
refuse("one_hot of floats", TypeError, "float32", lambda x: K.one_hot(x, 3), (2,))
refuse("where of numbers", TypeError, "float32", lambda c, x: select_elements(c, x, x), (2,), (2,))
refuse("any mask of floats", IndexError, "float32|integers", lambda x, i: get_item(x, i), (2, 3), (2,))
refuse("labels that are floats with text", TypeError, "float32", lambda y, t: K.in_top_k(y, t, 1), (2, 4), (2,))
refuse("segment ids of floats", TypeError, "float32", lambda x, i: segment_sum(x, i, 2), (2,), (2,))
refuse("bincount of floats", TypeError, "float32", lambda x: bincount(x), (2,))
refuse("index 1.5", IndexError, "1.5", lambda x: get_item(x, 1.5), (3,))
refuse("repeats of floats", TypeError, "1.5", lambda x: repeat(x, 1.5), (3,))

# ------------------------------------------------------------------------------------- values

ROWS = (3, 2)
wrong_value("gather beyond", IndexError, "3", K.gather, ROWS, whole(0, 3))
wrong_value("gather negative", IndexError, "-1", K.gather, ROWS, whole(-1, 0))
wrong_value("take beyond", IndexError, "", lambda x, i: take(x, i, 1), ROWS, whole(0, 2))
wrong_value("take_along_axis beyond", IndexError, "2", lambda x, i: K.take_along_axis(x, i, 1), ROWS,
            np.full((3, 1), 2, "int32"))
wrong_value("index by a scalar", IndexError, "", lambda x, i: get_item(x, i), ROWS, np.array(3, "int32"))
wrong_value("label beyond", ValueError, "label 4|[0, 4)", lambda t, y: K.sparse_categorical_crossentropy(t, y, True),
            whole(0, 4), (2, 4))
wrong_value("label -1", ValueError, "label -1|[0, 4)", lambda t, y: K.sparse_categorical_crossentropy(t, y, True),
            whole(0, -1), (2, 4))
wrong_value("label of probabilities", ValueError, "label 7|[0, 4)",
            lambda t, y: K.sparse_categorical_crossentropy(t, y),
            whole(7, 0), np.full((2, 4), 0.25, "float32"))
wrong_value("division by 0", ZeroDivisionError, "", floor_divide, whole(1, 2), whole(1, 0))
wrong_value("remainder by 0", ZeroDivisionError, "", mod, whole(1, 2), whole(1, 0))
wrong_value("integer to the -1", ValueError, "negative", pow_tensors, whole(2, 3), whole(1, -1))
wrong_value("cholesky", np.linalg.LinAlgError, "", lambda x: cholesky(x), -np.eye(2, dtype="float32"))
wrong_value("inv", np.linalg.LinAlgError, "", lambda x: inv(x), zeros(2, 2))

# ------------------------------------------------------------------------------------- the test


def kind_of(error: BaseException) -> type[BaseException]:
    """The exception that Python or NumPy define: that which users catch."""
    return next(k for k in type(error).__mro__ if k.__module__ in ("builtins", "numpy.linalg"))


def leaves(result: Any) -> list[Any]:
    return [t for r in result for t in leaves(r)] if isinstance(result, (list, tuple)) else [result]


def symbols(case: Case, known: bool) -> list[Any]:
    return [
        K.placeholder(a.shape if known else (None,) * a.ndim, dtype=str(a.dtype), name=f"fed_{i}")
        for i, a in enumerate(case.operands)
    ]


def check(case: Case, caught: Any, where: str) -> None:
    error, text = caught.value, str(caught.value)
    assert kind_of(error) is case.error, f"{where}: {type(error).__name__}: {text}"
    for word in case.words:
        assert word in text, f"{where}: {word!r} is not in {text!r}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_a_wrong_call_is_refused_by_the_same_error_everywhere(each_backend, case):
    with pytest.raises(Exception) as caught:
        leaves(case.call(*case.operands))
    check(case, caught, "concrete")

    given = symbols(case, known=True)
    if case.kind == "value":
        refuse_the_run(case, given, case.call(*given), "values")
    else:
        with pytest.raises(Exception) as caught:
            case.call(*given)
        check(case, caught, "symbolic")

    if not any(a.ndim for a in case.operands):
        return
    given = symbols(case, known=False)
    try:
        result = case.call(*given)
    except Exception as error:
        assert case.kind != "value", f"refused before there were values: {error!r}"
        if case.kind == "call":
            assert kind_of(error) is case.error, repr(error)
            return
        assert "known" in str(error) or "None" in str(error), repr(error)  # the op says what it needs
        return
    assert case.kind != "call", "nothing is wrong before there is data"
    refuse_the_run(case, given, result, "data")


def refuse_the_run(case: Case, given: list[Any], result: Any, where: str) -> None:
    runs = K.variable(0.0)
    function = K.function(given, leaves(result), updates=[K.update_add(runs, 1.0)], name="checked")
    with pytest.raises(Exception) as caught:
        function(list(case.operands))
    check(case, caught, where)
    if case.kind == "shape":
        assert "checked: at the node" in str(caught.value), f"{where}: no node in {caught.value}"
    assert K.get_value(runs) == 0.0, "an update took effect"
