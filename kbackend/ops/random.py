"""Random draws from one Philox4x32-10 stream that is the same on every engine. See ops/streams.py for which bits a
draw gets. Each symbolic draw owns a counter that advances by one after each run of a program that holds it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.variable import Variable
from kbackend.ops import elementwise as e
from kbackend.ops.declare import TensorLike, TensorList, composite, derived, primitive
from kbackend.ops.normal import normal_quantile
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.sizes import check_sizes, entries, split_entries
from kbackend.ops.state import constant, variable
from kbackend.ops.streams import counter, stream_of

Shape = tuple[int | None, ...]
Seed = Any  # an int, a SeedGenerator or None

_TRUNCATED_AT = 2.0  # standard deviations


# ------------------------------------------------------------------------------------- shapes


def shape_parts(shape: Any) -> tuple[list[Tensor], Shape]:
    """The sizes that are tensors, and the shape with None in their places."""
    sizes, pattern = split_entries(entries([shape] if isinstance(shape, int) else shape))
    if any(d is not None and d < 0 for d in pattern):
        raise ValueError(f"a shape has no negative dimensions, it is {pattern}")
    return sizes, pattern


def _draw_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(attrs["shape"]), "dtype": dtypes.canonical(attrs["dtype"])}


def _bits_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**attrs, "shape": tuple(attrs["shape"])}


def _float_draw_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    attrs = _draw_attrs(specs, attrs)
    if not dtypes.is_float(attrs["dtype"]):
        raise TypeError(f"a draw of real numbers needs a float dtype, not {attrs['dtype']}")
    return attrs


def _floats(dtype: Any) -> str:
    return config.floatx() if dtype is None else dtypes.canonical(dtype)


# ------------------------------------------------------------------------------------- the stream


def step_sample(value: int = 3) -> In:
    """The operand ``step`` of a sample."""
    return In((), values=np.asarray(value), kind="int64", gradient=False)


def _integer(value: int, kind: str = "int32") -> In:
    return In((), values=np.asarray(value), kind=kind, gradient=False)


def _draws(*operands: Any, **options: Any) -> list[Sample]:
    """Samples of a draw in each float dtype, and one of nothing."""
    common = {"key": 2**63 + 11, "op_id": 5, "gradient": False, "dynamic": False, **options}
    return [
        call(*operands, step_sample(), shape=(3, 7), dtype="float32", dtypes=("float32",), **common),
        call(*operands, step_sample(), shape=(5,), dtype="float64", dtypes=("float64",), **common),
        call(*operands, step_sample(), shape=(3, 5), dtype="float16", dtypes=("float16",), **common),
        call(*operands, step_sample(), shape=(0, 2), dtype="float32", dtypes=("float32",), **common),
        call(*operands, step_sample(2**31), shape=(), dtype="float32", dtypes=("float32",), **common),
        call(*operands, step_sample(), [_integer(2)], shape=(None, 3), dtype="float32", dtypes=("float32",),
             **common),
    ]


def _bits_samples() -> list[Sample]:
    common = {"key": 2**63 + 11, "gradient": False, "dynamic": False, "dtypes": ("float32",)}
    return [
        call(step_sample(), shape=(3, 7), op_id=5, **common),
        call(step_sample(), [_integer(2)], _integer(3), shape=(None, 3), op_id=5, name="a later trial", **common),
        call(step_sample(2**31), (), _integer(2**31 - 1), shape=(), op_id=(1 << 32) - 1, name="largest", **common),
        call(step_sample(), shape=(0, 2), op_id=5, name="empty", **common),
        call(step_sample(), shape=(2,), op_id=5, key=0, gradient=False, dynamic=False, name="key 0"),
    ]


@primitive(prepare=_bits_attrs, differentiable=False, tolerance="exact", creates=True, samples=_bits_samples)
def random_bits(step: TensorLike, sizes: TensorList = (), trial: TensorLike | None = None, *, shape: Shape, key: int,
                op_id: int) -> TensorSpec:
    """Words of the Philox stream: int64 numbers in [0, 2**32), each as likely as any other.

    Args:
        step: an integer scalar, taken modulo 2**32.
        sizes: integer scalars, one for each None in ``shape``.
        trial: an integer scalar, taken modulo 2**32: which attempt of a draw by rejection; 0 when None.
        shape: the shape, filled in row-major order.
        key: the seed, 64 bits.
        op_id: which draw, 32 bits.
    """
    check_sizes(sizes, shape)
    return TensorSpec(shape, "int64")


def _unit_samples() -> list[Sample]:
    common = {"key": 1, "op_id": (1 << 32) - 1, "gradient": False, "dynamic": False}
    return [
        *_draws(),
        call(step_sample(), shape=(9,), dtype="float32", dtypes=("float32",), **common),
        call(step_sample(), (), _integer(2), shape=(9,), dtype="float64", dtypes=("float32",), name="a later trial",
             **common),
    ]


def _unit_rule(step: Any, sizes: Any, trial: Any = None, *, shape: Shape, dtype: str, **_: Any) -> TensorSpec:
    check_sizes(sizes, shape)
    return TensorSpec(shape, dtype)


_UNIT_BITS = {"float32": 24, "float16": 11, "bfloat16": 8}


@composite(prepare=_float_draw_attrs, rule=_unit_rule, differentiable=False, tolerance="exact", creates=True,
           samples=_unit_samples)
def random_unit(step: TensorLike, sizes: TensorList = (), trial: TensorLike | None = None, *, shape: Shape, key: int,
                op_id: int, dtype: str) -> Any:
    """Numbers in [0, 1), bit for bit the same on every engine. Operands as those of :func:`random_bits`.

    Args:
        dtype: float32 takes the high 24 bits of a word, float64 27 and 26 of two, float16 11, bfloat16 8.
    """
    words = (*shape, 2) if dtype == "float64" else shape
    bits = e.cast(random_bits(step, sizes, trial, shape=words, key=key, op_id=op_id), "float64")
    if dtype == "float64":
        high = e.multiply(_high_bits(bits[..., 0], 27), 2.0**26)
        return (high + _high_bits(bits[..., 1], 26)) * 2.0**-53
    count = _UNIT_BITS[dtype]
    return e.cast(e.multiply(_high_bits(bits, count), 2.0**-count), dtype)


def _high_bits(words: Any, count: int) -> Any:
    return e.floor(e.multiply(words, 2.0 ** (count - 32)))


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
           + [call(_bound(1.0), _bound(1.0 + 2.0**-23), step_sample(), shape=(64,), dtype="float32", key=3, op_id=1,
                   expect=np.ones(64, np.float32), gradient=False, dynamic=False, row=49,
                   name="rounding never reaches the upper end")])
def _uniform(low: TensorLike, high: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
             key: int, op_id: int, dtype: str) -> Any:
    """``low + unit * (high - low)``; where that is rounded to ``high``, it is ``low``."""
    low, high = e.cast(low, dtype), e.cast(high, dtype)
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype=dtype)
    values = low + unit * (high - low)
    return e.where(values < high, values, low)


def _integers_samples() -> list[Sample]:
    common = {"key": 8, "op_id": 2, "gradient": False, "dynamic": False}
    return [
        call(_integer(-3, "int64"), _integer(4, "int64"), step_sample(), shape=(4, 5), dtype="int32", **common),
        call(_integer(-(2**31), "int64"), _integer(2**31, "int64"), step_sample(), shape=(6,), dtype="int32",
             name="all of int32", **common),
        call(_integer(-(2**44), "int64"), _integer(2**44, "int64"), step_sample(), shape=(6,), dtype="int64",
             name="a wide range", **common),
        call(_integer(5, "int64"), _integer(6, "int64"), step_sample(), shape=(6,), dtype="int64",
             expect=np.full(6, 5), name="one value", **common),
    ]


@composite(name="random_integers", prepare=_draw_attrs, rule=_draw_rule, creates=True, tolerance="exact",
           differentiable=False, samples=_integers_samples)
def _integers(low: TensorLike, high: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
              key: int, op_id: int, dtype: str) -> Any:
    """``low + floor(bits * (high - low) / 2**64)`` with 64 bits, exactly.

    The range is at most 2**46. The probabilities of two numbers differ by a factor of at most 1 + range / 2**64.
    """
    low = e.cast(low, "int64")
    span = e.cast(high, "int64") - low
    words = random_bits(step, sizes, shape=(*shape, 2), key=key, op_id=op_id)
    above, below = words[..., 0], words[..., 1]
    upper = span // (1 << 16)
    lower = span - upper * (1 << 16)

    def scaled(word: Any, carry: Any) -> Any:
        """``floor((word * span + carry) / 2**32)``: no product passes 2**63."""
        rest = (word * lower + carry) // (1 << 16)
        return (word * upper + rest) // (1 << 16)

    return e.cast(low + scaled(above, scaled(below, 0)), dtype)


def _wide(dtype: str) -> str:
    return dtype if dtype == "float64" else "float32"


@composite(name="random_normal", prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(0.5), _bound(2.0)))
def _normal(mean: TensorLike, stddev: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
            key: int, op_id: int, dtype: str) -> Any:
    """The normal quantile of the middle of the interval that a unit stands for.

    In float32 no value is further than 5.42 ``stddev`` from ``mean``, in float64 than 8.3.
    """
    return _moved(standard_normal(step, sizes, shape=shape, key=key, op_id=op_id, dtype=_wide(dtype)), mean, stddev,
                  dtype)


@composite(prepare=_float_draw_attrs, rule=_unit_rule, differentiable=False, creates=True, tolerance="exact",
           samples=lambda: [s for s in _unit_samples() if s.kwargs["dtype"] in ("float32", "float64")])
def standard_normal(step: TensorLike, sizes: TensorList = (), trial: TensorLike | None = None, *, shape: Shape,
                    key: int, op_id: int, dtype: str) -> Any:
    """Draws with mean 0 and standard deviation 1 in float32 or float64, bit for bit the same on every engine."""
    unit = random_unit(step, sizes, trial, shape=shape, key=key, op_id=op_id, dtype=dtype)
    return normal_quantile(unit - 0.5 + (2.0**-54 if dtype == "float64" else 2.0**-25))


def _moved(standard: Any, mean: Any, stddev: Any, dtype: str) -> Any:
    wide = _wide(dtype)
    return e.cast(standard * e.cast(stddev, wide) + e.cast(mean, wide), dtype)


@composite(name="truncated_normal", prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(0.5), _bound(2.0)))
def _truncated(mean: TensorLike, stddev: TensorLike, step: TensorLike, sizes: TensorList = (), *,
               shape: Shape, key: int, op_id: int, dtype: str) -> Any:
    """The normal quantile of a unit spread over the probabilities within two standard deviations."""
    wide = _wide(dtype)
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype=wide)
    half = math.erf(_TRUNCATED_AT / math.sqrt(2.0)) / 2.0
    standard = normal_quantile(unit * (2.0 * half) + -half)
    return _moved(e.clip(standard, -_TRUNCATED_AT, _TRUNCATED_AT), mean, stddev, dtype)


# ------------------------------------------------------------------------------------- functions of K

_SAME_BITS = "the same bits are promised"
_WIDEST = 1 << 46


def _draw(op: Any, first: Any, second: Any, shape: Any, dtype: str, seed: Any) -> Tensor:
    sizes, pattern = shape_parts(shape)
    key, op_id = stream_of(op.op.name, seed)
    step = counter(f"{op.op.name}_step")
    kind = "int64" if dtypes.is_integer(dtype) else dtype
    first, second = (v if isinstance(v, Tensor) else constant(v, kind) for v in (first, second))
    return op(first, second, step, sizes, shape=pattern, key=key, op_id=op_id, dtype=dtype)


def _check_integers(low: Any, high: Any) -> None:
    if not all(isinstance(v, Tensor) or float(v).is_integer() for v in (low, high)):
        raise ValueError(f"integers are drawn between integers, not {low!r} and {high!r}")
    if not isinstance(low, Tensor) and not isinstance(high, Tensor) and not 0 < high - low <= _WIDEST:
        raise ValueError(f"integers are drawn from a range of 1 to 2**46 of them, not from [{low}, {high})")


def _draw_unit(name: str, shape: Any, dtype: str, seed: Any) -> Tensor:
    sizes, pattern = shape_parts(shape)
    key, op_id = stream_of(name, seed)
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
                   seed: Seed = None) -> Tensor:
    """Numbers spread evenly over ``[minval, maxval)``; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        minval, maxval: numbers or scalar tensors.
        dtype: floatx when None; with an integer dtype the integers of the range are drawn.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.

    Returns:
        A symbolic tensor. float32 numbers are multiples of ``(maxval - minval) / 2**24`` from ``minval`` on.

    >>> from kbackend import K
    >>> x = K.eval(K.random_uniform((100,), -1.0, 1.0))
    >>> bool(x.min() >= -1 and x.max() < 1)
    True
    """
    chosen = _floats(dtype)
    if dtypes.is_integer(chosen):
        _check_integers(minval, maxval)
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
                  seed: Seed = None) -> Tensor:
    """Normally distributed numbers; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        mean, stddev: numbers or tensors that broadcast to the shape; gradients flow to them.
        dtype: a float dtype; floatx when None.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.

    >>> from kbackend import K
    >>> K.int_shape(K.random_normal((2, 3)))
    (2, 3)
    """
    return _draw(_normal, mean, stddev, shape, _floats(dtype), seed)


@derived(samples=lambda: [
    call((3, 5), seed=7), call((3, 5), 1.0, 0.5, "float64", 7, name="float64")])
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None,
                     seed: Seed = None) -> Tensor:
    """Normally distributed numbers, none of them further than two ``stddev`` from ``mean``. See
    :func:`random_normal`."""
    return _draw(_truncated, mean, stddev, shape, _floats(dtype), seed)


def _binomial_samples() -> list[Sample]:
    return [call((4, 5), 0.3, seed=7), call((4, 5), 0.3, "int32", 7, name="int32"),
            call((3,), 1.0, seed=7, name="always", expect=np.ones(3, np.float32)),
            call((2,), 1.5, seed=7, raises=ValueError, name="no probability")]


@derived(samples=_binomial_samples)
def random_binomial(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """1 with probability ``p`` and 0 else; a new draw each time a program runs.

    Args:
        shape: ints or integer scalars, or an integer vector.
        p: a number or a tensor that broadcasts to the shape.
        dtype: floatx when None.
        seed: a seed for this draw or a SeedGenerator; the process' stream when None.
    """
    if isinstance(p, (bool, int, float)) and not 0 <= p <= 1:
        raise ValueError(f"a probability is in [0, 1], it is {p!r}")
    unit = _draw_unit("random_binomial", shape, "float32", seed)
    return e.cast(e.less(unit, p if isinstance(p, Tensor) else constant(p, "float32")), _floats(dtype))


@derived(samples=_binomial_samples)
def random_bernoulli(shape: Any, p: Any = 0.0, dtype: Any = None, seed: Seed = None) -> Tensor:
    """Another name of :func:`random_binomial`."""
    return random_binomial(shape, p, dtype, seed)


@derived
def random_uniform_variable(shape: Any, low: Any, high: Any, dtype: Any = None, name: str | None = None,
                            seed: Seed = None) -> Variable:
    """A variable whose initial value is drawn by :func:`random_uniform`."""
    return variable(random_uniform(shape, low, high, dtype, seed), dtype, name)


@derived
def random_normal_variable(shape: Any, mean: Any, scale: Any, dtype: Any = None, name: str | None = None,
                           seed: Seed = None) -> Variable:
    """A variable whose initial value is drawn by :func:`random_normal`."""
    return variable(random_normal(shape, mean, scale, dtype, seed), dtype, name)
