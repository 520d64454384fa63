"""The largest elements along the last axis, and predictions among the highest."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.rules import INF, NAN, values
from kbackend.declare.sample import FLOATS, In, Sample, call
from kbackend.declare.shapes import merge
from kbackend.graph.tensor import TensorSpec
from kbackend.ops.arrays.pad import pad_constant
from kbackend.ops.arrays.reshape import expand_dims, extent, squeeze_axis
from kbackend.ops.core.arguments import as_tensor
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.floating import isfinite, isnan
from kbackend.ops.elementwise.select import select_elements
from kbackend.ops.indexing.gather import take_along
from kbackend.ops.reduction.reductions import sum_


def _count(k: Any) -> int:
    try:
        return operator.index(k)
    except TypeError:
        raise ValueError(f"k must be an integer, it is {k!r}") from None


def _top_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    x, k = specs[0], _count(attrs["k"])
    if x.ndim == 0:
        raise ValueError("a scalar has no largest elements")
    last = x.shape[-1]
    if k < 0 or last is not None and k > last:
        raise ValueError(f"k must be in [0, {'n' if last is None else last}], the size of the last axis, it is {k}")
    return {**attrs, "k": k}


def _top_rule(x: TensorSpec, *, k: int) -> TensorSpec:
    if not (dtypes.is_float(x.dtype) or dtypes.is_integer(x.dtype)):
        raise TypeError(f"the largest elements need integers or floats, not {x.dtype}; cast them first")
    return TensorSpec((*x.shape[:-1], k), "int32")


def _top_samples(**options: Any) -> list[Sample]:
    def given(*numbers: float, **more: Any) -> In:
        return values(*numbers, **more)

    def long(*numbers: float) -> In:
        return In((2, 300), values=np.random.default_rng(40).choice(numbers, (2, 300)))

    return [
        call(In((3, 5), distinct=True), 2, **options),
        call(In((6,), distinct=True), 6, name="all", **options),
        call(In((2, 3, 4), distinct=True), 3, name="rank 3", **options),
        call(In((2, 3)), 0, name="none", **options),
        call(In((0, 3)), 2, name="no rows", **options),
        call(In((2, 1)), 1, name="one column", **options),
        call(In((2, 6), -3, 4, kind="int32"), 4, name="int32", **options),
        call(In((2, 6), 0, 3, kind="uint8"), 4, name="uint8", **options),
        call(values(2**60, 2**60 + 1, -(2**62), kind="int64"), 2, name="int64", **options),
        call(In((2, 400), 0, 3, kind="int32"), 300, name="many ties", **options),
        call(In((2, 300), distinct=True), 7, name="few of many", **options),
        call(long(1.0, -2.0, 0.0, -0.0, 3.0, -INF), 140, name="few of many ties", **{**options, "gradient": False}),
        call(long(*[1.0, -2.5] * 30, NAN, -NAN), 40, name="few NaN of many", **{**options, "gradient": False}),
        call(In((1, 300), values=np.random.default_rng(41).permutation(300)[None] * 1e-12 + 1), 9,
             dtypes=("float64",), name="digits of float64", **{**options, "gradient": False}),
        call(In((1, 300), kind="int64", values=np.random.default_rng(42).permutation(300)[None] + 2**60), 9,
             name="digits of int64", **options),
        call(long(1.0, -2.0, NAN, INF), 40, name="NaN alone", **{**options, "gradient": False}),
        call(In((2, 3)), 4, raises=ValueError, name="more than there are"),
        call(In((2, 3)), -1, raises=ValueError, name="fewer than none"),
        call(In((2, 3)), 1.5, raises=ValueError, name="no integer"),
        call(In(()), 1, raises=ValueError, name="scalar"),
        call(In((3,), kind="bool"), 1, raises=TypeError, name="bool"),
    ]


#: inputs, k and the positions of the largest elements: those of a stable descending sort with NaN first
_PLACES: dict[str, tuple[list[float], int, list[int]]] = {
    "ties": ([1.0, 3.0, 3.0, 0.0, 3.0, 1.0, 1.0], 5, [1, 2, 4, 0, 5]),
    "NaN among numbers": ([2.0, NAN, 1.0], 1, [1]),
    "NaN and infinities": ([INF, NAN, -INF, 0.0, NAN, INF], 6, [1, 4, 0, 5, 3, 2]),
    "both zeros": ([-0.0, 0.0, -0.0, 0.0], 4, [0, 1, 2, 3]),
    "negative NaN": ([1.0, float(np.copysign(NAN, -1.0)), 2.0], 3, [1, 2, 0]),
}


def _place_samples(with_values: bool) -> list[Sample]:
    found = []
    for name, (numbers, k, places) in _PLACES.items():
        indices = np.array(places, np.int32)
        expect = (np.array(numbers)[places], indices) if with_values else indices
        row = 40 if name in ("ties", "NaN among numbers") else None
        found.append(call(values(*numbers), k, row=row, expect=expect, gradient=False, name=name, dynamic=False,
                          dtypes=(*FLOATS, "bfloat16")))
    return found


@primitive(prepare=_top_attrs, differentiable=False, tolerance="exact",
           samples=lambda: [*_top_samples(gradient=False), *_place_samples(False)])
def top_indices(x: TensorLike, k: int) -> TensorSpec:
    """The positions of the ``k`` largest elements along the last axis in the order of :func:`top_k`; int32."""
    return _top_rule(x, k=k)


def _top_k_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    return {**_top_attrs(specs, attrs), "sorted": bool(attrs["sorted"])}


def _top_k_rule(x: TensorSpec, *, k: int, sorted: bool) -> tuple[TensorSpec, TensorSpec]:
    indices = _top_rule(x, k=k)
    return TensorSpec(indices.shape, x.dtype), indices


@composite(prepare=_top_k_attrs, rule=_top_k_rule, tolerance="exact", samples=lambda: [
    *_top_samples(), *_place_samples(True),
    call(In((2, 4), distinct=True), 3, sorted=False, name="order of no interest"),
    call(values(1.0, 4.0, 4.0, 2.0), 2, expect_gradient=np.array([0.0, 1.0, 1.0, 0.0]), dynamic=False,
         name="gradient at a tie")])
def top_k(x: TensorLike, k: int, sorted: bool = True) -> Any:
    """The ``k`` largest elements along the last axis in descending order, and their positions (Keras 3's ``top_k``).

    Args:
        x: a tensor ``(..., n)`` of integers or floats.
        k: the number of elements, at most n.
        sorted: whether the order matters; the result is always sorted.

    Returns:
        ``(values, indices)``, both ``(..., k)``, the indices int32. Of equal elements the first comes first; NaN is
        larger than all numbers.

    Raises:
        ValueError: a scalar, or k out of [0, n].
        TypeError: a bool tensor.

    >>> from kbackend import K
    >>> values, indices = K.top_k(K.constant([1.0, 7.0, 3.0, 7.0]), 3)
    >>> K.eval(values).tolist(), K.eval(indices).tolist()
    ([7.0, 7.0, 3.0], [1, 3, 2])
    """
    indices = top_indices(x, k)
    return take_along(x, indices, axis=-1), indices


def _in_attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    k = _count(attrs["k"])
    if k < 0:
        raise ValueError(f"k must not be negative, it is {k}")
    return {**attrs, "k": k}


def _in_rule(predictions: TensorSpec, targets: TensorSpec, *, k: int) -> TensorSpec:
    if not dtypes.is_float(predictions.dtype):
        raise TypeError(f"predictions must be floats, not {predictions.dtype}; cast them first")
    if not dtypes.is_integer(targets.dtype):
        raise TypeError(f"targets must be integers, not {targets.dtype}; cast them first")
    if predictions.ndim == 0:
        raise ValueError("predictions need an axis of classes, they are a scalar")
    return TensorSpec(merge(targets.shape, predictions.shape[:-1]), dtypes.BOOL)


def _in_samples() -> list[Sample]:
    scores = [[0.1, 0.5, 0.3], [0.2, 0.2, 0.9], [0.4, 0.1, 0.2]]

    def targets(*numbers: int, kind: str = "int32") -> In:
        return In((len(numbers),), values=list(numbers), kind=kind)

    return [
        call(In((4, 5), distinct=True), In((4,), 0, 5, kind="int32"), 2),
        call(In((2, 3, 5), distinct=True), In((2, 3), 0, 5, kind="int64"), 3, name="rank 3"),
        call(In((0, 5)), In((0,), kind="int32"), 2, name="empty"),
        call(In((2, 0)), targets(0, 1), 2, name="no classes", expect=np.zeros(2, bool)),
        call(In((3, 3), values=scores), targets(2, 1, 1), 2, expect=np.array([True, True, False]), name="ties"),
        call(In((3, 3), values=scores), targets(1, 2, 0), 0, expect=np.zeros(3, bool), name="none"),
        call(In((3, 3), values=scores), targets(0, 0, 1, kind="int64"), 9, expect=np.ones(3, bool),
             name="more than there are"),
        call(In((3, 3), values=scores), targets(-1, 3, 100), 3, row=41, expect=np.zeros(3, bool),
             name="targets that are no class"),
        call(In((4, 3), values=[[NAN, 1.0, 0.0], [NAN, 1.0, 0.0], [INF, 1.0, 0.0], [1.0, -INF, 0.0]]),
             targets(0, 1, 0, 2), 1, row=41, expect=np.zeros(4, bool), name="NaN and infinities"),
        call(In((3, 3), values=[[NAN, 1.0, 0.0], [INF, 1.0, 0.0], [1.0, -INF, 0.0]]), targets(1, 1, 2), 2,
             expect=np.ones(3, bool), name="NaN counts as larger"),
        call(In((3, 4)), In((2,), 0, 4, kind="int32"), 2, raises=ValueError, name="another batch"),
        call(In((3, 4)), In((3, 1), 0, 4, kind="int32"), 2, raises=ValueError, name="another rank"),
        call(In((3, 4)), In((3,)), 2, raises=TypeError, name="targets of floats"),
        call(In((3, 4), 0, 9, kind="int32"), In((3,), 0, 4, kind="int32"), 2, raises=TypeError,
             name="predictions of integers"),
        call(In((3, 0)), In((3,), 0, 4, kind="int32"), 2, gradient=False, name="no classes",
             expect=np.array([False] * 3)),
        call(In((3, 4)), In((3,), 0, 4, kind="int32"), None, raises=ValueError, name="no k"),
        call(In((3, 4)), In((3,), 0, 4, kind="int32"), -1, raises=ValueError, name="negative k"),
    ]


@composite(name="in_top_k", prepare=_in_attrs, rule=_in_rule, differentiable=False, tolerance="exact",
           samples=_in_samples)
def classic_in_top_k(predictions: TensorLike, targets: TensorLike, k: int) -> Any:
    """Whether the target class of each row is among the ``k`` highest predictions (Keras's ``K.in_top_k``).

    Args:
        predictions: floats ``(batch, classes)``, or of any rank with the classes last.
        targets: the target classes, integers ``(batch,)``.
        k: the number of predictions.

    Returns:
        A bool tensor ``(batch,)``: whether fewer than k predictions are higher than that of the target. Equal
        predictions do not count as higher, NaN does. False where the target is out of [0, classes) or its prediction is
        not finite.

    Raises:
        ValueError: shapes that do not fit, or k that is not an integer or negative.
        TypeError: predictions that are not floats, or targets that are not integers.

    >>> from kbackend import K
    >>> K.eval(K.in_top_k(K.constant([[0.1, 0.6, 0.3]] * 3), K.constant([2, 0, 7], "int32"), 2)).tolist()
    [True, False, False]
    """
    count, rank = predictions.shape[-1], len(predictions.shape)
    if count is None:  # there may be no class
        count = extent(predictions, (rank - 1,))
        predictions = pad_constant(predictions, ((0, 0),) * (rank - 1) + ((0, 1),), -np.inf)
    is_class = (targets >= 0) & (targets < count)
    if isinstance(count, int) and count == 0:
        return is_class
    own = take_along(predictions, expand_dims(select_elements(is_class, targets, 0), -1), axis=-1)
    higher = sum_(cast((predictions > own) | isnan(predictions), "int32"), axis=-1)
    return is_class & squeeze_axis(isfinite(own), -1) & (higher < k)


@derived(tolerance="exact", samples=lambda: [
    call(In((3,), 0, 4, kind="int32"), In((3, 4), distinct=True), 2, gradient=False),
    call(In((3,)), In((3, 4)), 2, raises=TypeError, name="floats")])
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Any:
    """Whether the target class of each row is among the ``k`` highest predictions (Keras 3's ``in_top_k``).

    Args:
        targets: the target classes, integers ``(batch,)``.
        predictions: floats ``(batch, classes)``.
        k: the number of predictions.

    Returns:
        A bool tensor ``(batch,)``. Result and errors as in :func:`kbackend.backend.in_top_k`.

    >>> from kbackend import ops
    >>> [bool(v) for v in ops.in_top_k([2, 0], [[0.1, 0.6, 0.3], [0.1, 0.6, 0.3]], 2)]
    [True, False]
    """
    return classic_in_top_k(as_tensor(predictions), as_tensor(targets), k)


__all__ = ["in_top_k", "top_k"]
