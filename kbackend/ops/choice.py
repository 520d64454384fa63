"""Choosing, limiting, changing the dtype, and letting no gradient pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arithmetic import sqrt
from kbackend.ops.declare import TensorLike, composite, derived, primitive
from kbackend.ops.dispatch import to_numpy
from kbackend.ops.logic import equal
from kbackend.ops.rules import INF, NAN, WIDE, In, Sample, arithmetic, call, dtype_of, number, same, values
from kbackend.ops.shapes import elementwise


@primitive(
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
def where(condition: TensorLike, x: TensorLike, y: TensorLike) -> TensorSpec:
    """``x`` where ``condition`` holds, else ``y``, with broadcasting.

    Args:
        condition: a bool tensor.
        x, y: tensors or numbers; they are promoted to one dtype.

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


def masked_root(x: TensorLike) -> Any:
    """``sqrt(x)`` with gradient 0 where x is 0, as norms and deviations need it (semantics, row 60)."""
    zero = equal(x, 0.0)
    return where(zero, x, sqrt(where(zero, 1.0, x)))


# ------------------------------------------------------------ limiting


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
    """``x`` limited to [low, high] given as tensors or None; ``low`` where low > high."""
    if high is not None:
        x = where(x > high, high, x)
    return x if low is None else where(x < low, low, x)


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
    """``x`` limited to the numbers [low, high], low <= high; the gradient is 1 at the ends."""
    return clip_between(x, low, high)


@derived(
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
    """``x`` limited to [min_value, max_value].

    Args:
        x: a tensor.
        min_value, max_value: numbers, tensors or None. ``min_value`` wins when it is the larger one.
            A float bound of integers gives floatx.

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
    """A bound as an integer that the dtype holds."""
    limits = np.iinfo(dtype)
    return None if bound is None else int(min(max(bound, limits.min), limits.max))


# ------------------------------------------------------------ dtype and identity


def _cast_attrs(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    return {"dtype": dtypes.canonical(attrs["dtype"])}


def _cast_samples() -> list[Sample]:
    return [
        call(In((2, 3)), dtype="int32", gradient=False, name="float to int"),
        call(
            values(1.9, -1.9, 0.0),
            dtype="int64",
            expect=np.array([1, -1, 0]),
            gradient=False,
            name="towards zero",
        ),
        call(In((2, 3)), dtype="float64", name="to float64"),
        call(In((2, 3)), dtype="float32", name="to float32", tolerance="elementwise", reason="it rounds"),
        call(In((0, 3)), dtype="float32", name="empty"),
        call(values(0.0, -0.0, 2.0, NAN), dtype="bool", gradient=False, name="float to bool"),
        call(In((3,), kind="bool"), dtype="float32", gradient=False, name="bool to float"),
        call(In((3,), -5, 5, kind="int32"), dtype="float32", gradient=False, name="int to float"),
        call(In((3,), 0, 99, kind="int32"), dtype="uint8", gradient=False, name="int to uint8"),
        call(In((3,)), dtype="float31", raises=TypeError, name="unknown dtype"),
        call(In((3,)), dtype="complex128", name="float to complex"),
        call(In((3,), kind="complex64"), dtype="float32", raises=TypeError, name="complex to float"),
    ]


@primitive(view=True, prepare=_cast_attrs, tolerance="exact", samples=_cast_samples)
def cast(x: TensorLike, dtype: str) -> TensorSpec:
    """``x`` with another dtype; floats are truncated towards zero when they become integers.

    Raises:
        TypeError: an unknown dtype, or a real one for complex numbers: ``real``, ``imag``, ``abs`` or ``angle`` say
            what is meant.

    >>> from kbackend import K
    >>> K.eval(K.cast([1.9, -1.9], "int32")).tolist()
    [1, -1]
    """
    if dtypes.is_complex(x.dtype) and not dtypes.is_complex(dtype):
        raise TypeError(f"{x.dtype} cannot become {dtype}; real, imag, abs and angle make floats of it")
    return TensorSpec(x.shape, dtype)


@derived(traced=False, samples=lambda: [call(In((3,), -4, 4, kind="int32"), gradient=False)])
def cast_to_floatx(x: TensorLike) -> Any:
    """``x`` as floatx: a NumPy array for arrays, lists and numbers, as in Keras; a tensor for tensors."""
    from kbackend.plugin.select import owner_of

    if isinstance(x, Tensor) or not isinstance(x, np.ndarray) and owner_of(x) is not None:
        return cast(x, config.floatx())
    return to_numpy(x).astype(dtypes.numpy_dtype(config.floatx()))


@primitive(
    view=True,
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3))),
        call(In((2,), kind="bool"), gradient=False, name="bool"),
        call(In(()), name="scalar"),
    ],
)
def identity(x: TensorLike, name: str | None = None) -> TensorSpec:
    """The same tensor under another name."""
    return x


@primitive(
    name="stop_gradient",
    view=True,
    differentiable=False,
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3)), gradient=False),
        call(In((2,), kind="int32"), gradient=False, name="int32"),
    ],
)
def _stop_gradient(x: TensorLike) -> TensorSpec:
    return x


@derived(
    tolerance="exact",
    samples=lambda: [
        call(In((2, 3)), gradient=False),
        call([In((2, 3)), In((2,))], gradient=False, name="list"),
    ],
)
def stop_gradient(variables: TensorLike) -> Any:
    """The same values, through which no gradient flows; for a tensor or a list of tensors."""
    if isinstance(variables, (list, tuple)) and all(
        isinstance(v, Tensor) or hasattr(v, "dtype") for v in variables
    ):
        return [_stop_gradient(v) for v in variables]
    return _stop_gradient(variables)


__all__ = [
    "cast",
    "cast_to_floatx",
    "clip",
    "clip_between",
    "clip_range",
    "identity",
    "masked_root",
    "stop_gradient",
    "where",
]
