"""Calls of autograd's primitives that are recorded in one step where all boxes are of one level."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

from autograd.core import VJPNode, primitive_vjps
from autograd.tracer import box_types, new_box, notrace_primitives


def recording(primitive: Any) -> Any:
    """A function that records what the primitive does, in about half the time.

    autograd's wrapper searches the operands for the boxes of the highest level, and then calls itself with their
    values, in which it searches for those of the next level. Here the operands are visited once; operands at several
    levels go to autograd's wrapper. It is kept with the primitive, so that there is one for each.
    """
    found = vars(primitive).get("_kbackend_recording")
    if found is None:
        untraced = primitive in notrace_primitives[VJPNode] or primitive not in primitive_vjps
        found = primitive if untraced else _recording(primitive)
        primitive._kbackend_recording = found
    return found


def _recording(primitive: Any) -> Any:
    function, derivative, make = primitive.fun, primitive_vjps[primitive], VJPNode.__new__

    def call(*args: Any, **attrs: Any) -> Any:
        trace, values = None, []
        places: list[int] = []
        parents: list[Any] = []
        for place, arg in enumerate(args):
            if arg.__class__ in box_types:
                value, node = arg._value, arg._node
                if trace is None:
                    trace = arg._trace
                if trace != arg._trace or value.__class__ in box_types or node.__class__ is not VJPNode:
                    return primitive(*args, **attrs)
                places.append(place)
                parents.append(node)
                values.append(value)
            else:
                values.append(arg)
        if not parents:
            return function(*args, **attrs)
        result = function(*values, **attrs)
        node = make(VJPNode)
        node.parents = tuple(parents)
        node.vjp = derivative(tuple(places), result, tuple(values), attrs)
        return new_box(result, trace, node)

    return update_wrapper(call, primitive)


__all__ = ["recording"]
