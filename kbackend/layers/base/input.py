"""Inputs of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kbackend import config, dtypes
from kbackend.classic.state import placeholder
from kbackend.graph.node import Role
from kbackend.graph.tensor import Tensor
from kbackend.ground.arguments import checked
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import unique_name
from kbackend.ops.core.leaves import constant


class InputLayer(Layer):
    """The layer behind an input tensor.

    Args:
        shape: the shape without the batch dimension; None for unknown dimensions.
        batch_size: the batch dimension, None when free.
        dtype: floatx when None.
        sparse, ragged: not supported.
        batch_shape: the whole shape, instead of both.
        input_tensor: wrap this tensor, or array as a constant, instead of making a placeholder.
        optional: not supported.
        name: the name, also of the tensor.
        input_shape, batch_input_shape: ``shape`` and ``batch_shape`` as Keras 2 calls them.

    Raises:
        ValueError: no shape and no tensor, or a tensor of another dtype.
        NotImplementedError: a sparse, ragged or optional input.
        TypeError: called on tensors.

    >>> from kbackend import layers
    >>> layers.InputLayer((3,), batch_size=2).output.shape
    (2, 3)
    """

    supports_masking = True

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        input_shape: Any = None,
        batch_input_shape: Any = None,
        **kwargs: Any,
    ) -> None:
        shape = input_shape if shape is None else shape
        batch_shape = batch_input_shape if batch_shape is None else batch_shape
        if input_tensor is not None:
            if isinstance(input_tensor, np.ndarray):
                kind = config.floatx() if input_tensor.dtype.kind == "f" else None
                input_tensor = constant(input_tensor, dtype=dtype or kind)
            if not isinstance(input_tensor, Tensor):
                raise TypeError(
                    f"the tensor of an input must be a symbolic tensor of K, not {type(input_tensor).__name__}; make a "
                    "K.variable of its values, or leave it out and give them to fit or predict"
                )
            batch_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
            if dtypes.canonical(dtype) != input_tensor.dtype:
                raise ValueError(
                    f"the tensor {input_tensor.name!r} has dtype {input_tensor.dtype}, not {dtype}"
                )
        if shape is None and batch_shape is None:
            raise ValueError("an InputLayer needs shape, batch_shape or input_tensor")
        for word, asked in (("sparse", sparse), ("ragged", ragged), ("optional", optional)):
            if asked:
                raise NotImplementedError(f"{word} inputs are not supported; feed dense values")
        super().__init__(
            name=unique_name("input") if name is None else name,
            dtype=dtype or config.floatx(),
            input_shape=shape,
            batch_size=batch_size,
            batch_input_shape=batch_shape,
            **kwargs,
        )
        self.built = True
        assert self._batch_input_shape is not None
        tensor = input_tensor
        if tensor is None:
            tensor = placeholder(self._batch_input_shape, dtype=self.dtype, name=self.name)
        call = LayerCall(self, [], {}, 0)
        call.structure, call.outputs = tensor, (tensor,)
        self._calls.append(call)
        # A tensor that a layer made keeps its history: for other models it is still that layer's result.
        if tensor.history is None:
            tensor.history = call

    @property
    def input(self) -> Any:
        return self._calls[0].structure

    def get_input_at(self, node_index: int) -> Any:
        return self.get_output_at(node_index)

    def __call__(self, inputs: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self.name} is an input; it is not called on tensors")

    def get_config(self) -> dict[str, Any]:
        """The settings; a model that is made of them has a placeholder, whatever the tensor was."""
        assert self._batch_input_shape is not None
        return {"batch_input_shape": list(self._batch_input_shape), "dtype": self.dtype, "name": self.name}


def is_held(tensor: Tensor) -> bool:
    """Whether a tensor has a value without data: a variable or a constant."""
    return tensor.node.op.role in (Role.VARIABLE, Role.CONSTANT)


@checked
def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    tensor: Any = None,
    batch_size: int | None = None,
    ragged: bool | None = None,
    optional: bool = False,
) -> Tensor:
    """A symbolic tensor that a model takes as input.

    Args:
        shape: the shape without the batch dimension; None for unknown dimensions.
        batch_shape: the whole shape, instead.
        name: the name by which data is given to the model.
        dtype: floatx when None.
        sparse, ragged, optional: not supported.
        tensor: make an input of this tensor. A variable or a constant (an array becomes one) is the data itself: the
            model takes none for it, and steps need their number where there are no other inputs and targets.
        batch_size: the batch dimension, for ``shape``.

    Raises:
        ValueError: neither shape, batch_shape nor tensor is given.

    >>> from kbackend import Input
    >>> Input((28, 28, 1), name="image")
    <Tensor 'image' shape=(None, 28, 28, 1) dtype=float32>
    """
    if shape is None and batch_shape is None and tensor is None:
        raise ValueError("Input needs a shape without the batch dimension, or batch_shape, or tensor")
    layer = InputLayer(
        shape,
        batch_size,
        dtype or config.floatx() if tensor is None else dtype,
        sparse,
        ragged,
        batch_shape,
        tensor,
        optional,
        name,
    )
    return layer.get_output_at(0)
