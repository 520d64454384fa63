"""A function of the elements along an axis: maps and folds."""

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
from kbackend.ops.control.scan import _at, _sequence, scan_steps
from kbackend.ops.core.cast import cast
from kbackend.ops.elementwise.arithmetic import multiply
from kbackend.ops.elementwise.comparison import greater
from kbackend.ops.elementwise.power import square
from kbackend.ops.random.uniform import random_uniform
from kbackend.ops.reduction.reductions import sum_


@derived(tolerance="rnn", samples=lambda: _map_samples())
def map_fn(fn: Callable[[Any], Any], elems: Any, name: str | None = None, dtype: Any = None) -> Any:
    """``fn`` of each element along the first axis, stacked.

    Args:
        fn: a function of one element that returns a tensor or a list of tensors. Given a list of tensors as
            ``elems`` it gets a list.
        elems: a tensor, or a list of tensors with equal first dimensions.
        name: a name for the first result.
        dtype: the dtype of the result (a list of them for several); that of what ``fn`` returns when None.

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

    outputs, _ = scan_steps(step, list(elems) if several else [_sequence(elems)], [])
    if dtype is not None:
        wanted = dtype if isinstance(dtype, (list, tuple)) else [dtype] * len(outputs)
        outputs = [cast(t, d) for t, d in zip(outputs, wanted)]
    return outputs[0] if single[-1] else outputs


@derived(tolerance="rnn", samples=lambda: _fold_samples())
def foldl(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """``fn(... fn(fn(initializer, elems[0]), elems[1]) ..., elems[-1])``.

    Args:
        fn: a function of the accumulated value and an element.
        elems: a tensor.
        initializer: the first accumulated value; the first element when None.

    >>> from kbackend import K
    >>> float(K.eval(K.foldl(lambda a, x: a * 2 + x, K.constant([1., 0., 1.]))))
    5.0
    """
    return _fold(fn, elems, initializer, reverse=False)


@derived(tolerance="rnn", samples=lambda: _fold_samples())
def foldr(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any = None, name: str | None = None) -> Any:
    """As :func:`foldl`, from the last element to the first."""
    return _fold(fn, elems, initializer, reverse=True)


def _fold(fn: Callable[[Any, Any], Any], elems: Any, initializer: Any, reverse: bool) -> Any:
    elems = _sequence(elems)
    if initializer is None:
        initializer = _at(elems, -1 if reverse else 0)
        elems = _at(elems, slice(None, -1) if reverse else slice(1, None))
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
        call(lambda row: multiply(row, random_uniform((3,), seed=5)), In((4, 3)), name="a draw for each row",
             dtypes=("float32",)),
        call(lambda x: x, In(()), name="rank", raises=ValueError),
    ]


def _fold_samples() -> list[Sample]:
    def fold(total: Any, x: Any) -> Any:
        return multiply(total, 0.5) + x

    return [
        call(fold, In((4, 3)), name="rows"),
        call(fold, In((4, 3)), In((3,)), name="initializer"),
        call(fold, In((1, 3)), name="one row", dynamic=False),
        call(fold, In(()), name="rank", raises=ValueError),
    ]


@derived(name="map", tolerance="rnn", samples=lambda: [
    call(lambda row: sum_(square(row)), In((4, 3))),
    call(lambda rows: multiply(rows[0], rows[1]), [In((4, 3)), In((4, 3))], name="lists")])
def map_(f: Callable[[Any], Any], xs: Any) -> Any:
    """``f`` of each element along the first axis, stacked.

    Args:
        f: a function of an element, or of a list of elements.
        xs: a tensor, or a list of tensors of one length.
    """
    return map_fn(f, xs)


@derived(tolerance="rnn", samples=lambda: [call(lambda row: sum_(row), In((4, 3)))])
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """As :func:`map`, and the order in which elements are taken is not promised."""
    return map_fn(function, elements)


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
    >>> from kbackend.ops import vectorize
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
    return reshape(broadcast_to(tensor, (*loop, *own)), (int(np.prod(loop, dtype=int)), *own))


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
    return reshape(found, (*loop, *tuple(found.shape)[1:]))


__all__ = ["vectorize", "vectorized_map"]
