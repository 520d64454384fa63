"""The maximum and minimum over axes, with a limit that is also the extreme of no elements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axes_in
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.elementwise.select import maximum, minimum
from kbackend.ops.reduction.reductions import reduce_max, reduce_min, sum_


def _extreme(x: Any, axis: Any, keepdims: bool, initial: Any, reduce: Callable[..., Any], pair: Callable[..., Any],
             furthest: int) -> Any:
    x = as_tensor(x)
    if initial is None:
        return reduce(x, axis=axis, keepdims=keepdims)
    axes = axes_in(axis, len(x.shape))
    if any(x.shape[a] == 0 for a in axes):
        return sum_(x, axis=axes, keepdims=keepdims) + initial  # zeros of the shape of the result
    unknown = [a for a in axes if x.shape[a] is None]
    if unknown:  # there may be no elements
        limit = _furthest(dtype_of(x), furthest)
        x = pad_constant(x, [(0, int(a in unknown)) for a in range(len(x.shape))], limit)
    return pair(reduce(x, axis=axis, keepdims=keepdims), initial)


def _furthest(dtype: str, sign: int) -> Any:
    """The number that no other is beyond."""
    if not dtypes.is_integer(dtype):
        return sign * np.inf
    limits = np.iinfo(dtype)
    return int(limits.max if sign > 0 else limits.min)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), distinct=True), 1), call(In((2, 3), distinct=True), 1, True, 0.5, name="initial"),
    call(In((2, 0)), 1, initial=2.0, gradient=False, name="of nothing"), call(In((2, 0)), 1, raises=ValueError)])
def max_(x: TensorLike, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The maximum over axes (NumPy's ``max``); NaN if an element is.

    Args:
        x: a tensor of integers or floats, of any shape.
        axis, keepdims: as in :func:`sum`.
        initial: a lower limit of the result, which is also the maximum of no elements.

    Returns:
        A tensor of the dtype of ``x``. Equal maxima share the gradient.

    Raises:
        ValueError: an axis out of range or repeated, or no elements and no ``initial``.
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> from kbackend.ops import max as max_
    >>> float(K.eval(max_(K.constant([1, 3]), initial=5)))
    5.0
    """
    return _extreme(x, axis, keepdims, initial, reduce_max, maximum, -1)


@derived(tolerance="exact", samples=lambda: [
    call(In((2, 3), distinct=True), 0), call(In((2, 3), distinct=True), 1, True, 0.5, name="initial"),
    call(In((2, 0)), 1, initial=2.0, gradient=False, name="of nothing"), call(In((2, 0)), 1, raises=ValueError)])
def min_(x: TensorLike, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """The minimum over axes (NumPy's ``min``); NaN if an element is.

    Arguments, result and errors as in :func:`max`; ``initial`` is an upper limit.

    >>> from kbackend import K
    >>> from kbackend.ops import min as min_
    >>> float(K.eval(min_(K.constant([1, 3]), initial=0)))
    0.0
    """
    return _extreme(x, axis, keepdims, initial, reduce_min, minimum, 1)


__all__: list[str] = []
