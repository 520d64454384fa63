"""Gradients of operations that broadcast or sum, which sum over the axes along which an operand was broadcast.

Where a size is unknown, as that of a batch is, TensorFlow's own find those axes when the program runs: seven operations
for two operands, in a graph whose operations take 0.2 ms each to trace and to instantiate. They differentiate by
constants too. Here the axes are known where :mod:`kbackend_tensorflow.gradients.sizes` says that sizes are equal, and
constants have no gradient, but for those that are differentiated by. The sums are of the same numbers; TensorFlow's
optimizer may fuse what is left in another way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import tensorflow as tf
from tensorflow.python.framework import ops

from kbackend_tensorflow.gradients import sizes
from kbackend_tensorflow.gradients.rules import Sizes, Symbol, broadcast

raw = tf.raw_ops
Part = Callable[[Any, Any], Any]

#: graph -> how many of its operations have been met, and whether some of them have graphs of their own
_MET: WeakKeyDictionary[Any, tuple[int, bool]] = WeakKeyDictionary()
_WITH_GRAPHS = frozenset(
    f"{state}{kind}" for kind in ("Case", "If", "PartitionedCall", "While") for state in ("", "Stateful", "Stateless")
)


#: the names of the tensors that are differentiated by, which may be constants
_TARGETS: ContextVar[frozenset[str]] = ContextVar("kbackend_tensorflow_targets", default=frozenset())


@contextmanager
def differentiated_by(tensors: Sequence[Any]) -> Iterator[None]:
    """A context for ``tf.gradients`` with respect to some tensors: other constants have no gradient."""
    token = _TARGETS.set(frozenset(t.name for t in tensors if t.op.type == "Const"))
    try:
        yield
    finally:
        _TARGETS.reset(token)


def choose_gradients(graph: Any) -> bool:
    """Give the operations of a graph that were made since the last call the gradients of this file.

    TensorFlow's own ways to do so when an operation is made mark each in what is stored of the graph, or take an eighth
    of the time of tracing.

    Returns:
        Whether some operations of the graph have graphs of their own, whose gradients are graphs too.
    """
    operations = graph.get_operations()
    met, inner = _MET.get(graph, (0, False))
    for operation in operations[met:]:
        kind = operation.type
        function = _FUNCTIONS.get(kind)
        if function is not None:
            operation._gradient_function = function
        inner = inner or kind in _WITH_GRAPHS
    _MET[graph] = len(operations), inner
    return inner


def _gradient(operation: Any, gradient: Any) -> Any:
    """The gradients of the operands, None for constants and conditions."""
    known = [sizes.sizes_of(t) for t in operation.inputs]
    if None in known or not isinstance(gradient, tf.Tensor):
        return ops.gradient_registry.lookup(operation.type)(operation, gradient)
    result = operation.outputs[0]
    sizes.note(gradient, sizes.sizes_of(result))
    found: list[Any] = [None] * len(known)
    unknown = []
    for place, (operand, part) in enumerate(zip(operation.inputs, _PARTS[operation.type])):
        if part is None or operand.op.type == "Const" and operand.name not in _TARGETS.get():
            continue
        found[place] = part(operation, gradient)
        others = broadcast([s for i, s in enumerate(known) if i != place])
        axes = _axes(known[place], others, result.shape.rank)
        if axes is None:
            unknown.append(place)
        else:
            found[place] = _summed(found[place], *axes)
    for place, axes in zip(unknown, _axes_at_run_time(operation, unknown)):
        whole = raw.Sum(input=found[place], axis=axes, keep_dims=True)
        found[place] = tf.reshape(whole, sizes.shape_of(operation.inputs[place]))
    for summed, own in zip(found, known):
        if summed is not None:
            sizes.note(summed, own)
    return found


def _axes_at_run_time(operation: Any, places: Sequence[int]) -> list[Any]:
    """For each of some operands, the axes along which it is broadcast."""
    shapes = [sizes.shape_of(operation.inputs[place]) for place in places]
    if len(places) == len(operation.inputs) == 2:
        return list(raw.BroadcastGradientArgs(s0=shapes[0], s1=shapes[1]))
    whole = sizes.shape_of(operation.outputs[0]) if places else None
    return [raw.BroadcastGradientArgs(s0=shape, s1=whole)[0] for shape in shapes]


def _axes(own: Sizes, others: Sizes, rank: int) -> tuple[list[int], list[int]] | None:
    """The axes that an operand lacks, and those along which its size is 1 and that of the result is not; None where
    that is not known."""
    missing = rank - len(own)
    wide = ((1,) * (rank - len(others)) + others)[missing:]
    if any(isinstance(mine, Symbol) and other not in (mine, 1) for mine, other in zip(own, wide)):
        return None
    stretched = [axis for axis, pair in enumerate(zip(own, wide), missing) if pair[0] == 1 != pair[1]]
    return list(range(missing)), stretched


def _summed(gradient: Any, missing: list[int], stretched: list[int]) -> Any:
    if not stretched:
        return raw.Sum(input=gradient, axis=missing) if missing else gradient
    summed = raw.Sum(input=gradient, axis=missing + stretched, keep_dims=True)
    return tf.squeeze(summed, missing) if missing else summed


def _times(place: int) -> Part:
    return lambda operation, gradient: raw.Mul(x=gradient, y=tf.math.conj(operation.inputs[place]))


def _by_divisor(operation: Any, gradient: Any) -> Any:
    x, y = (tf.math.conj(t) for t in operation.inputs)
    return raw.Mul(x=gradient, y=raw.RealDiv(x=raw.RealDiv(x=raw.Neg(x=x), y=y), y=y))


def _where(condition: Callable[[Any], Any], otherwise: bool = False) -> Part:
    def part(operation: Any, gradient: Any) -> Any:
        zero = tf.constant(0, gradient.dtype)
        sides = (zero, gradient) if otherwise else (gradient, zero)
        return raw.SelectV2(condition=condition(operation), t=sides[0], e=sides[1])

    return part


def _compared(operator: Callable[..., Any]) -> tuple[Part, Part]:
    condition = lambda operation: operator(x=operation.inputs[0], y=operation.inputs[1])  # noqa: E731
    return _where(condition), _where(condition, otherwise=True)


def _first(operation: Any) -> Any:
    return operation.inputs[0]


def _itself(operation: Any, gradient: Any) -> Any:
    return gradient


#: operation -> for each operand, what is summed for its gradient
_PARTS: dict[str, tuple[Part | None, ...]] = {
    "AddV2": (_itself, _itself),
    "Maximum": _compared(raw.GreaterEqual),
    "Minimum": _compared(raw.LessEqual),
    "Mul": (_times(1), _times(0)),
    "RealDiv": (lambda operation, gradient: raw.RealDiv(x=gradient, y=tf.math.conj(operation.inputs[1])), _by_divisor),
    "SelectV2": (None, _where(_first), _where(_first, otherwise=True)),
    "Sub": (_itself, lambda operation, gradient: raw.Neg(x=gradient)),
}

#: whether the first and the second factor are adjoint -> for each, the factors of its gradient (0 and 1, and "z" for
#: the gradient of the product), and which of those are adjoint
_FACTORS = {
    (False, False): (("z", 1, False, True), (0, "z", True, False)),
    (False, True): (("z", 1, False, False), ("z", 0, True, False)),
    (True, False): ((1, "z", False, True), (0, "z", False, False)),
    (True, True): ((1, "z", True, True), ("z", 0, True, True)),
}


def _of_products(operation: Any, gradient: Any) -> Any:
    """The gradients of products of two batches of matrices; those of TensorFlow where one batch is broadcast."""
    batches = [(known := sizes.sizes_of(t)) and known[:-2] for t in operation.inputs]
    if batches[0] is None or batches[0] != batches[1] or not isinstance(gradient, tf.Tensor):
        return ops.gradient_registry.lookup(operation.type)(operation, gradient)
    sizes.note(gradient, sizes.sizes_of(operation.outputs[0]))
    tensors = {0: operation.inputs[0], 1: operation.inputs[1], "z": gradient}
    factors = _FACTORS[operation.get_attr("adj_x"), operation.get_attr("adj_y")]
    return [raw.BatchMatMulV2(x=tensors[x], y=tensors[y], adj_x=a, adj_y=b) for x, y, a, b in factors]


def _of_sum(operation: Any, gradient: Any) -> Any:
    """The gradient of a sum or a mean, spread over the axes that it was of."""
    tensor, axes = operation.inputs[0], tf.get_static_value(operation.inputs[1])
    own = sizes.sizes_of(tensor)
    if axes is None or not own or not isinstance(gradient, tf.Tensor):
        return ops.gradient_registry.lookup(operation.type)(operation, gradient)
    summed = sorted({int(axis) % len(own) for axis in axes.reshape(-1)})
    shape = sizes.shape_of(tensor)
    if operation.type == "Mean":
        gradient = raw.RealDiv(x=gradient, y=tf.cast(_count(tensor, shape, summed), gradient.dtype))
    if gradient.shape.rank == 0:
        whole = raw.Fill(dims=shape, value=gradient)
    else:
        for axis in summed if not operation.get_attr("keep_dims") else ():
            gradient = raw.ExpandDims(input=gradient, axis=axis)
        whole = raw.BroadcastTo(input=gradient, shape=shape) if summed else gradient
    sizes.note(whole, own)
    return [whole, None]


def _count(tensor: Any, shape: Any, axes: Sequence[int]) -> Any:
    """The number of elements along some axes."""
    known = [tensor.shape[axis] for axis in axes]
    if None not in known:
        return tf.constant(math.prod(known), tf.int64)
    if len(axes) == tensor.shape.rank:
        return raw.Size(input=tensor, out_type=tf.int64)
    return raw.Prod(input=tf.gather(shape, axes), axis=0)


def _of_reshape(operation: Any, gradient: Any) -> Any:
    if not isinstance(gradient, tf.Tensor):
        return ops.gradient_registry.lookup("Reshape")(operation, gradient)
    tensor = operation.inputs[0]
    found = raw.Reshape(tensor=gradient, shape=sizes.shape_of(tensor))
    sizes.note(found, sizes.sizes_of(tensor))
    return [found, None]


_FUNCTIONS = {
    **dict.fromkeys(_PARTS, _gradient), "BatchMatMulV2": _of_products, "Mean": _of_sum,
    "Reshape": _of_reshape, "Sum": _of_sum,
}  # fmt: skip
