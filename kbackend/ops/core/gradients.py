"""Gradients of a loss with respect to any tensors of its graph, as nodes."""

from __future__ import annotations

from typing import Any

from kbackend import dtypes
from kbackend.declare.call import make_node
from kbackend.declare.decorate import derived
from kbackend.declare.op import REGISTRY, TensorLike
from kbackend.graph.node import Node, Role
from kbackend.graph.tensor import Tensor
from kbackend.graph.walk import ancestors, copy_tensors, depends_on
from kbackend.ops.core.cast import identity
from kbackend.ops.core.creation import zeros_like


def _gradient_flows(node: Node, operand: Tensor) -> bool:
    return node.op.differentiable and dtypes.is_inexact(operand.dtype)


def _perturbed(loss: Tensor, wanted: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The loss with an amount of 0 added to each wanted tensor that lies inside another gradient, and that amount in
    place of the tensor."""
    wanted = list(wanted)
    order = sorted((i for i, t in enumerate(wanted) if t.node.inputs), key=lambda i: wanted[i].node.number)
    first = wanted[order[0]].node.number if order else 0
    inner = _gradients_behind(loss, first) if order else []
    for i in order:
        if _inside_a_gradient(inner, wanted[i]):
            amount = identity(zeros_like(wanted[i]))
            loss, *wanted = copy_tensors([loss, *wanted], {wanted[i]: wanted[i] + amount})
            wanted[i] = amount
            inner = _gradients_behind(loss, first)
    return loss, wanted


def _gradients_behind(loss: Tensor, start: int) -> list[Node]:
    """The gradients that the loss depends on, from the number ``start`` on."""
    return [node for node in ancestors([loss], start=start) if node.op.role is Role.GRADIENTS]


def _inside_a_gradient(gradients: list[Node], tensor: Tensor) -> bool:
    """Whether one of the gradients is taken along a path through the tensor."""
    for node in gradients:
        inner, sources = node.args
        through = not any(tensor is source for source in sources) and any(depends_on([tensor], sources))
        if through and depends_on([inner], [tensor])[0]:
            return True
    return False


@derived
def gradients(loss: TensorLike, variables: Any) -> list[Tensor | None]:
    """The gradients of a loss with respect to any tensors of its graph (Keras's ``K.gradients``).

    Args:
        loss: a float tensor; the sum of its elements is differentiated.
        variables: a tensor or a list of tensors: variables, placeholders or intermediate results.

    Returns:
        A list: for each tensor a tensor of its shape and dtype, or None where the loss does not depend on it. The
        gradient of a complex tensor ``x + iy`` is ``dL/dx + i dL/dy``, the direction of steepest ascent.

        The gradient with respect to a tensor ``y`` that lies between the tensors and the loss of another gradient in
        ``loss`` is the derivative by an amount added to ``y``, wherever ``y`` is used, the other gradient included. It
        does not depend on the formulas by which an engine differentiates.

    Raises:
        TypeError: an argument that is not a symbolic tensor, or a loss that is not a float tensor.

    >>> from kbackend import K
    >>> x = K.placeholder((2,))
    >>> f = K.function([x], K.gradients(K.sum(x * x), [x]))
    >>> f([[1., 2.]])[0].tolist()
    [2.0, 4.0]
    """
    wanted = list(variables) if isinstance(variables, (list, tuple)) else [variables]
    for tensor in [loss, *wanted]:
        if not isinstance(tensor, Tensor):
            raise TypeError(f"K.gradients needs symbolic tensors, it was given {type(tensor).__name__}")
    if not dtypes.is_float(loss.dtype):
        hint = "; take its real part or its absolute value" if dtypes.is_complex(loss.dtype) else ""
        raise TypeError(f"K.gradients needs a float loss, {loss!r} is {loss.dtype}{hint}")
    loss, wanted = _perturbed(loss, wanted)
    connected = depends_on([loss], wanted, _gradient_flows)
    sources = tuple(t for t, used in zip(wanted, connected) if used)
    found = iter(make_node(REGISTRY["gradients"], (loss, sources), {}) if sources else ())
    return [next(found) if used else None for used in connected]


__all__: list[str] = []
