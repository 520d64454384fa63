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
    """While a graph is built, mark every Pack in it, those of gradients and of bodies of loops too.

    Grappler makes a stack of one tensor several times a Tile of it (ReplacePackWithTileReshape), and loses which output
    of its node the tensor is: a stack of the second output holds the first. No other node hides the tensor, since
    Grappler takes identities and what comes to the same away before. A marked Pack is still dropped when unused.
    """
    op_callbacks.add_op_callback(_keep_stack)
    try:
        yield
    finally:
        op_callbacks.remove_op_callback(_keep_stack)


def _keep_stack(op_type: str, inputs: Any, attrs: Any, outputs: Any, op_name: Any = None, graph: Any = None) -> None:
    if op_type == "Pack" and graph is not None and len(inputs) > 1:
        outputs[0].op._set_attr(_KEPT, AttrValue(b=True))
