"""Maps and folds of a function over the elements along the first axis."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kbackend.declare.decorate import derived
from kbackend.declare.sample import In, Sample, call
from kbackend.declare.shapes import broadcast
from kbackend.ops.arrays.broadcast import broadcast_to
from kbackend.ops.arrays.reshape import reshape
from kbackend.ops.control.scan import scan_steps
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import add, multiply
from kbackend.ops.elementwise.comparison import greater
from kbackend.ops.elementwise.power import square
from kbackend.ops.indexing.getitem import getitem
from kbackend.ops.random.uniform import random_uniform
from kbackend.ops.reduction.reductions import sum_


@derived(tolerance="rnn", samples=lambda: _map_samples())
def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """Apply a function to each element along the first axis and stack the results.

    Args:
        fn: a function of one element, or of a list of elements when ``elems`` is a list, that returns a tensor or a
            list of tensors.
        elems: a tensor of rank 1 or more, or a list of tensors with equal first dimensions.
        name: accepted for compatibility with Keras 2; it has no effect.
        dtype: the dtype of the result, or a list with one for each result; None keeps the dtypes that ``fn`` returns.

    Returns:
        A tensor, or a list of tensors when ``fn`` returns a list, with a new first axis as long as that of ``elems``.

    Raises:
        ValueError: a scalar, or first dimensions that differ.

    >>> from kbackend import K
    >>> K.eval(K.map_fn(lambda row: K.sum(row), K.constant([[1., 2.], [3., 4.]]))).tolist()
    [3.0, 7.0]
    """
    several = isinstance(elems, (list, tuple)) and any(hasattr(e, "shape") for e in elems)
    single: list[bool] = []

    def step(slices: list[Any], states: list[Any]) -> tuple[list[Any], list[Any]]:
        result = fn(slices if several else slices[0])
        single.append(not isinstance(result, (list, tuple)))
        return ([result] if single[-1] else list(result)), []

    outputs, _ = scan_steps(step, list(elems) if several else [_with_first_axis(elems)], [])
    if dtype is not None:
        wanted = dtype if isinstance(dtype, (list, tuple)) else [dtype] * len(outputs)
        outputs = [cast(t, d) for t, d in zip(outputs, wanted)]
    return outputs[0] if single[-1] else outputs


def _with_first_axis(elems: Any) -> Any:
    elems = elems if hasattr(elems, "shape") else np.asarray(elems)
    if not len(elems.shape):
        raise ValueError("a map or fold needs a tensor of rank 1 or more")
    return elems


@derived(tolerance="rnn", samples=lambda: _fold_samples())
def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Reduce the elements along the first axis from the first to the last.

    The result is ``fn(... fn(fn(initializer, elems[0]), elems[1]) ..., elems[-1])``.

    Args:
        fn: a function of the accumulated value and an element that returns the next accumulated value.
        elems: a tensor of rank 1 or more.
        initializer: the first accumulated value; None for the first element.
        name: accepted for compatibility with Keras 2; it has no effect.

    Returns:
        The last accumulated value.

    Raises:
        TypeError: ``fn`` changes the dtype of the accumulated value.
        ValueError: a scalar, or ``fn`` changes the rank of the accumulated value.

    >>> from kbackend import K
    >>> float(K.eval(K.foldl(lambda a, x: a * 2 + x, K.constant([1., 0., 1.]))))
    5.0
    """
    return _fold(fn, elems, initializer, reverse=False)


@derived(tolerance="rnn", samples=lambda: _fold_samples())
def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """Reduce the elements along the first axis from the last to the first.

    Arguments, result and errors are those of :func:`foldl`.

    >>> from kbackend import K
    >>> float(K.eval(K.foldr(lambda a, x: a * 2 + x, K.constant([1., 0., 0.]))))
    1.0
    """
    return _fold(fn, elems, initializer, reverse=True)


def _fold(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any, reverse: bool) -> Any:
    elems = _with_first_axis(elems)
    if initializer is None:
        initializer = getitem(elems, -1 if reverse else 0)
        elems = getitem(elems, slice(None, -1) if reverse else slice(1, None))
        if elems.shape[0] == 0:
            return initializer
    _, states = scan_steps(
        lambda slices, states: ([], [fn(states[0], slices[0])]), [elems], [initializer], reverse=reverse
    )
    return states[0]


def _map_samples() -> list[Sample]:
    return [
        call(lambda row: sum_(square(row)), In((4, 3))),
        call(lambda rows: [multiply(*rows), rows[0]], [In((4, 3)), In((4, 1))], name="lists"),
        call(lambda row: greater(row, 0.0), In((4, 3)), dtype="int32", name="dtype", gradient=False),
        call(lambda row: square(row), In((0, 3)), name="no row", dynamic=False),
        call(lambda row: multiply(row, random_uniform((3,), seed=5)), In((4, 3)), name="a draw for each row",
             dtypes=("float32",)),
        call(lambda x: x, In(()), name="rank", raises=ValueError),
    ]


def _fold_samples() -> list[Sample]:
    def fold(total: Any, x: Any) -> Any:
        return add(multiply(total, 0.5), x)

    return [
        call(fold, In((4, 3)), name="rows"),
        call(fold, In((4, 3)), In((3,)), name="initializer"),
        call(fold, In((1, 3)), name="one row", dynamic=False),
        call(fold, In((0, 3)), In((3,)), name="no row, initializer", dynamic=False),
        call(fold, In((3, 0)), name="rows of nothing"),
        call(fold, In((0, 3)), name="no row", raises=IndexError),
        call(fold, In(()), name="rank", raises=ValueError),
    ]


@derived(name="map", tolerance="rnn", samples=lambda: [
    call(lambda row: sum_(square(row)), In((4, 3))),
    call(lambda rows: multiply(rows[0], rows[1]), [In((4, 3)), In((4, 3))], name="lists")])
def map_(f: Callable[[Any], Any], xs: Any) -> Any:
    """Apply a function to each element along the first axis and stack the results.

    Args:
        f: a function of an element, or of a list of elements when ``xs`` is a list, that returns a tensor or a list of
            tensors.
        xs: a tensor of rank 1 or more, or a list of tensors with equal first dimensions.

    Returns:
        A tensor, or a list of tensors when ``f`` returns a list, with a new first axis as long as that of ``xs``.

    Raises:
        ValueError: a scalar, or first dimensions that differ.

    >>> from kbackend import K, ops
    >>> K.eval(ops.map(lambda x: x * x, K.constant([1.0, 2.0, 3.0]))).tolist()
    [1.0, 4.0, 9.0]
    """
    return map_fn(f, xs)


@derived(tolerance="rnn", samples=lambda: [call(lambda row: sum_(row), In((4, 3)))])
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """Apply a function to each element along the first axis, in unspecified order, and stack the results.

    Result and errors are those of :func:`kbackend.ops.map`.

    Args:
        function: ``f`` of :func:`kbackend.ops.map`.
        elements: its ``xs``.

    >>> from kbackend import K, ops
    >>> K.eval(ops.vectorized_map(lambda row: K.max(row), K.constant([[1.0, 2.0], [4.0, 3.0]]))).tolist()
    [2.0, 4.0]
    """
    return map_fn(function, elements)


#: NumPy's signature of a generalized function, such as "(m,n),(n)->(m)"
_SIGNATURE = re.compile(r"^(\((\w+(,\w+)*)?\))(,\((\w+(,\w+)*)?\))*->(\((\w+(,\w+)*)?\))(,\((\w+(,\w+)*)?\))*$")


@derived
def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Callable[..., Any]:
    """A function that applies ``pyfunc`` elementwise to its broadcast arguments (NumPy's ``vectorize``).

    Args:
        pyfunc: a function of scalars, or of tensors of the core dimensions in ``signature``, that returns a tensor or
            a list of tensors.
        excluded: indices of the arguments that are passed through unchanged.
        signature: the core dimensions of arguments and results, such as ``"(m,n),(n)->(m)"``; None for scalars.

    Returns:
        A function of as many arguments as ``pyfunc``, whose result has the broadcast shape of the loop dimensions
        followed by the shape that ``pyfunc`` returns.

    Raises:
        ValueError: an invalid signature; when called, loop dimensions that are unknown or do not broadcast.

    >>> import numpy as np
    >>> from kbackend import K
    >>> from kbackend.ops import vectorize
    >>> inner = vectorize(lambda a, b: K.sum(a * b), signature="(n),(n)->()")
    >>> K.eval(inner(np.ones((2, 3)), np.array([1.0, 2.0, 3.0]))).tolist()
    [6.0, 6.0]
    """
    skipped = frozenset(excluded or ())
    text = None if signature is None else signature.replace(" ", "")
    if text is not None and not _SIGNATURE.match(text):
        raise ValueError(f"{signature!r} is not a valid signature, such as '(m,n),(n)->(m)'")
    inputs = [] if text is None else re.findall(r"\(([^)]*)\)", text.split("->")[0])
    ranks = [len([d for d in dims.split(",") if d]) for dims in inputs]

    def vectorized(*args: Any) -> Any:
        mapped = [i for i in range(len(args)) if i not in skipped]
        if ranks and len(ranks) != len(mapped):
            raise ValueError(f"the signature {signature!r} has {len(ranks)} arguments, {len(mapped)} were given")
        tensors = [args[i] if hasattr(args[i], "shape") else np.asarray(args[i]) for i in mapped]
        cores = ranks or [0] * len(tensors)
        loop: tuple[int | None, ...] = ()
        for tensor, core in zip(tensors, cores):
            loop = broadcast(loop, tuple(tensor.shape)[: len(tensor.shape) - core])
        if None in loop:
            raise ValueError(f"vectorize needs known loop dimensions, they are {loop}")
        rows = [_rows(t, core, loop) for t, core in zip(tensors, cores)]
        return _in_shape(map_fn(_caller(pyfunc, args, mapped), rows), loop)

    return vectorized


def _rows(tensor: Any, core: int, loop: Sequence[Any]) -> Any:
    """The tensor broadcast to the loop dimensions, which become one: (elements, *core dimensions)."""
    own = tuple(tensor.shape)[len(tensor.shape) - core :]
    return reshape(broadcast_to(tensor, (*loop, *own)), (int(np.prod(loop, dtype=int)), *own))


def _caller(pyfunc: Callable[..., Any], args: Sequence[Any], mapped: Sequence[int]) -> Callable[[Any], Any]:
    def applied(elements: Any) -> Any:
        arguments = list(args)
        for i, element in zip(mapped, elements):
            arguments[i] = element
        return pyfunc(*arguments)

    return applied


def _in_shape(found: Any, loop: Sequence[Any]) -> Any:
    if isinstance(found, (list, tuple)):
        return [_in_shape(t, loop) for t in found]
    return reshape(found, (*loop, *tuple(found.shape)[1:]))


__all__ = ["vectorize", "vectorized_map"]
