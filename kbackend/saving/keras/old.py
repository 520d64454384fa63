"""What Keras 1 and the first files of Keras 2 have in other forms: arguments of layers, and layouts of weights.

Source: the files themselves; the layouts are those of the layers of Keras 1.2 and of Keras 2's cuDNN layers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from kbackend.layers.spellings import SPELLINGS, modern
from kbackend.saving.errors import FormatError
from kbackend.saving.structure import is_model

#: arguments of Keras 1 that say nothing now, whatever they are
_DROPPED = ("consume_less", "input_dtype", "sparse_input")
#: and those that change nothing with these values
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "mode": (0,), "dropout": (0, 0.0, None), "weights": (None,), "learn": (None,), "input_dim": (None,),
    "input_length": (None,),
}  # fmt: skip
#: initializers by the names of Keras 1
_INITIALIZERS = {"one": "ones", "zero": "zeros", "uniform": "random_uniform", "normal": "random_normal"}
_INITIAL = ("init", "inner_init", "forget_bias_init", "beta_init", "gamma_init", "depthwise_init", "pointwise_init")


class Origin(NamedTuple):
    """What wrote a file.

    Attributes:
        version: of Keras; that of Keras 1 did not write it from the start.
        backend: its backend, None where the file does not say.
    """

    version: str = "1"
    backend: str | None = None

    @property
    def is_first(self) -> bool:
        """Whether it was Keras 1."""
        return self.version.startswith("1")


# ------------------------------------------------------------------------------------- arguments


def arguments(class_name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a layer with the names and forms of Keras 2, where they have those of Keras 1."""
    old = {word for spelling in SPELLINGS.get(_modern_class(class_name), ()) for word in spelling.old}
    if not (old | {*_DROPPED, "mode"}) & set(config) - {"input_dim", "input_length"}:
        return dict(config)
    found = {}
    for key, value in config.items():
        if key in _DROPPED or key in _NEUTRAL and key not in old and value in _NEUTRAL[key]:
            continue
        if key in _INITIAL and isinstance(value, str):
            value = _INITIALIZERS.get(value, value)
        found[key] = _penalty(value) if isinstance(value, Mapping) and "name" in value else value
    if "batch_input_shape" in found:
        found = {key: value for key, value in found.items() if key not in ("input_dim", "input_length")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return modern(_modern_class(class_name), found)


def _modern_class(name: str) -> str:
    return name.replace("Convolution", "Conv").replace("Atrous", "").replace("Deconv", "Conv") + (
        "Transpose" if name.startswith("Deconv") else ""
    )


def _penalty(value: Mapping[str, Any]) -> dict[str, Any]:
    """A regularizer or constraint, which has its name among its settings."""
    settings = {key: setting for key, setting in value.items() if key != "name"}
    if value["name"] in ("WeightRegularizer", "ActivityRegularizer"):
        return {"class_name": "L1L2", "config": settings}
    renamed = {{"m": "max_value"}.get(key, key): setting for key, setting in settings.items()}
    return {"class_name": value["name"], "config": renamed}


# ------------------------------------------------------------------------------------- layouts of weights


def weights(layer: Any, arrays: Sequence[np.ndarray], origin: Origin) -> list[np.ndarray]:
    """The weights of a layer in the layouts of Keras 2 and 3.

    Args:
        layer: the layer.
        arrays: as in a file, those that are trained first.
        origin: what wrote the file.

    Raises:
        FormatError: a number of arrays that cannot be divided among the layers inside.
    """
    found = list(arrays)
    if is_model(layer):
        return _of_model(layer, found, origin)
    if hasattr(layer, "forward_layer"):
        if len(found) % 2:
            raise FormatError(f"the two directions have {len(found)} weights together", layer.name)
        half = len(found) // 2
        one, other = layer.forward_layer, layer.backward_layer
        return weights(one, found[:half], origin) + weights(other, found[half:], origin)
    if hasattr(layer, "layer"):
        return weights(layer.layer, found, origin)
    if origin.is_first:
        found = _first(layer, found)
    if origin.backend == "theano":
        found = _turned(layer, found)
    return _recurrent(layer, found)


def _of_model(model: Any, arrays: list[np.ndarray], origin: Origin) -> list[np.ndarray]:
    """The weights of a model inside another: those that are trained of all its layers, then the others."""
    own = [*model.trainable_weights, *model.non_trainable_weights]
    if len(own) != len(arrays):
        return arrays
    places = {id(v): i for i, v in enumerate(own)}
    for layer in _leaves(model):
        mine = [places[id(v)] for v in (*layer.trainable_weights, *layer.non_trainable_weights) if id(v) in places]
        changed = weights(layer, [arrays[i] for i in mine], origin)
        for place, array in zip(mine, changed, strict=len(mine) == len(changed)):
            arrays[place] = array
    return arrays


def _leaves(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if is_model(layer):
            yield from _leaves(layer)
        else:
            yield layer


def flat(model: Any) -> list[Any]:
    """The layers of a model and of the models inside it, which are no layers of their own in files of Keras 1."""
    return list(_leaves(model))


#: the gates of a recurrent layer in Keras 1, each with kernel, recurrent kernel and bias, in the order of Keras 2
_GATES = {"LSTM": (0, 2, 1, 3), "ConvLSTM2D": (0, 2, 1, 3), "GRU": (0, 1, 2)}


def _first(layer: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    kind = _kind(layer)
    gates = _GATES.get(kind)
    first_channels = getattr(layer, "data_format", None) == "channels_first"
    if gates is not None and len(arrays) == 3 * len(gates):
        parts = [[arrays[3 * gate + part] for gate in gates] for part in range(3)]
        if kind == "ConvLSTM2D" and first_channels:
            parts[:2] = [[np.transpose(a, (2, 3, 1, 0)) for a in part] for part in parts[:2]]
        return [np.concatenate(part, axis=-1) for part in parts]
    if not arrays:
        return arrays
    kernel, *others = arrays
    if kind == "Conv1D" and kernel.ndim == 4:
        size = (layer.kernel_size[0], 1)
        kernel = kernel if kernel.shape[:2] == size else np.transpose(kernel, (2, 3, 1, 0))
        return [kernel[:, 0], *others]
    order: Sequence[int] | None = None
    if kind == "Conv2D" and first_channels:
        order = (2, 3, 1, 0)
    elif kind == "Conv2DTranspose":
        order = (2, 3, 0, 1) if first_channels else (0, 1, 3, 2)
    elif kind == "Conv3D" and first_channels:
        order = (2, 3, 4, 1, 0)
    return arrays if order is None or kernel.ndim != len(order) else [np.transpose(kernel, order), *others]


def _turned(layer: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """Theano convolved with kernels that are turned around in space."""
    count = {"Conv1D": 1, "Conv2D": 1, "Conv3D": 1, "Conv2DTranspose": 1, "ConvLSTM2D": 2}.get(_kind(layer), 0)
    return [np.flip(a, tuple(range(a.ndim - 2))) if i < count else a for i, a in enumerate(arrays)]


def _kind(layer: Any) -> str:
    """The class of a layer by the name that Keras 2 has for it."""
    known = (*_GATES, "Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose")
    names = [kind.__name__ for kind in type(layer).__mro__]
    if "Conv2DTranspose" in names:
        return "Conv2DTranspose"
    return next((name for name in names if name in known), names[0])


# cuDNN ------------------------------------------------------------------------------------------------------


def _recurrent(layer: Any, arrays: list[np.ndarray]) -> list[np.ndarray]:
    """The weights of LSTM and GRU from those of the layers for cuDNN, and the other way round; told apart by the shape
    of the bias."""
    gates = {"LSTM": 4, "GRU": 3, "CuDNNLSTM": 4, "CuDNNGRU": 3}.get(type(layer).__name__)
    if gates is None or len(arrays) != 3:
        return arrays
    wide = gates * layer.units
    kernel, recurrent, bias = arrays
    fast = bias.shape == (2 * wide,)
    wants_fast = type(layer).__name__.startswith("CuDNN")
    if fast == wants_fast or not wants_fast and gates == 3 and not layer.reset_after:
        return arrays
    if wants_fast and gates == 3 and bias.shape != (2, wide):
        return arrays
    if fast:
        changed = bias.reshape(2, wide)
        return [_gates(kernel, gates, "F"), _gates(recurrent, gates, "F"),
                changed.sum(axis=0, dtype=bias.dtype) if gates == 4 else changed]
    whole = bias.reshape(-1) if gates == 3 else np.tile(bias / 2, 2).astype(bias.dtype)
    return [_gates(kernel, gates, "C"), _gates(recurrent, gates, "C"), whole]


def _gates(kernel: np.ndarray, gates: int, order: Any) -> np.ndarray:
    """Kernels whose parts for the gates hold the numbers of the transposed matrices."""
    return np.hstack([part.T.reshape(part.shape, order=order) for part in np.hsplit(kernel, gates)])
