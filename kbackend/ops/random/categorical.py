"""Categorical draws: classes by their unnormalized log-probabilities."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.decorate import composite, derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.dims import length, plus
from kbackend.ops.arrays.reshape import extent
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.elementwise.rounding import floor
from kbackend.ops.elementwise.select import maximum, select_elements
from kbackend.ops.indexing.gather import take_along
from kbackend.ops.random.draws import Seed, random_unit, step_sample
from kbackend.ops.random.portable import portable_exp
from kbackend.ops.reduction.cumulative import cumsum_along
from kbackend.ops.reduction.reductions import reduce_max, sum_
from kbackend.streams import counter, stream_of

#: log2 of the largest number of classes, and of the weight of the most likely class while the sum is estimated
_CLASS_BITS = 26
#: the sum of the final integer weights, up to a factor of 2
_WEIGHT_SUM = 2.0**51


def _class_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    try:
        count = operator.index(attrs["count"])
    except TypeError:
        raise TypeError(f"the number of samples must be an integer, it is {attrs['count']!r}") from None
    if count < 0:
        raise ValueError(f"the number of samples must not be negative, it is {count}")
    dtype = dtypes.canonical(attrs["dtype"])
    if not dtypes.is_integer(dtype):
        raise TypeError(f"classes are integers, not {dtype}")
    return {**attrs, "count": count, "dtype": dtype}


def _class_rule(logits: TensorSpec, step: Any, *, count: int, dtype: str, **_: Any) -> TensorSpec:
    if logits.ndim != 2:
        raise ValueError(f"logits must have the shape (batch, classes), they have {logits.shape}")
    classes = logits.shape[1]
    if classes is not None and not 0 < classes <= 1 << _CLASS_BITS:
        raise ValueError(f"there must be 1 to 2**{_CLASS_BITS} classes, there are {classes}")
    return TensorSpec((logits.shape[0], count), dtype)


def _class_samples() -> list[Sample]:
    # arrays of float64 enter a graph as floatx
    common = {"key": 3, "op_id": 9, "dtype": "int32", "gradient": False, "dtypes": ("float32", "float16")}
    inf, nan = np.inf, np.nan

    def rows(*given: Sequence[float], **options: Any) -> In:
        return In(np.shape(given), values=given, **options)

    return [
        call(In((3, 5)), step_sample(), count=7, **common),
        call(In((2, 1)), step_sample(), count=3, expect=np.zeros((2, 3), np.int32), name="one class", **common),
        call(In((0, 4)), step_sample(), count=3, name="no rows", **common),
        call(In((2, 4)), step_sample(), count=0, name="no samples", **common),
        call(In((2, 70)), step_sample(), count=9, **{**common, "dtype": "int64"}, name="int64"),
        call(In((2, 3), 0, 3, kind="int32"), step_sample(), count=9, name="integer logits", **common),
        call(rows([-inf, 0.0, -inf], [5.0, inf, 5.0], [800.0, 0.0, -800.0], [-inf, -inf, 1e-5]), step_sample(),
             count=2, expect=np.array([[1, 1], [1, 1], [0, 0], [2, 2]], np.int32), name="certain", **common),
        call(rows([-inf, -inf], [nan, 0.0]), step_sample(), count=2, expect=np.full((2, 2), -1, np.int32),
             name="nothing to draw", **common),
        call(In((3,)), step_sample(), count=2, raises=ValueError, name="vector", **common),
        call(In((3, 0)), step_sample(), count=2, raises=ValueError, name="no classes", **common),
        call(In((3, 2)), step_sample(), count=-2, raises=ValueError, name="fewer than none", **common),
        call(In((3, 2)), step_sample(), count=2, raises=TypeError, **{**common, "dtype": "float32"}, name="floats"),
    ]


@composite(name="random_categorical", random=True, prepare=_class_attrs, rule=_class_rule,
           differentiable=False, creates=True, tolerance="exact", samples=_class_samples)
def _categorical(logits: TensorLike, step: TensorLike, *, count: int, key: int, op_id: int, dtype: str) -> Any:
    """Classes by inversion of the cumulative softmax; see :func:`categorical`."""
    sums, valid = _cumulative_weights(cast(stop_gradient(logits), "float64"))
    rows = logits.shape[0]
    sizes = [extent(logits, (0,))] if rows is None else []
    unit = random_unit(step, sizes, shape=(rows, count), key=key, op_id=op_id, dtype="float64")
    # Below the sum, and a multiple of a number no smaller than its rounding unit: a class of weight 0 is never drawn.
    wanted = unit * sums[:, -1:]
    return cast(select_elements(valid, _first_above(sums, wanted), -1), dtype)


def _cumulative_weights(logits: Any) -> tuple[Any, Any]:
    """Cumulative sums of integer weights proportional to the softmax, and whether a row has a class to draw.

    The weights are whole numbers in float64; sums of them below 2**53 are exact in any order of summation.
    """
    top = reduce_max(logits, axis=-1, keepdims=True)
    valid = top > -np.inf
    shifted = select_elements(logits == top, 0.0, logits - select_elements(valid, top, 0.0))
    powers = select_elements(valid, portable_exp(shifted), 0.0)
    estimate = sum_(floor(powers * 2.0**_CLASS_BITS), axis=-1, keepdims=True)
    scale = _WEIGHT_SUM * 2.0**_CLASS_BITS / maximum(estimate, 1.0)
    return cumsum_along(floor(powers * scale + 0.5), axis=1), valid


def _first_above(sums: Any, wanted: Any) -> Any:
    """The first index in each row of ``sums`` whose element exceeds ``wanted``, by bisection."""
    classes = sums.shape[1]
    zero = cast(wanted * 0.0, "int32")
    low, high = zero, zero + plus(length(sums, 1), -1)
    for _ in range(_CLASS_BITS if classes is None else (classes - 1).bit_length()):
        middle = (low + high) // 2
        above = take_along(sums, middle, axis=1) > wanted
        low, high = select_elements(above, low, middle + 1), select_elements(above, middle, high)
    return low


@derived(name="random_categorical", samples=lambda: [
    call(In((3, 4)), 6, seed=7, gradient=False, dtypes=("float32",)),
    call(In((3, 4)), 2, "int64", 7, name="int64", gradient=False, dtypes=("float32",)),
    call(In((3,)), 2, seed=7, raises=ValueError, name="vector"),
    call(In((3, 2)), 1.5, seed=7, raises=TypeError, name="no number of samples")])
def categorical(logits: TensorLike, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Tensor:
    """Draw classes with the probabilities ``softmax(logits)``, anew in each run of a program.

    Args:
        logits: unnormalized log-probabilities ``(batch, classes)``. -inf means probability 0; where logits are inf, one
            of their classes is drawn. No gradient flows to them.
        num_samples: the number of independent draws for each row.
        dtype: an integer dtype.
        seed: an integer or SeedGenerator; None for the random stream of the process.

    Returns:
        A symbolic tensor ``(batch, num_samples)``, the same on every engine. Probabilities are rounded to multiples of
        2**-51, and a class of probability 0 is never drawn. Rows that contain NaN or only -inf give -1.

    Raises:
        ValueError: logits that are not a matrix, no classes or more than 2**26, or a negative number of samples.
        TypeError: ``dtype`` is not an integer dtype, or ``num_samples`` is not an integer.

    >>> import numpy as np
    >>> from kbackend import random
    >>> x = np.asarray(random.categorical([[0.0, float("-inf"), 0.0]], 100, seed=1))
    >>> sorted(set(x.ravel().tolist()))
    [0, 2]
    """
    key, op_id = stream_of("random_categorical", seed)
    return _categorical(logits, counter("random_categorical_step"), count=num_samples, key=key, op_id=op_id,
                        dtype=dtype)


__all__: list[str] = []
