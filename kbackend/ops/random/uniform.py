"""Uniform draws of floats and integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike, TensorList
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.random.draws import (
    _SAME_BITS,
    Seed,
    Shape,
    _bound,
    _draw_attrs,
    _draw_rule,
    _draws,
    _float_draw_attrs,
    _floats,
    _integer,
    draw_between,
    draw_unit,
    random_bits,
    random_unit,
    step_sample,
)


@composite(name="random_uniform", random=True, prepare=_float_draw_attrs, rule=_draw_rule, creates=True,
           samples=lambda: _draws(_bound(-1.5), _bound(2.5))
           + [call(_bound(1.0), _bound(1.0 + 2.0**-23), step_sample(), shape=(64,), dtype="float32", key=3, op_id=1,
                   expect=np.ones(64, np.float32), gradient=False, dynamic=False, row=49,
                   name="rounding never reaches the upper end")])
def _uniform(low: TensorLike, high: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
             key: int, op_id: int, dtype: str) -> Any:
    """``low + unit * (high - low)``, or ``low`` where that is rounded to ``high``."""
    low, high = cast(low, dtype), cast(high, dtype)
    unit = random_unit(step, sizes, shape=shape, key=key, op_id=op_id, dtype=dtype)
    values = low + unit * (high - low)
    return select_elements(values < high, values, low)


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


@composite(name="random_integers", random=True, prepare=_draw_attrs, rule=_draw_rule, creates=True,
           tolerance="exact", differentiable=False, samples=_integers_samples)
def _integers(low: TensorLike, high: TensorLike, step: TensorLike, sizes: TensorList = (), *, shape: Shape,
              key: int, op_id: int, dtype: str) -> Any:
    """``low + floor(bits * (high - low) / 2**64)`` of 64 random bits, computed exactly.

    The range is at most 2**46. Probabilities of two numbers differ by a factor of at most 1 + range / 2**64.
    """
    low = cast(low, "int64")
    span = cast(high, "int64") - low
    words = random_bits(step, sizes, shape=(*shape, 2), key=key, op_id=op_id)
    above, below = words[..., 0], words[..., 1]
    upper = span // (1 << 16)
    lower = span - upper * (1 << 16)

    def scaled(word: Any, carry: Any) -> Any:
        """``floor((word * span + carry) / 2**32)`` without a product above 2**63."""
        rest = (word * lower + carry) // (1 << 16)
        return (word * upper + rest) // (1 << 16)

    return cast(low + scaled(above, scaled(below, 0)), dtype)


#: the largest range of integers, for which the products of :func:`_integers` fit int64
_WIDEST = 1 << 46


def _check_integers(low: Any, high: Any, dtype: str) -> None:
    if not all(isinstance(v, Tensor) or float(v).is_integer() for v in (low, high)):
        raise ValueError(f"the bounds of random integers must be integers, not {low!r} and {high!r}")
    if not isinstance(low, Tensor) and not isinstance(high, Tensor) and not 0 < high - low <= _WIDEST:
        raise ValueError(f"a range of random integers holds 1 to 2**46 integers, not [{low}, {high})")
    limits = np.iinfo(dtype)
    known = [v for v in (low, high) if not isinstance(v, Tensor)]
    if any(not limits.min <= v <= limits.max + (v is high) for v in known):
        raise ValueError(f"random integers of [{low}, {high}) do not fit {dtype}")


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
    """Draw from the uniform distribution over ``[minval, maxval)``, anew in each run of a program.

    Args:
        shape: ints or integer scalars, or an integer vector.
        minval, maxval: numbers or scalar tensors.
        dtype: None for floatx; an integer dtype draws integers.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor. float32 numbers are ``minval`` plus multiples of ``(maxval - minval) / 2**24``.

    Raises:
        ValueError: ``minval`` above ``maxval``, a negative dimension; for integers, bounds that are not integers, an
            empty range or one above 2**46.

    >>> from kbackend import K
    >>> x = K.eval(K.random_uniform((100,), -1.0, 1.0))
    >>> bool(x.min() >= -1 and x.max() < 1)
    True
    """
    chosen = _floats(dtype)
    if dtypes.is_integer(chosen):
        _check_integers(minval, maxval, chosen)
        return draw_between(_integers, minval, maxval, shape, chosen, seed)
    if isinstance(minval, (int, float)) and isinstance(maxval, (int, float)):
        if not minval <= maxval:
            raise ValueError(f"random_uniform needs minval <= maxval, they are {minval} and {maxval}")
        if (minval, maxval) == (0, 1):
            return draw_unit("random_uniform", shape, chosen, seed)
    return draw_between(_uniform, minval, maxval, shape, chosen, seed)


__all__: list[str] = []
