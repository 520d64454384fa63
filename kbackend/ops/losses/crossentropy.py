"""Crossentropies of probabilities or logits.

Lowering computes the logarithms from the logits where the graph shows that probabilities come from a softmax or
sigmoid (the ops' ``stable_form``), so that a model that ends in a softmax loses no precision. They are clipped as the
logarithms of the probabilities are: a stable form has the values and the gradients of the definition.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import composite, derived, primitive
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import axis_in, merge
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.reshape import expand_dims, squeeze_axis
from kbackend.ops.arrays.transpose import permute_dimensions
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.exponential import log
from kbackend.ops.elementwise.precision import as_dtype, wide_dtype
from kbackend.ops.elementwise.select import clip, clip_range
from kbackend.ops.indexing.gather import take_along
from kbackend.ops.nn.sigmoid import sigmoid, softplus
from kbackend.ops.nn.softmax import log_softmax, softmax
from kbackend.ops.reduction.reductions import sum_

_FLOATS = ("float64", "float32")


def _attrs(specs: Sequence[Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """Canonical axis and epsilon; epsilon is read from the configuration when the node is made."""
    attrs = {**attrs, "from_logits": bool(attrs["from_logits"])}
    attrs["epsilon"] = config.epsilon() if attrs["epsilon"] is None else float(attrs["epsilon"])
    if "axis" in attrs:
        attrs["axis"] = axis_in(attrs["axis"], specs[1].ndim)
    return attrs


def _clipped(output: Any, epsilon: float) -> Any:
    return clip(output, epsilon, 1.0 - epsilon)


def _wide(x: Any) -> Any:
    """``x`` in float32 if it has 16 bits, in which ``1 - epsilon`` would be rounded to 1."""
    return as_dtype(x, wide_dtype(dtype_of(x)))


def _with_axis_last(x: Any, axis: int) -> Any:
    rank = len(x.shape)
    if axis == rank - 1:
        return x
    return permute_dimensions(x, (*(a for a in range(rank) if a != axis), axis))


def _one_target_a_row(target: TensorSpec, logits: TensorSpec) -> TensorSpec:
    return TensorSpec(merge(target.shape, logits.shape)[:-1], logits.dtype)


@composite(promote="float", rule=_one_target_a_row, tolerance="reduction", samples=lambda: [
    call(In((4, 5), 0.0, 1.0), In((4, 5), -4, 4)),
    call(In((2, 3, 4), 0.0, 1.0), In((2, 3, 4))),
    call(In((1, 3), values=[[1.0, 0.0, 0.0]]), In((1, 3), values=[[-200.0, 200.0, 0.0]]), dtypes=_FLOATS,
         name="far"),
    call(In((1, 2), values=[[0.5, 0.5]]), In((1, 2), values=[[1e30, 1e30]]), dtypes=("float32", "float64"),
         name="large logits", expect=np.log([2.0]), gradient=False),
    call(In((0, 3), 0.0, 1.0), In((0, 3)), name="empty"),
    call(In((2, 0)), In((2, 0)), name="no classes", expect=np.zeros(2))])
def softmax_crossentropy(target: TensorLike, logits: TensorLike) -> Any:
    """``-sum(target * log(softmax(logits)))`` over the last axis."""
    return -sum_(target * log_softmax(logits, axis=-1), axis=-1)


def _labels_fit(labels: TensorSpec, logits: TensorSpec) -> TensorSpec:
    if not dtypes.is_integer(labels.dtype):
        raise TypeError(f"labels must be integers, not {labels.dtype}")
    _check_classes(logits, -1)
    return TensorSpec(merge(labels.shape, logits.shape[:-1]), logits.dtype)


def _check_classes(output: TensorSpec, axis: int) -> None:
    if output.shape[axis] == 0:
        raise ValueError(f"there is no class along the axis {axis} of the shape {output.shape}")


def _labels(*values: Any) -> In:
    return In(np.shape(values), values=np.asarray(values), kind="int32", gradient=False)


def _range_samples() -> list[Sample]:
    logits = In((3, 4))
    common: dict[str, Any] = {
        "gradient": False, "dynamic": False, "dtypes": ("float32",), "raises": ValueError
    }
    return [
        call(_labels(0, -100, 1), logits, name="label -100", row=20, **common),
        call(_labels(0, -1, 1), logits, name="label -1", row=21, **common),
        call(_labels(0, 4, 1), logits, name="label as large as the number of classes", row=21, **common),
    ]


@primitive(differentiable=False, view=True, tolerance="exact", samples=lambda: [
    call(_labels(0, 3, 1), In((3, 4), gradient=False), gradient=False), *_range_samples()])
def checked_labels(labels: TensorLike, logits: TensorLike) -> TensorSpec:
    """``labels``, checked to be integers in [0, n), where n is the size of the last axis of ``logits``.

    Raises:
        TypeError: labels that are not integers.
        ValueError: when the program runs, a label out of range; the message names it.
    """
    _labels_fit(labels, logits)
    return labels


@composite(promote="float", promoted=("logits",), rule=_labels_fit, tolerance="reduction", samples=lambda: [
    call(_labels(0, 3, 1, 1), In((4, 5), -4, 4)),
    call(_labels([0, 3], [1, 1]), In((2, 2, 5))),
    call(_labels(0), In((1, 3), values=[[-200.0, 200.0, 0.0]]), dtypes=_FLOATS, name="far"),
    call(_labels(0), In((1, 2), values=[[1e30, 1e30]]), dtypes=("float32", "float64"), name="large logits",
         expect=np.log([2.0]), gradient=False),
    call(In((0,), kind="int32", gradient=False), In((0, 3)), name="empty"),
    call(In((0,), kind="int32", gradient=False), In((0, 0)), name="no classes", raises=ValueError),
    *_range_samples()])
def label_crossentropy(labels: TensorLike, logits: TensorLike) -> Any:
    """``-log(softmax(logits))`` at the label, over the last axis of n classes.

    Raises:
        TypeError: labels that are not integers.
        ValueError: when the program runs, a label outside [0, n); the message names it. On CUDA devices and in programs
            compiled by XLA the loss is NaN instead, because a check would synchronize with the device.
    """
    index = expand_dims(checked_labels(labels, logits), -1)
    picked = take_along(log_softmax(logits, axis=-1), index, axis=-1)
    return -squeeze_axis(picked, -1)


@composite(promote="float",
           rule=lambda target, logits, **_: TensorSpec(merge(target.shape, logits.shape), logits.dtype),
           samples=lambda: [
               call(In((2, 3), 0.0, 1.0), In((2, 3), -4, 4, avoid=(0.0,))),
               call(In((2, 3), 0.0, 1.0), In((2, 3), values=[[-9.0, -3.1, 0.5], [2.0, 3.1, 300.0]]), limit=3.0),
               call(In((2,), values=[0.3, 0.6]), In((2,), values=[-300.0, 300.0]), dtypes=_FLOATS,
                    name="far"),
               call(In((2,), values=[0.0, 1.0]), In((2,), values=[0.0, 0.0]), dtypes=_FLOATS, name="at zero"),
               call(In((0, 3), 0.0, 1.0), In((0, 3)), name="empty")])
def sigmoid_crossentropy(target: TensorLike, logits: TensorLike, *, limit: float | None = None) -> Any:
    """``-target * log(s) - (1 - target) * log(1 - s)`` with ``s = sigmoid(logits)``, elementwise.

    The logits are clipped to ``[-limit, limit]``.
    """
    if limit is not None:
        logits = clip_range(logits, low=-limit, high=limit)
    return softplus(logits) - target * logits


def _logits_of(activation: Any, node: Node) -> Tensor | None:
    """The logits behind the probabilities of a crossentropy that ``activation`` computes along the same axis."""
    output = node.args[1]
    if node.attrs["from_logits"] or output.node.op is not activation.op:
        return None
    if "axis" in node.attrs and node.attrs["axis"] % output.ndim != output.node.attrs["axis"] % output.ndim:
        return None
    return output.node.args[0]


def _stable_categorical(node: Node) -> Sequence[Tensor] | None:
    """The logarithms of a softmax from its logits, clipped where its probabilities are."""
    logits = _logits_of(softmax, node)
    if logits is None:
        return None
    axis, (low, high) = node.attrs["axis"], _clipped_logs(node)
    logs = clip(log_softmax(logits, axis=axis), low, high)
    return (-sum_(node.args[0] * logs, axis=axis),)


def _stable_sparse(node: Node) -> Sequence[Tensor] | None:
    """The crossentropy of the logits of a softmax, clipped where the label's probability is.

    The clipped probabilities of n classes sum to at most ``1 + n * epsilon`` and are not divided by that again.
    """
    logits = _logits_of(softmax, node)
    if logits is None:
        return None
    low, high = _clipped_logs(node)
    loss = node.op.apply((node.args[0], logits), {**node.attrs, "from_logits": True})
    return (clip(loss, -high, -low),)


def _stable_binary(node: Node) -> Sequence[Tensor] | None:
    """The crossentropy of the logits of a sigmoid, which are clipped where its probabilities are."""
    logits = _logits_of(sigmoid, node)
    if logits is None:
        return None
    low, high = _clipped_logs(node)
    return (sigmoid_crossentropy(node.args[0], logits, limit=high - low),)


def _clipped_logs(node: Node) -> tuple[float, float]:
    """The logarithms of the ends to which the probabilities of a crossentropy are clipped."""
    epsilon = node.attrs["epsilon"] or config.epsilon()
    return math.log(epsilon), math.log1p(-epsilon)


def _categorical_rule(target: TensorSpec, output: TensorSpec, *, axis: int, **_: Any) -> TensorSpec:
    shape = merge(target.shape, output.shape)
    return TensorSpec(shape[:axis] + shape[axis + 1:], output.dtype)


@composite(name="categorical_crossentropy", promote="float", prepare=_attrs, rule=_categorical_rule,
           tolerance="reduction", stable_form=_stable_categorical)
def _categorical(target: TensorLike, output: TensorLike, *, from_logits: bool, axis: int,
                 epsilon: float | None = None) -> Any:
    """See :func:`categorical_crossentropy`."""
    dtype = dtype_of(output)
    if from_logits:
        return softmax_crossentropy(_with_axis_last(target, axis), _with_axis_last(output, axis))
    target, output = _wide(target), _wide(output)
    probabilities = output / sum_(output, axis=axis, keepdims=True)
    logs = log(_clipped(probabilities, epsilon or config.epsilon()))
    return as_dtype(-sum_(target * logs, axis=axis), dtype)


@derived(samples=lambda: [
    call(In((4, 5), 0.0, 1.0), In((4, 5), 0.1, 1.0)),
    call(In((4, 5), 0.0, 1.0), In((4, 5)), from_logits=True),
    call(In((2, 3, 4), 0.0, 1.0), In((2, 3, 4), 0.1, 1.0), axis=1),
    call(In((2, 3, 4), 0.0, 1.0), In((2, 3, 4)), True, 1),
    call(In((2, 3), 0.0, 1.0), In((2, 4), 0.1, 1.0), raises=ValueError)])
def categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False,
                             axis: int = -1) -> Any:
    """The crossentropy ``-sum(target * log(output))`` between distributions along an axis.

    Args:
        target: probabilities, such as one-hot vectors.
        output: probabilities of the same shape, which are divided by their sum and clipped to
            ``[K.epsilon(), 1 - K.epsilon()]``; or logits.
        from_logits: whether ``output`` is logits.
        axis: the axis of the classes.

    Returns:
        A float tensor of the shape of ``output`` without the axis.

    Raises:
        ValueError: different shapes, or an axis out of range.

    >>> from kbackend import K
    >>> loss = K.categorical_crossentropy(K.constant([[0., 1.]]), K.constant([[0.5, 0.5]]))
    >>> round(float(K.eval(loss)[0]), 4)
    0.6931
    """
    return _categorical(target, output, from_logits=from_logits, axis=axis)


def _sparse_shape(target: TensorSpec, output: TensorSpec, axis: int) -> tuple[int | None, ...]:
    rows = output.shape[:axis] + output.shape[axis + 1:]
    shape = target.shape
    if len(shape) == len(rows) + 1:
        place = _single_axis(shape, axis)
        if shape[place] in (1, None):
            shape = shape[:place] + shape[place + 1:]
    return merge(shape, rows)


def _single_axis(shape: Sequence[int | None], axis: int) -> int:
    """The dimension of 1 of labels that have as many as the output: the last, or that of the classes."""
    last = len(shape) - 1
    sure = [place for place in (last, axis) if shape[place] == 1]
    return next((place for place in (*sure, last, axis) if shape[place] in (1, None)), last)


def _sparse_rule(target: TensorSpec, output: TensorSpec, *, axis: int, **_: Any) -> TensorSpec:
    _check_classes(output, axis)
    return TensorSpec(_sparse_shape(target, output, axis), output.dtype)


@composite(name="sparse_categorical_crossentropy", promote="float", promoted=("output",), prepare=_attrs,
           rule=_sparse_rule, tolerance="reduction", stable_form=_stable_sparse)
def _sparse(target: TensorLike, output: TensorLike, *, from_logits: bool, axis: int,
            epsilon: float | None = None) -> Any:
    """See :func:`sparse_categorical_crossentropy`."""
    dtype = dtype_of(output)
    if not from_logits:
        output = log(_clipped(_wide(output), epsilon or config.epsilon()))
    labels = target if dtypes.is_integer(dtype_of(target)) else cast(target, "int64")
    if len(labels.shape) == len(output.shape):
        labels = squeeze_axis(labels, _single_axis(labels.shape, axis))
    return as_dtype(label_crossentropy(labels, _with_axis_last(output, axis)), dtype)


@derived(samples=lambda: [
    call(_labels(0, 3, 1, 1), In((4, 5), 0.1, 1.0)),
    call(_labels([0], [3]), In((2, 5)), from_logits=True),
    call(In((2,), values=[1.0, 2.0], gradient=False), In((2, 5)), True, name="labels as floats"),
    call(_labels([0, 2], [1, 1]), In((2, 3, 2), 0.1, 1.0), axis=1),
    call(_labels([[0, 2]], [[1, 1]]), In((2, 3, 2), 0.1, 1.0), axis=1, name="labels with one channel"),
    call(_labels(0, 1), In((3, 5)), raises=ValueError),
    *_range_samples()])
def sparse_categorical_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False,
                                    axis: int = -1) -> Any:
    """The crossentropy ``-log(output[label])`` between labels and distributions along an axis.

    Args:
        target: labels in [0, n), of the shape of ``output`` without the axis, or with a dimension of 1 at its place or
            at the end.
        output: probabilities, which are clipped to ``[K.epsilon(), 1 - K.epsilon()]`` and divided by their sum; or
            logits.
        from_logits: whether ``output`` is logits.
        axis: the axis of the n classes.

    Returns:
        A float tensor of the shape of ``output`` without the axis.

    Raises:
        ValueError: shapes that do not fit, or an axis out of range; when the program runs, a label outside [0, n),
            which the message names.

    >>> from kbackend import K
    >>> loss = K.sparse_categorical_crossentropy(K.constant([1]), K.constant([[0.25, 0.75]]))
    >>> round(float(K.eval(loss)[0]), 4)
    0.2877
    """
    return _sparse(target, output, from_logits=from_logits, axis=axis)


@composite(name="binary_crossentropy", promote="float", prepare=_attrs, stable_form=_stable_binary,
           rule=lambda target, output, **_: TensorSpec(merge(target.shape, output.shape), output.dtype))
def _binary(target: TensorLike, output: TensorLike, *, from_logits: bool,
            epsilon: float | None = None) -> Any:
    """See :func:`binary_crossentropy`."""
    if from_logits:
        return sigmoid_crossentropy(target, output)
    dtype = dtype_of(output)
    epsilon = epsilon or config.epsilon()
    target, output = _wide(target), _wide(output)
    # clipped after the subtraction, because in float32 1 - (1 - epsilon) has one digit
    second, first = (log(_clipped(probability, epsilon)) for probability in (output, 1.0 - output))
    return as_dtype(-(target * second + (1.0 - target) * first), dtype)


@derived(samples=lambda: [
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.05, 0.95)),
    call(In((2, 3), 0.0, 1.0), In((2, 3)), from_logits=True),
    call(In((1,), values=[1.0], gradient=False), In((1,), values=[0.0]), row=22,
         expect=np.array([-np.log(1e-7)]), dtypes=_FLOATS, gradient=False, name="the output is clipped"),
    call(In((1,), values=[1.0], gradient=False), In((1,), values=[-0.5]), row=22, dtypes=_FLOATS,
         name="no gradient where it is"),
    call(In((2, 3), 0.0, 1.0), In((2, 1), 0.1, 0.9), raises=ValueError)])
def binary_crossentropy(target: TensorLike, output: TensorLike, from_logits: bool = False) -> Any:
    """The crossentropy ``-target * log(output) - (1 - target) * log(1 - output)`` of two classes, elementwise.

    Args:
        target: probabilities.
        output: probabilities of the same shape, which are clipped to ``[K.epsilon(), 1 - K.epsilon()]``; or logits.
        from_logits: whether ``output`` is logits.

    Returns:
        A float tensor of the same shape.

    Raises:
        ValueError: different shapes.

    >>> from kbackend import K
    >>> round(float(K.eval(K.binary_crossentropy(K.constant([1.0]), K.constant([0.5])))[0]), 4)
    0.6931
    """
    return _binary(target, output, from_logits=from_logits)


__all__ = ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"]
