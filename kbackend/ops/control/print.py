"""``K.print_tensor`` and ``K.control_dependencies`` of Keras 2."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec


@primitive(takes_complex=True, name="print_tensor", pure=False, view=True)
def _print_tensor(x: TensorLike, *, message: str) -> TensorSpec:
    """``x``; the program prints its value."""
    return x


@derived(samples=lambda: [call(In((2, 3)), "x is"), call(In((2,), 0, 9, kind="int32"))])
def print_tensor(x: TensorLike, message: str = "") -> Any:
    """``x``; a program that computes the result prints the message and the value to the standard output.

    Nothing is printed where the result is not used.

    Args:
        x: a tensor of any shape and dtype.
        message: the text before the value.

    Returns:
        A tensor equal to ``x``.

    >>> from kbackend import K
    >>> y = K.eval(K.print_tensor(K.constant([1.0, 2.0]), "x is") * 2)
    x is [1. 2.]
    """
    return REGISTRY["print_tensor"].apply((x,), {"message": str(message)})


def control_dependencies(control_inputs: Any) -> nullcontext[None]:
    """A context without effect, because all updates of a function take effect together when it returns.

    Args:
        control_inputs: tensors or updates; ignored.

    >>> from kbackend import K
    >>> with K.control_dependencies([]):
    ...     y = K.constant(1.0)
    """
    return nullcontext()


__all__: list[str] = []
