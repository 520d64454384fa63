"""Selection of elements by a condition or by size: where, clip, maximum, minimum."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare import static_values
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import X1_IS_X, composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, WIDE, arithmetic, number, same, values
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import elementwise
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.core.cast import cast


@primitive(takes_complex=True, name="where",
    promote="same",
    promoted=("x", "y"),
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3), kind="bool"), In((2, 3)), In((3,)), name="broadcasting"),
        call(In((2, 1), kind="bool"), In((3,)), 0.0, name="Python number"),
        call(In((2, 3), kind="bool"), In(()), In((4, 1, 1)), name="condition smaller"),
        call(In((0, 3), kind="bool"), In((1, 3)), 1.0, name="empty"),
        call(In((3,), kind="bool"), 1, 2, name="two numbers", gradient=False),
        call(
            In((3,), kind="bool"),
            In((3,), -5, 5, kind="int32"),
            2.5,
            name="int32 and 2.5",
            row=29,
            gradient=False,
        ),
        call(
            values(True, False, kind="bool"), values(NAN, 1.0), values(2.0, NAN), gradient=False, name="NaN"
        ),
        call(In((3,)), In((3,)), In((3,)), raises=TypeError, name="condition of floats"),
        call(In((2,), kind="bool"), In((3,)), In((3,)), raises=ValueError, name="no broadcasting"),
    ],
)
def select_elements(condition: TensorLike, x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x`` where ``condition`` is True, else ``y`` (Keras's ``K.where``).

    Args:
        condition: a bool tensor.
        x, y: tensors or numbers that broadcast with the condition; they are promoted to one dtype.

    Returns:
        A tensor of the broadcast shape.

    Raises:
        TypeError: the condition is not bool.
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> K.eval(K.where([True, False], [1., 2.], 0.)).tolist()
    [1.0, 0.0]
    """
    if condition.dtype != dtypes.BOOL:
        raise TypeError(f"where needs a bool condition, it is {condition.dtype}")
    return TensorSpec(elementwise(condition, x, y).shape, x.dtype)


def _between(x: TensorSpec, low: TensorSpec | None, high: TensorSpec | None) -> TensorSpec:
    return arithmetic(*(s for s in (x, low, high) if s is not None))


@composite(
    promote="same",
    tolerance="exact",
    rule=_between,
    samples=lambda: [
        call(In((5,)), In((), -1, -0.5), In((), 0.5, 1), name="both"),
        call(In((2, 3), distinct=True), In((3,), -1, -0.5), None, name="low"),
        call(In((2, 1)), None, In((3,), 0.5, 1), name="high"),
        call(
            values(-1.0, 0.0, 1.0),
            values(-1.0, gradient=False),
            values(1.0, gradient=False),
            row=66,
            expect_gradient=np.ones(3),
            name="ends",
            dtypes=WIDE,
        ),
        call(
            values(0.0, 5.0, 1.5),
            values(2.0, 2.0, 2.0),
            values(1.0, 1.0, 1.0),
            row=43,
            expect=np.full(3, 2.0),
            name="low above high",
        ),
        call(values(NAN, 3.0), values(0.0, 0.0), values(1.0, 1.0), gradient=False, name="NaN"),
    ],
)
def clip_between(x: TensorLike, low: TensorLike | None, high: TensorLike | None) -> Any:
    """``x`` limited to [low, high], which are tensors or None; ``low`` where low > high."""
    if high is not None:
        x = select_elements(x > high, high, x)
    return x if low is None else select_elements(x < low, low, x)


def _range_attrs(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    low, high = attrs["low"], attrs["high"]
    if low is not None and high is not None and low > high:
        raise ValueError(f"the lower bound {low} is above the upper bound {high}")
    return attrs


@composite(
    tolerance="exact",
    rule=same,
    prepare=_range_attrs,
    samples=lambda: [
        call(
            In((2, 3), avoid=(-0.3, 0.7)),
            low=-0.3,
            high=0.7,
            tolerance="elementwise",
            reason="the bounds are rounded to the dtype",
        ),
        call(In((2, 3), avoid=(-0.5,)), low=-0.5, high=None, name="low"),
        call(In((2, 3), avoid=(0.5,)), low=None, high=0.5, name="high"),
        call(In((4,), -5, 5, kind="int32"), low=-2, high=3, gradient=False, name="int32"),
        call(In((0, 2)), low=0.0, high=1.0, name="empty"),
        call(values(-1.0, 0.0, 1.0), low=-1.0, high=1.0, row=66, expect_gradient=np.ones(3), name="ends"),
        call(values(NAN, 3.0, -INF), low=-1.0, high=1.0, gradient=False, name="NaN"),
    ],
)
def clip_range(x: TensorLike, *, low: float | None, high: float | None) -> Any:
    """``x`` limited to the numbers [low, high], low <= high; its gradient is 1 in the closed interval, 0 outside."""
    return clip_between(x, low, high)


@derived(
    spellings={"x_min": "min_value", "x_max": "max_value"},
    tolerance="exact",
    samples=lambda: [
        call(
            In((2, 3), avoid=(-0.3, 0.7)),
            -0.3,
            0.7,
            tolerance="elementwise",
            reason="the bounds are rounded to the dtype",
        ),
        call(In((2, 3), avoid=(0.5,)), None, 0.5, name="no lower bound"),
        call(In((2, 3)), In((3,), -1, -0.5), 1.9, name="tensor bound"),
        call(In((2, 3)), None, None, name="no bounds"),
        call(In((4,), -5, 5, kind="int32"), -2, 10**12, gradient=False, name="int32"),
        call(In((4,), -5, 5, kind="int32"), 0.5, 3, gradient=False, name="int32 and a float", row=29),
        call(values(-1.0, 0.0, 1.0), -1.0, 1.0, row=66, expect_gradient=np.ones(3), name="ends"),
        call(
            values(0.0, 5.0),
            2.0,
            1.0,
            row=43,
            expect=np.array([2.0, 2.0]),
            gradient=False,
            name="low above high",
        ),
    ],
)
def clip(x: TensorLike, min_value: Any, max_value: Any) -> Any:
    """``x`` limited to [min_value, max_value] (Keras's ``K.clip``).

    Args:
        x: a tensor of integers or floats, of any shape.
        min_value, max_value: numbers, tensors that broadcast with ``x``, or None. The result is ``min_value`` where it
            is larger than ``max_value``.

    Returns:
        A tensor of the dtype of ``x``; of floatx for integers with a float bound. The gradient is 1 in the closed
        interval, 0 outside.

    Raises:
        ValueError: the shapes do not broadcast.

    >>> from kbackend import K
    >>> K.eval(K.clip([-3., 0.5, 7.], 0., 1.)).tolist()
    [0.0, 0.5, 1.0]
    """
    low, high = number(min_value), number(max_value)
    if (min_value is None or low is not None) and (max_value is None or high is not None):
        if low is not None and high is not None:
            high = max(low, high)
        dtype = dtype_of(x)
        if dtypes.is_integer(dtype):
            if isinstance(low, float) or isinstance(high, float):
                x = cast(x, config.floatx())
            else:
                low, high = _within(dtype, low), _within(dtype, high)
        return clip_range(x, low=low, high=high)
    return clip_between(x, min_value, max_value)


def _within(dtype: str, bound: float | None) -> int | None:
    """A bound of integers limited to the range of their dtype."""
    limits = np.iinfo(dtype)
    return None if bound is None else int(min(max(bound, limits.min), limits.max))


def _tie_samples() -> list[Sample]:
    return [
        call(In((2, 3), distinct=True), In((3,), -1.9, 2.1, distinct=True), name="broadcasting"),
        call(In((2, 3), avoid=(0.5,)), 0.5, name="Python number"),
        call(
            values(1.0, 2.0, -3.0), values(1.0, 2.0, 4.0, gradient=False), row=58, name="ties", gradient=False
        ),
        call(
            values(1.0, 2.0),
            values(1.0, 2.0),
            row=58,
            expect_gradient=np.array([0.5, 0.5]),
            name="gradient at ties",
            dtypes=WIDE,
            tolerance="elementwise",
            reason="central differences of a kink give one half as well",
        ),
        call(values(NAN, 1.0, 2.0), values(1.0, NAN, 3.0), gradient=False, name="NaN"),
        call(values(INF, -INF, INF), values(1.0, 1.0, INF), gradient=False, name="infinities"),
        call(In((2, 3), -5, 5, kind="int32"), 1, gradient=False, name="int32"),
        call(In((0, 3)), In((1, 3)), name="empty"),
        call(In((2, 3)), In((4,)), name="no broadcasting", raises=ValueError),
    ]


@primitive(promote="same", tolerance="exact", spellings=X1_IS_X, static_value=static_values.elementwise(max),
           samples=_tie_samples)
def maximum(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The larger of two elements (NumPy's ``maximum``); NaN if one of them is.

    Args:
        x, y: real tensors or numbers whose shapes broadcast.

    Returns:
        A tensor of the broadcast shape and the promoted dtype. At a tie each operand gets half of the gradient.

    Raises:
        ValueError: the shapes do not broadcast.
        TypeError: a bool or complex operand.

    >>> from kbackend import K
    >>> K.eval(K.maximum([1., 5.], 3)).tolist()
    [3.0, 5.0]
    """
    return arithmetic(x, y)


@primitive(promote="same", tolerance="exact", spellings=X1_IS_X, static_value=static_values.elementwise(min),
           samples=_tie_samples)
def minimum(x: TensorLike, y: TensorLike) -> TensorSpec:
    """The smaller of two elements (NumPy's ``minimum``); NaN if one of them is.

    Arguments, result and errors as in :func:`maximum`.

    >>> from kbackend import K
    >>> K.eval(K.minimum([1., 5.], 3)).tolist()
    [1.0, 3.0]
    """
    return arithmetic(x, y)


__all__ = ["clip", "maximum", "minimum"]
