"""Functions that autograd differentiates, recorded in fewer steps than by its own wrapper."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.core import VJPNode, primitive_vjps
from autograd.tracer import box_types, new_box


def primitive(function: Callable[..., Any]) -> Any:
    """A function whose derivatives are declared, as with ``autograd.extend.primitive``, in about half the time.

    autograd's wrapper makes lists of the operands, also where none is a box, and then calls itself with the values of
    the boxes of the highest level, to find those of the next one. Here a call without boxes is a look at each operand,
    and a call with boxes of one level alone calls the function.

    >>> import autograd.numpy as anp
    >>> from autograd import grad
    >>> from autograd.extend import defvjp
    >>> @primitive
    ... def cube(x):
    ...     return x**3
    >>> defvjp(cube, lambda result, x: lambda g: g * 3 * x**2)
    >>> grad(cube)(2.0)
    12.0
    """
    make = VJPNode.__new__

    def call(*args: Any, **attrs: Any) -> Any:
        top = -1
        for arg in args:
            if arg.__class__ in box_types and arg._trace > top:
                top = arg._trace
        if top < 0:
            return function(*args, **attrs)
        values: list[Any] = []
        places: list[int] = []
        parents: list[Any] = []
        nested = False  # in boxes of lower levels
        for place, arg in enumerate(args):
            if arg.__class__ not in box_types:
                values.append(arg)
                continue
            value = arg
            if arg._trace == top:
                value = arg._value
                places.append(place)
                parents.append(arg._node)
            values.append(value)
            nested = nested or value.__class__ in box_types
        result = (call if nested else function)(*values, **attrs)
        kind = parents[0].__class__
        if kind is not VJPNode or call not in primitive_vjps:  # which says so
            return new_box(result, top, kind(result, call, values, attrs, tuple(places), tuple(parents)))
        node = make(VJPNode)
        node.parents = tuple(parents)
        node.vjp = primitive_vjps[call](tuple(places), result, tuple(values), attrs)
        return new_box(result, top, node)

    call.__name__, call.__doc__ = getattr(function, "__name__", "call"), function.__doc__
    call.fun, call._is_autograd_primitive = function, True  # type: ignore[attr-defined]
    return call


__all__ = ["primitive"]
