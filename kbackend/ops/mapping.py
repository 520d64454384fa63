"""Functions applied to each element, in rounds, and along an axis; derivatives of functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend.graph.tensor import Tensor
from kbackend.ops import elementwise as e
from kbackend.ops import reduction, shaping
from kbackend.ops.control import while_loop
from kbackend.ops.creation import zeros_like
from kbackend.ops.declare import TensorLike, derived
from kbackend.ops.dispatch import lift
from kbackend.ops.indexing import getitem
from kbackend.ops.loops import map_fn
from kbackend.ops.sample import In, Sample, call
from kbackend.ops.shapes import axis_in, broadcast
from kbackend.ops.state import gradients


@derived(name="map", tolerance="rnn", samples=lambda: [
    call(lambda row: reduction.sum_(e.square(row)), In((4, 3))),
    call(lambda rows: e.multiply(rows[0], rows[1]), [In((4, 3)), In((4, 3))], name="lists")])
def map_(f: Callable[[Any], Any], xs: Any) -> Any:
    """``f`` of each element along the first axis, stacked.

    Args:
        f: a function of an element, or of a list of elements.
        xs: a tensor, or a list of tensors of one length.
    """
    return map_fn(f, xs)


@derived(tolerance="rnn", samples=lambda: [call(lambda row: reduction.sum_(row), In((4, 3)))])
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """As :func:`map`, and the order in which elements are taken is not promised."""
    return map_fn(function, elements)


@derived(tolerance="rnn", samples=lambda: [
    call(0, 4, lambda i, x: e.add(e.multiply(x, 0.5), e.cast(i, "float32")), In((3,)), dtypes=("float32",),
         dynamic=False)])
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any) -> Any:
    """``for i in range(lower, upper): value = body_fun(i, value)``.

    Args:
        lower, upper: integers or integer scalars.
        body_fun: a function of the index and the value (a tensor, or a list of tensors).
        init_val: the value at the start.

    Returns:
        The value at the end.

    >>> from kbackend import K
    >>> from kbackend.ops.mapping import fori_loop
    >>> float(K.eval(fori_loop(1, 4, lambda i, x: x * K.cast(i, "float32"), K.constant(1.0))))
    6.0
    """
    several = isinstance(init_val, (list, tuple))
    values = list(init_val) if several else [init_val]

    def body(i: Any, *state: Any) -> list[Any]:
        result = body_fun(i, list(state) if several else state[0])
        return [e.add(i, 1), *(result if several else [result])]

    first = e.cast(lift(lower), "int32")
    last = e.cast(lift(upper), "int32")
    found = while_loop(lambda i, *_: i < last, body, [first, *values])[1:]
    return type(init_val)(found) if several else found[0]


# ------------------------------------------------------------------------------------- scans in few rounds


def _scan_samples() -> list[Sample]:
    return [
        call(e.add, In((5, 2)), name="odd", dynamic=False),
        call(e.multiply, In((3, 4)), True, 1, name="backwards along an axis"),
        call(lambda a, b: [e.add(a[0], b[0]), e.maximum(a[1], b[1])],
             [In((6,), distinct=True), In((6,), distinct=True)], name="lists", dynamic=False),
        call(e.add, In((1, 2)), name="one", dynamic=False),
    ]


@derived(tolerance="rnn", samples=_scan_samples)
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The results of ``f`` over all first elements, in a number of rounds that grows as the logarithm of the length.

    Args:
        f: an associative function of two tensors (or lists of tensors) that it combines elementwise along ``axis``.
        elems: a tensor, or a list of tensors of the same known length along ``axis``.
        reverse: from the last element.
        axis: the axis.

    Returns:
        As ``elems``: element i is ``f(... f(elems[0], elems[1]) ..., elems[i])``.

    Raises:
        ValueError: lengths that differ or are not known.

    Source: Ladner and Fischer 1980.

    >>> from kbackend import K
    >>> from kbackend.ops.mapping import associative_scan
    >>> K.eval(associative_scan(lambda a, b: a + b, K.constant([1.0, 2.0, 3.0]))).tolist()
    [1.0, 3.0, 6.0]
    """
    several = isinstance(elems, (list, tuple))
    tensors = list(elems) if several else [elems]
    axes = {axis_in(axis, len(t.shape)) for t in tensors}
    sizes = {t.shape[a] for a in axes for t in tensors}
    if len(axes) != 1 or len(sizes) != 1 or None in sizes:
        raise ValueError(f"associative_scan needs tensors of one known length along axis {axis}, they have {sizes}")
    (at,), (size,) = axes, sizes

    def combine(a: list[Any], b: list[Any]) -> list[Any]:
        # backwards the first operand is the one further along, which comes second for f
        first, second = (b, a) if reverse else (a, b)
        result = f(first if not several else first, second) if several else f(first[0], second[0])
        return list(result) if several else [result]

    if reverse:
        tensors = [shaping.reverse(t, at) for t in tensors]
    found = _scanned(combine, tensors, size, at)
    if reverse:
        found = [shaping.reverse(t, at) for t in found]
    return found if several else found[0]


def _cut(x: Any, axis: int, *bounds: Any) -> Any:
    return getitem(x, (*(slice(None),) * axis, slice(*bounds)))


def _scanned(combine: Callable[..., list[Any]], elems: list[Any], size: int, axis: int) -> list[Any]:
    if size < 2:
        return elems
    evens = [_cut(x, axis, 0, size // 2 * 2, 2) for x in elems]
    odds = [_cut(x, axis, 1, None, 2) for x in elems]
    at_odd = _scanned(combine, combine(evens, odds), size // 2, axis)
    first = [_cut(x, axis, 0, 1) for x in elems]
    if size == 2:
        return [shaping.concatenate(pair, axis=axis) for pair in zip(first, at_odd)]
    before = [_cut(x, axis, 0, (size - 1) // 2) for x in at_odd]
    at_even = combine(before, [_cut(x, axis, 2, None, 2) for x in elems])
    at_even = [shaping.concatenate(pair, axis=axis) for pair in zip(first, at_even)]
    return [_interleaved(a, b, size, axis) for a, b in zip(at_even, at_odd)]


def _interleaved(even: Any, odd: Any, size: int, axis: int) -> Any:
    half = size // 2
    pairs = shaping.stack([_cut(even, axis, 0, half), odd], axis=axis + 1)
    shape = [shaping.extent(even, (a,)) if d is None else d for a, d in enumerate(even.shape)]
    shape[axis] = 2 * half
    joined = shaping.reshape(pairs, shape)
    return joined if size % 2 == 0 else shaping.concatenate([joined, _cut(even, axis, half, None)], axis=axis)


# ------------------------------------------------------------------------------------- NumPy's vectorize

_SIGNATURE = re.compile(r"^(\((\w+(,\w+)*)?\))(,\((\w+(,\w+)*)?\))*->(\((\w+(,\w+)*)?\))(,\((\w+(,\w+)*)?\))*$")


@derived
def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function that calls ``pyfunc`` for each element of its arguments, which are broadcast.

    Args:
        pyfunc: a function of scalar tensors, or of those that ``signature`` says, that returns one tensor or several.
        excluded: numbers of arguments that are passed on as they are.
        signature: the dimensions that pyfunc itself takes, such as ``"(m,n),(n)->(m)"``.

    Raises:
        ValueError: a signature that is none; when called, shapes that do not broadcast.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops.mapping import vectorize
    >>> inner = vectorize(lambda a, b: K.sum(a * b), signature="(n),(n)->()")
    >>> K.eval(inner(np.ones((2, 3)), np.array([1.0, 2.0, 3.0]))).tolist()
    [6.0, 6.0]
    """
    skipped = frozenset(excluded or ())
    text = None if signature is None else signature.replace(" ", "")
    if text is not None and not _SIGNATURE.match(text):
        raise ValueError(f"{signature!r} is no signature such as '(m,n),(n)->(m)'")
    inputs = [] if text is None else re.findall(r"\(([^)]*)\)", text.split("->")[0])
    ranks = [len([d for d in dims.split(",") if d]) for dims in inputs]

    def vectorized(*args: Any) -> Any:
        mapped = [i for i in range(len(args)) if i not in skipped]
        if ranks and len(ranks) != len(mapped):
            raise ValueError(f"the signature {signature!r} has {len(ranks)} arguments, {len(mapped)} were given")
        tensors = [a if hasattr(args[i], "shape") else np.asarray(args[i]) for i in mapped for a in (args[i],)]
        cores = ranks or [0] * len(tensors)
        loop: tuple[int | None, ...] = ()
        for tensor, core in zip(tensors, cores):
            loop = broadcast(loop, tuple(tensor.shape)[: len(tensor.shape) - core])
        if None in loop:
            raise ValueError(f"vectorize needs known sizes of the dimensions it loops over, they are {loop}")
        rows = [_rows(t, core, loop) for t, core in zip(tensors, cores)]
        return _in_shape(map_fn(_caller(pyfunc, args, mapped), rows), loop)

    return vectorized


def _rows(tensor: Any, core: int, loop: Sequence[Any]) -> Any:
    own = tuple(tensor.shape)[len(tensor.shape) - core :]
    return shaping.reshape(shaping.broadcast_to(tensor, (*loop, *own)), (int(np.prod(loop, dtype=int)), *own))


def _caller(pyfunc: Callable[..., Any], args: Sequence[Any], mapped: Sequence[int]) -> Callable[[Any], Any]:
    def call_it(elements: Any) -> Any:
        given = list(args)
        for i, element in zip(mapped, elements):
            given[i] = element
        return pyfunc(*given)

    return call_it


def _in_shape(found: Any, loop: Sequence[Any]) -> Any:
    if isinstance(found, (list, tuple)):
        return [_in_shape(t, loop) for t in found]
    return shaping.reshape(found, (*loop, *tuple(found.shape)[1:]))


# ------------------------------------------------------------------------------------- derivatives


@derived(tolerance="elementwise", samples=lambda: [
    call(lambda x: e.multiply(x, e.sin(x)), (In((3,)),), (In((3,)),), dtypes=("float32",), dynamic=False)])
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
    >>> from kbackend.ops.mapping import jvp
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
    slopes = gradients(reduction.sum_(value * weights), list(points))
    parts = [reduction.sum_(e.multiply(s, t)) for s, t in zip(slopes, along) if s is not None]
    if not parts:
        return zeros_like(value)
    total = parts[0]
    for part in parts[1:]:
        total = e.add(total, part)
    (found,) = gradients(total, [weights])
    return zeros_like(value) if found is None else found


__all__ = ["associative_scan", "fori_loop", "jvp", "map_", "vectorize", "vectorized_map"]
