"""Functions with a user-defined gradient."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from kbackend import dtypes
from kbackend.declare.call import dtype_of, lift, make_node
from kbackend.declare.decorate import derived, primitive
from kbackend.declare.op import REGISTRY, TensorLike, TensorList
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.ops.arrays.dims import lengths, part, plus, times
from kbackend.ops.arrays.join import concatenate_last
from kbackend.ops.arrays.reshape import flatten, reshape
from kbackend.ops.control.subgraph import trace
from kbackend.ops.core.cast import cast, stop_gradient
from kbackend.ops.core.creation import zeros_like

Function = Callable[..., Any]


@primitive(name="with_gradient", view=True, captures="captures")
def _with_gradient(output: TensorLike, inputs: TensorList, captures: TensorList, *, backward: Any) -> TensorSpec:
    """``output``; ``backward`` computes the gradients with respect to ``inputs`` from the gradient of the result.

    ``backward`` is a graph of (gradient of the result, captures) with one output for each input; in a concrete call it
    is a function and there are no captures. ``output`` and ``captures`` get no gradient from the result; second
    derivatives flow through ``captures``.
    """
    return output


@derived
def custom_gradient(f: Function) -> Function:
    """Decorate a function that returns its own gradient function beside its output.

    Args:
        f: a function of tensors that returns (output, gradient). The output is a tensor, or a list or tuple of tensors.
            ``gradient`` is a function of the upstream gradients, one for each output, that returns the gradient with
            respect to the argument of ``f``, or a list with one for each argument; None means zeros. A gradient
            function with a required keyword argument ``upstream`` is called with the arguments of ``f`` and
            ``upstream``.

    Returns:
        A function with the arguments and the output of ``f``. Keyword arguments are passed through without a gradient.
        Tensors that ``f`` captures get a gradient of zeros. The gradient is differentiable where ``gradient`` is.

    Raises:
        TypeError: ``f`` is not callable, or does not return such a pair when it is called.
        ValueError: when called, the number or a shape of the gradients differs from that of the arguments.

    >>> from kbackend import K
    >>> from kbackend.ops import custom_gradient
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     powers = K.exp(x)
    ...     return K.log(1 + powers), lambda upstream: upstream * (1 - 1 / (1 + powers))
    >>> x = K.placeholder(())
    >>> slope = K.function([x], K.gradients(log1pexp(x), [x]))
    >>> float(slope([100.0])[0])
    1.0
    """
    if not callable(f):
        raise TypeError(f"custom_gradient needs a function, it was given {f!r}")

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        found = f(*args, **kwargs)
        if not isinstance(found, tuple) or len(found) != 2 or not callable(found[1]):
            raise TypeError(f"a function for custom_gradient returns (output, gradient function), not {found!r}")
        output, gradient = found
        if not isinstance(output, (list, tuple)):
            return _hooked([output], gradient, args, single=True)[0]
        return type(output)(_hooked(list(output), gradient, args, single=False))

    return wrapped


def _hooked(outputs: list[Any], gradient: Function, args: Sequence[Any], single: bool) -> list[Any]:
    places = [i for i, a in enumerate(args) if dtypes.is_inexact(dtype_of(a))]
    symbolic = any(isinstance(t, Tensor) for t in (*args, *outputs))
    if symbolic:
        outputs = [lift(o) for o in outputs]
    whole = [dtype_of(o) for o in outputs]
    floats = [i for i, d in enumerate(whole) if dtypes.is_inexact(d)]
    if not floats or not places:
        return [stop_gradient(o) for o in outputs]
    inputs = tuple(lift(args[i]) if symbolic else args[i] for i in places)
    packing = _Packing([outputs[i] for i in floats])

    def backward(upstream: Any) -> list[Any]:
        upstreams = [zeros_like(o) for o in outputs]
        for i, t in zip(floats, packing.unpack(upstream)):
            upstreams[i] = t
        gradients = _gradients_of_arguments(gradient, upstreams, args, single)
        return [_checked_gradient(gradients[i], x, i) for i, x in zip(places, inputs)]

    joined = stop_gradient(packing.packed())
    if symbolic:
        body = trace(backward, [joined.spec])
        graph = body.graph(body.captures, "backward")
        hooked = make_node(REGISTRY["with_gradient"], (joined, inputs, body.captures), {"backward": graph})
    else:
        hooked = REGISTRY["with_gradient"].apply((joined, inputs, ()), {"backward": backward})
    results = [o if i in floats else stop_gradient(o) for i, o in enumerate(outputs)]
    for i, t in zip(floats, packing.unpack(hooked)):
        results[i] = t
    return results


class _Packing:
    """Several tensors as one vector, because the op has one output; a single tensor is not changed."""

    def __init__(self, tensors: list[Any]) -> None:
        self.tensors = tensors
        self.dtypes = [dtype_of(t) for t in tensors]
        self.common = dtypes.promote(*self.dtypes)

    def packed(self) -> Any:
        if len(self.tensors) == 1:
            return self.tensors[0]
        return concatenate_last([flatten(cast(t, self.common)) for t in self.tensors], 0)

    def unpack(self, vector: Any) -> list[Any]:
        if len(self.tensors) == 1:
            return [vector]
        found, start = [], 0
        for tensor, dtype in zip(self.tensors, self.dtypes):
            sizes = lengths(tensor)
            count: Any = 1
            for size in sizes:
                count = times(count, size)
            stop = plus(start, count)
            found.append(cast(reshape(part(vector, 0, start, stop), sizes), dtype))
            start = stop
        return found


def _gradients_of_arguments(gradient: Function, upstream: list[Any], args: Sequence[Any], single: bool) -> list[Any]:
    """What the user's gradient function returns, as a list with one entry for each argument."""
    parameter = inspect.signature(gradient).parameters.get("upstream")
    if parameter is not None and parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
        found = gradient(*args, upstream=upstream[0] if single else tuple(upstream))
    else:
        found = gradient(*upstream)
    gradients = list(found) if isinstance(found, (list, tuple)) else [found]
    if len(gradients) != len(args):
        raise ValueError(f"the gradient function gave {len(gradients)} gradients for {len(args)} arguments")
    return gradients


def _checked_gradient(gradient: Any, x: Any, place: int) -> Any:
    """The gradient cast to the dtype of its argument; zeros for None.

    Raises:
        ValueError: its shape is not that of the argument.
    """
    if gradient is None:
        return zeros_like(x)
    have, want = np.shape(gradient) if not hasattr(gradient, "shape") else tuple(gradient.shape), tuple(x.shape)
    if len(have) != len(want) or any(a is not None and b is not None and a != b for a, b in zip(have, want)):
        raise ValueError(f"the gradient with respect to argument {place} has shape {have}, the argument has {want}")
    return cast(gradient, dtype_of(x))


__all__ = ["custom_gradient"]
