"""Keeping TensorFlow's graph optimizer, Grappler, from changing what a program computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.python.eager import context
from tensorflow.python.framework import op_callbacks

#: Grappler's own mark of nodes that it must leave as they are
_KEPT = "_grappler_do_not_remove"
_MISTAKEN = frozenset(("Pack", "StridedSlice"))


def keep_stacks(graph: Any) -> None:
    """Mark what Grappler gets wrong in a graph that has been traced.

    Every Pack: Grappler makes a stack of one tensor several times a Tile of it (ReplacePackWithTileReshape), and loses
    which output of its node the tensor is: a stack of the second output holds the first. No other node hides the
    tensor, since Grappler takes identities and what comes to the same away before.

    Slices that take one place of an axis and have new axes: of such a slice of a stack Grappler takes the tensor that
    was stacked (RemoveStackSliceSameAxis), without the new axes.

    What is marked is still dropped when unused.
    """
    for operation in graph.get_operations():
        if operation.type in _MISTAKEN:
            _keep(operation.type, operation.inputs, None, operation.outputs, graph=graph)


@contextmanager
def stacks_kept() -> Iterator[None]:
    """While graphs are built, mark what :func:`keep_stacks` marks, in bodies of loops and their gradients too.

    It takes an eighth of the time of tracing, since TensorFlow makes a call for each operation: for graphs inside a
    program alone.
    """
    if tf.executing_eagerly() or _keep in context.context().op_callbacks:
        yield
        return
    op_callbacks.add_op_callback(_keep)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(_keep)


def with_graphs(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function of TensorFlow that traces graphs of their own, such as those of a loop."""
    with stacks_kept():
        return function(*args, **kwargs)


def _keep(op_type: str, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> None:
    if graph is not None and op_type in _MISTAKEN and _is_mistaken(op_type, inputs, outputs):
        outputs[0].op._set_attr(_KEPT, AttrValue(b=True))


def _is_mistaken(op_type: str, inputs: Any, outputs: Any) -> bool:
    """Whether Grappler may replace an op by something else than what it computes."""
    if op_type == "Pack":
        return len(inputs) > 1
    masks = ("new_axis_mask", "shrink_axis_mask")
    return op_type == "StridedSlice" and all(outputs[0].op.get_attr(mask) for mask in masks)
