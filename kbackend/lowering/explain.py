"""What went wrong in a run, said in the words of the graph: by the node and the shapes, the same on every engine.

Nothing here runs unless an engine has raised an error.
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

#: errors of kernels that get the node's name; those of a user's function in the graph keep their type too
_TOLD = (ValueError, IndexError, ZeroDivisionError, np.linalg.LinAlgError)


class CompilerError(RuntimeError):
    """The engine's compiler, which ``jit=True`` asks for, could not compile a program.

    Attributes:
        engine: the engine and device, as 'torch:cpu'.
        reason: what the compiler says.
    """

    def __init__(self, program: str, target: Target, reason: str) -> None:
        super().__init__(
            f"{program}: {target.backend.compiler} could not compile it for {target.key}: {reason}; with "
            "jit=False it runs without the compiler"
        )
        self.engine, self.reason = target.key, reason


def misfit(graph: Graph, specs: Sequence[TensorSpec]) -> tuple[Node, Exception] | None:
    """The first node whose declared rule refuses the shapes that were fed, and what it says.

    The rules are those that refuse known shapes while a graph is built; here they see what was None then.
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


def explained(error: Exception, graph: Graph, specs: Sequence[TensorSpec], node: Node | None) -> Exception | None:
    """The error to raise instead of an engine's, None to leave it as it is.

    Args:
        error: what the engine raised.
        graph: the graph that was run.
        specs: the shapes that were fed.
        node: the node that the engine's error comes from, where that is known.
    """
    found = misfit(graph, specs)
    if found is not None:
        place, reason = found
        return _kind(reason)(f"{graph.name}: at the node {place.name!r}: {reason}")
    if node is None or type(error) not in _TOLD or node.op.runs_user_code:
        return None
    return type(error)(f"{graph.name}: at the node {node.name!r} ({node.op.name}): {error}")


def _kind(error: Exception) -> type[Exception]:
    return next(kind for kind in (IndexError, TypeError, ZeroDivisionError, ValueError) if isinstance(error, kind))


__all__ = ["CompilerError", "explained", "misfit"]
