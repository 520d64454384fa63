"""Layers and their weights: tables, counts, and kernels of the two old conventions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.model.inspecting.summary import print_summary
from kbackend.utils.conv_utils import convert_kernel
from kbackend.utils.session import get_source_inputs

__all__ = [
    "convert_all_kernels_in_model",
    "convert_dense_weights_data_format",
    "count_params",
    "get_source_inputs",
    "print_summary",
]

_CONVOLUTIONS = (
    "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv1D", "SeparableConv2D",
)  # fmt: skip


def count_params(weights: Iterable[Any]) -> int:
    """How many numbers some variables hold, each variable once.

    >>> from kbackend import Sequential, layers
    >>> from kbackend.utils.layer_utils import count_params
    >>> count_params(Sequential([layers.Dense(3, input_shape=(2,))]).weights)
    9
    """
    return sum(math.prod(variable.shape) for variable in {id(v): v for v in weights}.values())


def convert_all_kernels_in_model(model: Any) -> None:
    """Mirror the kernels of all convolutions, from Theano's convention to TensorFlow's and back.

    Args:
        model: a built model, which is changed.

    >>> import numpy as np
    >>> from kbackend import Input, Model, layers, utils
    >>> x = Input((4, 4, 1))
    >>> model = Model(x, layers.Conv2D(1, 2, name="c")(x))
    >>> before = model.get_weights()[0]
    >>> utils.convert_all_kernels_in_model(model)
    >>> np.array_equal(model.get_weights()[0], before[::-1, ::-1])
    True
    """
    for layer in model.layers:
        if type(layer).__name__ in _CONVOLUTIONS:
            layer.set_weights([convert_kernel(w) if w.ndim > 2 else w for w in layer.get_weights()])


def convert_dense_weights_data_format(
    dense: Any, previous_feature_map_shape: Sequence[int], target_data_format: str = "channels_first"
) -> None:
    """Reorder the rows of the kernel of a Dense layer after Flatten, where the layout of what is flattened changed.

    Args:
        dense: the layer.
        previous_feature_map_shape: what is flattened, without the batch, in the new layout.
        target_data_format: the new layout, 'channels_first' or 'channels_last'.
    """
    kernel, *rest = dense.get_weights()
    *sizes, channels = (
        (*previous_feature_map_shape[1:], previous_feature_map_shape[0])
        if target_data_format == "channels_first"
        else previous_feature_map_shape
    )
    last = (*sizes, channels, kernel.shape[1])
    first = (channels, *sizes, kernel.shape[1])
    if target_data_format == "channels_first":
        moved = np.moveaxis(kernel.reshape(last), -2, 0)
    else:
        moved = np.moveaxis(kernel.reshape(first), 0, -2)
    dense.set_weights([moved.reshape(kernel.shape), *rest])


_suggest_in(__name__)
