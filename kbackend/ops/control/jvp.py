"""Jacobian-vector products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kbackend.declare.call import lift
from kbackend.declare.decorate import derived
from kbackend.declare.op import TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import Tensor
from kbackend.ops.core.creation import zeros_like
from kbackend.ops.core.gradients import gradients
from kbackend.ops.elementwise.arithmetic import add, multiply
from kbackend.ops.elementwise.trigonometric import sin
from kbackend.ops.reduction.reductions import sum_


@derived(tolerance="elementwise", samples=lambda: [
    call(lambda x: multiply(x, sin(x)), (In((3,)),), (In((3,)),), dtypes=("float32",), dynamic=False)])
def jvp(fun: Callable[..., Any], primals: Sequence[TensorLike], tangents: Sequence[TensorLike],
        has_aux: bool = False) -> Any:
    """The value of a function and its derivative along tangents: the product of its Jacobian and a vector.

    Args:
        fun: a function of tensors that returns a float tensor, or (tensor, anything) with ``has_aux``.
        primals: where.
        tangents: along what, one for each primal, of its shape.
        has_aux: whether ``fun`` returns something beside the tensor.

    Returns:
        (value, derivative), and what ``fun`` returned beside.

    Raises:
        ValueError: another number of tangents, or other shapes.

    The derivative is found by two gradients, the second with respect to the weights of the first.

    >>> from kbackend import K
    >>> from kbackend.ops import jvp
    >>> y, dy = jvp(lambda x: x ** 2, [K.constant(3.0)], [K.constant(1.0)])
    >>> float(K.eval(y)), float(K.eval(dy))
    (9.0, 6.0)
    """
    points, along = [lift(p) for p in primals], [lift(t) for t in tangents]
    if len(points) != len(along) or any(p.shape != t.shape for p, t in zip(points, along)):
        raise ValueError(f"tangents {[t.shape for t in along]} do not fit the primals {[p.shape for p in points]}")
    points = [p + zeros_like(p) for p in points]  # tensors of their own: one given twice is two arguments
    result = fun(*points)
    value, aux = result if has_aux else (result, None)
    derivative = _along_tangents(value, points, along)
    return (value, derivative, aux) if has_aux else (value, derivative)


def _along_tangents(value: Tensor, points: Sequence[Tensor], along: Sequence[Tensor]) -> Any:
    weights = zeros_like(value)
    slopes = gradients(sum_(value * weights), list(points))
    parts = [sum_(multiply(s, t)) for s, t in zip(slopes, along) if s is not None]
    if not parts:
        return zeros_like(value)
    total = parts[0]
    for part in parts[1:]:
        total = add(total, part)
    (found,) = gradients(total, [weights])
    return zeros_like(value) if found is None else found


__all__ = ["jvp"]
