"""Functions of SavedModel folders as modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from kbackend.ground.tree import tree_leaves


class SavedFunctions(tf.Module):
    """One or two functions of a SavedModel: that of a test and that of a training step.

    Args:
        folder: of the SavedModel.
        endpoints: the names of the functions.
        label: the layer, for messages.

    Attributes:
        variables_read: those that the functions read, by name.
    """

    def __init__(self, folder: str, endpoints: Sequence[str], label: str) -> None:
        super().__init__()
        try:
            loaded = tf.saved_model.load(folder)
        except (OSError, ValueError) as error:
            raise ValueError(f"{label}: there is no SavedModel in {folder!r}: {error}") from error
        self._kept = (loaded,)  # its variables live as long as it does
        functions = [_function(loaded, name, folder, label) for name in endpoints]
        self._functions = (functions[0], functions[-1])
        self.variables_read = _read_by(functions)

    def __call__(self, *inputs: Any, training: bool = False, **named: Any) -> Any:
        return self._functions[bool(training)](*inputs, **named)

    @property
    def __name__(self) -> str:
        return "the SavedModel"


def _function(loaded: Any, name: str, folder: str, label: str) -> Any:
    found = getattr(loaded, name, None)
    if isinstance(found, tf.types.experimental.PolymorphicFunction):
        return found
    signatures = getattr(loaded, "signatures", {})
    if name in signatures:
        return _by_name(signatures[name])
    own = [k for k, v in vars(loaded).items() if isinstance(v, tf.types.experimental.PolymorphicFunction)]
    known = sorted({*signatures, *(n for n in own if not n.startswith("_"))})
    raise ValueError(f"{label}: the SavedModel in {folder!r} has no function {name!r}; it has {', '.join(known)}")


def _by_name(signature: Any) -> Any:
    """A signature, which takes its tensors by name, as a function of positions too."""
    names = sorted(signature.structured_input_signature[1])

    def call(*inputs: Any, **named: Any) -> Any:
        given = {**dict(zip(names, tree_leaves(inputs), strict=not named)), **named}
        return signature(**given)

    call.graphs = [signature.graph]  # type: ignore[attr-defined]
    return call


def _read_by(functions: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for graph in (graph for function in functions for graph in _graphs(function)):
        for variable in graph.variables:
            if all(variable is not each for each in found.values()):
                name = variable.name.partition(":")[0].replace("/", "_")
                found[name if name not in found else f"{name}_{len(found)}"] = variable
    return found


def _graphs(function: Any) -> list[Any]:
    return getattr(function, "graphs", None) or [f.graph for f in function.concrete_functions]
