"""Control flow kernels: tf.cond and tf.while_loop, and unrolled loops where the length is small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kbackend.plugin.contract import Specialized
from kbackend_tensorflow.grappler import with_graphs

Body = Callable[..., Any]

#: loops of at most this many steps are unrolled, which runs faster and compiles slower than tf.while_loop
UNROLLED_STEPS = 32
#: and of at most so many nodes in all steps: branches of many ops made programs of ten thousands that took a minute
_UNROLLED_NODES = 4096


def cond(pred: Any, captures: Any, then_graph: Body, else_graph: Body) -> Any:
    return with_graphs(tf.cond, pred, lambda: tuple(then_graph(*captures)), lambda: tuple(else_graph(*captures)))


def make_scan(specs: Sequence[Any], *, body: Any, axis: int, reverse: bool, indexed: bool) -> Body:
    sequences, initial, _ = specs
    length = next((s.shape[axis] for s in sequences if s.shape[axis] is not None), None)
    if length is not None and 0 < length <= UNROLLED_STEPS and length * body.graph.size() <= _UNROLLED_NODES:
        return lambda sequences, initial, captures: _unrolled(
            sequences, initial, captures, length, body=body, axis=axis, reverse=reverse, indexed=indexed
        )
    states = len(initial)
    made = tuple((t.dtype, t.shape) for t in body.graph.outputs[: len(body.graph.outputs) - states])
    carried = tuple(t.shape for t in body.graph.inputs[len(sequences) : len(sequences) + states])
    return lambda sequences, initial, captures: _looped(
        sequences, initial, captures, length, made, carried, body=body, axis=axis, reverse=reverse, indexed=indexed
    )


def _unrolled(
    sequences: Any,
    initial: Any,
    captures: Any,
    length: int,
    body: Body,
    axis: int,
    reverse: bool,
    indexed: bool,
) -> Any:
    columns = [tf.unstack(s, length, axis) for s in sequences]
    if reverse:
        columns = [c[::-1] for c in columns]
    states, rows = tuple(initial), []
    split = -len(states) or None
    for index, slices in enumerate(zip(*columns)):
        at = (tf.constant(index, tf.int64),) if indexed else ()
        found = body(*slices, *states, *at, *captures)
        rows.append(found[:split])
        states = found[split:] if split else ()
    return (*(tf.stack(column, axis) for column in zip(*rows)), *states)


def _looped(
    sequences: Any,
    initial: Any,
    captures: Any,
    length: int | None,
    made: Sequence[tuple[str, Sequence[int | None]]],
    carried: Sequence[Sequence[int | None]],
    body: Body,
    axis: int,
    reverse: bool,
    indexed: bool,
) -> Any:
    """``made``: dtype and shape of each output of a step; ``carried``: the shapes of the states."""
    steps = tf.shape(sequences[0])[axis] if length is None else length
    columns = [_array(_time_first(s, axis, reverse), steps) for s in sequences]
    arrays = tuple(tf.TensorArray(dtype, steps, element_shape=shape) for dtype, shape in made)

    def step(t: Any, states: Any, arrays: Any) -> Any:
        at = (tf.cast(t, tf.int64),) if indexed else ()
        found = body(*(c.read(t) for c in columns), *states, *at, *captures)
        outputs, new = found[: len(arrays)], found[len(arrays) :]
        return t + 1, tuple(new), tuple(a.write(t, o) for a, o in zip(arrays, outputs))

    invariants = (
        tf.TensorShape(()),
        tuple(open_shape(shape) for shape in carried),
        (tf.TensorShape(None),) * len(arrays),
    )
    _, last, arrays = with_graphs(
        tf.while_loop,
        lambda t, *_: t < steps,
        step,
        (tf.constant(0), tuple(initial), arrays),
        invariants,
        maximum_iterations=steps,
    )
    shapes = [shape for _, shape in made]
    if not length and any(None in shape for shape in shapes):
        zeros = [tf.zeros(tf.shape(_time_first(s, axis, False))[1:], s.dtype) for s in sequences]
        at = (tf.constant(0, tf.int64),) if indexed else ()

        def of_zeros() -> Any:
            return [tf.shape(found) for found in body(*zeros, *initial, *at, *captures)[: len(shapes)]]

        rows = [stacked(a, *pair) for a, pair in zip(arrays, zip(shapes, _shapes(steps, shapes, of_zeros)))]
    else:
        rows = [a.stack() for a in arrays]
    return (*(_time_back(r, axis) for r in rows), *last)


def open_shape(shape: Sequence[int | None]) -> Any:
    """The shape of a loop's state: a size of 0 is not told to TensorFlow (see engine.py), which would miss it here."""
    return tf.TensorShape([n or None for n in shape])


def _shapes(steps: Any, shapes: Sequence[Sequence[int | None]], of_zeros: Callable[[], Any]) -> Any:
    """The shapes of the outputs of a step, -1 for what is not known; without a step, those that it would have."""
    known = [tf.constant([-1 if n is None else n for n in shape], tf.int32) for shape in shapes]
    found = with_graphs(tf.cond, tf.convert_to_tensor(steps) > 0, lambda: known, of_zeros)
    return found if isinstance(found, (list, tuple)) else [found]


def stacked(array: Any, shape: Sequence[int | None], sizes: Any) -> Any:
    """The elements of an array, which may hold none, then of the sizes given: TensorFlow cannot tell their shape."""
    if tf.executing_eagerly():  # where all shapes are known
        return array.stack()
    found = tf.raw_ops.TensorListStack(input_handle=array.flow, element_shape=sizes, element_dtype=array.dtype)
    found.set_shape([None, *shape])
    return found


def _array(sequence: Any, steps: Any) -> Any:
    return tf.TensorArray(sequence.dtype, steps).unstack(sequence)


def _time_first(x: Any, axis: int, reverse: bool) -> Any:
    rank = len(x.shape)
    if axis:
        x = tf.transpose(x, [axis, *(i for i in range(rank) if i != axis)])
    return tf.reverse(x, [0]) if reverse else x


def _time_back(x: Any, axis: int) -> Any:
    """``x`` with its first axis moved to ``axis``."""
    rank = len(x.shape)
    return tf.transpose(x, [*range(1, axis + 1), 0, *range(axis + 1, rank)]) if axis else x


def make_while_loop(
    specs: Sequence[Any], *, condition: Body, body: Any, indexed: bool, maximum_iterations: int | None
) -> Body:
    count = len(specs[0])
    shapes = [open_shape(t.shape) for t in body.graph.inputs[:count]]

    def run(state: Any, captures: Any) -> Any:
        if not indexed:
            return tuple(
                with_graphs(
                    tf.while_loop,
                    lambda *s: condition(*s, *captures)[0],
                    lambda *s: list(body(*s, *captures)),
                    list(state),
                    shapes,
                    maximum_iterations=maximum_iterations,
                )
            )
        *last, _ = with_graphs(
            tf.while_loop,
            lambda *s: condition(*s, *captures)[0],
            lambda *s: [*body(*s, *captures), s[-1] + 1],
            [*state, tf.constant(0, tf.int64)],
            [*shapes, tf.TensorShape(())],
            maximum_iterations=maximum_iterations,
        )
        return tuple(last)

    return run


def loop_step(step: Any, index: Any) -> Any:
    return (tf.cast(step, tf.int64) + tf.cast(index, tf.int64) * 0x9E3779B1) % 2**32


def print_tensor(x: Any, message: str) -> Any:
    """Print as NumPy does: ``tf.print`` shortens floats to integers where they are whole."""
    if tf.executing_eagerly():
        print(message, x.numpy())
        return x

    def show(value: Any) -> Any:
        print(message, value)
        return np.int32(0)

    with tf.control_dependencies([tf.numpy_function(show, [x], tf.int32)]):
        return tf.identity(x)


KERNELS = {
    "cond": cond,
    "loop_step": loop_step,
    "print_tensor": print_tensor,
    "scan": Specialized(make_scan),
    "while_loop": Specialized(make_while_loop),
}
