"""Printing, and Keras 2's control dependencies."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorLike
from kbackend.declare.sample import In, call
from kbackend.graph.tensor import TensorSpec


@primitive(takes_complex=True, name="print_tensor", pure=False, view=True)
def _print_tensor(x: TensorLike, *, message: str) -> TensorSpec:
    """``x``; its value is printed when the program runs."""
    return x


@derived(samples=lambda: [call(In((2, 3)), "x is"), call(In((2,), 0, 9, kind="int32"))])
def print_tensor(x: TensorLike, message: str = "") -> Any:
    """``x`` itself; whenever a program computes the result, it prints the message and the value.

    Nothing is printed where the result is not used.
    """
    return REGISTRY["print_tensor"].apply((x,), {"message": str(message)})


def control_dependencies(control_inputs: Any) -> nullcontext[None]:
    """A context without effect: updates take effect together at the end of a function, in no order of
    their own."""
    return nullcontext()


__all__: list[str] = []
