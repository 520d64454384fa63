"""Modules of an engine as ops: they run on that engine only, which also differentiates them."""

from __future__ import annotations

from typing import Any

from kbackend.declare.decorate import primitive
from kbackend.declare.op import TensorList
from kbackend.graph.tensor import TensorSpec
from kbackend.ground.tree import tree_leaves
from kbackend.plugin.modules.wrapped import Signature, WrappedModule


@primitive(tolerance="exact", pure=False, runs_user_code=True)
def call_module(
    inputs: TensorList,
    weights: TensorList,
    *,
    module: WrappedModule,
    signature: Signature,
    results: Any = None,
) -> Any:
    """Call a module of an engine.

    Args:
        inputs: its inputs.
        weights: all of its weights, in the module's order.
        module: the module.
        signature: how it is called.
        results: a function of the inputs' specs that gives those of the results; the engine infers them when None.

    Returns:
        A tuple: the results, flat, and in training then the new values of the weights that a call replaces.

    Raises:
        ValueError: the module fails on inputs of these shapes.
    """
    found = module.infer(inputs, signature) if results is None else results(inputs)
    replaced = module.replaced() if signature.training else 0
    return (*tree_leaves(found, is_spec), *weights[len(weights) - replaced :])


def is_spec(value: Any) -> bool:
    return isinstance(value, TensorSpec)


__all__: list[str] = []
