"""One-hot and multi-hot encodings of integers."""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.transpose import moveaxis
from kbackend.ops.core.arguments import as_tensor, chosen_dtype
from kbackend.ops.core.cast import cast
from kbackend.ops.indexing.gather import _check_indices
from kbackend.ops.reduction.reductions import reduce_max


def _prepare_one_hot(specs: Any, attrs: dict[str, Any]) -> dict[str, Any]:
    count = attrs["num_classes"]
    if isinstance(count, bool) or not hasattr(count, "__index__") or count.__index__() < 0:
        raise ValueError(f"the number of classes must be a non-negative integer, it is {count!r}")
    return {**attrs, "num_classes": count.__index__(), "dtype": dtypes.canonical(attrs["dtype"])}


@primitive(
    name="one_hot",
    prepare=_prepare_one_hot,
    differentiable=False,
    tolerance="moving",
    samples=lambda: [
        call(In((2, 3), 0, 4, kind="int32"), 4, "float32"),
        call(In((), kind="int64", values=1), 3, "float32", name="scalar"),
        call(
            In((3,), kind="int32", values=[-1, 1, 3]),
            3,
            "float32",
            name="out of range",
            row=25,
            expect=np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "float32"),
        ),
    ],
)
def _one_hot(indices: TensorLike, num_classes: int, dtype: str) -> TensorSpec:
    """One-hot vectors of a given dtype."""
    _check_indices(indices)
    return TensorSpec((*indices.shape, num_classes), dtype)


@derived(
    samples=lambda: [
        call(
            In((3,), kind="int32", values=[0, 2, 1]),
            3,
            name="floatx",
            row=26,
            expect=np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0]], "float32"),
        )
    ]
)
def classic_one_hot(indices: TensorLike, num_classes: int) -> Any:
    """One-hot vectors in floatx along a new last axis (Keras's ``K.one_hot``).

    Args:
        indices: an integer tensor of any shape.
        num_classes: the length of the vectors.

    Returns:
        A tensor of shape ``indices.shape + (num_classes,)``; zeros for an index out of [0, num_classes).

    Raises:
        TypeError: indices that are not integers.
        ValueError: a negative number of classes.

    >>> from kbackend import K
    >>> K.eval(K.one_hot([0, 2], 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    return _one_hot(indices, num_classes, config.floatx())


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), -1, 5, kind="int32"), 4, gradient=False),
    call(In((2, 3), 0, 4, kind="int64"), 4, 0, "int32", gradient=False, name="first axis"),
    call(In((2,)), 3, raises=TypeError, name="floats"),
    call(In((2,), kind="int32"), 3, 2, raises=ValueError, name="axis"),
    call(In((2,), kind="int32"), 3, sparse=True, raises=ValueError, name="sparse")])
def one_hot(x: TensorLike, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """One-hot vectors along a new axis (Keras 3's ``one_hot``).

    Args:
        x: an integer tensor of any shape.
        num_classes: the length of the vectors.
        axis: the position of the new axis in the result.
        dtype: floatx when None.
        sparse: not supported; True is refused.

    Returns:
        A tensor; zeros for an index out of [0, num_classes).

    Raises:
        TypeError: indices that are not integers.
        ValueError: an axis out of range, a negative number of classes, or ``sparse``.

    >>> from kbackend import ops
    >>> ops.convert_to_numpy(ops.one_hot([0, 2], 3, axis=0, dtype="int32")).tolist()
    [[1, 0], [0, 0], [0, 1]]
    """
    if sparse:
        raise ValueError("one_hot: sparse=True is not supported; the result is dense")
    vectors = _one_hot(as_tensor(x), num_classes, chosen_dtype(dtype))
    return vectors if axis in (-1, len(vectors.shape) - 1) else moveaxis(vectors, -1, axis)


@derived(samples=lambda: [
    call(In((2, 3), -1, 5, kind="int32"), 4, gradient=False), call(In((3,), 0, 4, kind="int32"), 4, name="vector"),
    call(In((2, 3), 0, 4, kind="int32"), 4, 1, "int32", name="axis"),
    call(In((2,), 0, 4, kind="int32"), raises=ValueError, name="no classes"),
    call(In((2,), 0, 4, kind="int32"), 4, sparse=True, raises=ValueError, name="sparse")])
def multi_hot(inputs: TensorLike, num_classes: int | None = None, axis: int = -1, dtype: Any = None,
              sparse: bool = False, **kwargs: Any) -> Any:
    """Vectors with ones at the classes that a row holds and zeros elsewhere (Keras 3's ``multi_hot``).

    Args:
        inputs: integers ``(..., n)``; those out of [0, num_classes) are ignored.
        num_classes: the length of the vectors; ``num_tokens`` is another name of it.
        axis: the position of the classes before the axis of the integers (1, or 0 of a vector) is reduced, as in Keras.
        dtype: floatx when None.
        **kwargs: ``num_tokens`` alone.
        sparse: not supported; True is refused.

    Raises:
        ValueError: no ``num_classes``, a scalar, or ``sparse``.
        TypeError: inputs that are not integers, or an unknown keyword.

    >>> from kbackend import K
    >>> from kbackend.ops import multi_hot
    >>> K.eval(multi_hot(K.constant([[0, 2]], "int32"), 4)).tolist()
    [[1.0, 0.0, 1.0, 0.0]]
    """
    num_classes = kwargs.pop("num_tokens", None) if num_classes is None else num_classes
    if kwargs:
        raise TypeError(f"multi_hot knows no {sorted(kwargs)}")
    if num_classes is None:
        raise ValueError("multi_hot needs num_classes")
    if sparse:
        raise ValueError("multi_hot: sparse tensors are not supported")
    x = as_tensor(inputs)
    if len(x.shape) == 0:
        raise ValueError("multi_hot needs rows of numbers, it was given a scalar")
    vectors = cast(classic_one_hot(x, num_classes), chosen_dtype(dtype))
    return reduce_max(moveaxis(vectors, -1, axis_in(axis, len(x.shape) + 1)), axis=1 if len(x.shape) > 1 else 0)


__all__ = ["multi_hot", "one_hot"]
