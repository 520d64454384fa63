"""Focal crossentropies, in which examples that are predicted well count less.

Source: Lin, Goyal, Girshick, He and Dollár, "Focal Loss for Dense Object Detection", 2017.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.declare.call import dtype_of
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.declare.shapes import axis_in, merge
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import multiply, negative, subtract
from kbackend.ops.elementwise.exponential import expm1, log
from kbackend.ops.elementwise.power import pow_
from kbackend.ops.elementwise.select import clip
from kbackend.ops.losses.crossentropy import binary_crossentropy
from kbackend.ops.nn.sigmoid import sigmoid
from kbackend.ops.nn.softmax import log_softmax
from kbackend.ops.reduction.reductions import sum_


def _operands(target: Any, output: Any) -> tuple[Any, Any, str]:
    """Both as floats of at least 32 bits, and the dtype of the result.

    Raises:
        ValueError: shapes that differ.
    """
    target, output = (t if hasattr(t, "shape") else np.asarray(t) for t in (target, output))
    merge(tuple(target.shape), tuple(output.shape))
    dtype = dtypes.to_float(dtypes.promote(dtype_of(target), dtype_of(output)))
    wide = "float32" if dtype in ("float16", "bfloat16") else dtype
    return _as(target, wide), _as(output, wide), dtype


def _as(x: Any, dtype: str) -> Any:
    """``x`` itself where it has the dtype: a form of the graph is found by what a loss is made of."""
    return x if dtype_of(x) == dtype else cast(x, dtype)


def _weight(value: Any, like: Any) -> Any:
    """A weight, or a list of one for each class, in the dtype of a tensor."""
    return np.asarray(value, dtypes.numpy_dtype(dtype_of(like))) if isinstance(value, (list, tuple)) else value


@derived(samples=lambda: [
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.05, 0.95)),
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.05, 0.95), True, 0.3, 1.5, name="balanced"),
    call(In((2, 3), 0.0, 1.0), In((2, 3)), from_logits=True, name="logits"),
    call(In((2, 3), 0.0, 1.0), In((2, 3)), True, 0.25, 0.5, True, name="balanced, logits"),
    call(In((2, 3), 0, 2, kind="int32"), In((2, 3), 0.05, 0.95), gamma=0.0, name="labels, the plain crossentropy"),
    call(In((2,), 0.0, 1.0), In((2,), 0.05, 0.95), True, In((), 0.1, 0.9), In((), 1.0, 3.0), name="tensors"),
    call(In((4,), values=[1.0, 0.0, 1.0, 0.0], gradient=False), In((4,), values=[40.0, -40.0, -40.0, 40.0]),
         from_logits=True, dtypes=("float64", "float32"), expect=np.array([0.0, 0.0, 40.0, 40.0]), name="far"),
    call(In((2,), values=[1.0, 0.0], gradient=False), In((2,), values=[1.0, 0.0]), gradient=False,
         dtypes=("float64", "float32"), expect=np.zeros(2), name="right"),
    call(In((0, 3), 0.0, 1.0), In((0, 3), 0.05, 0.95), name="empty"),
    call(In((2, 3), 0.0, 1.0), In((2, 1), 0.1, 0.9), raises=ValueError, name="shapes that differ")])
def binary_focal_crossentropy(target: TensorLike, output: TensorLike, apply_class_balancing: bool = False,
                              alpha: Any = 0.25, gamma: Any = 2.0, from_logits: bool = False) -> Any:
    """``(1 - p)**gamma`` times the crossentropy of two classes, elementwise; p is the probability given to the truth.

    Args:
        target: probabilities of the second class.
        output: probabilities of the same shape, whose logarithms are clipped as in ``K.binary_crossentropy``; or
            logits.
        apply_class_balancing: whether the second class is weighted by alpha and the first by ``1 - alpha``.
        alpha, gamma: numbers or tensors.
        from_logits: whether ``output`` holds logits.

    Returns:
        A tensor of the same shape.

    Raises:
        ValueError: different shapes.

    >>> from kbackend import K
    >>> loss = K.binary_focal_crossentropy(K.constant([1.0, 1.0]), K.constant([0.5, 0.9]))
    >>> [round(float(v), 4) for v in K.eval(loss)]
    [0.1733, 0.0011]
    """
    target, output, dtype = _operands(target, output)
    if from_logits:
        second, first = sigmoid(output), sigmoid(negative(output))
    else:
        second, first = output, subtract(1.0, output)
    other = subtract(1.0, target)
    missing = multiply(target, first) + other * second
    loss = binary_crossentropy(target, output, from_logits)
    loss = pow_(missing, gamma) * loss
    if apply_class_balancing:
        loss = (multiply(target, alpha) + other * subtract(1.0, alpha)) * loss
    return _as(loss, dtype)


@derived(tolerance="reduction", samples=lambda: [
    call(In((4, 5), 0.0, 1.0), In((4, 5), 0.1, 1.0)),
    call(In((4, 5), 0.0, 1.0), In((4, 5), 0.1, 1.0), 0.5, 1.5, name="alpha and gamma"),
    call(In((4, 5), 0.0, 1.0), In((4, 5)), from_logits=True, name="logits"),
    call(In((2, 3, 4), 0.0, 1.0), In((2, 3, 4), 0.1, 1.0), axis=1, name="inner axis"),
    call(In((2, 3), 0.0, 1.0), In((2, 3)), [0.2, 0.3, 0.5], 0.0, True, name="a weight for each class"),
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.1, 1.0), In((3,), 0.1, 0.9), In((), 1.0, 3.0), name="tensors",
         dynamic=False),
    call(In((2, 2), values=[[0.0, 1.0]] * 2, gradient=False), In((2, 2), values=[[200.0, 0.0], [0.0, 200.0]]),
         from_logits=True, dtypes=("float64", "float32"), expect=np.array([50.0, 0.0]), name="far"),
    call(In((0, 3), 0.0, 1.0), In((0, 3), 0.1, 1.0), name="empty"),
    call(In((2, 3), 0.0, 1.0), In((2, 4), 0.1, 1.0), raises=ValueError, name="shapes that differ"),
    call(In((2, 3), 0.0, 1.0), In((2, 3), 0.1, 1.0), axis=2, raises=ValueError, name="axis")])
def categorical_focal_crossentropy(target: TensorLike, output: TensorLike, alpha: Any = 0.25, gamma: Any = 2.0,
                                   from_logits: bool = False, axis: int = -1) -> Any:
    """``-sum(alpha * (1 - p)**gamma * target * log(p))`` along an axis, for probabilities p.

    Args:
        target: probabilities, such as one-hot vectors.
        output: probabilities of the same shape, which are divided by their sum and clipped to
            ``[epsilon, 1 - epsilon]``; or logits.
        alpha: a number, a list with one for each class of the last axis, or a tensor.
        gamma: a number or tensor.
        from_logits: whether ``output`` holds logits.
        axis: the axis of the classes.

    Returns:
        A tensor without that axis.

    Raises:
        ValueError: different shapes; an axis out of range.

    >>> from kbackend import K
    >>> loss = K.categorical_focal_crossentropy(K.constant([[0., 1.]]), K.constant([[0.5, 0.5]]))
    >>> round(float(K.eval(loss)[0]), 4)
    0.0433
    """
    target, output, dtype = _operands(target, output)
    axis = axis_in(axis, len(output.shape))
    if from_logits:
        logs = log_softmax(output, axis=axis)
        missing = -expm1(logs)
    else:
        shares = output / sum_(output, axis=axis, keepdims=True)
        shares = clip(shares, config.epsilon(), 1.0 - config.epsilon())
        logs, missing = log(shares), 1.0 - shares
    weights = pow_(missing, gamma) * _weight(alpha, output)
    loss = -sum_(weights * multiply(target, logs), axis=axis)
    return _as(loss, dtype)


__all__: list[str] = []
