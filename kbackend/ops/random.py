"""Random draws from one Philox4x32-10 stream that is the same on every engine.

The bits of a draw are a function of three numbers: the *key* (a seed of 64 bits), the *op id* (which draw of
the program) and the *step* (how often the draw has been made). Op id and step are the high half of Philox'
128-bit counter, the low half numbers the blocks of four words. Source: Salmon, Moraes, Dror, Shaw, "Parallel
Random Numbers: As Easy as 1, 2, 3", SC11.

Each symbolic draw owns a counter that advances by one after each run of a program that holds it. ``set_seed``
sets the key of the draws made after it and starts their op ids anew; a draw with a seed of its own has the op
id 0, so that it is the same in any program.
"""

from __future__ import annotations

import math
import operator
import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.ops import elementwise as e
from kbackend.ops import shaping
from kbackend.ops.creation import ones_like, zeros_like
from kbackend.ops.declare import TensorLike, TensorList, composite, derived, primitive
from kbackend.ops.dispatch import dtype_of
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.sizes import check_sizes, entries, split_entries
from kbackend.ops.state import constant, variable

Shape = tuple[int | None, ...]

#: the op id of shuffles, with the number of the epoch as step
SHUFFLE_OP_ID = (1 << 32) - 1
_KEY_BITS = (1 << 64) - 1
_FIRST_OP_ID = 16  # below it are the draws that have a seed of their own
_TRUNCATED_AT = 2.0  # standard deviations


# ------------------------------------------------------------------------------------- seeds


class _Process:
    """The seed of the process and the next op id."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.key: int | None = None
        self.next_op_id = _FIRST_OP_ID

    def seed(self, key: int) -> None:
        with self.lock:
            self.key, self.next_op_id = key, _FIRST_OP_ID

    def current_key(self) -> int:
        with self.lock:
            if self.key is None:
                self.key = int.from_bytes(os.urandom(8), "little")
            return self.key

    def take(self, count: int) -> int:
        with self.lock:
            first = self.next_op_id
            self.next_op_id += count
            return first


_process = _Process()


def set_seed(seed: int) -> None:
    """Set the seed of the process; draws, dropout masks, initial values and shuffles made after it repeat.

    Args:
        seed: an integer; its low 64 bits are used.

    Raises:
        TypeError: not an integer.

    >>> from kbackend import K
    >>> K.set_seed(7)
    >>> a = K.eval(K.random_uniform((3,)))
    >>> K.set_seed(7)
    >>> bool((a == K.eval(K.random_uniform((3,)))).all())
    True
    """
    _process.seed(_key(seed))


def get_seed() -> int:
    """The seed of the process as 64 bits; drawn from the operating system when none was set."""
    return _process.current_key()


def _key(seed: Any) -> int:
    if isinstance(seed, bool):
        raise TypeError(f"a seed must be an integer, it is {seed!r}")
    try:
        return operator.index(seed) & _KEY_BITS
    except TypeError:
        raise TypeError(f"a seed must be an integer, it is {seed!r}") from None


def stream_of(seed: Any = None, count: int = 1) -> tuple[int, int]:
    """The key and the first of ``count`` op ids for a new draw."""
    if seed is not None:
        return _key(seed), 0
    return _process.current_key(), _process.take(count)


def counter(name: str) -> Variable:
    """A counter of runs: the ``step`` of a symbolic draw."""
    return Variable(np.zeros((), np.int64), (), "int64", name=name, trainable=False, counter=True)


def permutation(n: int, key: int, stream: int) -> np.ndarray:
    """A random order of ``range(n)`` as int64, on the host: the ranks of 64-bit words of the Philox stream.

    Args:
        n: how many.
        key: a seed of 64 bits, such as :func:`get_seed` gives.
        stream: op id and step, ``op_id << 32 | step``.

    Equal words, of which there is one pair in 2**64 / n**2 orders, keep their order.

    >>> from kbackend.ops.random import permutation
    >>> sorted(permutation(5, key=1, stream=0).tolist())
    [0, 1, 2, 3, 4]
    """
    from randomgen import Philox

    if n < 0:
        raise ValueError(f"a permutation of {n} elements")
    # randomgen adds one to the counter before it makes a block.
    start = ((stream << 64) - 1) % (1 << 128)
    words = Philox(key=key, counter=start, number=4, width=32).random_raw(2 * n).astype(np.uint64)
    return np.argsort(words[0::2] << np.uint64(32) | words[1::2], kind="stable")


# ------------------------------------------------------------------------------------- shapes


def _parts(shape: Any) -> tuple[list[Tensor], Shape]:
    """The sizes that are tensors, and the shape with None in their places."""
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    if any(d is not None and d < 0 for d in pattern):
        raise ValueError(f"a shape has no negative dimensions, it is {pattern}")
    return sizes, pattern


def _draw_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(attrs["shape"]), "dtype": dtypes.canonical(attrs["dtype"])}


def _float_draw_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    attrs = _draw_attrs(specs, attrs)
    if not dtypes.is_float(attrs["dtype"]):
        raise TypeError(f"a draw of real numbers needs a float dtype, not {attrs['dtype']}")
    return attrs


def _floats(dtype: Any) -> str:
    return config.floatx() if dtype is None else dtypes.canonical(dtype)


# ------------------------------------------------------------------------------------- the stream


def _step(value: int = 3) -> In:
    return In((), values=np.asarray(value), kind="int64", gradient=False)


def _integer(value: int) -> In:
    return In((), values=np.asarray(value), kind="int32", gradient=False)


def _draws(*operands: Any, **options: Any) -> list[Sample]:
    """Samples of a draw in each float dtype, and one of nothing."""
    common = {"key": 2**63 + 11, "op_id": 5, "gradient": False, "dynamic": False, **options}
    return [
        call(*operands, _step(), shape=(3, 7), dtype="float32", dtypes=("float32",), **common),
        call(*operands, _step(), shape=(5,), dtype="float64", dtypes=("float64",), **common),
        call(*operands, _step(), shape=(3, 5), dtype="float16", dtypes=("float16",), **common),
        call(*operands, _step(), shape=(0, 2), dtype="float32", dtypes=("float32",), **common),
        call(*operands, _step(2**31), shape=(), dtype="float32", dtypes=("float32",), **common),
        call(*operands, _step(), [_integer(2)], shape=(None, 3), dtype="float32", dtypes=("float32",),
             **common),
    ]


def _unit_samples() -> list[Sample]:
    common = {"key": 1, "op_id": (1 << 32) - 1, "gradient": False, "dynamic": False}
    return [*_draws(), call(_step(), shape=(9,), dtype="float32", dtypes=("float32",), **common)]


@primitive(prepare=_float_draw_attrs, differentiable=False, tolerance="exact", creates=True,
           samples=_unit_samples)
def random_unit(step: TensorLike, sizes: TensorList = (), *, shape: Shape, key: int, op_id: int,
                dtype: str) -> TensorSpec:
    """Numbers in [0, 1), bit for bit the same on every engine.

    Args:
        step: an integer scalar, taken modulo 2**32.
        sizes: integer scalars, one for each None in ``shape``.
        shape: the shape.
        key: the seed, 64 bits.
        op_id: which draw of the program, 32 bits.
        dtype: float32 takes the high 24 bits of a word, float64 27 and 26 of two, float16 11, bfloat16 8.
    """
    check_sizes(sizes, shape)
    return TensorSpec(shape, dtype)


# ------------------------------------------------------------------------------------- dropout


def _dropout_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    noise = attrs.get("noise_shape")
    if noise is None:
        return attrs
    shape = specs[0].shape
    noise = tuple(noise)
    if len(noise) != len(shape):
        raise ValueError(f"noise_shape {noise} must have an entry for each dimension of x {shape}")
    for wanted, have in zip(noise, shape):
        if wanted not in (None, 1) and have is not None and wanted != have:
            raise ValueError(f"noise_shape {noise} does not fit x {shape}: entries are 1, None or x's own")
    noise = tuple(1 if n == 1 else None for n in noise)
    return {**attrs, "noise_shape": None if 1 not in noise else noise}


def _dropout_rule(x: TensorSpec, rate: TensorSpec, step: TensorSpec, **attrs: Any) -> TensorSpec:
    if not dtypes.is_float(x.dtype):
        raise TypeError(f"dropout needs a float tensor, not {x.dtype}")
    if rate.shape != () or not dtypes.is_float(rate.dtype):
        raise ValueError(f"the rate must be a float scalar, not {rate}")
    return x


def _dropout_samples() -> list[Sample]:
    x = In((4, 6))

    def rate(value: float, kind: str = "float32") -> In:
        return In((), values=np.asarray(value), kind=kind, gradient=False)

    common = {"key": 99, "op_id": 4}
    return [
        call(x, rate(0.3), _step(), **common),
        call(x, rate(0.3, "float64"), _step(), dtypes=("float64",), **common),
        call(x, rate(0.0), _step(), name="rate 0", **common),
        call(In((2, 3), 0.5, 2.0), rate(1.0), _step(), name="rate 1 gives zeros", row=28,
             expect=np.zeros((2, 3)), expect_gradient=np.zeros((2, 3)), **common),
        call(In((2, 3, 4)), rate(0.5), _step(), noise_shape=(None, 1, 4), name="noise_shape", **common),
        call(In((0, 3)), rate(0.5), _step(), name="empty", **common),
        call(In(()), rate(0.5), _step(), name="scalar", dynamic=False, **common),
        call(x, rate(0.5), _step(), noise_shape=(3, 6), raises=ValueError, dynamic=False, **common),
    ]


@composite(name="dropout", prepare=_dropout_attrs, rule=_dropout_rule, samples=_dropout_samples)
def _dropout(x: TensorLike, rate: TensorLike, step: TensorLike, *, noise_shape: Shape | None = None, key: int,
             op_id: int) -> Any:
    """``x`` times a mask of zeros and ``1 / (1 - rate)``.

    An element is kept where its unit is at least ``rate``; units have 24 bits and ``rate`` is taken as
    float32, whatever the dtype of ``x``.
    """
    dtype = dtype_of(x)
    wide = dtype if dtype in ("float32", "float64") else "float32"
    known = tuple(x.shape)
    shape = tuple(k if n is None else n for n, k in zip(noise_shape or (None,) * len(known), known))
    sizes = [shaping.extent(x, (axis,)) for axis, d in enumerate(shape) if d is None]
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype="float32")
    kept = e.greater_equal(unit, e.cast(rate, "float32"))
    rest = e.subtract(1.0, e.cast(rate, wide))
    scale = e.cast(e.divide(1.0, e.where(e.greater(rest, 0.0), rest, ones_like(rest))), dtype)
    return e.multiply(x, e.where(kept, scale, zeros_like(scale)))


def _is_number(d: Any) -> bool:
    return d is not None and not isinstance(d, Tensor)


def _check_rate(level: Any) -> None:
    if not 0 <= level <= 1:
        raise ValueError(f"the rate of dropout must be in [0, 1], it is {level!r}")


@derived(samples=lambda: [call(In((2, 3), 0.5, 2.0), 1, row=28, expect=np.zeros((2, 3))),
                          call(In((2, 3)), 1.5, raises=ValueError),
                          call(In((2, 3)), -0.1, raises=ValueError)])
def dropout(x: TensorLike, level: Any, noise_shape: Any = None, seed: int | None = None) -> Any:
    """Sets elements of ``x`` to zero with probability ``level`` and divides the others by ``1 - level``.

    Args:
        x: a float tensor.
        level: a number in [0, 1], or a scalar variable or tensor, which is not checked. 1 gives zeros.
        noise_shape: for each dimension of ``x`` 1 (one decision for all of it), or None, the size, or a
            symbolic scalar (decisions of their own).
        seed: a seed for this call; the process' stream when None.

    Returns:
        A tensor like ``x``. A concrete ``x`` is dropped out at once.

    Raises:
        ValueError: a level outside [0, 1]; a noise_shape that does not fit.
        TypeError: ``x`` is not a float tensor.

    >>> from kbackend import K
    >>> K.eval(K.dropout(K.ones((2, 2)), 1)).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    dtype = "float64" if dtype_of(x) == "float64" else "float32"
    symbolic = isinstance(x, Tensor) or isinstance(level, Tensor)
    if isinstance(level, (bool, int, float, np.number)):
        _check_rate(level)
        level = constant(float(level), dtype) if symbolic else np.asarray(level, dtype)
    if isinstance(noise_shape, Tensor):
        raise TypeError(f"noise_shape must be a list or tuple, not {noise_shape!r}; entries may be symbolic")
    if noise_shape is not None:
        noise_shape = tuple(operator.index(d) if _is_number(d) else None for d in noise_shape)
    key, op_id = stream_of(seed)
    step = counter("dropout_step") if symbolic else 0
    return _dropout(x, level, step, noise_shape=noise_shape, key=key, op_id=op_id)


# ------------------------------------------------------------------------------------- draws


def _bound(value: float) -> In:
    return In((), values=np.asarray(value), kind="float32", gradient=False)


def _draw_rule(
    first: Any, second: Any, step: Any, sizes: Any, *, shape: Shape, dtype: str, **_: Any
) -> TensorSpec:
    check_sizes(sizes, shape)
    return TensorSpec(shape, dtype)


@composite(name="random_uniform", prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(-1.5), _bound(2.5))
           + [call(_bound(1.0), _bound(1.0 + 2.0**-23), _step(), shape=(64,), dtype="float32", key=3, op_id=1,
                   expect=np.ones(64, np.float32), gradient=False, dynamic=False, row=49,
                   name="rounding never reaches the upper end")])
def _uniform(low: TensorLike, high: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
             key: int, op_id: int, dtype: str) -> Any:
    """``low + unit * (high - low)``; where that is rounded to ``high``, it is ``low``."""
    low, high = e.cast(low, dtype), e.cast(high, dtype)
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype=dtype)
    values = e.add(low, e.multiply(unit, e.subtract(high, low)))
    return e.where(e.less(values, high), values, low)


@composite(name="random_integers", prepare=_draw_attrs, rule=_draw_rule, creates=True, tolerance="exact",
           samples=lambda: [
               call(_integer(-3), _integer(4), _step(), shape=(4, 5), key=8,
                    op_id=2, dtype="int32", gradient=False, dynamic=False)])
def _integers(low: TensorLike, high: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
              key: int, op_id: int, dtype: str) -> Any:
    """``low + floor(unit * (high - low))`` with units of 53 bits."""
    low = e.cast(low, "float64")
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype="float64")
    return e.cast(e.add(low, e.floor(e.multiply(unit, e.subtract(e.cast(high, "float64"), low)))), dtype)


def _wide(dtype: str) -> str:
    return dtype if dtype == "float64" else "float32"


@composite(name="random_normal", prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(0.5), _bound(2.0)))
def _normal(mean: TensorLike, stddev: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
            key: int, op_id: int, dtype: str) -> Any:
    """Box and Muller's transformation of the units of two op ids: ``sqrt(-2 log(1 - u)) cos(2 pi v)``.

    ``1 - u`` is in (0, 1] and exact. In float32 no value is further than 5.8 ``stddev`` from ``mean``.
    """
    wide = _wide(dtype)
    common = {"shape": shape, "key": key, "dtype": wide}
    distance = e.subtract(1.0, random_unit(step, sizes, op_id=op_id, **common))
    turn = random_unit(step, sizes, op_id=op_id + 1, **common)
    standard = e.multiply(e.sqrt(e.multiply(e.log(distance), -2.0)), e.cos(e.multiply(turn, 2.0 * math.pi)))
    return e.cast(e.add(e.multiply(standard, e.cast(stddev, wide)), e.cast(mean, wide)), dtype)


@composite(name="truncated_normal", prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(0.5), _bound(2.0)))
def _truncated(mean: TensorLike, stddev: TensorLike, step: TensorLike, sizes: TensorList = (), *,
               shape: Shape, key: int, op_id: int, dtype: str) -> Any:
    """The normal quantile of a unit spread over the probabilities within two standard deviations."""
    wide = _wide(dtype)
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype=wide)
    half = math.erf(_TRUNCATED_AT / math.sqrt(2.0)) / 2.0
    standard = normal_quantile(e.add(e.multiply(unit, 2.0 * half), -half))
    standard = e.clip(standard, -_TRUNCATED_AT, _TRUNCATED_AT)
    return e.cast(e.add(e.multiply(standard, e.cast(stddev, wide)), e.cast(mean, wide)), dtype)


#: numerator and denominator of Wichura's two rational functions, from the highest power down
CENTRAL = (
    (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
     13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608),
    (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
     5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0),
)
TAIL = (
    (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
     3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734),
    (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
     0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0),
)


@composite(promote="float", samples=lambda: [
    call(In((4, 5), -0.47, 0.47), gradient=False, dtypes=("float64", "float32")),
    call(In((3,), values=[-0.4772, 0.0, 0.4772]), gradient=False, dtypes=("float64", "float32"))])
def normal_quantile(q: TensorLike) -> Any:
    """The ``x`` below which a standard normal variable lies with probability ``0.5 + q``, for q in +-0.4999.

    Source: Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", 1988, without the
    far tails; relative error 1e-15 in float64.
    """
    square = e.multiply(q, q)
    central = e.multiply(_ratio(e.subtract(0.180625, square), CENTRAL), q)
    far = e.sqrt(e.negative(e.log(e.subtract(0.5, e.abs_(q)))))
    tail = e.multiply(_ratio(e.subtract(far, 1.6), TAIL), e.sign(q))
    return e.where(e.less_equal(square, 0.180625), central, tail)


def _ratio(r: Any, coefficients: tuple[tuple[float, ...], tuple[float, ...]]) -> Any:
    return e.divide(*(_polynomial(r, powers) for powers in coefficients))


def _polynomial(r: Any, powers: tuple[float, ...]) -> Any:
    value = e.multiply(r, powers[0])
    for coefficient in powers[1:-1]:
        value = e.multiply(e.add(value, coefficient), r)
    return e.add(value, powers[-1])


# ------------------------------------------------------------------------------------- functions of K

_SAME_BITS = "the same bits are promised"


def _draw(op: Any, first: Any, second: Any, shape: Any, dtype: str, seed: Any, count: int = 1) -> Tensor:
    sizes, pattern = _parts(shape)
    key, op_id = stream_of(seed, count)
    step = counter(f"{op.op.name}_step")
    kind = "float64" if dtypes.is_integer(dtype) else dtype
    first, second = (v if isinstance(v, Tensor) else constant(v, kind) for v in (first, second))
    return op(first, second, step, sizes, shape=pattern, key=key, op_id=op_id, dtype=dtype)


def _draw_unit(name: str, shape: Any, dtype: str, seed: Any) -> Tensor:
    sizes, pattern = _parts(shape)
    key, op_id = stream_of(seed)
    return random_unit(counter(f"{name}_step"), sizes, shape=pattern, key=key, op_id=op_id, dtype=dtype)


@derived(samples=lambda: [
    call((3, 4), seed=7, name="unit", tolerance="exact", reason=_SAME_BITS),
    call((3, 4), -1.0, 2.0, seed=7, name="range"),
    call((5,), -3, 4, "int32", 7, name="integers"),
    call((2, 3), dtype="float64", seed=7, name="float64", tolerance="exact", reason=_SAME_BITS),
    call([In((), kind="int32", values=2), 3], seed=7, name="symbolic size", tolerance="exact", reason=_SAME_BITS),
    call((2, -1), seed=7, raises=ValueError, name="negative size"),
    call((2,), 2.0, 1.0, seed=7, raises=ValueError, name="bounds")])
def random_uniform(shape: Any, minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None,
                   seed: int | None = None) -> Tensor:
    """Numbers spread evenly over ``[minval, maxval)``; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        minval, maxval: numbers or scalar tensors.
        dtype: floatx when None; with an integer dtype the integers of the range are drawn.
        seed: a seed for this draw; the process' stream when None.

    Returns:
        A symbolic tensor. float32 numbers are multiples of ``(maxval - minval) / 2**24`` from ``minval`` on.

    >>> from kbackend import K
    >>> x = K.eval(K.random_uniform((100,), -1.0, 1.0))
    >>> bool(x.min() >= -1 and x.max() < 1)
    True
    """
    chosen = _floats(dtype)
    if dtypes.is_integer(chosen):
        return _draw(_integers, minval, maxval, shape, chosen, seed)
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        if not minval <= maxval:
            raise ValueError(f"random_uniform needs minval <= maxval, they are {minval} and {maxval}")
        if (minval, maxval) == (0, 1):
            return _draw_unit("random_uniform", shape, chosen, seed)
    return _draw(_uniform, minval, maxval, shape, chosen, seed)


@derived(samples=lambda: [
    call((3, 5), seed=7), call((3, 5), 1.0, 0.5, "float64", 7, name="float64"),
    call((3, 2), In((2,)), In((2,), 0.5, 2.0), seed=7, dtypes=("float32",), dynamic=False, name="tensors"),
    call((3,), dtype="int32", seed=7, raises=TypeError, name="integers")])
def random_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None,
                  seed: int | None = None) -> Tensor:
    """Normally distributed numbers, by Box and Muller's transformation; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        mean, stddev: numbers or tensors that broadcast to the shape; gradients flow to them.
        dtype: a float dtype; floatx when None.
        seed: a seed for this draw; the process' stream when None.

    >>> from kbackend import K
    >>> K.int_shape(K.random_normal((2, 3)))
    (2, 3)
    """
    return _draw(_normal, mean, stddev, shape, _floats(dtype), seed, count=2)


@derived(samples=lambda: [
    call((3, 5), seed=7), call((3, 5), 1.0, 0.5, "float64", 7, name="float64")])
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None,
                     seed: int | None = None) -> Tensor:
    """Normally distributed numbers, none of them further than two ``stddev`` from ``mean``. See
    :func:`random_normal`."""
    return _draw(_truncated, mean, stddev, shape, _floats(dtype), seed)


def _binomial_samples() -> list[Sample]:
    return [call((4, 5), 0.3, seed=7), call((4, 5), 0.3, "int32", 7, name="int32"),
            call((3,), 1.0, seed=7, name="always", expect=np.ones(3, np.float32)),
            call((2,), 1.5, seed=7, raises=ValueError, name="no probability")]


@derived(samples=_binomial_samples)
def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: int | None = None) -> Tensor:
    """1 with probability ``p`` and 0 else; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        p: a number or a tensor that broadcasts to the shape.
        dtype: floatx when None.
        seed: a seed for this draw; the process' stream when None.
    """
    if isinstance(p, (bool, int, float)) and not 0 <= p <= 1:
        raise ValueError(f"a probability is in [0, 1], it is {p!r}")
    unit = _draw_unit("random_binomial", shape, "float32", seed)
    return e.cast(e.less(unit, p if isinstance(p, Tensor) else constant(p, "float32")), _floats(dtype))


@derived(samples=_binomial_samples)
def random_bernoulli(shape: Any, p: Any = 0.0, dtype: Any = None, seed: int | None = None) -> Tensor:
    """Another name of :func:`random_binomial`."""
    return random_binomial(shape, p, dtype, seed)


@derived
def random_uniform_variable(shape: Any, low: Any, high: Any, dtype: Any = None, name: str | None = None,
                            seed: int | None = None) -> Variable:
    """A variable whose initial value is drawn by :func:`random_uniform`."""
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


@derived
def random_normal_variable(shape: Any, mean: Any, scale: Any, dtype: Any = None, name: str | None = None,
                           seed: int | None = None) -> Variable:
    """A variable whose initial value is drawn by :func:`random_normal`."""
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)
