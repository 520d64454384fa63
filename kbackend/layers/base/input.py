"""Inputs of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kbackend import config, dtypes
from kbackend.classic.state import placeholder
from kbackend.graph.tensor import Tensor
from kbackend.ground.arguments import checked
from kbackend.layers.base.call import LayerCall
from kbackend.layers.base.layer import Layer
from kbackend.layers.base.naming import unique_name


class InputLayer(Layer):
    """The layer behind an input tensor.

    Args:
        input_shape: the shape without the batch dimension.
        batch_size: the batch dimension, None when free.
        batch_input_shape: the whole shape, instead of both.
        dtype: floatx when None.
        input_tensor: wrap this tensor instead of making a placeholder.
        name: the name, also of the tensor.
    """

    supports_masking = True

    def __init__(
        self,
        input_shape: Any = None,
        batch_size: int | None = None,
        batch_input_shape: Any = None,
        dtype: Any = None,
        input_tensor: Tensor | None = None,
        sparse: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if input_tensor is not None:
            batch_input_shape, dtype = input_tensor.shape, dtype or input_tensor.dtype
            if dtypes.canonical(dtype) != input_tensor.dtype:
                raise ValueError(
                    f"the tensor {input_tensor.name!r} has dtype {input_tensor.dtype}, not {dtype}"
                )
        if input_shape is None and batch_input_shape is None:
            raise ValueError("an InputLayer needs input_shape, batch_input_shape or input_tensor")
        if sparse:
            raise NotImplementedError("sparse inputs are not supported; feed dense values")
        super().__init__(
            name=unique_name("input") if name is None else name,
            dtype=dtype,
            input_shape=input_shape,
            batch_size=batch_size,
            batch_input_shape=batch_input_shape,
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
        assert self._batch_input_shape is not None
        return {"batch_input_shape": list(self._batch_input_shape), "dtype": self.dtype, "name": self.name}


@checked
def Input(
    shape: Sequence[int | None] | int | None = None,
    batch_shape: Sequence[int | None] | None = None,
    name: str | None = None,
    dtype: Any = None,
    sparse: bool = False,
    tensor: Tensor | None = None,
    batch_size: int | None = None,
) -> Tensor:
    """A symbolic tensor that a model takes as input.

    Args:
        shape: the shape without the batch dimension; None for unknown dimensions.
        batch_shape: the whole shape, instead.
        name: the name by which data is given to the model.
        dtype: floatx when None.
        sparse: not supported.
        tensor: make an input of this tensor.
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
        batch_shape,
        dtype or config.floatx() if tensor is None else dtype,
        tensor,
        sparse,
        name,
    )
    return layer.get_output_at(0)
