"""Modules and functions of TensorFlow, and of SavedModel folders, that layers wrap."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import tensorflow as tf

from kbackend.graph.tensor import TensorSpec
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.plugin.modules.wrapped import ModuleWeight, Signature
from kbackend_tensorflow.grappler import with_graphs

#: names of the argument for the learning phase: of Keras and of Sonnet
_PHASE_NAMES = ("training", "is_training")
#: the id of a handle -> the variable of a wrapped module
_variables: WeakValueDictionary[int, Any] = WeakValueDictionary()


def is_module(value: Any) -> bool:
    """Whether a value is a module that can be called, or a traced function."""
    return isinstance(value, tf.types.experimental.PolymorphicFunction) or (
        isinstance(value, tf.Module) and callable(value)
    )


class TensorFlowWrapped:
    """A ``tf.Module`` or ``tf.function``. Programs call it as it is: it reads and assigns its own variables, which are
    the cells of the layer's; see :class:`kbackend_tensorflow.gradients.tape.TensorFlowTape` for their gradients."""

    engine = "tensorflow"

    def __init__(self, module: Any, label: str) -> None:
        self.module = module
        self.label = label
        traced = isinstance(module, tf.types.experimental.PolymorphicFunction)
        self._call = module if traced else tf.function(module.__call__)
        self._phase_name = next((n for n in _PHASE_NAMES if n in _parameters(module)), None)
        self._weights: list[tuple[str, Any]] | None = None

    def __repr__(self) -> str:
        return f"<module {_name(self.module)}>"

    def prepare(self, inputs: Sequence[TensorSpec], keys: tuple[str, ...] | None) -> None:
        traced = self._traced(inputs, Signature(keys, False))
        if self._weights is None:
            self._weights = _named(self.module, traced)
            _variables.update((id(v.handle), v) for _, v in self._weights)

    def weights(self) -> list[ModuleWeight]:
        return [
            ModuleWeight(name, TensorSpec(tuple(v.shape), v.dtype.name), v.trainable, v, _device(v.device))
            for name, v in self._weights or ()
        ]

    def replaced(self) -> int:
        return 0

    def infer(self, inputs: Sequence[TensorSpec], signature: Signature) -> Any:
        found = self._traced(inputs, signature).structured_outputs
        return tree_map(self._spec, found)

    def _spec(self, value: Any) -> TensorSpec:
        if not hasattr(value, "shape") or value.shape.rank is None:
            raise ValueError(f"{_name(self.module)} must return tensors of known rank, it returned {value!r}")
        return TensorSpec(tuple(value.shape), value.dtype.name)

    def _traced(self, inputs: Sequence[TensorSpec], signature: Signature) -> Any:
        args, kwargs = signature.arguments([tf.TensorSpec(s.shape, s.dtype) for s in inputs])
        with tf.init_scope():
            try:
                return self._call.get_concrete_function(*args, **kwargs, **self._phase(signature))
            except (TypeError, ValueError, tf.errors.OpError) as error:
                shapes = ", ".join(str(s) for s in inputs)
                raise ValueError(f"{_name(self.module)} failed on tensors like {shapes}: {error}") from error

    def _phase(self, signature: Signature) -> dict[str, bool]:
        return {} if self._phase_name is None else {self._phase_name: signature.training}

    def runner(self, signature: Signature) -> Callable[..., tuple[Any, ...]]:
        phase = self._phase(signature)

        def run(inputs: Sequence[Any], weights: Sequence[Any]) -> tuple[Any, ...]:
            args, kwargs = signature.arguments(inputs)
            return tuple(map(tf.convert_to_tensor, tree_leaves(with_graphs(self._call, *args, **kwargs, **phase))))

        return run


def module_variable(tensor: Any) -> tuple[Any, bool]:
    """The variable of a wrapped module whose value a program has read as this tensor, None for other tensors; and
    whether it was read in the graph that is being traced."""
    here = True
    while True:
        kind = tensor.op.type
        if kind == "Placeholder":
            outer = [external for external, inner in tensor.graph.captures if inner is tensor]
            if not outer:
                return None, here
            tensor = outer[0]
            if not hasattr(tensor, "op") or not hasattr(tensor, "graph"):
                return _variables.get(id(tensor)), here
            here = False
        elif kind in ("Identity", "ReadVariableOp"):
            tensor = tensor.op.inputs[0]
        else:
            return None, here


def any_wrapped() -> bool:
    """Whether any module is wrapped."""
    return bool(_variables)


def _parameters(module: Any) -> Sequence[str]:
    function = getattr(module, "python_function", None) or getattr(module.__call__, "python_function", module.__call__)
    return list(inspect.signature(function).parameters)


def _named(module: Any, traced: Any) -> list[tuple[str, Any]]:
    """The variables with their paths in the module; those of a function with their numbers, of a SavedModel with the
    names that they have there."""
    if isinstance(module, SavedFunctions):
        return list(module.variables_read.items())
    if not isinstance(module, tf.Module):
        return [(f"variable_{number}", v) for number, v in enumerate(traced.graph.variables)]
    found = module._flatten(predicate=lambda v: isinstance(v, tf.Variable), with_path=True)
    return [(".".join(map(str, path)), variable) for path, variable in found]


def _name(module: Any) -> str:
    return getattr(module, "__name__", None) or type(module).__name__


def _device(name: str) -> str:
    kind, _, index = name.rpartition("device:")[2].partition(":")
    return "cpu" if kind in ("CPU", "") else f"cuda:{index}"


# SavedModel folders ------------------------------------------------------------------------------------------


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
