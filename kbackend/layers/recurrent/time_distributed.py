"""A layer applied to each step of a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import backend as K
from kbackend.graph.node import name_scope
from kbackend.graph.tensor import Tensor
from kbackend.ground.arguments import accepts
from kbackend.layers.base.spec import InputSpec
from kbackend.layers.wrapper import Wrapper
from kbackend.ops.arrays.dims import length
from kbackend.ops.arrays.reshape import reshape


class TimeDistributed(Wrapper):
    """A layer applied to each step of (batch, steps, ...), with the same weights at all steps.

    Args:
        layer: the layer. It sees the steps of all samples as one batch.

    Shapes: (batch, steps, ...) to (batch, steps, ...). Weights: those of the layer. The result's mask is that of the
    layer where it makes one, else the input's, (batch, steps).

    Raises:
        TypeError: ``layer`` is no layer.
        ValueError: it has several outputs; inputs of a rank below 3.

    >>> from kbackend import Input, layers
    >>> layers.TimeDistributed(layers.Conv2D(4, 3))(Input((7, 6, 5, 2))).shape
    (None, 7, 4, 3, 4)
    """

    layer: Any

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True
        self.input_spec = InputSpec(min_ndim=3)

    @property
    def stateful(self) -> bool:  # type: ignore[override]
        return self.layer.stateful

    def reset_states(self) -> None:
        """Set the states of the layer to zeros."""
        self.layer.reset_states()

    def build(self, input_shape: Any) -> None:
        if not self.layer.built:
            with name_scope(self.layer.name), self.layer._owner.scope():
                self.layer.build(_flat_shape(input_shape))
            self.layer.built = True
            self.layer._set_initial_weights()

    def call(  # type: ignore[override]  # of what a layer may be called with, these reach the steps
        self, inputs: Any, mask: Any = None, training: Any = None
    ) -> Any:
        given: dict[str, Any] = {}
        function = type(self.layer).call
        if mask is not None and accepts(function, "mask"):
            given["mask"] = _flat(mask)
        if accepts(function, "training"):
            given["training"] = training
        flat = self.layer(_flat(inputs), **given)
        if not isinstance(flat, Tensor):
            raise ValueError(f"the layer {self.layer.name} gives {len(flat)} tensors, it must give one")
        result = _apart(flat, inputs)
        made = flat._keras_mask
        if made is not None:
            result._keras_mask = _apart(made, inputs)
        else:
            result._keras_mask = _of_steps(mask) if "mask" in given else self.compute_mask(inputs, mask)
        return result

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask that the layer makes of each step, else which steps the mask has anything of."""
        passed = mask if self.layer.supports_masking else None
        made = self.layer.compute_mask(_flat(inputs), None if passed is None else _flat(passed))
        return _of_steps(mask) if made is None else _apart(made, inputs)

    def _set_masks(self, results: Sequence[Tensor], inputs: Any, masks: Any) -> None:
        """The call has set them."""

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the result for an input's shape; the layer does not change."""
        inner = self.layer.compute_output_shape(_flat_shape(input_shape))
        return (input_shape[0], input_shape[1], *inner[1:])


def _flat_shape(shape: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape of the steps of all samples along one axis."""
    samples, steps, *rest = shape
    return (None if samples is None or steps is None else samples * steps, *rest)


def _flat(x: Any) -> Any:
    """The steps of all samples along one axis."""
    rest = [length(x, axis) for axis in range(2, len(x.shape))]
    return reshape(x, (-1, *rest))


def _apart(x: Any, like: Any) -> Any:
    """The inverse, for samples and steps of another tensor."""
    rest = [length(x, axis) for axis in range(1, len(x.shape))]
    return reshape(x, (length(like, 0), length(like, 1), *rest))


def _of_steps(mask: Any) -> Any:
    """Which steps a mask has anything of, (batch, steps)."""
    if mask is None or len(mask.shape) == 2:
        return mask
    return K.any(mask, axis=tuple(range(2, len(mask.shape))))


__all__ = ["TimeDistributed"]
