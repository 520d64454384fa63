"""Keeping TensorFlow's graph optimizer, Grappler, from changing what a program computes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.core.framework.attr_value_pb2 import AttrValue
from tensorflow.python.framework import op_callbacks

#: Grappler's own mark of nodes that it must leave as they are
_KEPT = "_grappler_do_not_remove"


@contextmanager
def stacks_kept() -> Iterator[None]:
    """While a graph is built, mark what Grappler gets wrong in it, in gradients and in bodies of loops too.

    Every Pack: Grappler makes a stack of one tensor several times a Tile of it (ReplacePackWithTileReshape), and loses
    which output of its node the tensor is: a stack of the second output holds the first. No other node hides the
    tensor, since Grappler takes identities and what comes to the same away before.

    Slices that take one place of an axis and have new axes: of such a slice of a stack Grappler takes the tensor that
    was stacked (RemoveStackSliceSameAxis), without the new axes.

    What is marked is still dropped when unused.
    """
    op_callbacks.add_op_callback(_keep)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(_keep)


def _keep(op_type: str, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> None:
    if graph is not None and _is_mistaken(op_type, inputs, outputs):
        outputs[0].op._set_attr(_KEPT, AttrValue(b=True))


def _is_mistaken(op_type: str, inputs: Any, outputs: Any) -> bool:
    """Whether Grappler may replace an op by something else than what it computes."""
    if op_type == "Pack":
        return len(inputs) > 1
    masks = ("new_axis_mask", "shrink_axis_mask")
    return op_type == "StridedSlice" and all(outputs[0].op.get_attr(mask) for mask in masks)
