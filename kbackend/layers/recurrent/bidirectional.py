"""Two recurrent layers over a sequence, one in each direction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kbackend import backend as K
from kbackend.graph.node import name_scope
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import described
from kbackend.layers.base.nested import HasLayers
from kbackend.layers.base.serialization import deserialize
from kbackend.layers.base.structures import as_list
from kbackend.layers.recurrent.layer import Recurrent
from kbackend.layers.recurrent.rnn import call_arguments
from kbackend.registry import plain
from kbackend.streams import Owner

_MODES = ("sum", "mul", "ave", "concat", None)
_BOTH = ("return_sequences", "return_state", "stateful")


class Bidirectional(HasLayers):
    """A recurrent layer and its mirror image, which visits the steps in the other order.

    Args:
        layer: an :class:`RNN` such as :class:`LSTM`; the two layers are made like it and share no weights with it.
        merge_mode: how the two outputs make one: 'concat' (along the last axis), 'sum', 'mul' or 'ave' (the mean); None
            gives both.
        weights: initial weights, those of the forward layer first.
        backward_layer: a layer for the other direction, in place of a copy.

    Called as an :class:`RNN`; ``initial_state`` holds the states of the forward layer and then those of the backward
    layer. With ``return_state`` the result is a list of the output (or both) and the last states in that order. Outputs
    of the backward layer are turned round, into the order of the forward layer. Where sequences are returned, outputs
    of masked steps are zeros.

    Shapes: those of the layer, with twice the last axis for 'concat'. Weights: those of the forward layer, then those
    of the backward layer.

    Raises:
        ValueError: a layer that does not visit steps, an unknown merge mode, two layers of one direction or of other
            ``return_sequences``, ``return_state`` or ``stateful``.

    Source: Schuster and Paliwal, "Bidirectional Recurrent Neural Networks", 1997.

    >>> from kbackend import Input, layers
    >>> layers.Bidirectional(layers.LSTM(3, return_sequences=True))(Input((7, 5))).shape
    (None, 7, 6)
    """

    supports_masking = True
    _input_arguments = ("initial_state", "constants")

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" not in kwargs and "batch_input_shape" not in kwargs:
            kwargs["batch_input_shape"] = getattr(layer, "_batch_input_shape", None)
        self._num_constants = kwargs.pop("num_constants", 0)
        super().__init__(weights=weights, **kwargs)
        self._check(layer, "layer")
        if merge_mode not in _MODES:
            raise ValueError(f"{described(self)}: merge_mode must be one of {_MODES}, it is {merge_mode!r}")
        self.merge_mode = merge_mode
        self.forward_layer = self._made(layer, "forward", layer.go_backwards)
        if backward_layer is None:
            self.backward_layer = self._made(layer, "backward", not layer.go_backwards)
        else:
            self._check(backward_layer, "backward_layer")
            self.backward_layer = backward_layer
        self._given_backward = backward_layer is not None
        self._check_pair()

    def _check(self, layer: Any, argument: str) -> None:
        missing = [n for n in ("go_backwards", *_BOTH) if not hasattr(layer, n)]
        if not isinstance(layer, Layer) or missing:
            raise ValueError(f"{described(self)}: {argument} must be a recurrent layer such as LSTM, it is {layer!r}")

    def _check_pair(self) -> None:
        one, other = self.forward_layer, self.backward_layer
        if one.go_backwards == other.go_backwards:
            raise ValueError(
                f"{described(self)}: one of the layers must have go_backwards=True and one False, both have "
                f"{one.go_backwards}"
            )
        for name in _BOTH:
            if getattr(one, name) != getattr(other, name):
                raise ValueError(
                    f"{described(self)}: the two layers must have one {name}, they have {getattr(one, name)} and "
                    f"{getattr(other, name)}"
                )

    def _made(self, layer: Any, direction: str, backwards: bool) -> Any:
        name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
        made = layer._twin(name=name, go_backwards=backwards, batch_input_shape=None)
        made._owner = Owner(direction, direction)
        if isinstance(made, Recurrent):
            made.cell._owner = made._owner
        if hasattr(made, "zero_output_for_mask"):
            made.zero_output_for_mask = made.return_sequences
        return made

    @property
    def layer(self) -> Any:
        """The forward layer."""
        return self.forward_layer

    @property
    def return_sequences(self) -> bool:
        return self.forward_layer.return_sequences

    @property
    def return_state(self) -> bool:
        return self.forward_layer.return_state

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        return self.forward_layer.stateful

    def build(self, input_shape: Any) -> None:
        for layer in (self.forward_layer, self.backward_layer):
            if not layer.built:
                with name_scope(layer.name), layer._owner.scope():
                    layer.build(input_shape)
                layer.built = True

    def reset_states(self) -> None:
        """Set the states of both layers to zeros."""
        self.forward_layer.reset_states()
        self.backward_layer.reset_states()

    # calling ------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, initial_state: Any = None, constants: Any = None, **kwargs: Any) -> Any:
        """Apply the layer. The arguments are those of an RNN's call."""
        inputs, given = call_arguments(inputs, initial_state, constants, self._num_constants)
        self._num_constants = len(given.get("constants", ()))
        for layer in (self.forward_layer, self.backward_layer):
            layer._constant_shapes = [c.shape for c in given.get("constants", ())]
        count = len(given.get("initial_state", ()))
        if count % 2:
            raise ValueError(
                f"{described(self)}: initial_state holds the states of the forward layer and then those of the "
                f"backward layer, so an even number; it holds {count}"
            )
        return super().__call__(inputs, **given, **kwargs)

    def call(
        self, inputs: Any, mask: Any = None, training: Any = None, initial_state: Any = None, constants: Any = None
    ) -> Any:
        given: dict[str, Any] = {"mask": mask, "training": training}
        if constants:
            given["constants"] = constants
        halves: list[Any] = [None, None]
        if initial_state:
            half = len(initial_state) // 2
            halves = [initial_state[:half], initial_state[half:]]
        one, *one_states = as_list(self.forward_layer(inputs, initial_state=halves[0], **given))
        other, *other_states = as_list(self.backward_layer(inputs, initial_state=halves[1], **given))
        if self.return_sequences:
            other = K.reverse(other, 1)
        merged = self._merged(one, other)
        return [*merged, *one_states, *other_states] if self.return_state or len(merged) > 1 else merged[0]

    def _merged(self, one: Any, other: Any) -> list[Any]:
        if self.merge_mode is None:
            return [one, other]
        if self.merge_mode == "concat":
            return [K.concatenate([one, other], axis=-1)]
        if self.merge_mode == "mul":
            return [one * other]
        total = one + other
        return [total * 0.5 if self.merge_mode == "ave" else total]

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        own = mask if self.return_sequences else None
        parts = [own] * (2 if self.merge_mode is None else 1)
        if self.return_state:
            count = len(as_list(self.forward_layer.compute_mask(inputs, mask))) - 1
            parts += [None] * (2 * count)
        return parts if len(parts) > 1 else own

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result (a list of shapes where it is a list); the layer does not change."""
        found = self.forward_layer.compute_output_shape(input_shape)
        result, *states = found if self.return_state else [found]
        if self.merge_mode == "concat":
            result = (*result[:-1], None if result[-1] is None else 2 * result[-1])
        parts = [result, result] if self.merge_mode is None else [result]
        return [*parts, *states, *states] if self.return_state or len(parts) > 1 else result

    # configuration ------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        found = super().get_config() | {"merge_mode": self.merge_mode, "layer": plain(self.forward_layer)}
        if self._num_constants:
            found["num_constants"] = self._num_constants
        if self._given_backward:
            found["backward_layer"] = plain(self.backward_layer)
        return found

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Any:
        """A layer from the result of ``get_config``, without weights."""
        made = {
            name: deserialize(config[name])
            for name in ("layer", "backward_layer")
            if isinstance(config.get(name), Mapping)
        }
        return cls(**{**config, **made})

    def _twin(self, **changes: Any) -> Any:
        backward = self.backward_layer._twin() if self._given_backward else None
        return super()._twin(layer=self.forward_layer._twin(), backward_layer=backward, **changes)


__all__ = ["Bidirectional"]
