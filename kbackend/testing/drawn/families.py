"""Families of ops: functions that draw a valid call; see :mod:`kbackend.testing.drawn.checks`.

A family is a function of a :class:`kbackend.testing.drawn.draws.Draws` that returns the key of an op and a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kbackend.declare.sample import In, Sample

if TYPE_CHECKING:
    from kbackend.testing.drawn.draws import Draws

Drawn = tuple[str, Sample]
_WIDE = ("float32", "float64")


def _call(d: Draws, key: str, *args: Any, wide: bool = False, **options: Any) -> Drawn:
    """The call in a drawn dtype; keyword arguments that Sample does not know are the op's."""
    own = {k: options.pop(k) for k in list(options) if k in Sample.__dataclass_fields__}
    own.setdefault("dtypes", (d.of(_WIDE) if wide else d.group(),))
    return key, Sample(args=args, kwargs=options, **own)


# ------------------------------------------------------------------------------------- elementwise

#: op -> (low, high, kinks) of its operand
UNARY: dict[str, tuple[float, float, tuple[float, ...]]] = {
    "negative": (-2, 2, ()), "abs": (-2, 2, (0.0,)), "sign": (-2, 2, (0.0,)), "square": (-2, 2, ()),
    "sqrt": (0.1, 3, ()), "rsqrt": (0.1, 3, ()), "reciprocal": (0.5, 3, ()), "exp": (-3, 3, ()), "expm1": (-2, 2, ()),
    "log": (0.1, 3, ()), "log1p": (-0.8, 3, ()), "sin": (-4, 4, ()), "cos": (-4, 4, ()), "tanh": (-2, 2, ()),
    "asin": (-0.9, 0.9, ()), "atan": (-3, 3, ()), "erf": (-2, 2, ()), "floor": (-3, 3, ()), "ceil": (-3, 3, ()),
    "round": (-3, 3, ()), "relu": (-2, 2, (0.0,)), "sigmoid": (-3, 3, ()), "softplus": (-3, 3, ()),
    "selu": (-2, 2, (0.0,)), "silu": (-2, 2, ()), "hard_sigmoid": (-4, 4, (-2.5, 2.5)), "isnan": (-2, 2, ()),
    "isfinite": (-2, 2, ()), "log_sigmoid": (-3, 3, ()), "identity": (-2, 2, ()),
}  # fmt: skip
_ON_INTEGERS = ("negative", "abs", "sign", "square", "exp", "log", "sqrt", "sin", "tanh", "sigmoid", "isnan",
                "identity")  # fmt: skip
_BINARY = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "atan2", "equal", "not_equal", "less",
           "less_equal", "greater", "greater_equal")  # fmt: skip
_OF_INTEGERS = ("bitwise_and", "bitwise_or", "bitwise_xor", "floor_divide", "mod", "left_shift", "right_shift", "gcd")
_SIGNED = ("int32", "int64", "int8")


def unary(d: Draws) -> Drawn:
    key = d.of(sorted(UNARY))
    low, high, avoid = UNARY[key]
    if key in _ON_INTEGERS and d.yes():
        return _call(d, key, In(d.shape(), 1, 5, kind=d.of(_SIGNED)))
    return _call(d, key, In(d.shape(), low, high, avoid=avoid))


def binary(d: Draws) -> Drawn:
    shape = d.shape()
    x, y = d.operand(shape), d.operand(shape)
    kind = d.number(0, 3)
    if kind == 0:
        one = d.of(_SIGNED)
        return _call(d, d.of(_OF_INTEGERS), In(x, 0, 20, kind=one), In(y, 1, 6, kind=d.of((one, *_SIGNED))))
    if kind == 1:
        return _call(d, d.of(("logical_and", "logical_or", "logical_xor")), In(x, kind="bool"), In(y, kind="bool"))
    if kind == 2:
        other = d.of((In(y), In(y, -3, 3, kind="int32"), 1.5))
        return _call(d, "where", In(d.operand(shape), kind="bool"), In(x), other)
    second = d.of((In(y, 0.5, 3), In(y, 1, 5, kind="int32"), 2, 0.5))
    return _call(d, d.of(_BINARY), In(x, distinct=True), second)


# ------------------------------------------------------------------------------------- over axes


def reduction(d: Draws) -> Drawn:
    key = d.of(("sum", "mean", "max", "min", "prod", "var", "std", "any", "all", "argmax", "argmin", "norm", "K.median",
                "logsumexp", "K.ptp", "count_nonzero"))  # fmt: skip
    shape = d.shape(0, 4, size=0 if key in ("sum", "mean", "prod", "any", "all", "count_nonzero") else 1)
    kinds = ("bool",) if key in ("any", "all") else ("float", "float", "int32", "int64")
    kind = d.of(kinds if key not in ("norm", "logsumexp", "var", "std") else ("float",))
    low, high = (0.5, 1.5) if key == "prod" and kind == "float" else (1, 3) if key == "prod" else (-3, 9)
    x = In(shape, low, high, kind=kind, distinct=True)
    if key in ("argmax", "argmin"):
        return _call(d, key, In(shape or (1,), low, high, kind=kind, distinct=True), axis=d.axis(len(shape or (1,))))
    if key == "count_nonzero":
        return _call(d, key, x, axis=d.axes(len(shape)))
    return _call(d, key, x, axis=d.axes(len(shape)), keepdims=d.yes())


def normalised(d: Draws) -> Drawn:
    """Ops along one axis whose results mostly have the shape of the operand."""
    key = d.of(("softmax", "log_softmax", "l2_normalize", "cumsum", "cumprod", "sort", "argsort", "K.diff",
                "sparsemax"))  # fmt: skip
    least = 0 if key in ("cumsum", "cumprod", "sort", "argsort") else 2 if key == "l2_normalize" else 1
    shape = d.shape(1, 4, size=least)
    axis = d.axis(len(shape))
    wide = key in ("cumsum", "cumprod", "sparsemax")
    spread = d.of((2.0, 0.5, 4.0)) if "soft" in key else 1.5
    x = In(shape, -spread, spread, distinct=True)
    if key == "K.diff":
        return _call(d, key, x, n=d.number(0, 2), axis=axis)
    return _call(d, key, x, axis=axis, wide=wide)


# ------------------------------------------------------------------------------------- structure


def _any_kind(d: Draws, shape: tuple[int, ...]) -> In:
    kind = d.of(("float", "float", "int32", "bool"))
    return In(shape, -9, 9, kind=kind)


def structure(d: Draws) -> Drawn:
    return d.of(_STRUCTURE)(d)


def _reshape(d: Draws) -> Drawn:
    shape = d.shape()
    new = [shape[i] for i in d.order(len(shape))]
    if len(new) > 1 and d.yes():
        new = [new[0] * new[1], *new[2:]]
    if new and 0 not in new and d.yes():
        new[d.number(0, len(new) - 1)] = -1
    return _call(d, "K.reshape", _any_kind(d, shape), tuple(new))


def _permute(d: Draws) -> Drawn:
    shape = d.shape(1)
    return _call(d, "permute_dimensions", _any_kind(d, shape), d.order(len(shape)))


def _axis_of_one(d: Draws) -> Drawn:
    shape = d.shape(0, 3)
    place = d.number(0, len(shape))
    if d.yes():
        return _call(d, "expand_dims", _any_kind(d, shape), d.number(-len(shape) - 1, len(shape)))
    return _call(d, "squeeze", _any_kind(d, (*shape[:place], 1, *shape[place:])), d.of((place, place - len(shape) - 1)))


def _one_axis(d: Draws) -> Drawn:
    shape = d.shape(1)
    x, axis = _any_kind(d, shape), d.axis(len(shape))
    key = d.of(("reverse", "repeat_elements", "K.roll", "K.flip", "K.moveaxis", "K.swapaxes", "K.repeat"))
    if key in ("K.moveaxis", "K.swapaxes"):
        return _call(d, key, x, axis, d.axis(len(shape)))
    if key in ("repeat_elements", "K.repeat"):
        return _call(d, key, x, d.number(0, 3), axis)
    return _call(d, key, x, axis) if key != "K.roll" else _call(d, key, x, d.number(-4, 7), axis)


def _larger(d: Draws) -> Drawn:
    shape = d.shape()
    key = d.of(("K.tile", "pad", "K.broadcast_to"))
    if key == "K.tile":
        return _call(d, key, _any_kind(d, shape), tuple(d.number(1, 3) for _ in shape))
    if key == "pad":
        return _call(d, key, In(shape), tuple((d.number(0, 2), d.number(0, 2)) for _ in shape), d.of((0.0, 1.5)))
    return _call(d, key, _any_kind(d, d.operand(shape)), shape)


def _slices(d: Draws) -> Drawn:
    shape = d.shape(1)
    index: list[Any] = []
    for size in shape[: d.number(1, len(shape))]:
        if d.number(0, 5) == 0:
            index.append(None)
        if size and d.number(0, 2) == 0:
            index.append(d.number(-size, size - 1))
        else:
            bounds = (None, *range(-size - 1, size + 2))
            index.append(slice(d.of(bounds), d.of(bounds), d.of((None, 1, 2, -1, -2))))
    return _call(d, "K.getitem", _any_kind(d, shape), tuple(index))


def _matrices(d: Draws) -> Drawn:
    shape = (*d.shape(0, 2), d.size(), d.size())
    key = d.of(("K.tril", "K.triu", "K.diagonal", "K.rot90"))
    if key == "K.diagonal":
        return _call(d, key, In(shape), d.number(-2, 2), -2, -1, dynamic=False)
    return _call(d, key, In(shape), d.number(-2, 3))


_STRUCTURE = (_reshape, _permute, _axis_of_one, _one_axis, _larger, _slices, _slices, _matrices)


def joining(d: Draws) -> Drawn:
    shape = d.shape(1)
    axis = d.axis(len(shape))
    key = d.of(("K.concatenate_last", "K.stack", "unstack", "K.split", "K.append"))
    if key == "K.stack":
        parts = [_any_kind(d, shape) for _ in range(d.number(1, 3))]
        return _call(d, key, parts, d.number(-len(shape) - 1, len(shape)))
    sizes = [tuple(d.size() if i == axis % len(shape) else n for i, n in enumerate(shape)) for _ in range(3)]
    if key == "K.concatenate_last":
        return _call(d, key, [_any_kind(d, s) for s in sizes[: d.number(1, 3)]], axis)
    if key == "K.append":
        return _call(d, key, In(sizes[0]), In(sizes[1]), axis)
    size = shape[axis]
    if key == "unstack":
        return _call(d, key, In(tuple(n or 1 for n in shape)), axis, dynamic=axis % len(shape) != 0)
    counts = [n for n in range(1, size + 1) if size % n == 0] or [1]
    cut: Any = d.of(counts) if d.yes() else tuple(sorted(d.number(0, size) for _ in range(d.number(1, 2))))
    return _call(d, key, In(shape), cut, axis, dynamic=axis % len(shape) != 0)


def picking(d: Draws) -> Drawn:
    shape = d.shape(1, 3, size=1)
    rank, places = len(shape), d.shape(0, 2)
    kind = d.of(("int32", "int64"))
    key = d.of(("gather", "K.take", "take_along_axis", "K.one_hot", "K.getitem", "K.top_k"))
    axis = d.axis(rank)
    if key == "gather":
        return _call(d, key, _any_kind(d, shape), In(places, 0, shape[0], kind=kind))
    if key == "K.take":
        return _call(d, key, _any_kind(d, shape), In(places, -shape[axis], shape[axis], kind=kind), axis)
    if key == "take_along_axis":
        at = tuple(d.size() if i == axis % rank else n for i, n in enumerate(shape))
        return _call(d, key, _any_kind(d, shape), In(at, 0, shape[axis], kind=kind), axis)
    if key == "K.one_hot":
        return _call(d, key, In(places, -1, 4, kind=kind), d.number(1, 4))
    if key == "K.top_k":
        return _call(d, "top_k", In(shape, distinct=True), d.number(1, shape[-1]))
    index = [_positions(d, size) for size in shape[: d.number(1, rank)]]
    return _call(d, key, In(shape), tuple(index), dynamic=False)


def _positions(d: Draws, size: int) -> Any:
    """The index of one axis in an index with arrays: a slice, an integer, or one or two positions."""
    kind = d.number(0, 3)
    if kind == 0:
        return slice(None, None, d.of((1, -1)))
    if kind == 1:
        return d.number(-size, size - 1)
    return [d.number(-size, size - 1) for _ in range(kind - 1)]


# ------------------------------------------------------------------------------------- products


def _positive(shape: tuple[int, ...]) -> In:
    """Positive values, whose sums of products do not cancel, so that errors are those of rounding."""
    return In(shape, 0.25, 2.0)


def products(d: Draws) -> Drawn:
    m, k, n, b = (d.size() for _ in range(4))
    key = d.of(("K.dot", "matmul", "K.batch_dot", "K.tensordot", "K.einsum", "dense", "K.outer", "K.inner"))
    if key == "K.dot":
        x, y = d.of((((m, k), (k, n)), ((b, m, k), (k, n)), ((m, k), (b, k, n)), ((k,), (k,)), ((m, k), (k,))))
        return _call(d, key, _positive(x), _positive(y), tolerance="matmul", reason="a product")
    if key == "matmul":
        x, y = d.of((((m, k), (k, n)), ((b, m, k), (b, k, n)), ((b, m, k), (k, n)), ((1, m, k), (b, k, n))))
        return _call(d, key, _positive(x), _positive(y))
    if key == "K.batch_dot":
        x, y, axes = d.of((((b, k), (b, k), 1), ((b, m, k), (b, k, n), (2, 1)), ((b, k), (b, k, n), (1, 1)),
                           ((b, k, m), (b, n, k), (1, 2))))  # fmt: skip
        return _call(d, key, _positive(x), _positive(y), axes, tolerance="matmul", reason="a product")
    if key == "K.tensordot":
        x, y, axes = d.of((((m, k), (k, n), 1), ((m, k, b), (b, k, n), ((1, 2), (1, 0))), ((m, k), (k, m), [[0], [1]])))
        return _call(d, key, _positive(x), _positive(y), axes)
    if key == "K.einsum":
        text, x, y = d.of((("ij,jk->ik", (m, k), (k, n)), ("bij,bjk->bik", (b, m, k), (b, k, n)), ("ij,ij->", (m, k),
                           (m, k)), ("ij,kj->ki", (m, k), (n, k)), ("bi,bj->bij", (b, m), (b, n))))  # fmt: skip
        return _call(d, key, text, _positive(x), _positive(y), tolerance="matmul", reason="a product")
    if key == "dense":
        return _call(d, key, _positive((*d.shape(1, 2), k)), _positive((k, n)), d.of((None, _positive((n,)))))
    if key == "K.inner":
        return _call(d, key, _positive((m, k)), _positive((n, k)))
    return _call(d, key, _positive(d.shape(0, 2)), _positive(d.shape(0, 2)))


# ------------------------------------------------------------------------------------- windows


def _layout(d: Draws, batch: int, sizes: tuple[int, ...], channels: int) -> tuple[tuple[int, ...], str]:
    if d.yes():
        return (batch, *sizes, channels), "channels_last"
    return (batch, channels, *sizes), "channels_first"


def convolution(d: Draws) -> Drawn:
    rank = d.of((2, 1, 3))
    window = tuple(d.number(1, 3) for _ in range(rank))
    step, dilation = d.of(((1, 1), (2, 1), (1, 2), (3, 1)))
    sizes = tuple((w - 1) * dilation + 1 + d.number(0, 4) for w in window)
    channels, filters = d.number(1, 3), d.number(1, 3)
    shape, layout = _layout(d, d.number(1, 2), sizes, channels)
    padding = d.of(("valid", "same", *(["causal"] if rank == 1 and layout == "channels_last" else [])))
    options: dict[str, Any] = {"padding": padding, "data_format": layout, "tolerance": "matmul", "reason": "a product"}
    key = d.of((f"K.conv{rank}d", *(("K.depthwise_conv2d", "K.separable_conv2d") if rank == 2 else ())))
    options["strides"] = step if rank == 1 else (step,) * rank
    options["dilation_rate"] = dilation if rank == 1 else (dilation,) * rank
    if key == "K.depthwise_conv2d":
        return _call(d, key, _positive(shape), _positive((*window, channels, d.number(1, 2))), wide=True, **options)
    if key == "K.separable_conv2d":
        wide = d.number(1, 2)
        kernels = _positive((*window, channels, wide)), _positive((1, 1, channels * wide, filters))
        return _call(d, key, _positive(shape), *kernels, wide=True, **options)
    return _call(d, key, _positive(shape), _positive((*window, channels, filters)), wide=True, **options)


def pooling(d: Draws) -> Drawn:
    rank = d.of((2, 3))
    window = tuple(d.number(1, 3) for _ in range(rank))
    sizes = tuple(w + d.number(0, 3) for w in window)
    shape, layout = _layout(d, d.number(1, 2), sizes, d.number(1, 3))
    return _call(d, f"K.pool{rank}d", In(shape, distinct=True), window, strides=tuple(d.number(1, 3) for _ in window),
                 padding=d.of(("valid", "same")), data_format=layout, pool_mode=d.of(("max", "avg")), wide=True,
                 tolerance="reduction", reason="an average of a window")  # fmt: skip


def recurrent(d: Draws) -> Drawn:
    key, gates = d.of((("K.lstm", 4), ("K.gru", 3), ("K.simple_rnn", 1)))
    batch, steps, features, units = (d.number(1, 3) for _ in range(4))
    given = d.yes()
    states = [In((batch, units), -1, 1) if given else None] * (2 if key == "K.lstm" else 1)
    bias = None if d.yes() else In((2, 3 * units) if key == "K.gru" else (gates * units,), -1, 1)
    weights = [In((features, gates * units), -1, 1), In((units, gates * units), -1, 1), bias]
    mask = In((batch, steps), kind="bool") if d.yes() else None
    return _call(d, key, In((batch, steps, features)), *states, *weights, mask, go_backwards=d.yes(), wide=True)


FAMILIES: dict[str, Callable[[Draws], Drawn]] = {
    "unary": unary,
    "binary": binary,
    "reduction": reduction,
    "normalised": normalised,
    "structure": structure,
    "joining": joining,
    "picking": picking,
    "products": products,
    "convolution": convolution,
    "pooling": pooling,
    "recurrent": recurrent,
}

__all__ = ["FAMILIES"]
