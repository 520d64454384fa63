"""Pictures as networks for ImageNet take them, and their answers as names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from kbackend import backend as K
from kbackend.applications.network import stored
from kbackend.config import floatx, normalize_data_format
from kbackend.graph.tensor import Tensor
from kbackend.ground.suggest import suggest_in as _suggest_in
from kbackend.saving.errors import FormatError

__all__ = ["decode_predictions", "preprocess_input"]

#: (mean, deviation) of red, green and blue of ImageNet in 0 ... 1, and means of blue, green and red in 0 ... 255
_TORCH = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_CAFFE = (103.939, 116.779, 123.68)


def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Pictures with numbers from 0 to 255 as a network was trained on them. The array itself stays as it is.

    Args:
        x: (height, width, 3) or a batch of them, or with the channels first; an array or a symbolic tensor.
        data_format: 'channels_last' or 'channels_first'; the setting's when None.
        mode: 'caffe' (blue, green, red, without their means), 'tf' (-1 to 1) or 'torch' (0 to 1, without the means,
            divided by the deviations).

    Returns:
        The same kind and shape; floatx for integers.

    Raises:
        ValueError: another mode or layout.

    >>> import numpy as np
    >>> from kbackend.applications.imagenet_utils import preprocess_input
    >>> preprocess_input(np.array([[[0.0, 127.5, 255.0]]]), mode="tf").tolist()
    [[[-1.0, 0.0, 1.0]]]
    """
    if mode not in ("caffe", "tf", "torch"):
        raise ValueError(f"mode must be 'caffe', 'tf' or 'torch', it is {mode!r}")
    first = normalize_data_format(data_format) == "channels_first"
    if not isinstance(x, Tensor):
        x = np.asarray(x)
        x = x if x.dtype.kind == "f" else x.astype(floatx())
    if mode == "tf":
        return x / 127.5 - 1.0
    if mode == "torch":
        mean, deviation = (_channels(values, x, first) for values in _TORCH)
        return (x / 255.0 - mean) / deviation
    axis = -3 if first else -1
    swapped = K.reverse(x, axis % x.ndim) if isinstance(x, Tensor) else np.flip(x, axis)
    return swapped - _channels(_CAFFE, x, first)


def _channels(values: tuple[float, ...], x: Any, first: bool) -> np.ndarray:
    array = np.array(values, np.float32 if isinstance(x, Tensor) else x.dtype)
    return array.reshape(3, 1, 1) if first else array


def preprocessing(mode: str) -> Callable[..., Any]:
    """:func:`preprocess_input` of a network, with its mode."""

    def preprocess(x: Any, data_format: str | None = None, mode: str = mode) -> Any:
        return preprocess_input(x, data_format, mode)

    preprocess.__name__ = preprocess.__qualname__ = "preprocess_input"
    preprocess.__doc__ = f"Pictures as the network takes them, with mode={mode!r}; see ``imagenet_utils``."
    return preprocess


def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, float]]]:
    """The likeliest classes of ImageNet.

    Args:
        preds: (samples, 1000) probabilities.
        top: how many of each sample.

    Returns:
        For each sample (WordNet's id, name, probability), the likeliest first.

    Raises:
        ValueError: another shape.
        FileNotFoundError: Keras's file ``imagenet_class_index.json`` is not there; the message says where to put it.
        FormatError: the file holds something else.
    """
    values = np.asarray(preds)
    if values.ndim != 2 or values.shape[1] != 1000:
        raise ValueError(f"decode_predictions needs probabilities of the shape (samples, 1000), not {values.shape}")
    names = _names()
    best = np.argsort(-values, axis=1, kind="stable")[:, :top]
    return [[(*names[i], float(row[i])) for i in order] for row, order in zip(values, best)]


def _names() -> list[tuple[str, str]]:
    file = stored("imagenet_class_index.json", "decode_predictions")
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        return [(str(table[str(i)][0]), str(table[str(i)][1])) for i in range(1000)]
    except (ValueError, LookupError, TypeError) as error:
        raise FormatError(f"it must hold a pair of names for each number from 0 to 999: {error!r}", str(file)) from None


_suggest_in(__name__)
