"""Error messages in terms of the graph, with the node and the shapes, equal on every engine.

Nothing here runs unless an engine has raised an error, or a feed has no elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend.declare.call import make_node
from kbackend.declare.op import REGISTRY
from kbackend.graph.node import Node
from kbackend.graph.tensor import Tensor, TensorSpec
from kbackend.graph.walk import Graph, ancestors, map_args, reapply
from kbackend.plugin.contract import Target

#: types of errors of kernels to which the name of the node is added
_TOLD = (ValueError, IndexError, ZeroDivisionError, np.linalg.LinAlgError)


class CompilerError(RuntimeError):
    """The engine's compiler, required by ``jit=True``, could not compile a program.

    Attributes:
        engine: the engine and device, as 'torch:cpu'.
        reason: the message of the compiler.
    """

    def __init__(self, program: str, target: Target, reason: str) -> None:
        super().__init__(
            f"{program}: {target.backend.compiler} could not compile it for {target.key}: {reason}; with "
            "jit=False it runs without the compiler"
        )
        self.engine, self.reason = target.key, reason


def misfit(graph: Graph, specs: Sequence[TensorSpec]) -> tuple[Node, Exception] | None:
    """The first node whose shape inference fails for the shapes of the feeds, and its error.

    Shape inference is repeated with the sizes that were unknown when the graph was built.
    """
    new: dict[int, Any] = {
        id(tensor): _formal(spec) for tensor, spec in zip(graph.inputs, specs) if tensor.shape != spec.shape
    }
    for node in ancestors(graph.results, graph.inputs):
        if not any(id(t) in new for t in node.inputs):
            continue
        try:
            results = reapply(node, map_args(node.args, lambda t: new.get(id(t), t)))
        except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:
            return node, error
        for old, result in zip(node.outputs, results):
            if isinstance(result, Tensor) and result.shape != old.shape:
                new[id(old)] = result
    return None


def _formal(spec: TensorSpec) -> Tensor:
    return make_node(REGISTRY["placeholder"], (), {"shape": spec.shape, "dtype": spec.dtype, "name": None})


def refused(graph: Graph, specs: Sequence[TensorSpec]) -> Exception | None:
    """The error for the first node whose declared rule refuses the shapes that were fed."""
    found = misfit(graph, specs)
    if found is None:
        return None
    place, reason = found
    return _kind(reason)(f"{graph.name}: at the node {place.name!r}: {reason}")


def explained(error: Exception, graph: Graph, specs: Sequence[TensorSpec], node: Node | None) -> Exception | None:
    """The error to raise in place of an engine's, or None if there is no better one.

    Args:
        error: the error of the engine.
        graph: the graph that was run.
        specs: the shapes and dtypes of the feeds.
        node: the node whose kernel raised the error, if known.
    """
    found = refused(graph, specs)
    if found is not None:
        return found
    if node is None or type(error) not in _TOLD or node.op.runs_user_code:
        return None
    return type(error)(f"{graph.name}: at the node {node.name!r} ({node.op.name}): {error}")


def _kind(error: Exception) -> type[Exception]:
    return next(kind for kind in (IndexError, TypeError, ZeroDivisionError, ValueError) if isinstance(error, kind))


__all__ = ["CompilerError", "explained", "misfit", "refused"]
