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
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.elementwise.trigonometric import sin
from kbackend.ops.reduction.reductions import sum_


@derived(tolerance="elementwise", samples=lambda: [
    call(lambda x: multiply(x, sin(x)), (In((3,)),), (In((3,)),), dtypes=("float32",), dynamic=False)])
def jvp(fun: Callable[..., Any], primals: Sequence[TensorLike], tangents: Sequence[TensorLike],
        has_aux: bool = False) -> Any:
    """The value of a function and its Jacobian-vector product: its directional derivative along tangents.

    It is computed by reverse mode twice: the gradient of ``sum(value * weights)`` is linear in the weights, and the
    gradient of its product with the tangents, with respect to the weights, is the Jacobian-vector product.

    Args:
        fun: a function of tensors that returns a float tensor; with ``has_aux`` a pair of a tensor and anything.
        primals: the point at which ``fun`` is evaluated, one tensor for each argument.
        tangents: the direction, one tensor for each primal, of its shape.
        has_aux: whether ``fun`` returns auxiliary data.

    Returns:
        (value, derivative), both of the shape of the value; with ``has_aux`` followed by the auxiliary data.

    Raises:
        ValueError: number or shapes of the tangents differ from those of the primals.

    >>> from kbackend import K
    >>> from kbackend.ops import jvp
    >>> y, dy = jvp(lambda x: x ** 2, [K.constant(3.0)], [K.constant(1.0)])
    >>> float(K.eval(y)), float(K.eval(dy))
    (9.0, 6.0)
    """
    points, along = [lift(p) for p in primals], [lift(t) for t in tangents]
    if len(points) != len(along) or any(p.shape != t.shape for p, t in zip(points, along)):
        raise ValueError(f"tangents {[t.shape for t in along]} do not fit the primals {[p.shape for p in points]}")
    points = [p + zeros_like(p) for p in points]  # new tensors, because one tensor may be passed as two primals
    result = fun(*points)
    value, aux = result if has_aux else (result, None)
    derivative = _directional_derivative(value, points, along)
    return (value, derivative, aux) if has_aux else (value, derivative)


def _directional_derivative(value: Tensor, points: Sequence[Tensor], along: Sequence[Tensor]) -> Any:
    weights = zeros_like(value)
    slopes = gradients(sum_(value * weights), list(points))
    parts = [sum_(s * t) for s, t in zip(slopes, along) if s is not None]
    if not parts:
        return zeros_like(value)
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    (found,) = gradients(total, [weights])
    return zeros_like(value) if found is None else found


__all__ = ["jvp"]
