"""Models that define their own ``call``: layers whose graph is traced at the first input."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kbackend import config as settings
from kbackend import dtypes
from kbackend.declare.call import lift
from kbackend.graph.node import Role, name_scope
from kbackend.graph.tensor import PhaseAsked, Shape, Tensor
from kbackend.graph.variable import Variable, recorder
from kbackend.ground.arguments import positional
from kbackend.ground.tree import tree_leaves, tree_map
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.calling.phases import run_both, takes_phase
from kbackend.layers.base.configuration import dtype_of_layer
from kbackend.layers.base.input import Input
from kbackend.layers.base.inside import Inside
from kbackend.layers.base.layer import Layer, named_arguments
from kbackend.layers.base.naming import described
from kbackend.layers.base.recording import Frame, Root, recording, tracing
from kbackend.layers.base.structures import distinct, flat_tensors
from kbackend.layers.base.weights import Casting, HasWeights
from kbackend.model.network import Network, NotBuilt
from kbackend.model.topology import Topology
from kbackend.ops.control.phase import learning_phase
from kbackend.registry import plain
from kbackend.streams import back_to, call_streams, place_of_draws
from kbackend.training.data import array_of

#: arguments of ``call`` that are no inputs
_NO_INPUTS = ("mask", "training")


def _setter(name: str) -> Any:
    """What a layer does where a list of weights is assigned."""
    return vars(HasWeights)[name].fset


@dataclass(frozen=True)
class Known:
    """What is known of an input."""

    shape: Shape
    dtype: str


class TracedNetwork(Network):
    """The part of a model that may define ``call``.

    Such a model is a layer like any other where it is applied to tensors. For its own steps, ``call`` is traced once,
    on placeholders like the first input that the model sees. The calls of layers in it are then those of the model;
    where ``call`` asks for the learning phase (``if training:``), it is traced for each phase, and its operations alone
    are known.
    """

    _specs: Any = None
    _record: LayerCall | None = None
    _traced_calls: Sequence[LayerCall] = ()
    _inside_call = False

    #: whether it was given a dtype
    _has_policy = False
    #: whether the model defines steps, and neither ``call`` nor inputs and outputs
    has_no_call = False

    @property
    def has_own_call(self) -> bool:
        """Whether the model is code: it defines ``call``, or steps that need none."""
        return self.has_no_call or type(self).call is not Network.call

    @property
    def built(self) -> bool:
        """Whether the model knows its inputs and has its weights."""
        return self._is_built and (self._specs is not None or self.has_no_call or not self.has_own_call)

    @built.setter
    def built(self, value: bool) -> None:
        self._is_built = value

    # inputs -------------------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Apply the model to tensors; see :meth:`kbackend.layers.Layer.__call__`."""
        if not self.has_own_call:
            return super().__call__(*args, **kwargs)
        if self.has_no_call:
            raise self._no_call()
        if not args:
            first = positional(type(self).call)[1:2]
            if not first or first[0] not in kwargs:
                raise TypeError(f"{described(self)} needs tensors, it was called without {first or ['any']}")
            args = (kwargs.pop(first[0]),)
        inputs, *rest = args
        kwargs = {**named_arguments(self, rest, kwargs), **kwargs}
        given = {key: tree_map(_lifted, value) for key, value in kwargs.items()}
        with self._learning((inputs, given)):
            return Layer.__call__(self, inputs, **given)

    def _no_call(self) -> NotBuilt:
        return NotBuilt(
            f"the model {self.name} ({type(self).__name__}) defines no call(self, inputs), so that it cannot be "
            "applied to inputs and has no outputs"
        )

    @contextmanager
    def _learning(self, arguments: tuple[Any, dict[str, Any]]) -> Iterator[None]:
        """A context in which the model takes arguments of ``call`` for its first ones; unless it fails, they are."""
        if self._specs is not None:
            yield
            return
        before = self._state()
        inputs, kwargs = arguments
        kwargs = {key: value for key, value in kwargs.items() if key not in _NO_INPUTS}
        self._specs = tree_map(_spec_of, inputs), tree_map(_spec_of, kwargs)
        try:
            yield
        except BaseException:
            self._specs = self._found = None
            self._restore(before)
            raise

    def _state(self) -> Any:
        inner = [(layer, Layer._state(layer)) for layer in Inside(self).layers] if self.has_own_call else []
        return super()._state(), self._is_built, inner

    def _restore(self, state: Any) -> None:
        own, built, inner = state
        super()._restore(own)
        self._is_built = built
        for layer, before in inner:
            if layer is not self:
                Layer._restore(layer, before)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of a shape, or of a list or dict of shapes, with the batch dimension.

        Raises:
            ValueError: no shape.
        """
        if not self.has_own_call or self._inside_call or self._specs is not None:
            self._is_built = True
            return
        if input_shape is None:
            raise ValueError(f"{described(self)}: build needs the shape of the input, with the batch dimension")
        shapes = _map_shapes(lambda s: Known(s, settings.floatx()), input_shape)
        before, self._is_built = self._is_built, True  # a build of one's own has run, and calls this one
        try:
            self._learn(shapes)
        except BaseException:
            self._is_built = before
            raise

    def _build(self, inputs: Any) -> None:
        self._inside_call = True
        try:
            super()._build(inputs)
        finally:
            self._inside_call = False

    def _ensure_built(self, x: Any) -> None:
        """Learn the inputs from data, where the model does not know them."""
        if self.has_own_call and not self.built and x is not None:
            self._learn(_map_data(_spec_of_data, x))

    def _learn(self, specs: Any) -> None:
        self._learn_arguments(self._arguments(specs))

    def _learn_arguments(self, arguments: tuple[Any, dict[str, Any]]) -> None:
        with self._learning(arguments):
            _ = self._topology

    def _arguments(self, inputs: Any) -> tuple[Any, dict[str, Any]]:
        """Data as the arguments of ``call``: those that it needs take the entries of a list, or of a dict by name."""
        names = _needed(type(self).call)
        if len(names) > 1 and isinstance(inputs, Mapping) and set(names) <= set(inputs):
            return inputs[names[0]], {key: value for key, value in inputs.items() if key != names[0]}
        if len(names) > 1 and isinstance(inputs, (list, tuple)) and len(inputs) == len(names):
            return inputs[0], dict(zip(names[1:], inputs[1:]))
        return inputs, {}

    def get_build_config(self) -> dict[str, Any]:
        """What :meth:`build_from_config` makes the weights with: the inputs of a model that defines ``call``; empty
        before it knows them."""
        if self._specs is None:
            return {}
        return {"inputs": _plain_specs(self._specs[0]), "arguments": _plain_specs(self._specs[1])}

    def build_from_config(self, config: Mapping[str, Any]) -> None:
        """Make the weights for the inputs that :meth:`get_build_config` gave.

        Raises:
            ValueError: it is no such configuration.
        """
        if config:
            arguments = _specs_from(config.get("arguments"))
            if not isinstance(arguments, dict):
                raise ValueError(f"{described(self)}: the configuration has no arguments: {config!r}")
            self._learn_arguments((_specs_from(config.get("inputs")), arguments))

    # tracing ------------------------------------------------------------------------------------------------

    def _traced(self) -> Topology:
        if not self.has_own_call:
            return super()._traced()
        if self.has_no_call:
            raise self._no_call()
        if self._specs is None:
            raise NotBuilt(
                f"the model {self.name} ({type(self).__name__}) does not know its inputs yet, and has no weights "
                "before: call it on data or an Input, train it, or call build(input_shape)"
            )
        inputs, kwargs = self._placeholders()
        token = recorder.set(None)
        try:
            with self._owner.scope(), name_scope(self.name), call_streams(self.name) as drawn:
                structure, frame, calls = self._run_traced(inputs, kwargs)
        except Exception as error:
            raise self._named(error, flat_tensors((inputs, kwargs))) from error
        finally:
            recorder.reset(token)
        self._is_built = True
        record = LayerCall(self, inputs, kwargs, 0)
        record.take(frame)
        record.structure, record.outputs, record.draws = structure, tuple(flat_tensors(structure)), drawn.made
        self._record, self._traced_calls = record, calls
        given = flat_tensors((inputs, kwargs))
        self._single_input, self._single_output = len(given) == 1, isinstance(structure, Tensor)
        return Topology(given, record.outputs, self.name, unique=False)

    def _placeholders(self) -> tuple[Any, dict[str, Any]]:
        inputs, kwargs = self._specs

        def make(value: Any, name: Any = None) -> Any:
            if isinstance(value, Known):
                return Input(batch_shape=value.shape, dtype=value.dtype, name=name)
            if isinstance(value, dict):
                return {key: make(part, key if isinstance(key, str) else None) for key, part in value.items()}
            return type(value)(map(make, value)) if isinstance(value, (list, tuple)) else value

        alone = isinstance(inputs, Known) and any(isinstance(v, Known) for v in kwargs.values())
        first = positional(type(self).call)[1] if alone else None
        return make(inputs, first), make(kwargs)

    def _run_traced(self, inputs: Any, kwargs: dict[str, Any]) -> tuple[Any, Frame, list[LayerCall]]:
        """What ``call`` gives, what was added in it, and the calls of layers in it."""

        def call(training: Any = None) -> Any:
            more = {} if training is None else {"training": training}
            cast, given = tree_map(self._input, (inputs, kwargs))
            with self._casting():
                return self._checked_result(self.call(cast, **given, **more))

        root, place = Root(self), place_of_draws()
        with tracing(root):
            if not self._is_built:
                self._build(inputs)
            try:
                return call(_phase(type(self).call)), root, root.calls
            except PhaseAsked:
                for made in reversed(root.calls):
                    made.layer._calls.remove(made)
        back_to(place)
        with tracing(Root(self)), recording(self) as frame:
            return run_both(self, call), frame, []

    def _input(self, value: Any) -> Any:
        return Layer._input(self, value) if self._has_policy else super()._input(value)

    def _casting(self) -> Any:
        policy = self.dtype_policy
        mixed = self._has_policy and policy.is_mixed and self.autocast
        return Casting(policy.compute_dtype, Layer._own_weights(self)) if mixed else super()._casting()

    def _own_dtype(self) -> dict[str, Any]:
        """What the configuration has of the dtype that the model was given."""
        return {"dtype": dtype_of_layer(self)} if self._has_policy else {}

    def _checked_result(self, structure: Any) -> Any:
        wrong = [v for v in tree_leaves(structure) if not isinstance(v, Tensor)]
        if wrong or not tree_leaves(structure):
            raise TypeError(f"call must return tensors, it returned {wrong[0]!r}" if wrong else "call returned nothing")
        return structure

    def _inner_calls(self) -> Sequence[LayerCall]:
        if not self.has_own_call:
            return super()._inner_calls()
        if self.has_no_call:
            return []
        _ = self._topology
        assert self._record is not None
        return [*self._traced_calls, self._record]

    # structure ----------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers in order of traversal; those of a model with a ``call`` in the order in which its attributes were
        set."""
        if self.has_own_call:
            return distinct([v for v in self._attached() if isinstance(v, Layer)])
        return super().layers

    @property
    def output_names(self) -> list[str]:
        """The keys of a dict that ``call`` returns, else as for any model."""
        if self.has_own_call and isinstance(self._structure, dict):
            return [str(key) for key in self._structure]
        return super().output_names

    @property
    def _structure(self) -> Any:
        """What ``call`` returned when it was traced."""
        _ = self._topology
        return None if self._record is None else self._record.structure

    def _packed(self, values: Sequence[Any]) -> Any:
        if not self.has_own_call:
            return super()._packed(values)
        left = iter(values)
        return tree_map(lambda _: next(left), self._structure)

    def _own_weights(self, known: Any = ()) -> list[Variable]:
        return Layer._own_weights(self, known) if self.has_own_call else super()._own_weights(known)

    def _sublayers(self) -> list[Any]:
        return Layer._sublayers(self) if self.has_own_call else super()._sublayers()

    def _inside_built(self) -> Inside:
        inside = Inside(self)
        if self.has_own_call and not self.built and not inside.weights:
            raise NotBuilt(
                f"the model {self.name} ({type(self).__name__}) has no weights yet: call it on data or an Input, train "
                "it, or call build(input_shape)"
            )
        return inside

    @property
    def weights(self) -> list[Variable]:
        """All weights. A model that defines ``call`` has its own first, then those of its layers in the order in which
        its attributes were set.

        Raises:
            NotBuilt: the model defines ``call`` and has not seen an input.
        """
        return self._inside_built().weights

    def _trained(self) -> list[Variable]:
        """The weights that training changes; see :attr:`weights`."""
        return self._inside_built().trained_weights

    def _untrained(self) -> list[Variable]:
        """The weights that training does not change; see :attr:`weights`."""
        return self._inside_built().other_weights

    trainable_weights = property(_trained, _setter("trainable_weights"))
    non_trainable_weights = property(_untrained, _setter("non_trainable_weights"))

    # masks and shapes ---------------------------------------------------------------------------------------

    def _set_masks(self, results: Sequence[Tensor], inputs: Any, masks: Any) -> None:
        if self.has_own_call and type(self).compute_mask is not Network.compute_mask:
            Layer._set_masks(self, results, inputs, masks)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shapes of the outputs for inputs of other shapes."""
        if self.has_own_call:
            return Layer.compute_output_shape(self, input_shape)
        return super().compute_output_shape(input_shape)

    def _twin(self, **changes: Any) -> Any:
        if not self.has_own_call:
            return super()._twin(**changes)
        return type(self).from_config({**self.get_config(), **changes})


def _phase(function: Any) -> Any:
    """The argument ``training`` of a trace, None where ``call`` takes none."""
    if not takes_phase(function):
        return None
    phase = learning_phase()
    return phase if isinstance(phase, Tensor) else bool(phase)


def _needed(function: Any) -> list[str]:
    """The names of the inputs that a ``call`` needs."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds and p.name not in _NO_INPUTS]


def _lifted(value: Any) -> Any:
    is_array = not isinstance(value, Tensor) and hasattr(value, "shape") and hasattr(value, "dtype")
    return lift(value) if is_array else value


def _spec_of(value: Any) -> Any:
    """What is known of an input: the shape, with a free batch dimension for arrays and constants, and the dtype."""
    if isinstance(value, Tensor):
        fixed = value.node.op.role not in (Role.CONSTANT, Role.VARIABLE)
        return Known(value.shape if fixed or not value.shape else (None, *value.shape[1:]), value.dtype)
    if isinstance(value, Known):
        return value
    return _spec_of_data(value) if hasattr(value, "shape") and hasattr(value, "dtype") else value


def _spec_of_data(value: Any) -> Known:
    array = array_of(value)
    dtype = dtypes.canonical(array.dtype)
    shape = (None, *(array.shape[1:] or (1,)))
    return Known(shape, settings.floatx() if dtypes.is_float(dtype) else dtype)


def _map_data(function: Any, data: Any) -> Any:
    """A function of each array of data: one array, or a list, tuple or dict of arrays."""
    if isinstance(data, Mapping):
        return {str(key): _map_data(function, value) for key, value in data.items()}
    if isinstance(data, (list, tuple)) and data and all(hasattr(part, "shape") for part in data):
        parts = [function(part) for part in data]
        return parts[0] if len(parts) == 1 else parts
    return function(data)


def _map_shapes(function: Any, shapes: Any) -> Any:
    """A function of each shape in a shape, or a list, tuple or dict of shapes."""
    if isinstance(shapes, Mapping):
        return {str(key): _map_shapes(function, value) for key, value in shapes.items()}
    if any(isinstance(part, (list, tuple)) for part in shapes):
        return [_map_shapes(function, part) for part in shapes]
    return function(tuple(shapes))


def _plain_specs(specs: Any) -> Any:
    """What is known of inputs as plain values."""
    return tree_map(lambda v: {"shape": list(v.shape), "dtype": v.dtype} if isinstance(v, Known) else plain(v), specs)


def _specs_from(value: Any) -> Any:
    """What is known of inputs, of plain values.

    Raises:
        ValueError: a shape or dtype that is none.
    """
    if isinstance(value, Mapping) and set(value) == {"shape", "dtype"}:
        shape, dtype = value["shape"], value["dtype"]
        if not isinstance(shape, (list, tuple)) or not all(d is None or type(d) is int and d >= 0 for d in shape):
            raise ValueError(f"{str(shape)[:80]!r} is no shape")
        return Known(tuple(shape), dtypes.canonical(dtype))
    if isinstance(value, Mapping):
        return {key: _specs_from(part) for key, part in value.items()}
    return [_specs_from(part) for part in value] if isinstance(value, (list, tuple)) else value
