"""The functions of ``keras.backend`` that Keras 2.3 means otherwise than K, and those that K does not have."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kbackend import activations, config
from kbackend import backend as K
from kbackend.compat.reported import backend
from kbackend.graph.tensor import Tensor
from kbackend.plugin.select import active_target

_ORDERINGS = {"tf": "channels_last", "th": "channels_first"}


def sqrt(x: Any) -> Any:
    """The square root of ``max(x, 0)``: 0 for negative numbers, where ``K.sqrt`` gives NaN.

    >>> from kbackend import K
    >>> from kbackend.compat.contents import functions
    >>> K.eval(functions.sqrt(K.constant([-1.0, 4.0]))).tolist()
    [0.0, 2.0]
    """
    return K.sqrt(K.clip(x, 0.0, math.inf))


def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = "int32") -> Any:
    """The numbers from ``start`` to ``stop``; of a negative stop alone none, whatever the step. Floats stay floats
    where the dtype is "int32".

    >>> from kbackend import K
    >>> from kbackend.compat.contents import functions
    >>> K.eval(functions.arange(-2, step=-1)).tolist(), K.eval(K.arange(-2, step=-1)).tolist()
    ([], [0, -1])
    """
    if stop is None:
        stop = K.maximum(start, K.zeros_like(start)) if isinstance(start, Tensor) else max(start, 0)
        start = 0
    floats = dtype == "int32" and any(_is_float(v) for v in (start, stop, step))
    return K.arange(start, stop, step, config.floatx() if floats else dtype)


def _is_float(value: Any) -> bool:
    return "float" in value.dtype if isinstance(value, Tensor) else isinstance(value, float)


def bias_add(x: Any, bias: Any, data_format: str | None = None) -> Any:
    """Add a bias along the channels. With 'channels_first' a bias of the shape ``(*spatial, channels)`` is reshaped to
    ``(channels, *spatial)``, where ``K.bias_add`` moves its axis.

    >>> from kbackend import K
    >>> from kbackend.compat.contents import functions
    >>> bias = K.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> K.eval(functions.bias_add(K.zeros((1, 2, 3)), bias, "channels_first")).tolist()
    [[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]
    """
    shape: Any = bias.shape if isinstance(bias, Tensor) else np.shape(bias)
    first = config.normalize_data_format(data_format) == "channels_first"
    if not first or len(shape) == 1 or len(shape) != len(x.shape) - 1:
        return K.bias_add(x, bias, data_format)
    return x + K.reshape(bias, (1, shape[-1], *shape[:-1]))


def relu(x: Any, alpha: Any = 0.0, max_value: Any = None, threshold: Any = 0.0) -> Any:
    """``x`` above ``threshold``, else ``alpha * (x - threshold)``, between 0 and ``max_value``; the part below the
    threshold is added after that, where ``K.relu`` limits the sum, and from above alone.

    >>> from kbackend import K
    >>> from kbackend.compat.contents import functions
    >>> x = K.constant([-1.0, 0.5, 9.0])
    >>> K.eval(functions.relu(x, max_value=2.0, threshold=-3.0)).tolist()
    [0.0, 0.5, 2.0]
    >>> K.eval(K.relu(x, max_value=2.0, threshold=-3.0)).tolist()
    [-1.0, 0.5, 2.0]
    """
    if max_value is None:
        return K.relu(x, alpha, None, threshold)
    above = K.minimum(K.relu(x, 0.0, None, threshold), max_value)
    limited = K.maximum(above, 0.0)
    below = K.relu(threshold - x)
    return limited if isinstance(alpha, (int, float)) and alpha == 0 else limited - alpha * below


#: the activations by name, with Keras 2.3's relu: what ``keras.activations.relu`` is compared with
ACTIVATIONS = {**activations._BUILTIN, "relu": relu}


def function(inputs: Any, outputs: Any, updates: Any = None, **kwargs: Any) -> Any:
    """``K.function``, which takes one tensor in place of a list, and any collection of outputs, as tf.keras does; its
    result takes lists of values within the list of values.

    >>> from kbackend import K
    >>> from kbackend.compat.contents import functions
    >>> a, b = K.placeholder((2,)), K.placeholder((2,))
    >>> functions.function([a, b], {"sum": a + b}.values())(([[1.0, 2.0], [3.0, 4.0]],))[0].tolist()
    [4.0, 6.0]
    """
    given = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    alone = isinstance(outputs, Tensor)
    return _Called(K.function(given, [outputs] if alone else list(outputs), updates, **kwargs), len(given), alone)


class _Called:
    """A function of K whose values may be given in lists of arrays, and whose one output may be returned alone."""

    def __init__(self, function: Any, count: int, alone: bool) -> None:
        self._function, self._count, self._alone = function, count, alone

    def __call__(self, values: Any = (), *args: Any, **kwargs: Any) -> Any:
        found = self._function(self._flat(values), *args, **kwargs)
        return found[0] if self._alone else found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)

    def _flat(self, values: Any) -> Any:
        if not isinstance(values, (list, tuple)) or not values or not all(isinstance(v, list) for v in values):
            return values
        parts = [v for part in values for v in part]
        held = all(isinstance(v, np.ndarray) for v in parts)
        return parts if held or len(values) != self._count == len(parts) else values


def image_dim_ordering() -> str:
    """Keras 1's name of the data format: 'tf' for channels_last, 'th' for channels_first.

    >>> from kbackend.compat.contents import functions
    >>> functions.image_dim_ordering()
    'tf'
    """
    return next(old for old, new in _ORDERINGS.items() if new == config.image_data_format())


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Set the data format by Keras 1's name, 'tf' or 'th'.

    Raises:
        ValueError: another name.

    >>> from kbackend.compat.contents import functions
    >>> functions.set_image_dim_ordering("tf")
    """
    if dim_ordering not in _ORDERINGS:
        raise ValueError(f"dim_ordering must be 'tf' or 'th', it is {dim_ordering!r}")
    config.set_image_data_format(_ORDERINGS[dim_ordering])


def available_gpus() -> list[str]:
    """The GPUs of the active engine by TensorFlow's names, which ``K.tensorflow_backend._get_available_gpus`` gave.

    >>> from kbackend.compat.contents import functions
    >>> isinstance(functions.available_gpus(), list)
    True
    """
    devices = [name for name in active_target().backend.devices() if name != "cpu"]
    return [f"/device:GPU:{number}" for number in range(len(devices))]


def is_symbolic(x: Any) -> bool:
    """Whether a value is a tensor of a graph.

    >>> from kbackend import Input
    >>> from kbackend.compat.contents import functions
    >>> functions.is_symbolic(Input((2,))), functions.is_symbolic([1.0])
    (True, False)
    """
    return isinstance(x, Tensor)


def _get_available_gpus() -> list[str]:
    """The GPUs of the engine, by which programs of Keras 2 ask whether there is one.

    >>> from kbackend.compat.contents import functions
    >>> [name for name in functions._get_available_gpus() if name == "cpu"]
    []
    """
    return [name for name in active_target().backend.devices() if name != "cpu"]


__all__ = [
    "arange",
    "backend",
    "bias_add",
    "function",
    "image_dim_ordering",
    "is_symbolic",
    "relu",
    "set_image_dim_ordering",
    "sqrt",
]
